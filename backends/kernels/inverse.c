/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* y = alpha I + beta W^-1, W = gamma I + delta x = gamma (I + K).

   Up to 32 rows one kernel inverts with pivots, whatever x is. Beyond, a skew x with
   gamma != 0 needs none: the symmetric part of every Schur complement of A = I + K stays I or
   grows beyond it, and A is inverted in place by the recursion over 2 x 2 blocks
     A11 <- A11^-1        T = A11 A12        U = A21 A11
     A22 <- (A22 - A21 T)^-1
     A12 <- -T A22        A21 <- -A22 U      A11 <- A11 - T A21
   Its error grows with K; beyond a limit on |K|_F, known from one number that is read, and for
   any other x, LU with pivots solves for the columns of beta I. Within the limit the error stays
   below twice that of LU (tests/backend/accuracy.c); |K|_F overstates |K|_2 by more the larger n
   is. */

#include "gpu.h"

#include <math.h>

enum { SMALL = 32, SMALL_ITEMS = 64 };

static double
norm_limit(const int64_t n)
{
  return sqrt(2.0) * fmax(4.0, 0.85 * sqrt((double)n));
}

/* n <= 32; y may be x. `near`: without pivots, of c[2] I + c[3] x as the distance from I. */
static pz_status
invert_small(pz_backend_queue* const q, const bool near, const double c[4], const pz_mat* const x,
             const pz_mat* const y, const pz_fault* const fault)
{
  const int64_t n = x->rows;
  const int64_t width = n <= 4 ? 4 : n <= 8 ? 8 : n <= 16 ? 16 : 32;
  const int64_t each = SMALL_ITEMS / width;
  gpu_call call = gpu_begin(y->dtype);
  for (int k = 0; k < 4; ++k) {
    gpu_real(&call, c[k]);
  }
  gpu_mat(&call, x);
  gpu_mat(&call, y);
  gpu_fault(&call, fault);
  gpu_integer(&call, PZ_SINGULAR);
  gpu_integer(&call, near);
  gpu_integer(&call, n);
  gpu_integer(&call, width);
  gpu_integer(&call, y->batch);
  gpu_groups(&call, (y->batch + each - 1) / each, 1, 1, SMALL_ITEMS, 1);
  return gpu_run(q, GPU_small_inverse, &call);
}

/* ---- without pivots -------------------------------------------------------------- */

static int64_t
first_part(const int64_t n)
{
  return (n / 2 + SMALL - 1) / SMALL * SMALL;
}

static size_t
larger(const size_t a, const size_t b)
{
  return a > b ? a : b;
}

/* Scratch of the recursion: T and U of every level. Either part may be the larger: 65 rows are
   32 and 33, which go one level deeper. */
static size_t
recursion_bytes(const pz_mat* const w, const int64_t n)
{
  const int64_t n1 = first_part(n);
  const int64_t n2 = n - n1;
  return n <= SMALL ? 0
                    : 2 * gpu_mat_bytes(w->dtype, w->batch, n1, n2) +
                          larger(recursion_bytes(w, n1), recursion_bytes(w, n2));
}

static pz_status
invert_blocks(pz_backend_queue* const q, const pz_mat* const w, const pz_fault* const fault)
{
  static const double from_one[4] = {1.0, 1.0, -1.0, 1.0};
  const int64_t n = w->rows;
  if (n <= SMALL) {
    return invert_small(q, true, from_one, w, w, fault);
  }
  const int64_t n1 = first_part(n);
  const int64_t n2 = n - n1;
  const size_t mark = gpu_mark(q);
  const pz_mat w11 = pz_mat_block(w, 0, n1, 0, n1);
  const pz_mat w12 = pz_mat_block(w, 0, n1, n1, n2);
  const pz_mat w21 = pz_mat_block(w, n1, n2, 0, n1);
  const pz_mat w22 = pz_mat_block(w, n1, n2, n1, n2);
  const pz_mat t = gpu_take_mat(q, w->dtype, w->batch, n1, n2);
  const pz_mat u = gpu_take_mat(q, w->dtype, w->batch, n2, n1);
  PZ_TRY(invert_blocks(q, &w11, fault));
  PZ_TRY(gpu_gemm(q, 1.0, &w11, &w12, 0.0, &t));
  PZ_TRY(gpu_gemm(q, 1.0, &w21, &w11, 0.0, &u));
  PZ_TRY(gpu_gemm(q, -1.0, &w21, &t, 1.0, &w22));
  PZ_TRY(invert_blocks(q, &w22, fault));
  PZ_TRY(gpu_gemm(q, -1.0, &t, &w22, 0.0, &w12));
  PZ_TRY(gpu_gemm(q, -1.0, &w22, &u, 0.0, &w21));
  PZ_TRY(gpu_gemm(q, -1.0, &t, &w21, 1.0, &w11));
  gpu_release(q, mark);
  return PZ_OK;
}

