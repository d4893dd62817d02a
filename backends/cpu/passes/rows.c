/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Rows by index. Every index is checked before anything is written. */

#include "passes.h"

#include "scratch.h"

static pz_status
check_indices(pz_backend_queue* const q, const pz_mat* const index, const int64_t rows)
{
  const int64_t* const at = (const int64_t*)(const void*)cpu_at(index, 0);
  for (int64_t i = 0; i < index->rows; ++i) {
    if (at[i] < 0 || at[i] >= rows) {
      return q->host->fail(PZ_INVALID, "index %lld is %lld, expected 0 .. %lld", (long long)i,
                           (long long)at[i], (long long)(rows - 1));
    }
  }
  return PZ_OK;
}

/* to = from, or to += from, n entries. */
static void
move_row(const bool accumulate, const int64_t n, const real* const from, const int64_t from_step,
         real* const to, const int64_t to_step)
{
  if (accumulate) {
    for (int64_t j = 0; j < n; ++j) {
      to[j * to_step] += from[j * from_step];
    }
  } else {
    for (int64_t j = 0; j < n; ++j) {
      to[j * to_step] = from[j * from_step];
    }
  }
}

pz_status
TYPED(take)(pz_backend_queue* const q, const pz_mat* const index, const pz_mat* const x,
            const pz_mat* const y, const pz_fault* const fault)
{
  (void)fault;
  PZ_TRY(check_indices(q, index, x->rows));
  const int64_t* const row = (const int64_t*)(const void*)cpu_at(index, 0);
  for (int64_t k = 0; k < y->batch; ++k) {
    const view from = view_of(x, k);
    const view to = view_of(y, k);
    for (int64_t i = 0; i < index->rows; ++i) {
      move_row(false, to.cols, from.data + row[i] * from.row_stride, from.col_stride,
               to.data + i * to.row_stride, to.col_stride);
    }
  }
  return PZ_OK;
}

pz_status
TYPED(put)(pz_backend_queue* const q, const bool accumulate, const pz_mat* const index,
           const pz_mat* const x, const pz_mat* const y, const pz_fault* const fault)
{
  (void)fault;
  PZ_TRY(check_indices(q, index, y->rows));
  const int64_t* const row = (const int64_t*)(const void*)cpu_at(index, 0);
  for (int64_t k = 0; k < y->batch; ++k) {
    const view from = view_of(x, k);
    const view to = view_of(y, k);
    for (int64_t i = 0; i < index->rows; ++i) {
      move_row(accumulate, to.cols, from.data + i * from.row_stride, from.col_stride,
               to.data + row[i] * to.row_stride, to.col_stride);
    }
  }
  return PZ_OK;
}
