/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Weight normalization (Salimans and Kingma 2016) separates the magnitude g from the direction v:

     w = g v / |v|

   The norm is over all dimensions except `dim`, so that every slice along `dim` has its own
   magnitude; or over the whole tensor, with a single magnitude. With u = v / |v|,

     gg = <G, u>          gv = (g / |v|) (G - gg u)
     dw = dg u + (g / |v|) (dv - <u, dv> u)

   (direction.c). A slice of zeros has no direction; its value and gradients are zero.

   Right inverse: g = |w|, v = w. Every tensor is a value. */

#include "direction.h"

enum { DIM };
enum { G, V };                /* originals */
enum { FIRST = -8, ALL = 8 }; /* the dimensions of the choices, of which all and -1 are the whole */

static const char* const dims[] = {"-8", "-7", "-6", "-5", "-4", "-3", "-2", "-1", "0",
                                   "1",  "2",  "3",  "4",  "5",  "6",  "7",  "all"};

/* The option dim as an index, below 0 from the last. */
static int32_t
dim_of(const pz_call* const c)
{
  return (int32_t)c->options[DIM].as.integer + FIRST;
}

static pz_row_kind
kind(const pz_call* const c)
{
  return dim_of(c) == ALL || dim_of(c) == -1 ? PZ_WHOLE : PZ_SLICES_OF_DIM;
}

static pz_status
weight_norm_plan(pz_call* const c, const pz_spec* const given)
{
  const pz_spec* const v = &given[c->direction == PZ_FROM_INPUT ? V : 0];
  const pz_spec g = pz_spec_of_numbers(*v, kind(c), dim_of(c));
  PZ_TRY(kind(c) == PZ_WHOLE ? PZ_OK : pz_expect_dim(c, v, dim_of(c)));
  PZ_TRY(pz_declare_original(c, NULL, &g));
  PZ_TRY(pz_declare_original(c, NULL, v));
  return pz_declare_value(c, v, PZ_GENERAL);
}

static direction
direction_of(const pz_call* const c)
{
  return (direction){kind(c), dim_of(c), 0, false};
}

static pz_status
weight_norm_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const w)
{
  const direction d = direction_of(c);
  return direction_forward(c, &d, &x[V], &x[G], w);
}

static pz_status
weight_norm_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const w,
                const pz_tensor* const gw, pz_tensor* const gx)
{
  const direction d = direction_of(c);
  (void)w;
  return direction_vjp(c, &d, &x[V], &x[G], gw, &gx[V], &gx[G]);
}

static pz_status
weight_norm_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const w,
                const pz_tensor* const dx, pz_tensor* const dw)
{
  const direction d = direction_of(c);
  (void)w;
  return direction_jvp(c, &d, &x[V], &x[G], &dx[V], &dx[G], dw);
}

static pz_status
weight_norm_right_inverse(pz_call* const c, const pz_tensor* const w, pz_tensor* const x)
{
  const direction d = direction_of(c);
  return direction_right_inverse(c, &d, w, &x[V], &x[G]);
}

/* Independent standard normal entries. */
static pz_status
weight_norm_sample(pz_call* const c, pz_tensor* const w)
{
  return pz_random(c, PZ_NORMAL, c->draw, 0, 0.0, 1.0, w);
}

static const pz_option weight_norm_options[] = {
    [DIM] = PZ_OPTION_CHOICE("dim", -FIRST, dims,
                             "dimension whose slices have one magnitude each, -2 and less count "
                             "from the last; all or -1: one magnitude for the tensor"),
};

static const pz_parametrization weight_norm = {
    .size = sizeof(weight_norm),
    .option_size = sizeof(pz_option),
    .id = "weight_norm",
    .summary = "Weight normalization: magnitude g and direction v, w = g v / |v|",
    .tags = "network norm",
    .formula = "w = g v / |v|, with the norm over all dimensions except dim, or over all\n"
               "domain: v of any shape; g has the shape of v with all extents 1 except that of dim "
               "(with all, g is a scalar); slices of zeros give zeros\n"
               "right inverse: g = |w|, v = w\n"
               "cost: one pass over memory forward, one in vjp",
    PZ_OPTIONS(weight_norm_options),
    .n_originals = 2,
    .plan = weight_norm_plan,
    .forward = weight_norm_forward,
    .right_inverse = weight_norm_right_inverse,
    .vjp = weight_norm_vjp,
    .residual = pz_zero_residual,
    .sample = weight_norm_sample,
    .jvp = weight_norm_jvp,
    .legacy_names = "original0=_g original1=_v",
};

PZ_PLUGIN(weight_norm, "1.0.0", PZ_PARAMETRIZATION(&weight_norm));
