/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* From all entries of x to all of A = (S - I) Q, with l the eigenvalues of A,

     log |det| = sum of (n - i) x_ii + sum over i <= j of log |l_i + l_j|

   The gradient is the vjp at M^T and n - i on the diagonal, M = sum over j of (A + l_j I)^-1 + A^-1/2. The real
   part of an inverse, l = a + b i, is the block on top of

     (A + a I  -b I; b I  A + a I)^-1 (I; 0)

   which needs no eigenvectors, so A may be defective. n solutions of order 2 n: O(n^4). */

#include "stable.h"

#include "orthogonal/orthogonal.h"

#include <math.h>

// clang-format off

/* An item is an entry of the matrix of order 2 n for eigenvalue j. */
PZ_KERNEL(stable_embed, 4, 0, 2,
  PZ_TENSOR_ARG(0, a);
  PZ_TENSOR_ARG(1, re);
  PZ_TENSOR_ARG(2, im);
  PZ_TENSOR_ARG(3, both);
  PZ_INTEGER_ARG(0, n);
  PZ_INTEGER_ARG(1, j);
  const pz_int of = i / (4 * n * n);
  const pz_int row = i / (2 * n) % (2 * n);
  const pz_int column = i % (2 * n);
  const int diagonal = row % n == column % n;
  if ((row < n) == (column < n)) {
    both[i] = a[of * n * n + row % n * n + column % n] + (diagonal ? re[of * n + j] : (real)0);
  } else {
    both[i] = diagonal ? (row < n ? -im[of * n + j] : im[of * n + j]) : (real)0;
  }
)

/* An item is a row: gx_ii += g (n - i), counted from 1 */
PZ_KERNEL(stable_density_diagonal, 2, 0, 1,
  PZ_TENSOR_ARG(0, g);
  PZ_TENSOR_ARG(1, gx);
  PZ_INTEGER_ARG(0, n);
  gx[i * n + i % n] += g[i / n] * (real)(n - 1 - i % n);
)

// clang-format on

/* re, im <- the eigenvalues of a, n of each matrix, on the host. */
static pz_status
eigenvalues(pz_call* const c, const pz_tensor* const a, double** const re, double** const im)
{
  const int64_t n = pz_cols(a);
  const int64_t batch = pz_batch(a);
  pz_tensor t;
  pz_tensor z;
  void* memory = NULL;
  PZ_TRY(pz_work_like(c, a, &t));
  PZ_TRY(pz_work_like(c, a, &z));
  PZ_TRY(pz_work_host(c, (size_t)(batch * n * (n + 2)) * sizeof(double), &memory));
  double* const all = memory;
  *re = all + batch * n * n;
  *im = *re + batch * n;
  PZ_TRY(pz_schur(c, a, &t, &z));
  PZ_TRY(pz_read(c, &t, all));
  for (int64_t k = 0; k < batch * n; ++k) {
    const double* const on = all + k * n + k % n;
    const double above = k % n > 0 ? -on[-1] * on[-n] : 0.0; /* squared, in a block of 2 x 2 */
    const double below = k % n < n - 1 ? -on[1] * on[n] : 0.0;
    (*re)[k] = *on;
    (*im)[k] = above > 0.0 ? -sqrt(above) : below > 0.0 ? sqrt(below) : 0.0;
  }
  return PZ_OK;
}

static pz_status
matrix_of(pz_call* const c, const pz_tensor* const x, pz_tensor* const a)
{
  pz_tensor shifted;
  pz_tensor q;
  PZ_TRY(pz_saved(c, STABLE_SHIFTED, &shifted));
  PZ_TRY(pz_saved(c, STABLE_Q, &q));
  PZ_TRY(pz_work_like(c, x, a));
  return pz_gemm(c, PZ_N, PZ_N, 1.0, &shifted, &q, 0.0, a);
}

