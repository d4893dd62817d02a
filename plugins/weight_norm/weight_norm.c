/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Weight normalization (Salimans and Kingma 2016) separates the magnitude g from the direction v:

     w = g v / |v|

   The norm is over all dimensions except `dim`, so that every slice along `dim` has its own
   magnitude; or over the whole tensor, with a single magnitude. If v is seen as A x n x B, where n
   is the extent of `dim`, there are n norms over A and B. With u = v / |v|,

     gg = <G, u>          gv = (g / |v|) (G - gg u)
     dw = dg u + (g / |v|) (dv - <u, dv> u)

   All formulas use u, whose entries are at most 1, and norms are scaled before squaring: entries of
   1e30 or 1e-30 neither overflow nor underflow in float32. A slice of zeros has no direction; its
   value and both gradients are zero.

   Right inverse: g = |w|, v = w. Every tensor is a value. */

#include <parametrize/plugin.h>

enum { DIM };
enum { G, V };                      /* originals */
enum { WHOLE = 8, FROM_LAST = 10 }; /* the choices 8 and 9 of dim; and -2, before -3 ... */

// clang-format off

/* u <- v / |v|, zero if the norm is zero. */
PZ_KERNEL(weight_norm_direction, 3, 0, 2,
  PZ_TENSOR_ARG(0, v);
  PZ_TENSOR_ARG(1, norm);
  PZ_TENSOR_ARG(2, u);
  PZ_INTEGER_ARG(0, n);
  PZ_INTEGER_ARG(1, inner);
  const real size = norm[i / inner % n];
  u[i] = size == (real)0 ? (real)0 : v[i] / size;
)

PZ_KERNEL(weight_norm_value, 4, 0, 2,
  PZ_TENSOR_ARG(0, v);
  PZ_TENSOR_ARG(1, norm);
  PZ_TENSOR_ARG(2, g);
  PZ_TENSOR_ARG(3, w);
  PZ_INTEGER_ARG(0, n);
  PZ_INTEGER_ARG(1, inner);
  const pz_int k = i / inner % n;
  w[i] = norm[k] == (real)0 ? (real)0 : g[k] * (v[i] / norm[k]);
)

PZ_KERNEL(weight_norm_adjoint, 6, 0, 2,
  PZ_TENSOR_ARG(0, u);
  PZ_TENSOR_ARG(1, norm);
  PZ_TENSOR_ARG(2, g);
  PZ_TENSOR_ARG(3, gg);
  PZ_TENSOR_ARG(4, gw);
  PZ_TENSOR_ARG(5, gv);
  PZ_INTEGER_ARG(0, n);
  PZ_INTEGER_ARG(1, inner);
  const pz_int k = i / inner % n;
  gv[i] = norm[k] == (real)0 ? (real)0 : g[k] / norm[k] * (gw[i] - gg[k] * u[i]);
)

PZ_KERNEL(weight_norm_tangent, 7, 0, 2,
  PZ_TENSOR_ARG(0, u);
  PZ_TENSOR_ARG(1, norm);
  PZ_TENSOR_ARG(2, g);
  PZ_TENSOR_ARG(3, dg);
  PZ_TENSOR_ARG(4, along);
  PZ_TENSOR_ARG(5, dv);
  PZ_TENSOR_ARG(6, dw);
  PZ_INTEGER_ARG(0, n);
  PZ_INTEGER_ARG(1, inner);
  const pz_int k = i / inner % n;
  dw[i] = norm[k] == (real)0 ? (real)0
                             : dg[k] * u[i] + g[k] / norm[k] * (dv[i] - along[k] * u[i]);
)

// clang-format on

/* v seen as outer x n x inner. */
typedef struct slices {
  int64_t outer;
  int64_t n;
  int64_t inner;
} slices;

static const char* const dims[] = {"0",  "1",  "2",  "3",  "4",  "5",  "6",  "7", "all",
                                   "-1", "-2", "-3", "-4", "-5", "-6", "-7", "-8"};

static bool
is_whole(const pz_call* const c)
{
  const int64_t choice = c->options[DIM].as.integer;
  return choice >= WHOLE && choice < FROM_LAST;
}

