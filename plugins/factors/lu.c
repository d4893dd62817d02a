/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Invertible matrices, row p_i of y = row i of L U: L is unit lower triangular with the strict lower triangle
   of x, U has the strict upper one and d_i e^x_ii on the diagonal. The buffers are the permutation p, in the
   dtype of y, and the signs d. With w_i = row p_i of g,

     gU = L^T w,  gx = tril(w U^T, -1) + triu(gU, 1) + diag(gU_ii U_ii)
     log |det y| = sum of x_ii,  log |det dy/dx| = sum of (n - i + 1) x_ii

   Right inverse: elimination with partial pivoting, on the host, which restages p and d. */

#include "spectrum.h"

#include "refuse.h"

#include <math.h>

enum { PERMUTATION, SIGNS_OF_U }; /* buffers */

// clang-format off

/* An item is an entry: u <- U, or with `slope` its derivative along x, where old is U. */
PZ_KERNEL(lu_upper, 4, 0, 2,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, signs);
  PZ_TENSOR_ARG(2, old);
  PZ_TENSOR_ARG(3, u);
  PZ_INTEGER_ARG(0, n);
  PZ_INTEGER_ARG(1, slope);
  const pz_int beside = i % n - i / n % n;
  if (beside == 0) {
    u[i] = slope != 0 ? x[i] * old[i] : signs[i / n] * pz_exp(x[i]);
  } else {
    u[i] = beside > 0 ? x[i] : (real)0;
  }
)

/* An item is an entry of row p_i of y, and of row i of w. */
PZ_KERNEL(lu_permute, 3, 0, 2,
  PZ_TENSOR_ARG(0, permutation);
  PZ_TENSOR_ARG(1, y);
  PZ_TENSOR_ARG(2, w);
  PZ_INTEGER_ARG(0, n);
  PZ_INTEGER_ARG(1, forward);
  const real p = permutation[i / n];
  if (p >= (real)0 && p < (real)n) {
    const pz_int at = (i / n / n * n + (pz_int)p) * n + i % n;
    if (forward != 0) {
      y[at] = w[i];
    } else {
      w[i] = y[at];
    }
  }
)

/* out <- sum of (n - i) d_i, counted from 0, and its gradient */
PZ_ROW_KERNEL(lu_density, 1, 1, 0, 0,
  PZ_ROW_IN(0, d);
  PZ_ROW_SUM(sum, i, n, (real)(n - i) * d[i][r]);
  PZ_VALUE_OUT(0, sum[r]);
)
PZ_ROW_KERNEL(lu_density_slope, 1, 1, 0, 0,
  PZ_VALUE_IN(0, g);
  PZ_ROW_OUT(0, gd);
  PZ_ROW_EACH(i, PZ_LENGTH_OUT(0)) {
    gd[i][r] = g[r] * (real)(PZ_LENGTH_OUT(0) - i);
  }
)

// clang-format on

/* Row p_i of y <- row i of w, or back. A permutation that is none leaves zeros. */
static pz_status
permute(pz_call* const c, const bool forward, pz_tensor* const y, pz_tensor* const w)
{
  PZ_TRY(pz_fill(c, 0.0, forward ? y : w));
  return pz_launch(c, &lu_permute, pz_count(y), PZ_TENSORS(&c->buffer[PERMUTATION], y, w), NULL,
                   PZ_INTEGERS(pz_cols(y), forward));
}

static pz_status
lu_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_expect_square(c, given));
  pz_spec x = *given;
  x.structure = PZ_GENERAL;
  const pz_spec row = pz_spec_make(given->dtype, given->ndim - 1, given->shape);
  PZ_TRY(pz_declare_original(c, NULL, &x));
  PZ_TRY(pz_declare_buffer(c, "permutation", &row));
  PZ_TRY(pz_declare_buffer(c, "signs", &row));
  PZ_TRY(pz_declare_density(c, 2, PZ_ALL_ENTRIES, PZ_ALL_ENTRIES));
  return pz_declare_value(c, &x, PZ_GENERAL);
}

static pz_status
lu_init(pz_call* const c, const pz_tensor* const tensor)
{
  pz_tensor* const p = &c->new_buffer[PERMUTATION];
  void* memory = NULL;
  PZ_TRY(pz_work_host(c, (size_t)pz_count(p) * sizeof(double), &memory));
  for (int64_t k = 0; k < pz_count(p); ++k) {
    ((double*)memory)[k] = (double)(k % pz_cols(tensor));
  }
  PZ_TRY(pz_write(c, memory, p));
  return pz_fill(c, 1.0, &c->new_buffer[SIGNS_OF_U]);
}

