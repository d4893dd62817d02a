/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Inverses and solutions by Gaussian elimination with partial pivoting, whatever is known
   of the matrix, and the Cholesky factor. */

#include "reference.h"

#include <math.h>

static void
swap_rows(double* const a, const int64_t cols, const int64_t i, const int64_t j)
{
  for (int64_t l = 0; l < cols; ++l) {
    const double t = a[i * cols + l];
    a[i * cols + l] = a[j * cols + l];
    a[j * cols + l] = t;
  }
}

// row i <- row i - factor * row j
static void
subtract_row(double* const a, const int64_t cols, const int64_t first, const int64_t i,
             const double factor, const int64_t j)
{
  for (int64_t l = first; l < cols; ++l) {
    a[i * cols + l] -= factor * a[j * cols + l];
  }
}

/* The row of the largest entry of column c from the diagonal down; a NaN counts as the
   largest, so that it spreads instead of being passed over. */
static int64_t
find_pivot(const int64_t n, const double* const a, const int64_t c)
{
  int64_t best = c;
  for (int64_t i = c + 1; i < n; ++i) {
    const double magnitude = fabs(a[i * n + c]);
    if (magnitude > fabs(a[best * n + c]) || isnan(magnitude)) {
      best = i;
    }
  }
  return best;
}

bool
pzi_reference_eliminate(const int64_t n, const int64_t m, double* const a, double* const b)
{
  // what is not finite becomes NaN, as dividing by an Inf would make it zero
  for (int64_t i = 0; i < n * n; ++i) {
    a[i] += a[i] - a[i];
  }
  // down: u <- l^-1 p a, b <- l^-1 p b
  for (int64_t c = 0; c < n; ++c) {
    const int64_t pivot = find_pivot(n, a, c);
    if (a[pivot * n + c] == 0.0) {
      return false;
    }
    if (pivot != c) {
      swap_rows(a, n, pivot, c);
      swap_rows(b, m, pivot, c);
    }
    for (int64_t i = c + 1; i < n; ++i) {
      const double factor = a[i * n + c] / a[c * n + c];
      subtract_row(a, n, c, i, factor, c);
      subtract_row(b, m, 0, i, factor, c);
    }
  }
  // up: b <- u^-1 b
  for (int64_t c = n; c-- > 0;) {
    for (int64_t j = 0; j < m; ++j) {
      b[c * m + j] /= a[c * n + c];
    }
    for (int64_t i = 0; i < c; ++i) {
      subtract_row(b, m, 0, i, a[i * n + c], c);
    }
  }
  return true;
}

/* Entry (i, j) of x, of which perhaps only a triangle is there. */
static double
entry(const uint32_t in, const pz_mat* const x, const int64_t k, const int64_t i, const int64_t j)
{
  const double sign = (in & ~(uint32_t)PZ_BY_TRIANGLE) == PZ_SKEW ? -1.0 : 1.0;
  const bool inside = (in & PZ_BY_UPPER) != 0 ? i < j : i > j;
  if ((in & PZ_BY_TRIANGLE) == 0 || inside) {
    return pzi_reference_get(x, k, i, j);
  }
  return i != j ? sign * pzi_reference_get(x, k, j, i)
                : (sign > 0.0 ? pzi_reference_get(x, k, i, i) : 0.0);
}

// y = alpha I + beta (gamma I + delta x)^-1
pz_status
pzi_reference_shifted_inverse(pz_backend_queue* const q, const uint32_t in, const double alpha,
                              const double beta, const double gamma, const double delta,
                              const pz_mat* const x, const pz_mat* const y,
                              const pz_fault* const fault)
{
  const int64_t n = x->rows;
  int64_t singular = -1;
  double* a;
  (void)fault;
  PZ_TRY(pzi_reference_scratch(q, 2 * n * n, &a));
  double* const inverse = a + n * n;
  for (int64_t k = 0; k < y->batch; ++k) {
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        a[i * n + j] = delta * entry(in, x, k, i, j) + (i == j ? gamma : 0.0);
        inverse[i * n + j] = i == j ? 1.0 : 0.0;
      }
    }
    if (!pzi_reference_eliminate(n, n, a, inverse)) {
      pzi_reference_store_nan(y, k);
      singular = singular < 0 ? k : singular;
      continue;
    }
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        pzi_reference_put(y, k, i, j, beta * inverse[i * n + j] + (i == j ? alpha : 0.0));
      }
    }
  }
  return singular < 0 ? PZ_OK : pzi_reference_singular(q, singular);
}

/* c <- a^T b, n x n row-major. */
static void
transposed_product(const int64_t n, const double* const a, const double* const b, double* const c)
{
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0.0;
      for (int64_t l = 0; l < n; ++l) {
        sum += a[l * n + i] * b[l * n + j];
      }
      c[i * n + j] = sum;
    }
  }
}

