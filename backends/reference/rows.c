/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Rows by index. All indices are checked before anything is written. */

#include "reference.h"

static int64_t
index_at(const pz_mat* const index, const int64_t i)
{
  return *(const int64_t*)pzi_reference_place(index, 0, i, 0);
}

static pz_status
check_indices(pz_backend_queue* const q, const pz_mat* const index, const int64_t rows)
{
  for (int64_t i = 0; i < index->rows; ++i) {
    const int64_t row = index_at(index, i);
    if (row < 0 || row >= rows) {
      return q->host->fail(PZ_INVALID, "index %lld is %lld, expected 0 .. %lld", (long long)i,
                           (long long)row, (long long)(rows - 1));
    }
  }
  return PZ_OK;
}

pz_status
pzi_reference_take(pz_backend_queue* const q, const pz_mat* const index, const pz_mat* const x,
                   const pz_mat* const y, const pz_fault* const fault)
{
  (void)fault;
  PZ_TRY(check_indices(q, index, x->rows));
  for (int64_t k = 0; k < y->batch; ++k) {
    for (int64_t i = 0; i < index->rows; ++i) {
      const int64_t row = index_at(index, i);
      for (int64_t j = 0; j < y->cols; ++j) {
        pzi_reference_put(y, k, i, j, pzi_reference_get(x, k, row, j));
      }
    }
  }
  return PZ_OK;
}

pz_status
pzi_reference_put_rows(pz_backend_queue* const q, const bool accumulate, const pz_mat* const index,
                       const pz_mat* const x, const pz_mat* const y, const pz_fault* const fault)
{
  (void)fault;
  PZ_TRY(check_indices(q, index, y->rows));
  for (int64_t k = 0; k < y->batch; ++k) {
    for (int64_t i = 0; i < index->rows; ++i) {
      const int64_t row = index_at(index, i);
      for (int64_t j = 0; j < y->cols; ++j) {
        const double old = accumulate ? pzi_reference_get(y, k, row, j) : 0.0;
        pzi_reference_put(y, k, row, j, old + pzi_reference_get(x, k, i, j));
      }
    }
  }
  return PZ_OK;
}
