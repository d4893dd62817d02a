/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "matrices.h"

#include <float.h>
#include <math.h>

// clang-format off

/* For each matrix of this order: the largest distance of an entry, a row or the diagonal from the set,
   the largest entry, and the largest negated entry of the diagonal. `rows` is scratch. */
PZ_ROW_KERNEL(matrices_inspect, 1, 4, 0, 3,
  PZ_ROW_IN(0, a);
  PZ_ROW_OUT(3, rows);
  PZ_INTEGER_ARG(0, order);
  PZ_INTEGER_ARG(1, symmetric);
  PZ_INTEGER_ARG(2, unit);
  PZ_ROW_EACH(i, order) {
    const real diagonal = a[i * order + i][r];
    real far = symmetric != 0 ? (real)0 : pz_max((real)0, -diagonal);
    real norm = symmetric != 0 ? diagonal : (real)0;
    for (pz_int j = 0; j < order; ++j) {
      const real entry = a[i * order + j][r];
      if (j > i) {
        far = pz_max(far, pz_abs(symmetric != 0 ? (entry - a[j * order + i][r]) / 2 : entry));
      } else if (symmetric == 0) {
        norm = pz_hypot(norm, entry);
      }
    }
    rows[i][r] = unit != 0 ? pz_max(far, pz_abs(norm - 1)) : far;
  }
  PZ_ROW_MAX(distance, i, order, rows[i][r]);
  PZ_ROW_MAX(size, j, n, pz_abs(a[j][r]));
  PZ_ROW_MAX(low, i, order, -a[i * order + i][r]);
  PZ_VALUE_OUT(0, pz_max((real)0, distance[r]));
  PZ_VALUE_OUT(1, pz_max((real)0, size[r]));
  PZ_VALUE_OUT(2, low[r]);
)

PZ_ROW_KERNEL(matrices_lower, 1, 1, 2, 1,
  PZ_ROW_IN(0, a);
  PZ_ROW_OUT(0, l);
  PZ_REAL_ARG(0, tau);
  PZ_REAL_ARG(1, least);
  PZ_INTEGER_ARG(0, order);
  PZ_ROW_MAX(size, j, n, pz_abs(a[j][r]));
  PZ_ROW_EACH(j, n) {
    const pz_int beside = j % order - j / order;
    const int raised = beside == 0 && a[j][r] <= (real)0;
    l[j][r] = beside > 0 ? (real)0 : raised ? tau * pz_max((real)1, size[r]) : a[j][r];
    real beyond = (real)0;
    for (pz_int k = j - j % order; beside == 0 && k < j; ++k) {
      beyond = pz_max(beyond, pz_abs(a[k][r]));
    }
    l[j][r] = beside == 0 ? pz_max(l[j][r], least * beyond) : l[j][r];
  }
)

/* An item is a row of l, whose entry on the diagonal becomes a share of the row's norm at least. */
PZ_KERNEL(matrices_keep_apart, 1, 1, 1,
  PZ_TENSOR_ARG(0, l);
  PZ_REAL_ARG(0, share);
  PZ_INTEGER_ARG(0, n);
  const pz_int row = i * n;
  real norm = (real)0;
  for (pz_int j = 0; j < i % n; ++j) {
    norm = pz_hypot(norm, l[row + j]);
  }
  l[row + i % n] = pz_max(l[row + i % n], share * norm);
)

PZ_ROW_KERNEL(matrices_raise, 1, 1, 3, 0,
  PZ_ROW_IN(0, w);
  PZ_ROW_OUT(0, root);
  PZ_REAL_ARG(0, share);
  PZ_REAL_ARG(1, least);
  PZ_REAL_ARG(2, unit);
  PZ_ROW_MAX(top, j, n, w[j][r]);
  PZ_ROW_EACH(j, n) {
    root[j][r] = unit * pz_sqrt(top[r] > (real)0 ? pz_max(w[j][r], share * top[r]) : least);
  }
)

