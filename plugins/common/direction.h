/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Magnitudes and directions: w = g v / |v| for each row of a tensor. Rows of zeros have no direction; their
   values and gradients are zero. */

#ifndef PLUGINS_COMMON_DIRECTION_H
#define PLUGINS_COMMON_DIRECTION_H

#include <parametrize/plugin.h>

typedef struct direction {
  pz_row_kind kind;
  int32_t dim;
  uint32_t saved; /* tensors that forward saved before */
  bool detached;  /* derivatives count |v| as a constant */
} direction;

/* g has one number for each row. Saves two tensors for derivatives. */
pz_status direction_forward(pz_call* c, const direction* d, const pz_tensor* v, const pz_tensor* g,
                            pz_tensor* w);
/* The data of gv or gg is NULL if it is not wanted. */
pz_status direction_vjp(pz_call* c, const direction* d, const pz_tensor* v, const pz_tensor* g,
                        const pz_tensor* gw, pz_tensor* gv, pz_tensor* gg);
pz_status direction_jvp(pz_call* c, const direction* d, const pz_tensor* v, const pz_tensor* g,
                        const pz_tensor* dv, const pz_tensor* dg, pz_tensor* dw);
/* v <- w, g <- |w| */
pz_status direction_right_inverse(pz_call* c, const direction* d, const pz_tensor* w, pz_tensor* v,
                                  pz_tensor* g);

#endif /* PLUGINS_COMMON_DIRECTION_H */
