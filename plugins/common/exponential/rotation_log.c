/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The logarithm of a rotation by the real Schur form Y = Z T Z^T, X = Z L Z^T, from order 4 on.

   T is block diagonal up to rounding. The logarithm of a block of cosines and sines is (0 -a; a 0)
   with a = atan2(sine, cosine), that of an eigenvalue 1 is zero. Eigenvalues -1 are paired, each
   pair as a rotation by pi; their number is even because det Y = 1. The result is exactly skew,
   with angles in [-pi, pi]. */

#include "exponential.h"

// clang-format off

/* L <- the logarithm of block diagonal T, for L zero on entry: one item per matrix. */
PZ_KERNEL(expm_rotation_logarithm, 2, 0, 1,
  PZ_TENSOR_ARG(0, t);
  PZ_TENSOR_ARG(1, l);
  PZ_INTEGER_ARG(0, n);
  pz_int waiting = -1;
  pz_int j = 0;
  while (j < n) {
    const pz_int d = i * n * n + j * (n + 1);
    if (j + 1 < n && t[d + n] != (real)0) {
      const real angle = pz_atan2(t[d + n] - t[d + 1], t[d] + t[d + n + 1]);
      l[d + n] = angle;
      l[d + 1] = -angle;
      j += 2;
    } else {
      if (t[d] < (real)0) {
        if (waiting < 0) {
          waiting = j;
        } else {
          l[i * n * n + j * n + waiting] = (real)3.14159265358979323846;
          l[i * n * n + waiting * n + j] = (real)-3.14159265358979323846;
          waiting = -1;
        }
      }
      j += 1;
    }
  }
)

// clang-format on

pz_status
expm_rotation_log(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  pz_tensor t;
  pz_tensor z;
  pz_tensor l;
  if (pz_rows(y) == 1) {
    return pz_fill(c, 0.0, x);
  }
  if (expm_is_closed(PZ_SKEW, pz_rows(y))) {
    return expm_closed_log(c, y, x);
  }
  PZ_TRY(pz_work_like(c, y, &t));
  PZ_TRY(pz_work_like(c, y, &z));
  PZ_TRY(pz_work_like(c, y, &l));
  PZ_TRY(pz_schur(c, y, &t, &z));
  PZ_TRY(pz_fill(c, 0.0, &l));
  PZ_TRY(pz_launch(c, &expm_rotation_logarithm, pz_batch(y), (const pz_tensor* const[]){&t, &l},
                   NULL, (const int64_t[]){pz_rows(y)}));
  // X <- the skew part of Z L Z^T
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &z, &l, 0.0, &t));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_T, 1.0, &t, &z, 0.0, &l));
  return pz_symmetrize(c, 0.5, -1, &l, x);
}