/* l <- other where l is NaN */
PZ_KERNEL(matrices_replace, 2, 0, 0,
  PZ_TENSOR_ARG(0, l);
  PZ_TENSOR_ARG(1, other);
  l[i] = l[i] == l[i] ? l[i] : other[i];
)

// clang-format on

enum { DISTANCE, SIZE, LOW, NUMBERS }; /* what inspect gives for each matrix */

/* A batch of matrices as a batch of rows. */
static pz_tensor*
as_rows(pz_view* const view, const pz_tensor* const a)
{
  return pz_view_reshaped(view, a, 2, (const int64_t[]){pz_batch(a), pz_rows(a) * pz_cols(a)});
}

/* Number `which` of matrix k is (*out)[which * batch + k], on the host. */
static pz_status
inspect(pz_call* const c, const matrices* const set, const pz_tensor* const a,
        const double** const out)
{
  const int64_t batch = pz_batch(a);
  const int64_t n = pz_rows(a);
  const pz_spec spec = pz_spec_make(a->dtype, 1, (const int64_t[]){NUMBERS * batch});
  const pz_spec row = pz_spec_make(a->dtype, 2, (const int64_t[]){batch, n});
  pz_tensor numbers;
  pz_tensor rows;
  pz_view view;
  pz_view views[NUMBERS];
  PZ_TRY(pz_work(c, &spec, &numbers));
  PZ_TRY(pz_work(c, &row, &rows));
  for (int k = 0; k < NUMBERS; ++k) {
    pz_tensor* const part = pz_view_reshaped(&views[k], &numbers, 1, &batch);
    part->byte_offset += (uint64_t)(k * batch) * (uint64_t)pz_dtype_size(a->dtype);
  }
  PZ_TRY(pz_launch_rows(
      c, &matrices_inspect, PZ_ALONG_DIM, -1, PZ_TENSORS(as_rows(&view, a)),
      PZ_OUTPUTS(&views[DISTANCE].tensor, &views[SIZE].tensor, &views[LOW].tensor, &rows), NULL,
      PZ_INTEGERS(n, set->symmetric, set->unit)));
  return pz_read_all(c, &numbers, out);
}

double
matrices_tolerance(const pz_tensor* const a)
{
  return 100.0 * (double)pz_rows(a) * pz_dtype_epsilon(a->dtype);
}

pz_status
matrices_check(pz_call* const c, const matrices* const set, const pz_tensor* const a)
{
  const int64_t batch = pz_batch(a);
  const double* numbers = NULL;
  PZ_TRY(inspect(c, set, a, &numbers));
  for (int64_t k = 0; k < batch; ++k) {
    const double distance = numbers[DISTANCE * batch + k];
    const double size = numbers[SIZE * batch + k];
    const double low = numbers[LOW * batch + k];
    if (!isfinite(size)) {
      return pz_fail(c, PZ_OUTSIDE,
                     "found matrix %lld of the batch with an entry that is not finite, expected %s",
                     (long long)k, set->name);
    }
    if (!(distance <= matrices_tolerance(a) * size)) {
      return pz_fail(c, PZ_OUTSIDE,
                     "found matrix %lld of the batch at distance %.3g from %s, expected at most "
                     "%.3g",
                     (long long)k, distance, set->name, matrices_tolerance(a) * size);
    }
    if (!set->symmetric && low >= 0.0) {
      return pz_fail(c, PZ_SINGULAR,
                     "found matrix %lld of the batch with %g on the diagonal, expected positive "
                     "entries there",
                     (long long)k, -low);
    }
  }
  return PZ_OK;
}

/* A power of two from sqrt(n) on: eigenvalues of order n divided by its square are in range. */
static double
unit_of(const int64_t n)
{
  double unit = 1.0;
  while (unit * unit < (double)n) {
    unit *= 2.0;
  }
  return unit;
}

