/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What inversion takes from BLAS and LAPACK. */

#include "lapack.h"

#include "blas_names.h"

#include <limits.h>

bool
TYPED(lapack_invert)(const int64_t n, real* const a, const int64_t ld, int32_t* const pivots,
                     real* const work, const int64_t n_work)
{
  const lapack_int order = (lapack_int)n;
  const lapack_int step = (lapack_int)ld;
  return LAPACK(getrf)(LAPACK_COL_MAJOR, order, order, a, step, pivots) == 0 &&
         LAPACK(getri)(LAPACK_COL_MAJOR, order, a, step, pivots, work, (lapack_int)n_work) == 0;
}

/* Four steps of the power method come within a quarter of |K|_2. */
real
TYPED(skew_norm_estimate)(const view a, real* const work)
{
  const int n = (int)a.rows;
  real* v = work;
  real* w = work + n;
  real estimate = 0;
  for (int i = 0; i < n; ++i) {
    v[i] = (uint32_t)i * 0x9E3779B9U >> 31 ? 1 : -1;
  }
  for (int step = 0; step < 4; ++step) {
    const real before = BLAS(nrm2)(n, v, 1);
    if (!(before > 0)) {
      break;
    }
    for (int i = 0; i < n; ++i) {
      v[i] /= before;
      w[i] = v[i];
    }
    BLAS(gemv)
    (CblasRowMajor, CblasNoTrans, n, n, 1, a.data, (int)a.row_stride, v, 1, -1, w, 1);
    estimate = BLAS(nrm2)(n, w, 1);
    real* const next = w;
    w = v;
    v = next;
  }
  return (real)1.25 * estimate;
}
