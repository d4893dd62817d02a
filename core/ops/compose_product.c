/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products from kernels and gemm. A trmm made from gemm multiplies the zeros of the other triangle
   too: an Inf in b then gives NaN, which a native trmm does not. */

#include "compose_ways.h"

#include "mat_ops.h"
#include "status.h"

#include <inttypes.h>
#include <math.h>

/* clang-format off */
/* Item: one entry of the dense, row-major product. */
PZ_KERNEL(compose_gemm, 3, 1, 7,
  PZ_TENSOR_ARG(0, a);
  PZ_TENSOR_ARG(1, b);
  PZ_TENSOR_ARG(2, y);
  PZ_REAL_ARG(0, alpha);
  PZ_INTEGER_ARG(0, al);
  PZ_INTEGER_ARG(1, ab);
  PZ_INTEGER_ARG(2, bl);
  PZ_INTEGER_ARG(3, bb);
  PZ_INTEGER_ARG(4, m);
  PZ_INTEGER_ARG(5, n);
  PZ_INTEGER_ARG(6, inner);
  const pz_int c = i % n;
  const pz_int r = i / n % m;
  const pz_int k = i / n / m;
  real sum = (real)0;
  for (pz_int t = 0; t < inner; ++t) {
    sum += a[k * ab + (al > 0 ? r * al + t : r - t * al)] *
           b[k * bb + (bl > 0 ? t * bl + c : t - c * bl)];
  }
  y[i] = alpha * sum;
)

/* Item: one column c of b = alpha t^-1 b, by substitution. */
PZ_KERNEL(compose_trsm, 2, 1, 8,
  PZ_TENSOR_ARG(0, t);
  PZ_TENSOR_ARG(1, b);
  PZ_REAL_ARG(0, alpha);
  PZ_INTEGER_ARG(0, tl);
  PZ_INTEGER_ARG(1, tb);
  PZ_INTEGER_ARG(2, bl);
  PZ_INTEGER_ARG(3, bb);
  PZ_INTEGER_ARG(4, n);
  PZ_INTEGER_ARG(5, cols);
  PZ_INTEGER_ARG(6, lower);
  PZ_INTEGER_ARG(7, unit);
  const pz_int c = i % cols;
  const pz_int k = i / cols;
  for (pz_int step = 0; step < n; ++step) {
    const pz_int r = lower ? step : n - 1 - step;
    const pz_int at = k * bb + (bl > 0 ? r * bl + c : r - c * bl);
    real sum = alpha * b[at];
    for (pz_int done = 0; done < step; ++done) {
      const pz_int j = lower ? done : n - 1 - done;
      sum -= t[k * tb + (tl > 0 ? r * tl + j : r - j * tl)] *
             b[k * bb + (bl > 0 ? j * bl + c : j - c * bl)];
    }
    b[at] = unit ? sum : sum / t[k * tb + (tl > 0 ? r * tl + r : r - r * tl)];
  }
)
/* clang-format on */

static bool
is_rows(const pz_mat* const y)
{
  return pzi_mat_dense(y) && pzi_mat_row_major(y);
}

/* y = alpha a b + beta y: directly where beta is 0 and y is dense and row-major, else through a
   product in scratch. */
pz_status
pzi_compose_gemm(pz_queue* const queue, const pzi_request* const r)
{
  const pz_mat* const y = &r->mat[2];
  const double beta = r->real[1];
  const bool direct = beta == 0.0 && is_rows(y);
  pz_mat product = *y;
  if (!direct) {
    PZ_TRY(pzi_mat_scratch(queue, r->dtype, y->batch, y->rows, y->cols, &product));
  }
  const pz_mat mats[] = {r->mat[0], r->mat[1], product};
  const int64_t integers[] = {y->rows, y->cols, mats[0].cols};
  PZ_TRY(pzi_mat_ops_launch(queue, &compose_gemm, y->batch * y->rows * y->cols, mats, r->real, 3,
                            integers));
  return direct ? PZ_OK : pzi_mat_ops_axpby(queue, 1.0, &product, beta, y);
}

/* The upper triangle of alpha a a^T + beta y, mirrored: exactly symmetric. */
pz_status
pzi_compose_syrk(pz_queue* const queue, const pzi_request* const r)
{
  const pz_mat* const a = &r->mat[0];
  const pz_mat* const y = &r->mat[1];
  const pz_mat at = pz_mat_transposed(a);
  pz_mat product;
  PZ_TRY(pzi_mat_scratch(queue, r->dtype, y->batch, y->rows, y->cols, &product));
  if (r->real[1] != 0.0) {
    PZ_TRY(pzi_mat_ops_copy(queue, y, &product));
  }
  PZ_TRY(pzi_mat_ops_gemm(queue, r->real[0], a, &at, r->real[1], &product));
  return pzi_mat_ops_unary(queue, PZI_FOLD, PZ_UPPER, 1, 0, &product, y);
}