pz_status
matrices_spectra(pz_call* const c, const pz_tensor* const a, pz_tensor* const w, pz_tensor* const v,
                 const double** const out)
{
  const pz_spec spec = pz_spec_make(a->dtype, a->ndim - 1, a->shape);
  const double unit = unit_of(pz_rows(a));
  pz_tensor s;
  void* read = NULL;
  PZ_TRY(pz_work(c, &spec, w));
  PZ_TRY(pz_work_like(c, a, &s));
  PZ_TRY(pz_symmetrize(c, 0.5 / (unit * unit), 1, a, &s));
  PZ_TRY(pz_eigh(c, &s, w, v));
  PZ_TRY(pz_work_host(c, (size_t)pz_count(w) * sizeof(double), &read));
  PZ_TRY(pz_read(c, w, read));
  for (int64_t k = 0; k < pz_count(w); ++k) {
    ((double*)read)[k] *= unit * unit;
  }
  *out = read;
  return PZ_OK;
}

pz_status
matrices_roots(pz_call* const c, const double share, const double least, const pz_tensor* const w,
               pz_tensor* const root)
{
  const double unit = unit_of(w->shape[w->ndim - 1]);
  PZ_TRY(pz_work_like(c, w, root));
  return pz_launch_rows(c, &matrices_raise, PZ_ALONG_DIM, -1, PZ_TENSORS(w), PZ_OUTPUTS(root),
                        PZ_REALS(share, least / (unit * unit), unit), NULL);
}

static double
larger(const double a, const double b)
{
  return isnan(a) || a > b ? a : b;
}

pz_status
matrices_residual(pz_call* const c, const matrices* const set, const pz_tensor* const a,
                  double* const distance)
{
  const int64_t batch = pz_batch(a);
  const int64_t n = pz_rows(a);
  const double* numbers = NULL;
  pz_tensor l;
  pz_tensor w;
  *distance = 0.0;
  PZ_TRY(inspect(c, set, a, &numbers));
  for (int64_t k = 0; k < batch; ++k) {
    const double size = numbers[SIZE * batch + k];
    *distance = larger(isfinite(size) ? numbers[DISTANCE * batch + k] : size, *distance);
  }
  if (!set->definite || !isfinite(*distance)) {
    return PZ_OK;
  }
  PZ_TRY(pz_work_like(c, a, &l));
  const pz_status status = pz_potrf(c, PZ_LOWER, a, &l);
  if (status != PZ_SINGULAR) {
    return status;
  }
  PZ_TRY(matrices_spectra(c, a, &w, NULL, &numbers));
  for (int64_t k = 0; k < batch; ++k) {
    *distance = larger(-numbers[k * n], *distance);
  }
  return PZ_OK;
}

/* Says why the matrix with the lowest spectrum has no factor. */
static pz_status
refuse(pz_call* const c, const pz_tensor* const a, const double* const w)
{
  const int64_t n = pz_rows(a);
  int64_t worst = 0;
  double lowest = HUGE_VAL; /* of the least eigenvalues, as shares of the largest magnitudes */
  for (int64_t k = 0; k < pz_batch(a); ++k) {
    const double size = fmax(fabs(w[k * n]), fabs(w[k * n + n - 1]));
    const double share = size > 0.0 ? w[k * n] / size : 0.0;
    worst = share < lowest ? k : worst;
    lowest = share < lowest ? share : lowest;
  }
  const double least = w[worst * n];
  const double most = w[worst * n + n - 1];
  const double allowed = matrices_tolerance(a) * fmax(fabs(least), fabs(most));
  return least < -allowed
             ? pz_fail(c, PZ_OUTSIDE,
                       "found matrix %lld of the batch at distance %.3g from a positive definite "
                       "matrix, expected at most %.3g",
                       (long long)worst, -least, allowed)
             : pz_fail(
                   c, PZ_SINGULAR,
                   "found matrix %lld of the batch with eigenvalues from %.3g to %.3g, expected "
                   "a positive definite matrix",
                   (long long)worst, least, most);
}

/* Rounding may leave a pivot so small that L L^T, rounded, has no factor: it becomes 2 n eps of its entry
   of the diagonal. */
static pz_status
keep_apart(pz_call* const c, const pz_tensor* const l)
{
  const int64_t n = pz_cols(l);
  const double share = sqrt(2.0 * (double)n * pz_dtype_epsilon(l->dtype));
  return pz_launch(c, &matrices_keep_apart, pz_batch(l) * n, PZ_TENSORS(l), &share, &n);
}