/* The option dim as an index, unless it means the whole tensor; negative if too small for ndim. */
static int32_t
kept(const pz_call* const c, const int32_t ndim)
{
  const int32_t choice = (int32_t)c->options[DIM].as.integer;
  return choice < FROM_LAST ? choice : ndim - 2 - (choice - FROM_LAST);
}

static slices
slices_of(const pz_call* const c, const int32_t ndim, const int64_t* const shape)
{
  if (is_whole(c)) {
    return (slices){1, 1, pz_shape_count(ndim, shape)};
  }
  const int32_t dim = kept(c, ndim);
  return (slices){
      pz_shape_count(dim, shape),
      shape[dim],
      pz_shape_count(ndim - dim - 1, shape + dim + 1),
  };
}

static pz_status
weight_norm_plan(pz_call* const c, const pz_spec* const given)
{
  if (c->direction == PZ_FROM_INPUT && c->n_given != 2) {
    return pz_fail(c, PZ_MISMATCH,
                   "found %u input%s, expected two, the magnitudes g and the directions v",
                   (unsigned)c->n_given, c->n_given == 1 ? "" : "s");
  }
  const pz_spec* const v = &given[c->direction == PZ_FROM_INPUT ? V : 0];
  const int32_t dim = kept(c, v->ndim);
  pz_spec g = pz_spec_make(v->dtype, is_whole(c) ? 0 : v->ndim, v->shape);
  if (!is_whole(c) && (dim < 0 || dim >= v->ndim)) {
    return pz_fail(c, PZ_MISMATCH, "found %d dimension%s, expected one numbered dim=%s",
                   (int)v->ndim, v->ndim == 1 ? "" : "s", dims[c->options[DIM].as.integer]);
  }
  for (int32_t i = 0; i < g.ndim; ++i) {
    g.shape[i] = i == dim ? g.shape[i] : 1;
  }
  PZ_TRY(pz_declare_original(c, NULL, &g));
  PZ_TRY(pz_declare_original(c, NULL, v));
  return pz_declare_value(c, v, PZ_GENERAL);
}

/* out (n) <- the norms of the slices of v. */
static pz_status
norms(pz_call* const c, const slices s, const pz_tensor* const v, pz_tensor* const out)
{
  pz_view cut;
  pz_view line;
  pz_tensor rows;
  pz_tensor* const each = pz_view_reshaped(&line, out, 1, (const int64_t[]){s.n});
  if (s.outer == 1) {
    return pz_norm(c, PZ_NORM_TWO, PZ_OVER_COLS,
                   pz_view_reshaped(&cut, v, 2, (const int64_t[]){s.n, s.inner}), each);
  }
  const pz_spec spec = pz_spec_make(v->dtype, 2, (const int64_t[]){s.outer, s.n});
  PZ_TRY(pz_work(c, &spec, &rows));
  PZ_TRY(pz_norm(c, PZ_NORM_TWO, PZ_OVER_COLS,
                 pz_view_reshaped(&cut, v, 3, (const int64_t[]){s.outer, s.n, s.inner}), &rows));
  return pz_norm(c, PZ_NORM_TWO, PZ_OVER_ROWS, &rows, each);
}

/* out (n) <- <x, y> over the slices. */
static pz_status
products(pz_call* const c, const slices s, const pz_tensor* const x, const pz_tensor* const y,
         pz_tensor* const out)
{
  const int64_t shape[] = {s.outer, s.n, s.inner};
  const int32_t skip = s.outer == 1 ? 1 : 0;
  pz_view x_cut;
  pz_view y_cut;
  pz_view line;
  pz_tensor rows;
  pz_tensor ones;
  const pz_tensor* const x_slices = pz_view_reshaped(&x_cut, x, 3 - skip, shape + skip);
  const pz_tensor* const y_slices = pz_view_reshaped(&y_cut, y, 3 - skip, shape + skip);
  pz_tensor* const each = pz_view_reshaped(&line, out, 1, &s.n);
  if (s.outer == 1) {
    return pz_dot(c, PZ_OVER_COLS, x_slices, y_slices, each);
  }
  const pz_spec spec = pz_spec_make(x->dtype, 2, shape);
  PZ_TRY(pz_work(c, &spec, &rows));
  PZ_TRY(pz_work(c, &spec, &ones));
  PZ_TRY(pz_fill(c, 1.0, &ones));
  PZ_TRY(pz_dot(c, PZ_OVER_COLS, x_slices, y_slices, &rows));
  return pz_dot(c, PZ_OVER_ROWS, &rows, &ones, each);
}

