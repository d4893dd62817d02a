/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Matrices with orthonormal columns (rows if they are wide) from unconstrained matrices of the same
   shape, in O(n k^2) for n x k:

     value = P Q(X) D

   Only the strict lower triangle of X (of X^T if X is wide) is used. Q is one of

     matrix_exp    exp(A) E         (exponential.c)
     cayley        (I - A/2)^-1 (I + A/2) E  (cayley.c)
     householder   a product of k reflectors (householder.c)

   where A is skew and E is the first k columns of the identity. P is the base (trivialization=1), a
   buffer that assignment sets to the value, so that X starts from zero, where all three maps are
   well conditioned. The base is stored as k reflectors or, as in PyTorch, as a dense n x n matrix.

   D = I except for householder, and for cayley without a base. PyTorch stores the signs of
   householder on the diagonal of X, where weight decay can turn them into zeros, and then columns
   of the value become zero. Here the diagonal is used while it is close to 1 or -1; a sign whose
   magnitude is below 1/2 is replaced by that of a buffer, or by -1 with a base. */

#include "orthogonal.h"

#include "rotation.h"

#include <parametrize/plugin.h>

#include <math.h>

// clang-format off

/* d <- the sign of d if its magnitude exceeds the threshold, otherwise the fallback; NaN if d is not
   finite. */
PZ_KERNEL(orth_clear_signs, 2, 1, 0,
  PZ_TENSOR_ARG(0, d);
  PZ_TENSOR_ARG(1, fallback);
  PZ_REAL_ARG(0, threshold);
  const real zero = d[i] - d[i];
  d[i] = zero + (d[i] > threshold ? (real)1 : d[i] < -threshold ? (real)-1 : fallback[i]);
)

// clang-format on

/* ---- options ------------------------------------------------------------------ */

int64_t
orth_map(const pz_call* const c, const int64_t n, const int64_t k)
{
  const int64_t map = c->options[ORTH_MAP].as.integer;
  return map != ORTH_MAP_AUTO ? map : n == k ? ORTH_MATRIX_EXP : ORTH_HOUSEHOLDER;
}

bool
orth_has_dense_base(const pz_call* const c, const int64_t n, const int64_t k)
{
  const int64_t base = c->options[ORTH_BASE].as.integer;
  return base == ORTH_DENSE || (base == ORTH_BASE_AUTO && n == k);
}

bool
orth_has_signs(const pz_call* const c, const int64_t n, const int64_t k)
{
  return !orth_has_base(c) && c->options[ORTH_SIGNS].as.integer != 0 &&
         orth_map(c, n, k) != ORTH_MATRIX_EXP;
}

pz_status
orth_tall(pz_call* const c, const pz_tensor* const t, pz_tensor* const out)
{
  const pz_spec spec = orth_spec(t, pz_cols(t), pz_rows(t));
  pz_view view;
  *out = *t;
  if (pz_rows(t) >= pz_cols(t)) {
    return PZ_OK;
  }
  PZ_TRY(pz_work(c, &spec, out));
  return pz_copy(c, pz_view_transposed(&view, t), out);
}

pz_status
orth_untall(pz_call* const c, const pz_tensor* const tall, pz_tensor* const y)
{
  pz_view view;
  return pz_rows(y) < pz_cols(y) ? pz_copy(c, pz_view_transposed(&view, tall), y) : PZ_OK;
}

/* out <- memory for a tall result: y itself, or scratch. */
static pz_status
tall_room(pz_call* const c, const pz_tensor* const y, pz_tensor* const out)
{
  const pz_spec spec = orth_spec(y, pz_cols(y), pz_rows(y));
  *out = *y;
  return pz_rows(y) < pz_cols(y) ? pz_work(c, &spec, out) : PZ_OK;
}

static pz_status
orthogonal_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_expect_dims(c, given, 2, "matrices"));
  const int32_t last = given->ndim - 1;
  const int64_t rows = given->shape[last - 1];
  const int64_t cols = given->shape[last];
  const int64_t n = rows > cols ? rows : cols;
  const int64_t k = rows > cols ? cols : rows;
  pz_spec state = *given;
  state.shape[last - 1] = n;
  PZ_TRY(pz_declare_original(c, NULL, given));
  if (orth_has_base(c)) {
    const bool dense = orth_has_dense_base(c, n, k);
    const pz_spec count = pz_spec_make(PZ_I64, 0, NULL);
    state.shape[last] = dense ? n : k;
    PZ_TRY(pz_declare_buffer(c, dense ? "base" : "reflectors", &state));
    if (c->options[ORTH_REBASE].as.integer > 1) {
      PZ_TRY(pz_declare_buffer(c, "updates", &count));
    }
  } else if (orth_has_signs(c, n, k)) {
    state.ndim = last;
    state.shape[last - 1] = k;
    PZ_TRY(pz_declare_buffer(c, "signs", &state));
  }
  PZ_TRY(orth_declare_density(c, rows, cols));
  return pz_declare_value(c, given, PZ_ORTHOGONAL);
}