/* l <- the factor of the symmetric part of a, whose eigenvalues are raised where there is none. */
static pz_status
factor(pz_call* const c, const pz_tensor* const a, pz_tensor* const l)
{
  const double tau = sqrt(pz_dtype_epsilon(a->dtype));
  const double* numbers = NULL;
  pz_tensor s;
  pz_tensor w;
  pz_tensor v;
  PZ_TRY(pz_work_like(c, a, &s));
  PZ_TRY(pz_symmetrize(c, 0.5, 1, a, &s));
  const pz_status status = pz_potrf(c, PZ_LOWER, &s, l);
  if (status != PZ_SINGULAR) {
    PZ_TRY(status);
    return c->intent == PZ_ASSIGN ? PZ_OK : keep_apart(c, l);
  }
  PZ_TRY(pz_work_like(c, a, &v));
  PZ_TRY(matrices_spectra(c, a, &w, &v, &numbers));
  if (c->intent == PZ_ASSIGN) {
    return refuse(c, a, numbers);
  }
  // S = (V sqrt(w)) (V sqrt(w))^T
  pz_tensor root;
  pz_tensor other;
  PZ_TRY(pz_work_like(c, a, &other));
  PZ_TRY(matrices_roots(c, tau, tau, &w, &root));
  PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &root, &v, &v));
  PZ_TRY(pz_syrk(c, PZ_N, 1.0, &v, 0.0, &s));
  PZ_TRY(pz_potrf(c, PZ_LOWER, &s, &other));
  PZ_TRY(pz_launch(c, &matrices_replace, pz_count(l), PZ_TENSORS(l, &other), NULL, NULL));
  return keep_apart(c, l);
}

/* l <- the lower triangle of a, with a positive diagonal. */
static pz_status
triangle(pz_call* const c, const matrices* const set, const pz_tensor* const a, pz_tensor* const l)
{
  const double tau = sqrt(pz_dtype_epsilon(a->dtype));
  const double tiny = a->dtype == PZ_F32 ? (double)FLT_MIN : DBL_MIN; // rows of norm 1 divide by it
  const double least = set->unit && c->intent != PZ_ASSIGN ? 4.0 * (double)pz_rows(a) * tiny : 0.0;
  pz_view from;
  pz_view to;
  return pz_launch_rows(c, &matrices_lower, PZ_ALONG_DIM, -1, PZ_TENSORS(as_rows(&from, a)),
                        PZ_OUTPUTS(as_rows(&to, l)), PZ_REALS(tau, least), PZ_INTEGERS(pz_rows(a)));
}

pz_status
matrices_inverse(pz_call* const c, const matrices* const set, const pz_tensor* const a,
                 pz_tensor* const l)
{
  if (c->intent == PZ_ASSIGN) {
    PZ_TRY(matrices_check(c, set, a));
  }
  return set->symmetric ? factor(c, a, l) : triangle(c, set, a, l);
}

pz_status
matrices_square_vjp(pz_call* const c, const pz_triangle triangle, const pz_tensor* const l,
                    const pz_tensor* const g, pz_tensor* const gl)
{
  // gL = (g + g^T) L
  PZ_TRY(pz_work_like(c, l, gl));
  PZ_TRY(pz_symmetrize(c, 1.0, 1, g, gl));
  return pz_trmm(c, PZ_RIGHT, triangle, PZ_N, PZ_NON_UNIT, 1.0, l, gl);
}

pz_status
matrices_square_jvp(pz_call* const c, const pz_triangle triangle, const pz_tensor* const l,
                    pz_tensor* const dl, pz_tensor* const dy)
{
  // dL L^T + L dL^T
  PZ_TRY(pz_trmm(c, PZ_RIGHT, triangle, PZ_T, PZ_NON_UNIT, 1.0, l, dl));
  return pz_symmetrize(c, 1.0, 1, dl, dy);
}