static pz_status
weight_norm_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const w)
{
  const pz_tensor* const v = &x[V];
  const slices s = slices_of(c, v->ndim, v->shape);
  pz_tensor norm;
  PZ_TRY(pz_save_like(c, &x[G], &norm));
  PZ_TRY(norms(c, s, v, &norm));
  return pz_launch(c, &weight_norm_value, pz_count(v),
                   (const pz_tensor* const[]){v, &norm, &x[G], w}, NULL,
                   (const int64_t[]){s.n, s.inner});
}

static pz_status
weight_norm_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const w,
                const pz_tensor* const gw, pz_tensor* const gx)
{
  (void)w;
  const pz_tensor* const v = &x[V];
  const slices s = slices_of(c, v->ndim, v->shape);
  const int64_t extents[] = {s.n, s.inner};
  pz_tensor norm;
  pz_tensor u;
  pz_tensor gg;
  PZ_TRY(pz_saved(c, 0, &norm));
  PZ_TRY(pz_work_like(c, v, &u));
  if (pz_wants(c, G)) {
    gg = gx[G];
  } else {
    PZ_TRY(pz_work_like(c, &x[G], &gg));
  }
  PZ_TRY(pz_launch(c, &weight_norm_direction, pz_count(v), (const pz_tensor* const[]){v, &norm, &u},
                   NULL, extents));
  // gg <- <G, u>
  PZ_TRY(products(c, s, gw, &u, &gg));
  if (!pz_wants(c, V)) {
    return PZ_OK;
  }
  // gv <- (g / |v|) (G - gg u)
  return pz_launch(c, &weight_norm_adjoint, pz_count(v),
                   (const pz_tensor* const[]){&u, &norm, &x[G], &gg, gw, &gx[V]}, NULL, extents);
}

/* out <- the tangent `given`, zero where it is absent. */
static pz_status
tangent(pz_call* const c, const pz_tensor* const given, pz_tensor* const out)
{
  *out = *given;
  if (given->data) {
    return PZ_OK;
  }
  PZ_TRY(pz_work_like(c, given, out));
  return pz_fill(c, 0.0, out);
}

static pz_status
weight_norm_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const w,
                const pz_tensor* const dx, pz_tensor* const dw)
{
  (void)w;
  const pz_tensor* const v = &x[V];
  const slices s = slices_of(c, v->ndim, v->shape);
  const int64_t extents[] = {s.n, s.inner};
  pz_tensor norm;
  pz_tensor u;
  pz_tensor dg;
  pz_tensor dv;
  pz_tensor along;
  PZ_TRY(pz_saved(c, 0, &norm));
  PZ_TRY(pz_work_like(c, v, &u));
  PZ_TRY(pz_work_like(c, &x[G], &along));
  PZ_TRY(tangent(c, &dx[G], &dg));
  PZ_TRY(tangent(c, &dx[V], &dv));
  PZ_TRY(pz_launch(c, &weight_norm_direction, pz_count(v), (const pz_tensor* const[]){v, &norm, &u},
                   NULL, extents));
  PZ_TRY(products(c, s, &dv, &u, &along));
  return pz_launch(c, &weight_norm_tangent, pz_count(v),
                   (const pz_tensor* const[]){&u, &norm, &x[G], &dg, &along, &dv, dw}, NULL,
                   extents);
}

static pz_status
weight_norm_right_inverse(pz_call* const c, const pz_tensor* const w, pz_tensor* const x)
{
  PZ_TRY(norms(c, slices_of(c, w->ndim, w->shape), w, &x[G]));
  return pz_copy(c, w, &x[V]);
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
               "cost: two passes over memory forward, three in vjp",
    .options = weight_norm_options,
    .n_options = sizeof(weight_norm_options) / sizeof(weight_norm_options[0]),
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
