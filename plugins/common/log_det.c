/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* log |det A| = sum of log |r_ii| for A = Q R. A factorization by reflections needs no pivots: what
   it returns is the determinant of a matrix within rounding of A. */

#include "log_det.h"

// clang-format off

/* One item per matrix. */
PZ_KERNEL(log_det_diagonal, 2, 2, 1,
  PZ_TENSOR_ARG(0, r);
  PZ_TENSOR_ARG(1, out);
  PZ_REAL_ARG(0, scale);
  PZ_REAL_ARG(1, shift);
  PZ_INTEGER_ARG(0, n);
  real sum = (real)0;
  for (pz_int j = 0; j < n; ++j) {
    sum += pz_log(pz_abs(r[i * n * n + j * (n + 1)]));
  }
  out[i] = shift + scale * sum;
)

// clang-format on

pz_status
log_det(pz_call* const c, const double scale, const double shift, const pz_tensor* const a,
        pz_tensor* const out)
{
  pz_tensor r;
  if (pz_count(a) == 0) {
    return pz_fill(c, shift, out);
  }
  PZ_TRY(pz_work_like(c, a, &r));
  PZ_TRY(pz_qr(c, a, NULL, &r));
  return pz_launch(c, &log_det_diagonal, pz_batch(a), (const pz_tensor* const[]){&r, out},
                   (const double[]){scale, shift}, (const int64_t[]){pz_rows(a)});
}

pz_status
log_det_sum(pz_call* const c, const pz_tensor* const rows, pz_tensor* const out)
{
  const int64_t n = pz_cols(rows);
  const int64_t shape[2] = {pz_count(out), n};
  pz_view view;
  pz_view line;
  pz_tensor ones;
  if (n == 0) {
    return pz_fill(c, 0.0, out);
  }
  const pz_spec spec = pz_spec_make(rows->dtype, 2, shape);
  PZ_TRY(pz_work(c, &spec, &ones));
  PZ_TRY(pz_fill(c, 1.0, &ones));
  return pz_dot(c, PZ_OVER_COLS, pz_view_reshaped(&view, rows, 2, shape), &ones,
                pz_view_reshaped(&line, out, 1, shape));
}
