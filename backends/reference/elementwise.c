/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Entry by entry: an output may be one of the inputs, each entry being read before it is
   written and by nobody else. */

#include "reference.h"

#include <string.h>

pz_status
pzi_reference_copy(pz_backend_queue* const q, const pz_mat* const x, const pz_mat* const y)
{
  const size_t size = pz_dtype_size(x->dtype);
  (void)q;
  for (int64_t k = 0; k < y->batch; ++k) {
    for (int64_t i = 0; i < y->rows; ++i) {
      for (int64_t j = 0; j < y->cols; ++j) {
        memmove(pzi_reference_place(y, k, i, j), pzi_reference_place(x, k, i, j), size);
      }
    }
  }
  return PZ_OK;
}

pz_status
pzi_reference_fill(pz_backend_queue* const q, const double value, const pz_mat* const y)
{
  (void)q;
  for (int64_t k = 0; k < y->batch; ++k) {
    for (int64_t i = 0; i < y->rows; ++i) {
      for (int64_t j = 0; j < y->cols; ++j) {
        pzi_reference_put(y, k, i, j, value);
      }
    }
  }
  return PZ_OK;
}

pz_status
pzi_reference_axpby(pz_backend_queue* const q, const double a, const pz_mat* const x,
                    const double b, const pz_mat* const y)
{
  (void)q;
  for (int64_t k = 0; k < y->batch; ++k) {
    for (int64_t i = 0; i < y->rows; ++i) {
      for (int64_t j = 0; j < y->cols; ++j) {
        const double old = b == 0.0 ? 0.0 : b * pzi_reference_get(y, k, i, j);
        pzi_reference_put(y, k, i, j, a * pzi_reference_get(x, k, i, j) + old);
      }
    }
  }
  return PZ_OK;
}

pz_status
pzi_reference_scale(pz_backend_queue* const q, const double a, const pz_mat* const y)
{
  (void)q;
  for (int64_t k = 0; k < y->batch; ++k) {
    for (int64_t i = 0; i < y->rows; ++i) {
      for (int64_t j = 0; j < y->cols; ++j) {
        pzi_reference_put(y, k, i, j, a * pzi_reference_get(y, k, i, j));
      }
    }
  }
  return PZ_OK;
}

pz_status
pzi_reference_hadamard(pz_backend_queue* const q, const double a, const pz_mat* const x,
                       const pz_mat* const y, const double b, const pz_mat* const z)
{
  (void)q;
  for (int64_t k = 0; k < z->batch; ++k) {
    for (int64_t i = 0; i < z->rows; ++i) {
      for (int64_t j = 0; j < z->cols; ++j) {
        const double old = b == 0.0 ? 0.0 : b * pzi_reference_get(z, k, i, j);
        const double product = pzi_reference_get(x, k, i, j) * pzi_reference_get(y, k, i, j);
        pzi_reference_put(z, k, i, j, a * product + old);
      }
    }
  }
  return PZ_OK;
}

pz_status
pzi_reference_combine(pz_backend_queue* const q, const double shift, const uint32_t n,
                      const double* const a, const pz_mat* const x, const pz_mat* const y)
{
  (void)q;
  for (int64_t k = 0; k < y->batch; ++k) {
    for (int64_t i = 0; i < y->rows; ++i) {
      for (int64_t j = 0; j < y->cols; ++j) {
        double sum = i == j ? shift : 0.0;
        for (uint32_t t = 0; t < n; ++t) {
          sum += a[t] * pzi_reference_get(&x[t], k, i, j);
        }
        pzi_reference_put(y, k, i, j, sum);
      }
    }
  }
  return PZ_OK;
}

pz_status
pzi_reference_add_identity(pz_backend_queue* const q, const double a, const pz_mat* const y)
{
  const int64_t n = y->rows < y->cols ? y->rows : y->cols;
  (void)q;
  for (int64_t k = 0; k < y->batch; ++k) {
    for (int64_t i = 0; i < n; ++i) {
      pzi_reference_put(y, k, i, i, pzi_reference_get(y, k, i, i) + a);
    }
  }
  return PZ_OK;
}
