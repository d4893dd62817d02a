/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products on BLAS. A matrix with rows as runs and one with columns as runs are the same
   memory read in two orders; the order of a call is that of its output, and an input of
   the other order is given as the transpose of what memory shows. Strides that BLAS cannot
   express (repeated or overlapping runs of an input) are packed first.

   Small products are loops of our own (small_product.c, lane_products.c, lane_trsm.c): a library
   call costs more than their arithmetic. */

#include "lanes.h"

#include <string.h>

/* Does BLAS take this with rows as runs? */
static bool
by_row(const view v)
{
  return (v.col_stride == 1 || v.cols == 1) && v.row_stride >= v.cols;
}

static bool
by_column(const view v)
{
  return by_row(view_transposed(v));
}

/* The leading dimension in that order. A vector's own stride counts; a single run's does
   not, and may be anything. */
static int
leading(const view v, const bool rows)
{
  const int64_t run = rows ? v.cols : v.rows;
  const int64_t step = rows ? v.row_stride : v.col_stride;
  return (int)larger(larger(step, run), 1);
}

view
TYPED(view_expressible)(pz_backend_queue* const q, const pz_mat* const m, const int64_t k,
                        const cpu_slot slot)
{
  const view v = view_settled(view_of(m, k));
  if (by_row(v) || by_column(v)) {
    return v;
  }
  real* const data = cpu_scratch(q, slot, (size_t)(v.rows * v.cols) * sizeof(real));
  const view packed = {data, v.rows, v.cols, v.cols, 1};
  if (data && (k == 0 || m->batch_stride != 0)) { /* else the slot still holds it */
    TYPED(view_copy)(v, packed);
  }
  return packed;
}

/* y = alpha a b + beta y with y.cols and a.cols at most 4 quads: rows of b are padded to
   whole quads, `n` of them, known when compiled, and a row of the sum stays in registers. */
static inline __attribute__((always_inline)) void
tiny_product(const int64_t n, const real alpha, const view a, const view b, const real beta,
             const view y)
{
  quad rows[8 * 2];
  real sums[8];
  for (int64_t p = 0; p < b.rows; ++p) {
    real padded[8] = {0};
    for (int64_t j = 0; j < b.cols; ++j) {
      padded[j] = b.data[p * b.row_stride + j * b.col_stride];
    }
    memcpy(&rows[p * n], padded, (size_t)n * sizeof(quad));
  }
  for (int64_t i = 0; i < y.rows; ++i) {
    quad sum[2] = {{0}, {0}};
    for (int64_t p = 0; p < a.cols; ++p) {
      const real f = a.data[i * a.row_stride + p * a.col_stride];
      for (int64_t j = 0; j < n; ++j) {
        sum[j] += f * rows[p * n + j];
      }
    }
    memcpy(sums, sum, sizeof(sums));
    real* const to = y.data + i * y.row_stride;
    if (beta == 0) {
      for (int64_t j = 0; j < y.cols; ++j) {
        to[j * y.col_stride] = alpha * sums[j];
      }
    } else {
      for (int64_t j = 0; j < y.cols; ++j) {
        to[j * y.col_stride] = alpha * sums[j] + beta * to[j * y.col_stride];
      }
    }
  }
}

/* The same for any matrices small enough; false where a library call is better. */
static bool
product_is_tiny(const real alpha, const view a, const view b, const real beta, const view y)
{
  const int64_t most = larger(larger(a.cols, y.rows), y.cols);
  if (most <= 4) {
    tiny_product(1, alpha, a, b, beta, y);
  } else if (most <= 8) {
    tiny_product(2, alpha, a, b, beta, y);
  } else {
    return TYPED(small_product)(alpha, a, b, beta, y);
  }
  return true;
}

/* y = alpha a x + beta y, y and x columns. */
static void
matrix_vector(const real alpha, const view a, const view x, const real beta, const view y)
{
  const bool rows = by_row(a);
  if (beta == 0) { /* y is not to be read */
    TYPED(view_fill)(0, y);
  }
  BLAS(gemv)
  (rows ? CblasRowMajor : CblasColMajor, CblasNoTrans, (int)a.rows, (int)a.cols, alpha, a.data,
   leading(a, rows), x.data, (int)x.row_stride, beta == 0 ? 1 : beta, y.data, (int)y.row_stride);
}

