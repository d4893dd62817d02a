/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Inverses and solutions from products and from each other.

   W = gamma I + delta X = gamma (I + K) with X skew and gamma != 0 needs no pivoting: the
   symmetric part of every Schur complement of A = I + K stays I or grows beyond it. So A is
   inverted in place by the recursion over 2 x 2 blocks
     A11 <- A11^-1        T = A11 A12        U = A21 A11
     A22 <- (A22 - A21 T)^-1
     A12 <- -T A22        A21 <- -A22 U      A11 <- A11 - T A21
   down to blocks of 16, which a kernel eliminates. Without pivoting the error grows with K. So the
   composition requires a bound on |K|_F, which takes one read of the norms; beyond it, and for any
   other structure, the host runs a pivoted elimination. Within the bound the error is less than
   twice that of pivoting (tests/backend/accuracy.c). The bound grows with n since |K|_F exceeds
   |K|_2 by more the larger n is.

   A^-1 B from an inverse gets one step of refinement, which reduces its residual to that of a
   factorization. */

#include "compose_ways.h"

#include "compose.h"
#include "dispatch.h"
#include "mat_ops.h"

#include <math.h>

enum { BLOCK = 16 };

/* The largest |K|_F. */
static double
norm_limit(const int64_t n)
{
  static const double few[6] = {0.0, 0.0, 1.0, 2.5, 3.0, 3.5};
  return sqrt(2.0) * (n < 6 ? few[n] : fmax(4.0, 0.85 * sqrt((double)n)));
}

/* clang-format off */
/* Item: one matrix, inverted in place by Gauss-Jordan elimination on its difference from I, so that
   small entries are not rounded away by the ones on the diagonal:
   a <- (I + a)^-1 - I. */
PZ_KERNEL(compose_eliminate, 1, 0, 3,
  PZ_TENSOR_ARG(0, a);
  PZ_INTEGER_ARG(0, ld);
  PZ_INTEGER_ARG(1, stride);
  PZ_INTEGER_ARG(2, n);
  const pz_int w = i * stride;
  for (pz_int p = 0; p < n; ++p) {
    a[w + p * ld + p] -= (real)1;
  }
  for (pz_int p = 0; p < n; ++p) {
    const real diagonal = a[w + p * ld + p];
    const real d = (real)1 / ((real)1 + diagonal);
    for (pz_int j = 0; j < n; ++j) {
      a[w + p * ld + j] *= d;
    }
    for (pz_int r = 0; r < n; ++r) {
      const real f = a[w + r * ld + p];
      if (r != p) {
        for (pz_int j = 0; j < n; ++j) {
          a[w + r * ld + j] -= f * a[w + p * ld + j];
        }
        a[w + r * ld + p] = -f * d;
      }
    }
    a[w + p * ld + p] = -diagonal * d;
  }
  for (pz_int p = 0; p < n; ++p) {
    a[w + p * ld + p] += (real)1;
  }
)
/* clang-format on */

/* w is row-major. */
static pz_status
invert(pz_queue* const queue, const pz_mat* const w)
{
  const int64_t n = w->rows;
  if (n <= BLOCK) {
    return pzi_mat_ops_launch(queue, &compose_eliminate, w->batch, w, NULL, 1, &n);
  }
  const int64_t n1 = (n / 2 + BLOCK - 1) / BLOCK * BLOCK;
  const int64_t n2 = n - n1;
  const pz_mat w11 = pz_mat_block(w, 0, n1, 0, n1);
  const pz_mat w12 = pz_mat_block(w, 0, n1, n1, n2);
  const pz_mat w21 = pz_mat_block(w, n1, n2, 0, n1);
  const pz_mat w22 = pz_mat_block(w, n1, n2, n1, n2);
  pz_mat t;
  pz_mat u;
  PZ_TRY(pzi_mat_scratch(queue, w->dtype, w->batch, n1, n2, &t));
  PZ_TRY(pzi_mat_scratch(queue, w->dtype, w->batch, n2, n1, &u));

  PZ_TRY(invert(queue, &w11));
  PZ_TRY(pzi_mat_ops_gemm(queue, 1.0, &w11, &w12, 0.0, &t));
  PZ_TRY(pzi_mat_ops_gemm(queue, 1.0, &w21, &w11, 0.0, &u));
  PZ_TRY(pzi_mat_ops_gemm(queue, -1.0, &w21, &t, 1.0, &w22));
  PZ_TRY(invert(queue, &w22));
  PZ_TRY(pzi_mat_ops_gemm(queue, -1.0, &t, &w22, 0.0, &w12));
  PZ_TRY(pzi_mat_ops_gemm(queue, -1.0, &w22, &u, 0.0, &w21));
  return pzi_mat_ops_gemm(queue, -1.0, &t, &w21, 1.0, &w11);
}

