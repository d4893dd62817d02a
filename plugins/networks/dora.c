/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Low-rank changes of the directions of rows, and their magnitudes (Liu et al. 2024): each row of the value is

     w = m v / |v|,  V = W0 + s B A

   with the derivatives of weight_norm (direction.c), then those of lora. With `detach`, as in training by
   peft, |v| counts as a constant: gv = (m / |v|) g. Rows of zeros have value and gradient 0.

   Right inverse: W0 = W, B = 0, A uniform, m = |w|. Every matrix is a value. */

#include "networks.h"

#include "direction.h"

enum { DETACH = LORA_OPTIONS };
enum { MAGNITUDE = LORA_ORIGINALS, DORA_ORIGINALS };
enum { V }; /* saved, before what directions save */
enum { BASE };

static direction
rows(const pz_call* const c)
{
  return (direction){PZ_ALONG_DIM, -1, V + 1, c->options[DETACH].as.integer != 0};
}

static pz_status
plan(pz_call* const c, const pz_spec* const given)
{
  pz_spec value;
  PZ_TRY(lora_plan(c, given, &value));
  const pz_spec m = pz_spec_make(value.dtype, value.ndim - 1, value.shape);
  PZ_TRY(pz_declare_original(c, NULL, &m));
  return pz_declare_value(c, &value, PZ_GENERAL);
}

static pz_status
forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const w)
{
  const direction d = rows(c);
  pz_tensor v;
  PZ_TRY(pz_save_like(c, w, &v));
  PZ_TRY(lora_sum(c, x, &v));
  return direction_forward(c, &d, &v, &x[MAGNITUDE], w);
}

static pz_status
vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const w, const pz_tensor* const g,
    pz_tensor* const gx)
{
  const direction d = rows(c);
  pz_tensor v;
  pz_tensor gv;
  PZ_TRY(pz_saved(c, V, &v));
  PZ_TRY(pz_work_like(c, w, &gv));
  PZ_TRY(direction_vjp(c, &d, &v, &x[MAGNITUDE], g, &gv, &gx[MAGNITUDE]));
  return lora_sum_vjp(c, x, &gv, gx);
}

static pz_status
jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const w, const pz_tensor* const dx,
    pz_tensor* const dw)
{
  const direction d = rows(c);
  pz_tensor v;
  pz_tensor dv;
  PZ_TRY(pz_saved(c, V, &v));
  PZ_TRY(pz_work_like(c, w, &dv));
  PZ_TRY(lora_sum_jvp(c, x, dx, &dv));
  return direction_jvp(c, &d, &v, &x[MAGNITUDE], &dv, &dx[MAGNITUDE], dw);
}

static pz_status
right_inverse(pz_call* const c, const pz_tensor* const w, pz_tensor* const x)
{
  const direction d = rows(c);
  PZ_TRY(lora_restart(c, w, x));
  return direction_right_inverse(c, &d, w, &c->new_buffer[BASE], &x[MAGNITUDE]);
}

static const pz_option options[] = {
    LORA_OPTION_LIST,
    [DETACH] = PZ_OPTION_FLAG("detach", 0, "derivatives count the norms of rows as constants"),
};

const pz_parametrization networks_dora = {
    .size = sizeof(networks_dora),
    .option_size = sizeof(pz_option),
    .id = "dora",
    .summary = "Low-rank changes of the directions of rows, and their magnitudes",
    .tags = "network adapter rank surrogate",
    .formula = "rows w = m v / |v|, V = W0 + s B A as for lora\n"
               "domain: any A, B and m; rows of zeros have value and gradient 0\n"
               "right inverse: W0 = W, B = 0, A uniform in +-1/sqrt(in), m = |w|\n"
               "cost: lora's, and one pass over memory forward, one in vjp",
    PZ_OPTIONS(options),
    .n_originals = DORA_ORIGINALS,
    .plan = plan,
    .init = lora_init,
    .forward = forward,
    .right_inverse = right_inverse,
    .vjp = vjp,
    .residual = pz_zero_residual,
    .jvp = jvp,
};