/* w <- L z for the L in x */
static pz_status
times_l(pz_call* const c, const pz_trans trans, const pz_tensor* const x, pz_tensor* const z)
{
  return pz_trmm(c, PZ_LEFT, PZ_LOWER, trans, PZ_UNIT, 1.0, x, z);
}

static pz_status
lu_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  pz_tensor u;
  pz_tensor w;
  PZ_TRY(pz_save_like(c, x, &u));
  PZ_TRY(pz_work_like(c, x, &w));
  PZ_TRY(pz_launch(c, &lu_upper, pz_count(x), PZ_TENSORS(x, &c->buffer[SIGNS_OF_U], x, &u), NULL,
                   PZ_INTEGERS(pz_cols(x), 0)));
  PZ_TRY(pz_copy(c, &u, &w));
  PZ_TRY(times_l(c, PZ_N, x, &w));
  return permute(c, true, y, &w);
}

static pz_status
lu_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
       const pz_tensor* const g, pz_tensor* const gx)
{
  pz_tensor given = *g;
  pz_tensor u;
  pz_tensor gl;
  pz_tensor gu;
  (void)y;
  PZ_TRY(pz_saved(c, 0, &u));
  PZ_TRY(pz_work_like(c, x, &gl));
  PZ_TRY(pz_work_like(c, x, &gu));
  PZ_TRY(permute(c, false, &given, &gu));
  PZ_TRY(pz_copy(c, &gu, &gl));
  PZ_TRY(times_l(c, PZ_T, x, &gu));
  PZ_TRY(pz_trmm(c, PZ_RIGHT, PZ_UPPER, PZ_T, PZ_NON_UNIT, 1.0, &u, &gl));
  PZ_TRY(pz_triangle(c, PZ_LOWER, -1, &gl, &gl));
  PZ_TRY(pz_launch(c, &lu_upper, pz_count(x), PZ_TENSORS(&gu, &c->buffer[SIGNS_OF_U], &u, gx), NULL,
                   PZ_INTEGERS(pz_cols(x), 1)));
  return pz_axpby(c, 1.0, &gl, 1.0, gx);
}

static pz_status
lu_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
       const pz_tensor* const dx, pz_tensor* const dy)
{
  pz_tensor u;
  pz_tensor du;
  pz_tensor dl;
  (void)y;
  PZ_TRY(pz_saved(c, 0, &u));
  PZ_TRY(pz_work_like(c, x, &du));
  PZ_TRY(pz_work_like(c, x, &dl));
  PZ_TRY(pz_launch(c, &lu_upper, pz_count(x), PZ_TENSORS(dx, &c->buffer[SIGNS_OF_U], &u, &du), NULL,
                   PZ_INTEGERS(pz_cols(x), 1)));
  PZ_TRY(times_l(c, PZ_N, x, &du));
  PZ_TRY(pz_triangle(c, PZ_LOWER, -1, dx, &dl));
  PZ_TRY(pz_trmm(c, PZ_RIGHT, PZ_UPPER, PZ_N, PZ_NON_UNIT, 1.0, &u, &dl));
  PZ_TRY(pz_axpby(c, 1.0, &dl, 1.0, &du));
  return permute(c, true, dy, &du);
}

static pz_status
lu_log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
               pz_tensor* const out)
{
  const pz_spec row = orth_row_spec(x, pz_cols(x));
  pz_tensor d;
  (void)y;
  if (pz_count(x) == 0) {
    return pz_fill(c, 0.0, out);
  }
  PZ_TRY(pz_work(c, &row, &d));
  PZ_TRY(pz_get_diagonal(c, x, &d));
  return pz_launch_rows(c, &lu_density, PZ_ALONG_DIM, -1, PZ_TENSORS(&d), PZ_OUTPUTS(out), NULL,
                        NULL);
}

static pz_status
lu_log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                   const pz_tensor* const g_out, pz_tensor* const gx)
{
  const pz_spec row = orth_row_spec(x, pz_cols(x));
  pz_tensor gd;
  (void)y;
  if (pz_count(x) == 0) {
    return PZ_OK;
  }
  PZ_TRY(pz_work(c, &row, &gd));
  PZ_TRY(pz_launch_rows(c, &lu_density_slope, PZ_ALONG_DIM, -1, PZ_TENSORS(g_out), PZ_OUTPUTS(&gd),
                        NULL, NULL));
  PZ_TRY(pz_fill(c, 0.0, gx));
  return pz_set_diagonal(c, &gd, gx);
}