/* Is the norm of every x at most `limit`? False for NaN. */
static pz_status
norms_within(pz_queue* const queue, const pz_mat* const x, const double limit, bool* const within)
{
  const size_t size = pz_dtype_size(x->dtype);
  const size_t bytes = (size_t)x->batch * size;
  pz_mat norm;
  void* host = NULL;
  uint64_t offset = 0;
  PZ_TRY(pzi_mat_scratch(queue, x->dtype, x->batch, 1, 1, &norm));
  PZ_TRY(pzi_mat_ops_unary(queue, PZI_NORM, PZ_OVER_BOTH, PZ_NORM_TWO, 0, x, &norm));

  const uint64_t mark = pzi_arena_mark(&queue->staging);
  pz_status status = pzi_arena_take(&queue->staging, bytes, &host, &offset);
  if (status == PZ_OK) {
    status =
        pzi_queue_move_held(queue, PZ_DEVICE_TO_HOST, host, 0, norm.data, norm.byte_offset, bytes);
  }
  bool good = true;
  for (int64_t k = 0; k < x->batch && status == PZ_OK; ++k) {
    const double v = size == 4 ? (double)((const float*)host)[k] : ((const double*)host)[k];
    good = good && v <= limit;
  }
  pzi_arena_release(&queue->staging, mark);
  *within = good;
  return status;
}

pz_status
pzi_compose_inverse_blocks(pz_queue* const queue, const pzi_request* const r)
{
  const double alpha = r->real[0];
  const double beta = r->real[1];
  const double gamma = r->real[2];
  const double delta = r->real[3];
  const pz_mat* const x = &r->mat[0];
  bool within = false;
  if (r->which != PZ_SKEW || gamma == 0.0) {
    return PZ_UNSUPPORTED;
  }
  PZ_TRY(norms_within(queue, x, norm_limit(x->rows) * fabs(gamma / delta), &within));
  if (!within) {
    return PZ_UNSUPPORTED;
  }
  pz_mat w;
  PZ_TRY(pzi_mat_scratch(queue, r->dtype, x->batch, x->rows, x->cols, &w));
  PZ_TRY(pzi_mat_ops_shifted(queue, 1.0, delta / gamma, x, &w));
  PZ_TRY(invert(queue, &w));
  return pzi_mat_ops_shifted(queue, alpha, beta / gamma, &w, &r->mat[1]);
}

/* (gamma I + delta x) y = beta I, then y + alpha I. */
pz_status
pzi_compose_inverse_solve(pz_queue* const queue, const pzi_request* const r)
{
  const pz_mat* const x = &r->mat[0];
  const pz_mat* const y = &r->mat[1];
  pzi_request solve = {
      .op = PZI_SOLVE,
      .n = 3,
      .dtype = r->dtype,
      .which = PZ_GENERAL,
      .access = {PZI_READ, PZI_READ, PZI_WRITE},
      .mat = {{0}, {0}, *y},
      .fault = r->fault,
  };
  PZ_TRY(pzi_mat_scratch(queue, r->dtype, x->batch, x->rows, x->cols, &solve.mat[0]));
  PZ_TRY(pzi_mat_scratch(queue, r->dtype, x->batch, x->rows, x->cols, &solve.mat[1]));
  PZ_TRY(pzi_mat_ops_shifted(queue, r->real[2], r->real[3], x, &solve.mat[0]));
  PZ_TRY(pzi_mat_ops_fill(queue, 0.0, &solve.mat[1]));
  PZ_TRY(pzi_mat_ops_add_identity(queue, r->real[1], &solve.mat[1]));
  PZ_TRY(pzi_dispatch_native(queue, &solve));
  return r->real[0] == 0.0 ? PZ_OK : pzi_mat_ops_add_identity(queue, r->real[0], y);
}

