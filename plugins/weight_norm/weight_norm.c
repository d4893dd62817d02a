/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Weight normalization (Salimans and Kingma 2016) separates the magnitude g from the direction v:

     w = g v / |v|

   The norm is over all dimensions except `dim`, so that every slice along `dim` has its own
   magnitude; or over the whole tensor, with a single magnitude. With u = v / |v|,

     gg = <G, u>          gv = (g / |v|) (G - gg u)
     dw = dg u + (g / |v|) (dv - <u, dv> u)

   `size` below is scale |v|, with a power of two `scale` near 1 / |v|: entries of 1e30 or 1e-30
   neither overflow nor underflow in float32. A slice of zeros has no direction;
   its value and gradients are zero.

   Right inverse: g = |w|, v = w. Every tensor is a value. */

#include <parametrize/plugin.h>

enum { DIM };
enum { G, V };                      /* originals */
enum { WHOLE = 8, FROM_LAST = 10 }; /* the choices 8 and 9 of dim; and -2, before -3 ... */

// clang-format off

PZ_ROW_KERNEL(weight_norm_value, 2, 3, 0, 0,
  PZ_ROW_IN(0, v);
  PZ_VALUE_IN(1, g);
  PZ_ROW_OUT(0, w);
  PZ_ROW_NORM(size, scale, j, n, v[j][r]);
  PZ_ROW_VALUE(factor, size[r] == (real)0 ? (real)0 : g[r] / size[r]);
  PZ_ROW_EACH(j, n) {
    w[j][r] = scale[r] * v[j][r] * factor[r];
  }
  PZ_VALUE_OUT(1, scale[r]);
  PZ_VALUE_OUT(2, size[r]);
)

PZ_ROW_KERNEL(weight_norm_adjoint, 5, 2, 0, 0,
  PZ_ROW_IN(0, v);
  PZ_VALUE_IN(1, g);
  PZ_VALUE_IN(2, scale);
  PZ_VALUE_IN(3, size);
  PZ_ROW_IN(4, gw);
  PZ_ROW_OUT(1, gv);
  PZ_ROW_VALUE(inverse, size[r] == (real)0 ? (real)0 : 1 / size[r]);
  PZ_ROW_SUM(gg, j, n, gw[j][r] * (scale[r] * v[j][r] * inverse[r]));
  PZ_ROW_EACH(j, n) {
    gv[j][r] = g[r] * inverse[r] * scale[r] * (gw[j][r] - gg[r] * (scale[r] * v[j][r] * inverse[r]));
  }
  PZ_VALUE_OUT(0, gg[r]);
)

PZ_ROW_KERNEL(weight_norm_tangent, 6, 1, 0, 0,
  PZ_ROW_IN(0, v);
  PZ_VALUE_IN(1, g);
  PZ_VALUE_IN(2, scale);
  PZ_VALUE_IN(3, size);
  PZ_VALUE_IN(4, dg);
  PZ_ROW_IN(5, dv);
  PZ_ROW_OUT(0, dw);
  PZ_ROW_VALUE(inverse, size[r] == (real)0 ? (real)0 : 1 / size[r]);
  PZ_ROW_SUM(along, j, n, dv[j][r] * (scale[r] * v[j][r] * inverse[r]));
  PZ_ROW_EACH(j, n) {
    const real u = scale[r] * v[j][r] * inverse[r];
    dw[j][r] = dg[r] * u + g[r] * inverse[r] * scale[r] * (dv[j][r] - along[r] * u);
  }
)

PZ_ROW_KERNEL(weight_norm_inverse, 1, 2, 0, 0,
  PZ_ROW_IN(0, w);
  PZ_ROW_OUT(1, v);
  PZ_ROW_NORM(size, scale, j, n, w[j][r]);
  PZ_ROW_EACH(j, n) {
    v[j][r] = w[j][r];
  }
  PZ_VALUE_OUT(0, size[r] / scale[r]);
)

// clang-format on

static const char* const dims[] = {"0",  "1",  "2",  "3",  "4",  "5",  "6",  "7", "all",
                                   "-1", "-2", "-3", "-4", "-5", "-6", "-7", "-8"};

static pz_row_kind
kind(const pz_call* const c)
{
  const int64_t choice = c->options[DIM].as.integer;
  return choice >= WHOLE && choice < FROM_LAST ? PZ_WHOLE : PZ_SLICES_OF_DIM;
}

