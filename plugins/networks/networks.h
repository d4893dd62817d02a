/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Masks that a rule chooses, and changes of low rank. */

#ifndef PLUGINS_NETWORKS_NETWORKS_H
#define PLUGINS_NETWORKS_NETWORKS_H

#include <parametrize/plugin.h>

/* ---- masks.c: y = M * x ------------------------------------------------------------------- */

/* The first option of each map, and its only buffer. */
enum { MASKS_STRAIGHT = 0 };
#define MASKS_STRAIGHT_THROUGH \
  PZ_OPTION_FLAG("straight_through", 0, "gradients pass the mask, and updates choose it anew")

/* mask <- 1 where an entry of x stays, else 0. */
typedef pz_status (*masks_rule)(pz_call* c, const pz_tensor* x, pz_tensor* mask);

pz_status masks_plan(pz_call* c, const pz_spec* given);
pz_status masks_forward(pz_call* c, const pz_tensor* x, pz_tensor* y);
pz_status masks_vjp(pz_call* c, const pz_tensor* x, const pz_tensor* y, const pz_tensor* g,
                    pz_tensor* gx);
pz_status masks_jvp(pz_call* c, const pz_tensor* x, const pz_tensor* y, const pz_tensor* dx,
                    pz_tensor* dy);

/* x <- y. The mask is chosen by one rule at registration, by the other where y is assigned, which is refused
   unless it is 0 off that mask, up to 100 n eps of its largest entry, n the last extent. */
pz_status masks_right_inverse(pz_call* c, masks_rule at_registration, masks_rule at_assignment,
                              const pz_tensor* y, pz_tensor* x);
pz_status masks_residual(pz_call* c, masks_rule rule, const pz_tensor* y, double* distance);
pz_status masks_update(pz_call* c, masks_rule rule, const pz_tensor* x);

/* ---- lora.c: V = W0 + s B A ---------------------------------------------------------------- */

enum { LORA_A, LORA_B, LORA_ORIGINALS };
enum { LORA_RANK, LORA_ALPHA, LORA_STABLE, LORA_OPTIONS }; /* the first options */
#define LORA_OPTION_LIST                                                                        \
  [LORA_RANK] = PZ_OPTION_INTEGER("rank", 8, 1, INT32_MAX, "rank of the change"),               \
  [LORA_ALPHA] = PZ_OPTION_REAL("alpha", 8, 1e-3, 1e6, "the change is alpha / rank times B A"), \
  [LORA_STABLE] = PZ_OPTION_FLAG("rslora", 0, "divide alpha by the root of the rank")

/* Declares A and B and the buffer W0; *value is the spec of the value. */
pz_status lora_plan(pz_call* c, const pz_spec* given, pz_spec* value);
pz_status lora_init(pz_call* c, const pz_tensor* tensor);
pz_status lora_sum(pz_call* c, const pz_tensor* x, pz_tensor* v);
/* Gradients of A and B for that of V, as far as they are wanted. */
pz_status lora_sum_vjp(pz_call* c, const pz_tensor* x, const pz_tensor* gv, pz_tensor* gx);
pz_status lora_sum_jvp(pz_call* c, const pz_tensor* x, const pz_tensor* dx, pz_tensor* dv);
/* W0 <- v, B <- 0, A <- uniform numbers. */
pz_status lora_restart(pz_call* c, const pz_tensor* v, pz_tensor* x);

extern const pz_parametrization networks_dora;
extern const pz_parametrization networks_lora;
extern const pz_parametrization networks_mask;
extern const pz_parametrization networks_n_of_m;
extern const pz_parametrization networks_oft;

#endif /* PLUGINS_NETWORKS_NETWORKS_H */