/* ---- the right inverse ------------------------------------------------------------------- */

/* a, n x n, <- its factors, p <- the rows that are pivots. Pivots of 0 become `least`; true if there are. */
static bool
eliminate(const int64_t n, const double least, double* const a, double* const p)
{
  bool singular = false;
  for (int64_t i = 0; i < n; ++i) {
    p[i] = (double)i;
  }
  for (int64_t j = 0; j < n; ++j) {
    double* const row = a + j * n;
    int64_t best = j;
    for (int64_t i = j + 1; i < n; ++i) {
      best = fabs(a[i * n + j]) > fabs(a[best * n + j]) ? i : best;
    }
    for (int64_t k = 0; best != j && k < n; ++k) {
      const double other = a[best * n + k];
      a[best * n + k] = row[k];
      row[k] = other;
    }
    const double moved = p[best];
    p[best] = p[j];
    p[j] = moved;
    singular = singular || row[j] == 0.0;
    row[j] = row[j] == 0.0 ? least : row[j];
    for (int64_t i = j + 1; i < n; ++i) {
      double* const other = a + i * n;
      other[j] /= row[j];
      for (int64_t k = j + 1; k < n; ++k) {
        other[k] -= other[j] * row[k];
      }
    }
  }
  return singular;
}

static double
largest(const int64_t n, const double* const a)
{
  double most = 0.0;
  for (int64_t k = 0; k < n; ++k) {
    most = fabs(a[k]) <= most || isnan(most) ? most : fabs(a[k]);
  }
  return most;
}

static pz_status
lu_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  const int64_t n = pz_cols(y);
  const int64_t batch = pz_batch(y);
  const double tau = sqrt(pz_dtype_epsilon(y->dtype));
  void* memory = NULL;
  PZ_TRY(pz_work_host(c, (size_t)(batch * n * (n + 2)) * sizeof(double), &memory));
  double* const a = memory;
  double* const p = a + batch * n * n;
  double* const d = p + batch * n;
  PZ_TRY(pz_read(c, y, a));
  for (int64_t k = 0; k < batch; ++k) {
    double* const one = a + k * n * n;
    const double size = largest(n * n, one);
    PZ_TRY(refuse_not_finite(c, isfinite(size), k));
    if (eliminate(n, size > 0.0 ? tau * size : tau, one, p + k * n) && c->intent == PZ_ASSIGN) {
      return pz_fail(c, PZ_SINGULAR,
                     "found matrix %lld of the batch with the pivot 0, expected an invertible "
                     "matrix",
                     (long long)k);
    }
    for (int64_t i = 0; i < n; ++i) {
      double* const pivot = one + i * (n + 1);
      d[k * n + i] = *pivot < 0.0 ? -1.0 : 1.0;
      *pivot = log(fabs(*pivot));
    }
  }
  PZ_TRY(pz_write(c, a, x));
  PZ_TRY(pz_write(c, p, &c->new_buffer[PERMUTATION]));
  return pz_write(c, d, &c->new_buffer[SIGNS_OF_U]);
}

/* Singular matrices are limits of values. */
static pz_status
lu_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  PZ_TRY(pz_largest(c, y, distance));
  *distance = isfinite(*distance) ? 0.0 : *distance;
  return PZ_OK;
}

const pz_parametrization factors_lu = {
    .size = sizeof(factors_lu),
    .option_size = sizeof(pz_option),
    .id = "lu",
    .summary = "Invertible matrices by triangular factors",
    .tags = "matrix invertible triangular",
    .formula =
        "rows p of Y = L U, L = I + tril(X, -1), U = triu(X, 1) + diag(d_i e^X_ii); p and d are "
        "buffers\n"
        "domain: any square X; e^X_ii overflows above 709 (float32: 88)\n"
        "right inverse: elimination with partial pivoting; of a registered matrix pivots of "
        "0 become sqrt(eps) times the largest entry\n"
        "log |det|: sum of (n - i + 1) X_ii; log |det Y| = sum of X_ii\n"
        "cost: n^3/3 multiply-adds forward, twice as many in vjp",
    .plan = lu_plan,
    .init = lu_init,
    .forward = lu_forward,
    .right_inverse = lu_right_inverse,
    .vjp = lu_vjp,
    .residual = lu_residual,
    .log_abs_det = lu_log_abs_det,
    .log_abs_det_vjp = lu_log_abs_det_vjp,
    .jvp = lu_jvp,
};