/* The option dim as an index, below 0 from the last. */
static int32_t
dim_of(const pz_call* const c)
{
  const int32_t choice = (int32_t)c->options[DIM].as.integer;
  return choice < FROM_LAST ? choice : FROM_LAST - 2 - choice;
}

static pz_status
weight_norm_plan(pz_call* const c, const pz_spec* const given)
{
  const pz_spec* const v = &given[c->direction == PZ_FROM_INPUT ? V : 0];
  const bool whole = kind(c) == PZ_WHOLE;
  const int32_t dim = dim_of(c) + (dim_of(c) < 0 ? v->ndim : 0);
  pz_spec g = pz_spec_make(v->dtype, whole ? 0 : v->ndim, v->shape);
  PZ_TRY(whole ? PZ_OK : pz_expect_dim(c, v, dim_of(c)));
  for (int32_t i = 0; i < g.ndim; ++i) {
    g.shape[i] = i == dim ? g.shape[i] : 1;
  }
  PZ_TRY(pz_declare_original(c, NULL, &g));
  PZ_TRY(pz_declare_original(c, NULL, v));
  return pz_declare_value(c, v, PZ_GENERAL);
}

static pz_status
weight_norm_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const w)
{
  pz_tensor scale;
  pz_tensor size;
  PZ_TRY(pz_save_like(c, &x[G], &scale));
  PZ_TRY(pz_save_like(c, &x[G], &size));
  return pz_launch_rows(c, &weight_norm_value, kind(c), dim_of(c), PZ_TENSORS(&x[V], &x[G]),
                        PZ_OUTPUTS(w, &scale, &size), NULL, NULL);
}

static pz_status
weight_norm_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const w,
                const pz_tensor* const gw, pz_tensor* const gx)
{
  pz_tensor scale;
  pz_tensor size;
  (void)w;
  PZ_TRY(pz_saved(c, 0, &scale));
  PZ_TRY(pz_saved(c, 1, &size));
  return pz_launch_rows(c, &weight_norm_adjoint, kind(c), dim_of(c),
                        PZ_TENSORS(&x[V], &x[G], &scale, &size, gw), PZ_OUTPUTS(&gx[G], &gx[V]),
                        NULL, NULL);
}

static pz_status
weight_norm_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const w,
                const pz_tensor* const dx, pz_tensor* const dw)
{
  pz_tensor scale;
  pz_tensor size;
  (void)w;
  PZ_TRY(pz_saved(c, 0, &scale));
  PZ_TRY(pz_saved(c, 1, &size));
  return pz_launch_rows(c, &weight_norm_tangent, kind(c), dim_of(c),
                        PZ_TENSORS(&x[V], &x[G], &scale, &size, &dx[G], &dx[V]), PZ_OUTPUTS(dw),
                        NULL, NULL);
}

static pz_status
weight_norm_right_inverse(pz_call* const c, const pz_tensor* const w, pz_tensor* const x)
{
  return pz_launch_rows(c, &weight_norm_inverse, kind(c), dim_of(c), PZ_TENSORS(w),
                        PZ_OUTPUTS(&x[G], &x[V]), NULL, NULL);
}

/* Every tensor is a value. */
static pz_status
weight_norm_residual(pz_call* const c, const pz_tensor* const w, double* const distance)
{
  (void)c;
  (void)w;
  *distance = 0.0;
  return PZ_OK;
}

/* Independent standard normal entries. */
static pz_status
weight_norm_sample(pz_call* const c, pz_tensor* const w)
{
  return pz_random(c, PZ_NORMAL, c->draw, 0, 0.0, 1.0, w);
}

static const pz_option weight_norm_options[] = {
    [DIM] = PZ_OPTION_CHOICE("dim", 0, dims,
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
    .options = weight_norm_options,
    .n_options = sizeof(weight_norm_options) / sizeof(weight_norm_options[0]),
    .n_originals = 2,
    .plan = weight_norm_plan,
    .forward = weight_norm_forward,
    .right_inverse = weight_norm_right_inverse,
    .vjp = weight_norm_vjp,
    .residual = weight_norm_residual,
    .sample = weight_norm_sample,
    .jvp = weight_norm_jvp,
    .legacy_names = "original0=_g original1=_v",
};

PZ_PLUGIN(weight_norm, "1.0.0", PZ_PARAMETRIZATION(&weight_norm));