/* The largest norm of the batch is at most `limit`. False too for NaN. */
static pz_status
norms_within(pz_backend_queue* const q, const pz_mat* const x, const double limit,
             bool* const within)
{
  const size_t mark = gpu_mark(q);
  const pz_mat norms = gpu_take_mat(q, x->dtype, x->batch, 1, 1);
  const pz_mat most = gpu_take_mat(q, x->dtype, 1, 1, 1);
  pz_mat line = norms;
  line.rows = 1;
  line.cols = x->batch;
  line.batch = 1;
  PZ_TRY(gpu_reduce(q, PZ_NORM_TWO, PZ_OVER_BOTH, x, x, &norms));
  PZ_TRY(gpu_reduce(q, PZ_NORM_MAX, PZ_OVER_BOTH, &line, &line, &most));
  double wide = 0.0;
  float narrow = 0.0F;
  const bool f32 = x->dtype == PZ_F32;
  PZ_TRY(q->backend->copy(q, PZ_DEVICE_TO_HOST, f32 ? (void*)&narrow : (void*)&wide, 0, most.data,
                          most.byte_offset, f32 ? sizeof(narrow) : sizeof(wide)));
  *within = (f32 ? (double)narrow : wide) <= limit;
  gpu_release(q, mark);
  return PZ_OK;
}

/* ---- all together ------------------------------------------------------------------- */

static pz_status
invert_pivoted(pz_backend_queue* const q, const double c[4], const pz_mat* const x,
               const pz_mat* const y, const pz_fault* const fault)
{
  gpu_lu lu;
  PZ_TRY(gpu_lu_begin(q, y->dtype, y->batch, y->rows, &lu));
  // (x - x) + delta x: what is not finite becomes NaN, as dividing by an Inf would make it zero
  const double terms[3] = {1.0, -1.0, c[3]};
  const pz_mat thrice[3] = {*x, *x, *x};
  PZ_TRY(gpu_combine(q, c[2], 3, terms, thrice, &lu.w));
  PZ_TRY(gpu_combine(q, c[1], 0, NULL, NULL, y));
  PZ_TRY(gpu_lu_factor(q, &lu, fault));
  PZ_TRY(gpu_lu_solve(q, &lu, y));
  return c[0] == 0.0 ? PZ_OK : gpu_add_identity(q, c[0], y);
}

pz_status
gpu_shifted_inverse(pz_backend_queue* const q, const uint32_t in, const double alpha,
                    const double beta, const double gamma, const double delta,
                    const pz_mat* const x, const pz_mat* const y, const pz_fault* const fault)
{
  const double c[4] = {alpha, beta, gamma, delta};
  const int64_t n = x->rows;
  bool pivots = in != PZ_SKEW || gamma == 0.0;
  if (!gpu_offers(q, y->dtype)) {
    return PZ_UNSUPPORTED;
  }
  if (n <= SMALL) {
    return invert_small(q, false, c, x, y, fault);
  }
  pz_mat like = *y;
  const size_t whole = gpu_mat_bytes(y->dtype, y->batch, n, n);
  const size_t norms = 2 * gpu_mat_bytes(y->dtype, y->batch, 1, 1) +
                       gpu_reduce_bytes(PZ_OVER_BOTH, y) +
                       gpu_mat_bytes(y->dtype, 1, 1, 2 * y->batch);
  PZ_TRY(gpu_reserve(
      q, larger(norms, pivots ? gpu_lu_bytes(&like)
                              : larger(gpu_lu_bytes(&like), whole + recursion_bytes(y, n)))));
  if (!pivots) {
    bool within = false;
    PZ_TRY(norms_within(q, x, norm_limit(x->rows) * fabs(gamma / delta), &within));
    pivots = !within;
  }
  if (pivots) {
    return invert_pivoted(q, c, x, y, fault);
  }
  const pz_mat w = gpu_take_mat(q, y->dtype, y->batch, n, n);
  const double inward = delta / gamma;
  const double outward = beta / gamma;
  PZ_TRY(gpu_combine(q, 1.0, 1, &inward, x, &w));
  PZ_TRY(invert_blocks(q, &w, fault));
  return gpu_combine(q, alpha, 1, &outward, &w, y);
}
