/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Structured passes: mirrored triangles, triangles, diagonals. */

#include "reference.h"

// y_ij = x_ij in the triangle, sign x_ji in the other, (1 + sign)/2 x_ii between
pz_status
pzi_reference_fold(pz_backend_queue* const q, const pz_triangle triangle, const int sign,
                   const pz_mat* const x, const pz_mat* const y)
{
  (void)q;
  for (int64_t k = 0; k < y->batch; ++k) {
    for (int64_t i = 0; i < y->rows; ++i) {
      for (int64_t j = 0; j < y->cols; ++j) {
        const bool inside = triangle == PZ_UPPER ? i < j : i > j;
        double value = 0.0;
        if (inside) {
          value = pzi_reference_get(x, k, i, j);
        } else if (i != j) {
          value = sign * pzi_reference_get(x, k, j, i);
        } else if (sign > 0) {
          value = pzi_reference_get(x, k, i, i);
        }
        pzi_reference_put(y, k, i, j, value);
      }
    }
  }
  return PZ_OK;
}

pz_status
pzi_reference_fold_adjoint(pz_backend_queue* const q, const pz_triangle triangle, const int sign,
                           const pz_mat* const g, const pz_mat* const gx)
{
  (void)q;
  for (int64_t k = 0; k < gx->batch; ++k) {
    for (int64_t i = 0; i < gx->rows; ++i) {
      for (int64_t j = 0; j < gx->cols; ++j) {
        const bool inside = triangle == PZ_UPPER ? i < j : i > j;
        double value = 0.0;
        if (inside) {
          value = pzi_reference_get(g, k, i, j) + sign * pzi_reference_get(g, k, j, i);
        } else if (i == j && sign > 0) {
          value = pzi_reference_get(g, k, i, i);
        }
        pzi_reference_put(gx, k, i, j, value);
      }
    }
  }
  return PZ_OK;
}

// each sum is formed once, in one order, so that the result mirrors exactly
pz_status
pzi_reference_symmetrize(pz_backend_queue* const q, const double a, const int sign,
                         const pz_mat* const x, const pz_mat* const y)
{
  (void)q;
  for (int64_t k = 0; k < y->batch; ++k) {
    for (int64_t i = 0; i < y->rows; ++i) {
      for (int64_t j = i; j < y->cols; ++j) {
        const double value =
            a * (pzi_reference_get(x, k, i, j) + sign * pzi_reference_get(x, k, j, i));
        pzi_reference_put(y, k, j, i, sign * value);
        pzi_reference_put(y, k, i, j, value);
      }
    }
  }
  return PZ_OK;
}

pz_status
pzi_reference_triangle(pz_backend_queue* const q, const pz_triangle triangle, const int64_t offset,
                       const pz_mat* const x, const pz_mat* const y)
{
  (void)q;
  for (int64_t k = 0; k < y->batch; ++k) {
    for (int64_t i = 0; i < y->rows; ++i) {
      for (int64_t j = 0; j < y->cols; ++j) {
        const bool inside = triangle == PZ_UPPER ? j - i >= offset : j - i <= offset;
        pzi_reference_put(y, k, i, j, inside ? pzi_reference_get(x, k, i, j) : 0.0);
      }
    }
  }
  return PZ_OK;
}

pz_status
pzi_reference_get_diagonal(pz_backend_queue* const q, const pz_mat* const x, const pz_mat* const d)
{
  (void)q;
  for (int64_t k = 0; k < d->batch; ++k) {
    for (int64_t i = 0; i < d->rows; ++i) {
      pzi_reference_put(d, k, i, 0, pzi_reference_get(x, k, i, i));
    }
  }
  return PZ_OK;
}

pz_status
pzi_reference_set_diagonal(pz_backend_queue* const q, const pz_mat* const d, const pz_mat* const y)
{
  (void)q;
  for (int64_t k = 0; k < y->batch; ++k) {
    for (int64_t i = 0; i < d->rows; ++i) {
      pzi_reference_put(y, k, i, i, pzi_reference_get(d, k, i, 0));
    }
  }
  return PZ_OK;
}
