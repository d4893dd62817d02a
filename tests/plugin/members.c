/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "members.h"

#include "oracle.h"

extents
square_shape(const int64_t n)
{
  return (extents){2, {n, n}};
}

double*
diagonal_matrix(const int64_t n, const double* const entries)
{
  double* const out = doubles(n * n);
  for (int64_t k = 0; k < n; ++k) {
    out[k * n + k] = entries[k];
  }
  return out;
}

double*
orthogonal_matrix(const int64_t n, const uint32_t dtype, const double determinant)
{
  rig r;
  rig_open(&r, "skew,cayley(signs=1)", dtype, square_shape(n));
  ck_assert_ok(pz_eval_sample(r.eval, r.state));
  double* const q = rig_forward(&r);
  if (oracle_determinant(n, q) * determinant < 0.0) {
    for (int64_t k = 0; k < n; ++k) {
      q[k * n] = -q[k * n];
    }
  }
  rig_close(&r);
  return q;
}