void
TYPED(view_gemm)(const real alpha, const view a, const view b, const real beta, const view y)
{
  if (product_is_tiny(alpha, a, b, beta, y)) {
    return;
  }
  if (y.cols == 1) {
    matrix_vector(alpha, a, b, beta, y);
    return;
  }
  if (y.rows == 1) {
    matrix_vector(alpha, view_transposed(b), view_transposed(a), beta, view_transposed(y));
    return;
  }
  const bool rows = by_row(y);
  const bool same_a = rows ? by_row(a) : by_column(a);
  const bool same_b = rows ? by_row(b) : by_column(b);
  BLAS(gemm)
  (rows ? CblasRowMajor : CblasColMajor, same_a ? CblasNoTrans : CblasTrans,
   same_b ? CblasNoTrans : CblasTrans, (int)y.rows, (int)y.cols, (int)a.cols, alpha, a.data,
   leading(a, same_a == rows), b.data, leading(b, same_b == rows), beta, y.data, leading(y, rows));
}

/* A batch of products too small for the library. */
typedef struct products {
  real alpha;
  real beta;
  const pz_mat* a;
  const pz_mat* b;
  const pz_mat* y;
} products;

static void
multiply_one(void* const context, const int64_t k, const uint32_t thread)
{
  const products* const t = context;
  (void)thread;
  (void)product_is_tiny(t->alpha, view_of(t->a, k), view_of(t->b, k), t->beta, view_of(t->y, k));
}

pz_status
TYPED(gemm)(pz_backend_queue* const q, const double alpha, const pz_mat* const a,
            const pz_mat* const b, const double beta, const pz_mat* const y)
{
  if (!fits_blas(a) || !fits_blas(b) || !fits_blas(y)) {
    return PZ_UNSUPPORTED;
  }
  if (beta == 0 && TYPED(multiply_lanes)(q, (real)alpha, a, b, y)) {
    return PZ_OK;
  }
  if (larger(larger(y->rows, y->cols), a->cols) <= CPU_SMALL_PRODUCT) {
    products t = {(real)alpha, (real)beta, a, b, y};
    const double flops = (double)(y->rows * y->cols * a->cols) * (double)y->batch;
    q->host->parallel(cpu_threads(0.05 * flops), y->batch, multiply_one, &t);
    return PZ_OK;
  }
  for (int64_t k = 0; k < y->batch; ++k) {
    const view u = TYPED(view_expressible)(q, a, k, CPU_SLOT_PACK);
    const view v = TYPED(view_expressible)(q, b, k, CPU_SLOT_PACK_B);
    if (!u.data || !v.data) {
      return cpu_no_memory(q);
    }
    TYPED(view_gemm)((real)alpha, u, v, (real)beta, view_settled(view_of(y, k)));
  }
  return PZ_OK;
}

/* Copies the lower triangle, as rows show it, onto the upper one. */
static void
mirror_lower(const view y)
{
  for (int64_t i0 = 0; i0 < y.rows; i0 += TILE) {
    const int64_t m = smaller(TILE, y.rows - i0);
    for (int64_t j0 = 0; j0 < i0; j0 += TILE) {
      real tile[TILE * TILE];
      TYPED(transpose)(m, TILE, y.data + i0 * y.row_stride + j0, y.row_stride, tile, TILE);
      for (int64_t j = 0; j < TILE; ++j) {
        memcpy(y.data + (j0 + j) * y.row_stride + i0, tile + j * TILE, (size_t)m * sizeof(real));
      }
    }
    for (int64_t i = i0; i < i0 + m; ++i) {
      for (int64_t j = i0; j < i; ++j) {
        y.data[j * y.row_stride + i] = y.data[i * y.row_stride + j];
      }
    }
  }
}

pz_status
TYPED(syrk)(pz_backend_queue* const q, const double alpha, const pz_mat* const a, const double beta,
            const pz_mat* const y)
{
  if (!fits_blas(a) || !fits_blas(y)) {
    return PZ_UNSUPPORTED;
  }
  for (int64_t k = 0; k < y->batch; ++k) {
    const view u = TYPED(view_expressible)(q, a, k, CPU_SLOT_PACK);
    if (!u.data) {
      return cpu_no_memory(q);
    }
    // y is symmetric: its layout does not matter
    view v = view_settled(view_of(y, k));
    v = by_row(v) ? v : view_transposed(v);
    if (product_is_tiny((real)alpha, u, view_transposed(u), (real)beta, v)) {
      continue;
    }
    const bool rows = by_row(u);
    BLAS(syrk)
    (CblasRowMajor, CblasLower, rows ? CblasNoTrans : CblasTrans, (int)v.rows, (int)u.cols,
     (real)alpha, u.data, leading(u, rows), (real)beta, v.data, leading(v, true));
    mirror_lower(v);
  }
  return PZ_OK;
}

/* How the library sees b and t in b = op(t)^{+-1} b. */
typedef struct triangular {
  enum CBLAS_ORDER order;
  enum CBLAS_UPLO uplo;
  enum CBLAS_TRANSPOSE trans;
  int ldt;
  int ldb;
} triangular;

