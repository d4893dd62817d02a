/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products on BLAS. A matrix with rows as runs and one with columns as runs are the same
   memory read in two orders; the order of a call is that of its output, and an input of
   the other order is given as the transpose of what memory shows. Strides that BLAS cannot
   express (repeated or overlapping runs of an input) are packed first. */

#include "blas.h"

#include "blas_names.h"
#include "copy.h"

#include <limits.h>

bool
TYPED(fits_blas)(const pz_mat* const m)
{
  return m->rows <= INT_MAX && m->cols <= INT_MAX && m->row_stride <= INT_MAX &&
         m->col_stride <= INT_MAX;
}

static bool
by_column(const view v)
{
  return view_has_row_runs(view_transposed(v));
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
                        const cpu_scratch_use use)
{
  const view v = view_normalized(view_of(m, k));
  if (view_has_row_runs(v) || by_column(v)) {
    return v;
  }
  real* const data = cpu_scratch(q, use, (size_t)(v.rows * v.cols) * sizeof(real));
  const view packed = {data, v.rows, v.cols, v.cols, 1};
  if (data && (k == 0 || m->batch_stride != 0)) { /* else the scratch still holds it */
    copy_view(q, v, packed);
  }
  return packed;
}

/* y = alpha a x + beta y, y and x columns. */
static void
matrix_vector(const real alpha, const view a, const view x, const real beta, const view y)
{
  const bool rows = view_has_row_runs(a);
  if (beta == 0) { /* y is not to be read */
    for (int64_t i = 0; i < y.rows; ++i) {
      y.data[i * y.row_stride] = 0;
    }
  }
  BLAS(gemv)
  (rows ? CblasRowMajor : CblasColMajor, CblasNoTrans, (int)a.rows, (int)a.cols, alpha, a.data,
   leading(a, rows), x.data, (int)x.row_stride, beta == 0 ? 1 : beta, y.data, (int)y.row_stride);
}

void
TYPED(blas_gemm)(const real alpha, const view a, const view b, const real beta, const view y)
{
  if (y.cols == 1) {
    matrix_vector(alpha, a, b, beta, y);
    return;
  }
  if (y.rows == 1) {
    matrix_vector(alpha, view_transposed(b), view_transposed(a), beta, view_transposed(y));
    return;
  }
  const bool rows = view_has_row_runs(y);
  const bool same_a = rows ? view_has_row_runs(a) : by_column(a);
  const bool same_b = rows ? view_has_row_runs(b) : by_column(b);
  BLAS(gemm)
  (rows ? CblasRowMajor : CblasColMajor, same_a ? CblasNoTrans : CblasTrans,
   same_b ? CblasNoTrans : CblasTrans, (int)y.rows, (int)y.cols, (int)a.cols, alpha, a.data,
   leading(a, same_a == rows), b.data, leading(b, same_b == rows), beta, y.data, leading(y, rows));
}

void
TYPED(blas_syrk)(const real alpha, const view a, const real beta, const view y)
{
  const bool rows = view_has_row_runs(a);
  BLAS(syrk)
  (CblasRowMajor, CblasLower, rows ? CblasNoTrans : CblasTrans, (int)y.rows, (int)a.cols, alpha,
   a.data, leading(a, rows), beta, y.data, leading(y, true));
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
  const bool rows = view_has_row_runs(b);
  const bool same = rows ? view_has_row_runs(t) : by_column(t);
  const triangular out = {
      .order = rows ? CblasRowMajor : CblasColMajor,
      .uplo = (triangle == PZ_UPPER) == same ? CblasUpper : CblasLower,
      .trans = same ? CblasNoTrans : CblasTrans,
      .ldt = leading(t, same == rows),
      .ldb = leading(b, rows),
  };
  return out;
}

void
TYPED(blas_trmm)(const pz_side side, const pz_triangle triangle, const pz_diagonal diagonal,
                 const real alpha, const view t, const view b)
{
  const triangular m = triangular_of(triangle, t, b);
  BLAS(trmm)
  (m.order, side == PZ_LEFT ? CblasLeft : CblasRight, m.uplo, m.trans,
   diagonal == PZ_UNIT ? CblasUnit : CblasNonUnit, (int)b.rows, (int)b.cols, alpha, t.data, m.ldt,
   b.data, m.ldb);
}

void
TYPED(blas_trsm)(const pz_triangle triangle, const pz_diagonal diagonal, const real alpha,
                 const view t, const view b)
{
  const triangular m = triangular_of(triangle, t, b);
  BLAS(trsm)
  (m.order, CblasLeft, m.uplo, m.trans, diagonal == PZ_UNIT ? CblasUnit : CblasNonUnit, (int)b.rows,
   (int)b.cols, alpha, t.data, m.ldt, b.data, m.ldb);
}