/* What the gradient g of a whole matrix is to the triangle that it was made of. */
static void
gather_triangle(const uint32_t in, const int64_t n, double* const g)
{
  const double sign = (in & ~(uint32_t)PZ_BY_TRIANGLE) == PZ_SKEW ? -1.0 : 1.0;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < i; ++j) {
      double* const above = &g[j * n + i];
      double* const below = &g[i * n + j];
      const bool upper = (in & PZ_BY_UPPER) != 0;
      const double sum = upper ? *above + sign * *below : *below + sign * *above;
      *above = upper ? sum : 0.0;
      *below = upper ? 0.0 : sum;
    }
    g[i * n + i] = sign > 0.0 ? g[i * n + i] : 0.0;
  }
}

// gx = -(delta / beta) n^T gy n^T, n = y - alpha I
pz_status
pzi_reference_shifted_inverse_adjoint(pz_backend_queue* const q, const uint32_t in,
                                      const double alpha, const double beta, const double delta,
                                      const pz_mat* const y, const pz_mat* const gy,
                                      const pz_mat* const gx)
{
  const int64_t n = y->rows;
  double* shifted;
  PZ_TRY(pzi_reference_scratch(q, 4 * n * n, &shifted));
  double* const g = shifted + n * n;
  double* const between = g + n * n;
  double* const out = between + n * n;
  for (int64_t k = 0; k < gx->batch; ++k) {
    pzi_reference_load(y, k, shifted);
    pzi_reference_load(gy, k, g);
    for (int64_t i = 0; i < n; ++i) {
      shifted[i * n + i] -= alpha;
    }
    // W^T <- gY^T N,  gX <- c (W^T)^T N^T
    transposed_product(n, g, shifted, between);
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        double sum = 0.0;
        for (int64_t l = 0; l < n; ++l) {
          sum += between[l * n + i] * shifted[j * n + l];
        }
        out[i * n + j] = -delta / beta * sum;
      }
    }
    if ((in & PZ_BY_TRIANGLE) != 0) {
      gather_triangle(in, n, out);
    }
    pzi_reference_store(out, gx, k);
  }
  return PZ_OK;
}

pz_status
pzi_reference_solve(pz_backend_queue* const q, const uint32_t in, const pz_mat* const a,
                    const pz_mat* const b, const pz_mat* const x, const pz_fault* const fault)
{
  const int64_t n = a->rows;
  int64_t singular = -1;
  double* at;
  (void)in;
  (void)fault;
  PZ_TRY(pzi_reference_scratch(q, n * n + n * b->cols, &at));
  double* const bt = at + n * n;
  for (int64_t k = 0; k < x->batch; ++k) {
    pzi_reference_load(a, k, at);
    pzi_reference_load(b, k, bt);
    if (pzi_reference_eliminate(n, b->cols, at, bt)) {
      pzi_reference_store(bt, x, k);
    } else {
      pzi_reference_store_nan(x, k);
      singular = singular < 0 ? k : singular;
    }
  }
  return singular < 0 ? PZ_OK : pzi_reference_singular(q, singular);
}

// l_jj = sqrt(a_jj - sum l_jt^2), l_ij = (a_ij - sum l_it l_jt) / l_jj; false where the
// radicand is not positive. A NaN goes on: it is in the result, not in the status.
static bool
cholesky(const int64_t n, double* const l)
{
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t i = j; i < n; ++i) {
      double sum = l[i * n + j];
      for (int64_t t = 0; t < j; ++t) {
        sum -= l[i * n + t] * l[j * n + t];
      }
      if (i == j && sum <= 0.0) {
        return false;
      }
      l[i * n + j] = i == j ? sqrt(sum) : sum / l[j * n + j];
      l[j * n + i] = i == j ? l[j * n + j] : 0.0;
    }
  }
  return true;
}

// the upper factor of a is the transpose of the lower factor of a^T, which is a
pz_status
pzi_reference_potrf(pz_backend_queue* const q, const pz_triangle triangle, const pz_mat* const a,
                    const pz_mat* const l, const pz_fault* const fault)
{
  const bool lower = triangle == PZ_LOWER;
  const pz_mat al = lower ? *a : pz_mat_transposed(a);
  const pz_mat ll = lower ? *l : pz_mat_transposed(l);
  int64_t bad = -1;
  double* scratch;
  (void)fault;
  PZ_TRY(pzi_reference_scratch(q, a->rows * a->cols, &scratch));
  for (int64_t k = 0; k < l->batch; ++k) {
    pzi_reference_load(&al, k, scratch);
    if (cholesky(al.rows, scratch)) {
      pzi_reference_store(scratch, &ll, k);
    } else {
      pzi_reference_store_nan(&ll, k);
      bad = bad < 0 ? k : bad;
    }
  }
  return bad < 0 ? PZ_OK
                 : q->host->fail(PZ_SINGULAR, "matrix %lld of the batch is not positive definite",
                                 (long long)bad);
}