static pz_status
orthogonal_init(pz_call* const c, const pz_tensor* const tensor)
{
  const int64_t rows = pz_rows(tensor);
  const int64_t cols = pz_cols(tensor);
  const int64_t n = rows > cols ? rows : cols;
  const int64_t k = rows > cols ? cols : rows;
  return c->n_buffer > 0 ? orth_identity_state(c, n, k, &c->new_buffer[ORTH_STATE]) : PZ_OK;
}

/* ---- value and gradient ------------------------------------------------------- */

/* d <- the signs D; `any` is false if D = I. */
static pz_status
column_signs(pz_call* const c, const pz_tensor* const x, pz_tensor* const d, bool* const any)
{
  const int64_t k = pz_cols(x);
  const bool buffer = orth_has_signs(c, pz_rows(x), k);
  const pz_spec row = orth_row_spec(x, k);
  pz_tensor fallback;
  *any = true;
  if (orth_map(c, pz_rows(x), k) != ORTH_HOUSEHOLDER) {
    *any = buffer;
    *d = buffer ? c->buffer[ORTH_STATE] : *x;
    return PZ_OK;
  }
  PZ_TRY(pz_work(c, &row, d));
  PZ_TRY(pz_get_diagonal(c, x, d));
  if (buffer) {
    fallback = c->buffer[ORTH_STATE];
  } else {
    PZ_TRY(pz_work(c, &row, &fallback));
    PZ_TRY(pz_fill(c, -1.0, &fallback));
  }
  const double threshold = buffer || orth_has_base(c) ? 0.5 : 0.0;
  return pz_launch(c, &orth_clear_signs, pz_count(d), (const pz_tensor* const[]){d, &fallback},
                   (const double[]){threshold}, NULL);
}

/* q <- P at_base D, at_base being scratch if the base is dense, else q itself. x is tall. */
static pz_status
from_base(pz_call* const c, const pz_tensor* const x, pz_tensor* const at_base, pz_tensor* const q)
{
  pz_tensor d;
  bool any = false;
  PZ_TRY(column_signs(c, x, &d, &any));
  if (any) {
    PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &d, at_base, at_base));
  }
  if (!orth_has_base(c)) {
    return PZ_OK;
  }
  return orth_has_dense_base(c, pz_rows(x), pz_cols(x))
             ? pz_gemm(c, PZ_N, PZ_N, 1.0, &c->buffer[ORTH_STATE], at_base, 0.0, q)
             : orth_reflect(c, PZ_N, &c->buffer[ORTH_STATE], q);
}

pz_status
orth_value(pz_call* const c, const pz_tensor* const x, pz_tensor* const q)
{
  const int64_t n = pz_rows(x);
  const int64_t k = pz_cols(x);
  const int64_t map = orth_map(c, n, k);
  pz_tensor at_base = *q;
  if (orth_has_base(c) && orth_has_dense_base(c, n, k)) {
    PZ_TRY(pz_work_like(c, q, &at_base));
  }
  PZ_TRY(map == ORTH_MATRIX_EXP ? orth_exponential(c, x, &at_base)
         : map == ORTH_CAYLEY   ? orth_cayley(c, x, &at_base)
                                : orth_householder(c, x, &at_base));
  return from_base(c, x, &at_base, q);
}

static pz_status
orthogonal_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  pz_tensor tall;
  pz_tensor q;
  if (pz_count(x) == 0) {
    return PZ_OK;
  }
  PZ_TRY(orth_tall(c, x, &tall));
  PZ_TRY(tall_room(c, y, &q));
  PZ_TRY(orth_value(c, &tall, &q));
  return orth_untall(c, &q, y);
}

