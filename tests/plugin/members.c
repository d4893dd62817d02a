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
  double* const out = reals(n * n);
  for (int64_t k = 0; k < n; ++k) {
    out[k * n + k] = entries[k];
  }
  return out;
}

double*
orthogonal_matrix(const int64_t n, const uint32_t dtype, const double determinant)
{
  rig r;
  subject_open(&r, "skew,cayley(signs=1)", dtype, square_shape(n));
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

const extents tall_shapes[TALL_SHAPES] = {
    {2, {4, 4}}, {2, {5, 3}},  {2, {3, 5}},    {2, {1, 4}},
    {2, {9, 9}}, {2, {30, 4}}, {3, {2, 5, 3}}, {3, {2, 3, 7}},
};

tall
tall_of(const extents e)
{
  const int64_t rows = e.shape[e.ndim - 2];
  const int64_t cols = e.shape[e.ndim - 1];
  return (tall){e.ndim == 3 ? e.shape[0] : 1, rows, cols, rows > cols ? rows : cols,
                rows > cols ? cols : rows};
}

double*
tall_at(const tall s, double* const x, const int64_t b, const int64_t i, const int64_t j)
{
  return x + b * s.rows * s.cols + (s.rows < s.cols ? j * s.cols + i : i * s.cols + j);
}

double
tall_unit(const uint32_t dtype, const tall s)
{
  return (double)s.n * pz_dtype_epsilon(dtype);
}