static triangular
triangular_of(const pz_triangle triangle, const view t, const view b)
{
  const bool rows = by_row(b);
  const bool same = rows ? by_row(t) : by_column(t);
  const triangular out = {
      .order = rows ? CblasRowMajor : CblasColMajor,
      .uplo = (triangle == PZ_UPPER) == same ? CblasUpper : CblasLower,
      .trans = same ? CblasNoTrans : CblasTrans,
      .ldt = leading(t, same == rows),
      .ldb = leading(b, rows),
  };
  return out;
}

/* Whether a batch of triangular matrices t and what they are applied to goes across lanes. */
static bool
is_for_lanes(const pz_mat* const t, const pz_mat* const b)
{
  return t->rows <= CPU_LANES_MOST && b->rows <= CPU_LANES_MOST && b->cols <= CPU_LANES_MOST &&
         lanes_are_filled(b->batch);
}

pz_status
TYPED(trmm)(pz_backend_queue* const q, const pz_side side, const pz_triangle triangle,
            const pz_diagonal diagonal, const double alpha, const pz_mat* const t,
            const pz_mat* const b)
{
  if (!fits_blas(t) || !fits_blas(b)) {
    return PZ_UNSUPPORTED;
  }
  if (is_for_lanes(t, b) && b->rows * b->cols <= 128) { /* beyond, BLAS is faster */
    return TYPED(trmm_lanes)(q, side, triangle, diagonal, (real)alpha, t, b);
  }
  for (int64_t k = 0; k < b->batch; ++k) {
    const view u = TYPED(view_expressible)(q, t, k, CPU_SLOT_PACK);
    if (!u.data) {
      return cpu_no_memory(q);
    }
    const view v = view_settled(view_of(b, k));
    const triangular m = triangular_of(triangle, u, v);
    BLAS(trmm)
    (m.order, side == PZ_LEFT ? CblasLeft : CblasRight, m.uplo, m.trans,
     diagonal == PZ_UNIT ? CblasUnit : CblasNonUnit, (int)v.rows, (int)v.cols, (real)alpha, u.data,
     m.ldt, v.data, m.ldb);
  }
  return PZ_OK;
}

void
TYPED(view_trsm)(const pz_triangle triangle, const pz_diagonal diagonal, const real alpha,
                 const view t, const view b)
{
  const triangular m = triangular_of(triangle, t, b);
  BLAS(trsm)
  (m.order, CblasLeft, m.uplo, m.trans, diagonal == PZ_UNIT ? CblasUnit : CblasNonUnit, (int)b.rows,
   (int)b.cols, alpha, t.data, m.ldt, b.data, m.ldb);
}

/* Place of the first zero on the diagonal, or -1. */
static int64_t
zero_on_diagonal(const view t)
{
  for (int64_t i = 0; i < t.rows; ++i) {
    if (t.data[i * (t.row_stride + t.col_stride)] == 0) {
      return i;
    }
  }
  return -1;
}

pz_status
TYPED(trsm)(pz_backend_queue* const q, const pz_side side, const pz_triangle triangle,
            const pz_diagonal diagonal, const double alpha, const pz_mat* const t,
            const pz_mat* const b, const pz_fault* const fault)
{
  (void)fault;
  if (!fits_blas(t) || !fits_blas(b)) {
    return PZ_UNSUPPORTED;
  }
  unsigned char* flags = NULL;
  if (is_for_lanes(t, b)) {
    flags = cpu_scratch(q, CPU_SLOT_FLAGS, (size_t)b->batch);
    PZ_TRY(flags ? TYPED(trsm_lanes)(q, side, triangle, diagonal, (real)alpha, t, b, flags)
                 : cpu_no_memory(q));
  }
  int64_t singular = -1;
  for (int64_t k = 0; k < b->batch; ++k) {
    if (flags && !flags[k]) {
      continue;
    }
    const view u = TYPED(view_expressible)(q, t, k, CPU_SLOT_PACK);
    if (!u.data) {
      return cpu_no_memory(q);
    }
    view v = view_settled(view_of(b, k));
    if (diagonal == PZ_NON_UNIT && zero_on_diagonal(u) >= 0) {
      TYPED(view_fill)((real)NAN, v);
      singular = singular < 0 ? k : singular;
      continue;
    }
    // b op(t)^-1: op(t)^-T b^T
    if (side == PZ_LEFT) {
      TYPED(view_trsm)(triangle, diagonal, (real)alpha, u, v);
    } else {
      TYPED(view_trsm)
      (triangle == PZ_UPPER ? PZ_LOWER : PZ_UPPER, diagonal, (real)alpha, view_transposed(u),
       view_transposed(v));
    }
  }
  return singular < 0 ? PZ_OK : cpu_singular(q, "has a zero on its diagonal", singular);
}