static pz_status
orthogonal_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
               const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)y;
  pz_tensor tall;
  pz_tensor g;
  pz_tensor scaled;
  pz_tensor gx_tall;
  pz_tensor d;
  bool any = false;
  if (pz_count(x) == 0) {
    return PZ_OK;
  }
  PZ_TRY(orth_tall(c, x, &tall));
  PZ_TRY(orth_tall(c, gy, &g));
  PZ_TRY(tall_room(c, gx, &gx_tall));
  const int64_t map = orth_map(c, pz_rows(&tall), pz_cols(&tall));
  // G <- P^T G D
  if (orth_has_base(c)) {
    const pz_tensor given = g;
    PZ_TRY(pz_work_like(c, &given, &g));
    if (orth_has_dense_base(c, pz_rows(&tall), pz_cols(&tall))) {
      PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 1.0, &c->buffer[ORTH_STATE], &given, 0.0, &g));
    } else {
      PZ_TRY(pz_copy(c, &given, &g));
      PZ_TRY(orth_reflect(c, PZ_T, &c->buffer[ORTH_STATE], &g));
    }
  }
  PZ_TRY(column_signs(c, &tall, &d, &any));
  if (any) {
    PZ_TRY(pz_work_like(c, &g, &scaled));
    PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &d, &g, &scaled));
    g = scaled;
  }
  PZ_TRY(map == ORTH_MATRIX_EXP ? orth_exponential_vjp(c, &tall, &g, &gx_tall)
         : map == ORTH_CAYLEY   ? orth_cayley_vjp(c, &tall, &g, &gx_tall)
                                : orth_householder_vjp(c, &tall, &g, &gx_tall));
  return orth_untall(c, &gx_tall, gx);
}

static pz_status
orthogonal_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
               const pz_tensor* const dx, pz_tensor* const dy)
{
  (void)y;
  pz_tensor tall;
  pz_tensor dx_tall;
  pz_tensor at_base;
  pz_tensor dq;
  if (pz_count(x) == 0) {
    return PZ_OK;
  }
  PZ_TRY(orth_tall(c, x, &tall));
  PZ_TRY(orth_tall(c, dx, &dx_tall));
  PZ_TRY(tall_room(c, dy, &dq));
  const int64_t n = pz_rows(&tall);
  const int64_t k = pz_cols(&tall);
  const int64_t map = orth_map(c, n, k);
  at_base = dq;
  if (orth_has_base(c) && orth_has_dense_base(c, n, k)) {
    PZ_TRY(pz_work_like(c, &dq, &at_base));
  }
  PZ_TRY(map == ORTH_MATRIX_EXP ? orth_exponential_jvp(c, &tall, &dx_tall, &at_base)
         : map == ORTH_CAYLEY   ? orth_cayley_jvp(c, &tall, &dx_tall, &at_base)
                                : orth_householder_jvp(c, &tall, &dx_tall, &at_base));
  PZ_TRY(from_base(c, &tall, &at_base, &dq));
  return orth_untall(c, &dq, dy);
}

/* ---- rebase ------------------------------------------------------------------- */

/* Counts an update; `due` <- is it time to move the base? */
static pz_status
count_update(pz_call* const c, bool* const due)
{
  const double period = (double)c->options[ORTH_REBASE].as.integer;
  double count = 0.0;
  *due = orth_has_base(c) && period > 0.0;
  if (!*due || period == 1.0) {
    return PZ_OK;
  }
  PZ_TRY(pz_read(c, &c->buffer[ORTH_UPDATES], &count));
  *due = !(count + 1.0 < period);
  count = *due ? 0.0 : count + 1.0;
  return pz_write(c, &count, &c->new_buffer[ORTH_UPDATES]);
}

/* The value, made orthogonal again, becomes the base, and the original becomes the origin. */
static pz_status
orthogonal_update(pz_call* const c, const pz_tensor* const x)
{
  bool due = false;
  pz_tensor original;
  pz_tensor tall;
  pz_tensor origin;
  pz_tensor value;
  pz_tensor q;
  PZ_TRY(count_update(c, &due));
  if (!due || pz_count(x) == 0) {
    return PZ_OK;
  }
  PZ_TRY(pz_new_original(c, 0, &original));
  PZ_TRY(orth_tall(c, x, &tall));
  PZ_TRY(pz_work_like(c, &tall, &value));
  PZ_TRY(pz_work_like(c, &tall, &q));
  PZ_TRY(orth_value(c, &tall, &value));
  PZ_TRY(rotation_q_factor(c, &value, &q));
  PZ_TRY(orth_set_base(c, &q, &c->new_buffer[ORTH_STATE]));
  PZ_TRY(tall_room(c, &original, &origin));
  PZ_TRY(orth_origin(c, orth_map(c, pz_rows(&tall), pz_cols(&tall)), &origin));
  return orth_untall(c, &origin, &original);
}

