/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Strides and scratch of matrices. */

#include "mat.h"

void
pzi_mat_normalize(pz_mat* const m)
{
  const bool single = m->rows == 1 && m->cols == 1;
  if (single || (m->rows == 1 && m->col_stride == 1)) {
    m->row_stride = m->cols;
    m->col_stride = 1;
  } else if (m->rows == 1) {
    m->row_stride = 1; /* one element per column */
  } else if (m->cols == 1) {
    m->col_stride = m->row_stride == 1 ? m->rows : 1;
  }
  if (m->batch == 1) {
    m->batch_stride = m->rows * m->cols;
  }
}

pz_status
pzi_mat_scratch(pz_queue* const queue, const uint32_t dtype, const int64_t batch,
                const int64_t rows, const int64_t cols, pz_mat* const out)
{
  pz_mat mat = {
      .rows = rows,
      .cols = cols,
      .row_stride = cols,
      .col_stride = 1,
      .batch = batch,
      .batch_stride = rows * cols,
      .dtype = dtype,
  };
  PZ_TRY(pzi_arena_take(&queue->scratch,
                        (size_t)batch * (size_t)rows * (size_t)cols * pz_dtype_size(dtype),
                        &mat.data, &mat.byte_offset));
  pzi_mat_normalize(&mat);
  *out = mat;
  return PZ_OK;
}