/* T with explicit zeros and ones, times a copy of b. */
pz_status
pzi_compose_trmm(pz_queue* const queue, const pzi_request* const r)
{
  const pz_mat* const t = &r->mat[0];
  const pz_mat* const b = &r->mat[1];
  const bool unit = r->diagonal == PZ_UNIT;
  const int64_t strict = r->triangle == PZ_UPPER ? 1 : -1;
  pz_mat full;
  pz_mat copy;
  PZ_TRY(pzi_mat_scratch(queue, r->dtype, t->batch, t->rows, t->cols, &full));
  PZ_TRY(pzi_mat_scratch(queue, r->dtype, b->batch, b->rows, b->cols, &copy));
  PZ_TRY(pzi_mat_ops_unary(queue, PZI_TRIANGLE, r->triangle, 0, unit ? strict : 0, t, &full));
  if (unit) {
    PZ_TRY(pzi_mat_ops_add_identity(queue, 1.0, &full));
  }
  PZ_TRY(pzi_mat_ops_copy(queue, b, &copy));
  return r->which == PZ_LEFT ? pzi_mat_ops_gemm(queue, r->real[0], &full, &copy, 0.0, b)
                             : pzi_mat_ops_gemm(queue, r->real[0], &copy, &full, 0.0, b);
}

static bool
is_zero(const uint32_t dtype, const void* const data, const int64_t k)
{
  return dtype == PZ_F32 ? ((const float*)data)[k] == 0.0F : ((const double*)data)[k] == 0.0;
}

static pz_status
spoil(pz_queue* const queue, const pz_mat* const b, const int64_t k)
{
  pz_mat one = *b;
  one.byte_offset += (uint64_t)(k * b->batch_stride) * pz_dtype_size(b->dtype);
  one.batch = 1;
  return pzi_mat_ops_fill(queue, (double)NAN, &one);
}

/* Sets `singular` to the first matrix of t with a zero on its diagonal. Fills the right-hand sides
   of all such matrices with NaN, so that their solutions are NaN. One read for the whole batch. */
static pz_status
check_diagonal(pz_queue* const queue, const pz_mat* const t, const pz_mat* const b,
               int64_t* const singular)
{
  const int64_t n = t->rows;
  const size_t bytes = (size_t)(t->batch * n) * pz_dtype_size(t->dtype);
  pz_mat diagonal;
  void* host = NULL;
  uint64_t offset = 0;
  PZ_TRY(pzi_mat_scratch(queue, t->dtype, t->batch, n, 1, &diagonal));
  PZ_TRY(pzi_mat_ops_unary(queue, PZI_GET_DIAGONAL, 0, 0, 0, t, &diagonal));

  const uint64_t mark = pzi_arena_mark(&queue->staging);
  pz_status status = pzi_arena_take(&queue->staging, bytes, &host, &offset);
  if (status == PZ_OK) {
    status = pzi_queue_move_held(queue, PZ_DEVICE_TO_HOST, host, 0, diagonal.data,
                                 diagonal.byte_offset, bytes);
  }
  for (int64_t k = 0; k < t->batch && status == PZ_OK; ++k) {
    bool good = true;
    for (int64_t i = 0; i < n; ++i) {
      good = good && !is_zero(t->dtype, host, k * n + i);
    }
    if (!good) {
      status = spoil(queue, b, k);
      *singular = *singular < 0 ? k : *singular;
    }
  }
  pzi_arena_release(&queue->staging, mark);
  return status;
}

/* b t^-1 = (t^-T b^T)^T: a solve from the right is one from the left with both transposed. */
pz_status
pzi_compose_trsm(pz_queue* const queue, const pzi_request* const r)
{
  const bool left = r->which == PZ_LEFT;
  const pz_mat t = left ? r->mat[0] : pz_mat_transposed(&r->mat[0]);
  const pz_mat b = left ? r->mat[1] : pz_mat_transposed(&r->mat[1]);
  const bool unit = r->diagonal == PZ_UNIT;
  int64_t singular = -1;
  if (!unit) {
    PZ_TRY(check_diagonal(queue, &t, &b, &singular));
  }
  const pz_mat mats[] = {t, b};
  const int64_t integers[] = {b.rows, b.cols, (r->triangle == PZ_LOWER) == left, unit};
  PZ_TRY(pzi_mat_ops_launch(queue, &compose_trsm, b.batch * b.cols, mats, r->real, 4, integers));
  return singular < 0
             ? PZ_OK
             : pzi_fail(PZ_SINGULAR, "matrix %" PRId64 " of the batch is singular", singular);
}