/* ---- members ------------------------------------------------------------------ */

static pz_status
orthogonal_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  const double* defect = NULL;
  pz_tensor q;
  *distance = 0.0;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  PZ_TRY(orth_tall(c, y, &q));
  PZ_TRY(orth_defects(c, &q, &defect));
  for (int64_t k = 0; k < pz_batch(y); ++k) {
    *distance = pz_max(*distance, defect[k]);
  }
  return PZ_OK;
}

/* A uniform value; a uniform rotation if only rotations have originals. */
static pz_status
orthogonal_sample(pz_call* const c, pz_tensor* const y)
{
  pz_tensor q;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  PZ_TRY(tall_room(c, y, &q));
  const int64_t n = pz_rows(&q);
  const int64_t k = pz_cols(&q);
  const bool any = n != k || orth_has_base(c) || orth_has_signs(c, n, k) ||
                   orth_map(c, n, k) == ORTH_HOUSEHOLDER;
  PZ_TRY(rotation_sample(c, !any, &q));
  return orth_untall(c, &q, y);
}

/* ---- table -------------------------------------------------------------------- */

static const char* const map_choices[] = {
    [ORTH_MAP_AUTO] = "auto",
    [ORTH_MATRIX_EXP] = "matrix_exp",
    [ORTH_CAYLEY] = "cayley",
    [ORTH_HOUSEHOLDER] = "householder",
};

static const char* const base_choices[] = {
    [ORTH_BASE_AUTO] = "auto",
    [ORTH_REFLECTORS] = "reflectors",
    [ORTH_DENSE] = "dense",
};

static const pz_option orthogonal_options[] = {
    [ORTH_MAP] = PZ_OPTION_CHOICE("map", ORTH_MAP_AUTO, map_choices,
                                  "matrix_exp, cayley or householder; auto: matrix_exp for square "
                                  "matrices, householder for others"),
    [ORTH_TRIVIALIZATION] = PZ_OPTION_FLAG("trivialization", 1,
                                           "keep a base, which assignment sets to the value and "
                                           "to which X is relative"),
    [ORTH_NEAREST] = PZ_OPTION_FLAG("nearest", 1,
                                    "replace an assigned matrix that is not orthogonal by its "
                                    "factor Q; with 0 it is an error"),
    [ORTH_SIGNS] = PZ_OPTION_FLAG("signs", 1,
                                  "without a base: keep signs of columns, so that every "
                                  "orthogonal matrix is a value; 0 is PyTorch's layout"),
    [ORTH_BASE] = PZ_OPTION_CHOICE("base", ORTH_BASE_AUTO, base_choices,
                                   "how a base is stored: reflectors, or dense as in PyTorch; "
                                   "auto: dense for square matrices, reflectors for others"),
    [ORTH_REBASE] = PZ_OPTION_INTEGER("rebase", 0, 0, INT32_MAX,
                                      "with a base: number of updates after which the value "
                                      "becomes the base; 0: never"),
};

static const pz_parametrization orthogonal = {
    .size = sizeof(orthogonal),
    .option_size = sizeof(pz_option),
    .id = "orthogonal",
    .summary = "Matrices of any shape to orthonormal columns, or rows if they are wide",
    .tags = "matrix orthogonal rotation stiefel projects",
    .formula =
        "Q = P exp(A) E, P (I - A/2)^-1 (I + A/2) E or P H_1 .. H_k E D; X is n x k, n >= k, "
        "A = tril(X, -1) - tril(X, -1)^T, E = the first k columns of I\n"
        "domain: any X; a wide X is transposed\n"
        "right inverse: for any matrix with orthonormal columns, which becomes the base P; "
        "with trivialization=0, matrix_exp needs a square matrix of determinant 1\n"
        "cost: forward and vjp O(n k^2), 2n^2 k more with a dense base",
    PZ_OPTIONS(orthogonal_options),
    .plan = orthogonal_plan,
    .init = orthogonal_init,
    .forward = orthogonal_forward,
    .right_inverse = orth_right_inverse,
    .vjp = orthogonal_vjp,
    .update = orthogonal_update,
    .residual = orthogonal_residual,
    .sample = orthogonal_sample,
    .log_abs_det = orth_log_abs_det,
    .log_abs_det_vjp = orth_log_abs_det_vjp,
    .jvp = orthogonal_jvp,
};

PZ_PLUGIN(orthogonal, "1.0.0", PZ_PARAMETRIZATION(&orthogonal));