pz_status
stable_log_abs_det(pz_call* const c, const pz_tensor* const x, double* const out)
{
  const int64_t n = pz_cols(x);
  const pz_spec row = orth_row_spec(x, n);
  double* re = NULL;
  double* im = NULL;
  pz_tensor a;
  pz_tensor d;
  void* memory = NULL;
  PZ_TRY(matrix_of(c, x, &a));
  PZ_TRY(eigenvalues(c, &a, &re, &im));
  PZ_TRY(pz_work(c, &row, &d));
  PZ_TRY(pz_get_diagonal(c, x, &d));
  PZ_TRY(pz_work_host(c, (size_t)pz_count(&d) * sizeof(double), &memory));
  PZ_TRY(pz_read(c, &d, memory));
  for (int64_t k = 0; k < pz_batch(x); ++k) {
    out[k] = 0.0;
    for (int64_t i = k * n; i < (k + 1) * n; ++i) {
      out[k] += (double)((k + 1) * n - 1 - i) * ((const double*)memory)[i];
      for (int64_t j = k * n; j <= i; ++j) {
        out[k] += log(hypot(re[i] + re[j], im[i] + im[j]));
      }
    }
  }
  return PZ_OK;
}

/* m <- M */
static pz_status
sum_of_inverses(pz_call* const c, const pz_tensor* const a, pz_tensor* const m)
{
  const int64_t n = pz_cols(a);
  const pz_spec row = orth_row_spec(a, n);
  const pz_spec twice = orth_spec(a, 2 * n, 2 * n);
  const pz_spec columns = orth_spec(a, 2 * n, n);
  double* re = NULL;
  double* im = NULL;
  pz_tensor res;
  pz_tensor ims;
  pz_tensor both;
  pz_tensor one;
  pz_tensor solution;
  pz_view top;
  PZ_TRY(eigenvalues(c, a, &re, &im));
  PZ_TRY(pz_work(c, &row, &res));
  PZ_TRY(pz_work(c, &row, &ims));
  PZ_TRY(pz_work(c, &twice, &both));
  PZ_TRY(pz_work(c, &columns, &one));
  PZ_TRY(pz_work(c, &columns, &solution));
  PZ_TRY(pz_write(c, re, &res));
  PZ_TRY(pz_write(c, im, &ims));
  PZ_TRY(pz_fill(c, 0.0, &one));
  PZ_TRY(pz_add_identity(c, 1.0, &one));
  PZ_TRY(pz_shifted_inverse(c, PZ_GENERAL, &(pz_shift){0.0, 0.5, 0.0, 1.0}, a, m));
  for (int64_t j = 0; j < n; ++j) {
    PZ_TRY(pz_launch(c, &stable_embed, pz_count(&both), PZ_TENSORS(a, &res, &ims, &both), NULL,
                     PZ_INTEGERS(n, j)));
    PZ_TRY(pz_solve(c, PZ_GENERAL, &both, &one, &solution));
    PZ_TRY(pz_axpby(c, 1.0, pz_view_block(&top, &solution, 0, n, 0, n), 1.0, m));
  }
  return PZ_OK;
}

pz_status
stable_log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const more,
                       const pz_tensor* const g_out, pz_tensor* const gx)
{
  const int64_t n = pz_cols(x);
  pz_view turned;
  pz_tensor a;
  pz_tensor m;
  pz_tensor g;
  PZ_TRY(matrix_of(c, x, &a));
  PZ_TRY(pz_work_like(c, x, &m));
  PZ_TRY(pz_work_like(c, x, &g));
  PZ_TRY(sum_of_inverses(c, &a, &m));
  if (more) {
    PZ_TRY(pz_axpby(c, 1.0, more, 1.0, &m));
  }
  PZ_TRY(pz_copy(c, pz_view_transposed(&turned, &m), &g));
  PZ_TRY(pz_scale_by(c, PZ_OVER_BOTH, g_out, &g, &g));
  PZ_TRY(stable_a_vjp(c, &g, gx));
  return pz_launch(c, &stable_density_diagonal, pz_batch(x) * n, PZ_TENSORS(g_out, gx), NULL, &n);
}