/* x = a^-1 b, then x + a^-1 (b - a x). */
pz_status
pzi_compose_solve(pz_queue* const queue, const pzi_request* const r)
{
  const pz_mat* const a = &r->mat[0];
  const pz_mat* const b = &r->mat[1];
  const pz_mat* const x = &r->mat[2];
  pzi_request inverse = {
      .op = PZI_SHIFTED_INVERSE,
      .n = 2,
      .dtype = r->dtype,
      .which = r->which,
      .access = {PZI_READ, PZI_WRITE},
      .mat = {*a},
      .real = {0.0, 1.0, 0.0, 1.0},
      .fault = r->fault,
  };
  pz_mat residual;
  PZ_TRY(pzi_mat_scratch(queue, r->dtype, a->batch, a->rows, a->cols, &inverse.mat[1]));
  PZ_TRY(pzi_mat_scratch(queue, r->dtype, b->batch, b->rows, b->cols, &residual));
  PZ_TRY(pzi_dispatch_native(queue, &inverse));
  PZ_TRY(pzi_mat_ops_gemm(queue, 1.0, &inverse.mat[1], b, 0.0, x));
  PZ_TRY(pzi_mat_ops_copy(queue, b, &residual));
  PZ_TRY(pzi_mat_ops_gemm(queue, -1.0, a, x, 1.0, &residual));
  return pzi_mat_ops_gemm(queue, 1.0, &inverse.mat[1], &residual, 1.0, x);
}

// N = Y - alpha I,  W = N^T gY,  gX = -(delta / beta) W N^T
pz_status
pzi_compose_inverse_adjoint(pz_queue* const queue, const pzi_request* const r)
{
  const pz_mat* const gx = &r->mat[2];
  pz_mat n;
  pz_mat w;
  PZ_TRY(pzi_mat_scratch(queue, r->dtype, gx->batch, gx->rows, gx->cols, &n));
  PZ_TRY(pzi_mat_scratch(queue, r->dtype, gx->batch, gx->rows, gx->cols, &w));
  PZ_TRY(pzi_mat_ops_shifted(queue, -r->real[0], 1.0, &r->mat[0], &n));
  const pz_mat transposed = pz_mat_transposed(&n);
  PZ_TRY(pzi_mat_ops_gemm(queue, 1.0, &transposed, &r->mat[1], 0.0, &w));
  return pzi_mat_ops_gemm(queue, -r->real[2] / r->real[1], &w, &transposed, 0.0, gx);
}

pz_status
pzi_compose_whole(pz_queue* const queue, const pzi_request* const request)
{
  const int triangle = (request->which & PZ_BY_UPPER) != 0 ? PZ_UPPER : PZ_LOWER;
  const bool adjoint = request->op == PZI_SHIFTED_INVERSE_ADJOINT;
  const uint32_t k = adjoint ? 2 : 0;
  const pz_mat* const part = &request->mat[k];
  pzi_request whole = *request;
  whole.which &= ~PZ_BY_TRIANGLE;
  const int sign = whole.which == PZ_SKEW ? -1 : 1;
  PZ_TRY(
      pzi_mat_scratch(queue, request->dtype, part->batch, part->rows, part->cols, &whole.mat[k]));
  if (adjoint) {
    PZ_TRY(pzi_dispatch(queue, &whole));
    return pzi_mat_ops_unary(queue, PZI_FOLD_ADJOINT, triangle, sign, 0, &whole.mat[k], part);
  }
  PZ_TRY(pzi_mat_ops_unary(queue, PZI_FOLD, triangle, sign, 0, part, &whole.mat[k]));
  return pzi_dispatch(queue, &whole);
}
