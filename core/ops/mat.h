/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Helpers on pz_mat. */

#ifndef PZI_MAT_H
#define PZI_MAT_H

#include "queue.h"

#include <parametrize/backend.h>

/* Elements from the first to the last of all matrices, both included. */
static inline int64_t
pzi_mat_span(const pz_mat* const m)
{
  return 1 + (m->rows - 1) * m->row_stride + (m->cols - 1) * m->col_stride +
         (m->batch - 1) * m->batch_stride;
}

static inline bool
pzi_mat_row_major(const pz_mat* const m)
{
  return m->col_stride == 1;
}

/* Leading dimension: the stride between lines of unit stride. */
static inline int64_t
pzi_mat_ld(const pz_mat* const m)
{
  return pzi_mat_row_major(m) ? m->row_stride : m->col_stride;
}

/* Do the matrices fill their span without gaps, each element once? */
static inline bool
pzi_mat_dense(const pz_mat* const m)
{
  return pzi_mat_span(m) == m->batch * m->rows * m->cols &&
         (m->batch == 1 || m->batch_stride == m->rows * m->cols);
}

/* The whole span as one row, for kernels that compute with the strides themselves. */
static inline pz_mat
pzi_mat_line(const pz_mat* const m)
{
  pz_mat line = *m;
  line.rows = 1;
  line.cols = pzi_mat_span(m);
  line.row_stride = line.cols;
  line.col_stride = 1;
  line.batch = 1;
  line.batch_stride = line.cols;
  return line;
}

/* Sets the strides of extents 1, which have no effect, so that every matrix has one unit stride
   and another that is at least the minor extent. */
void pzi_mat_normalize(pz_mat* mat);

/* Row-major matrices in the queue's scratch, uninitialized. Mutex held. */
pz_status pzi_mat_scratch(pz_queue* queue, uint32_t dtype, int64_t batch, int64_t rows,
                          int64_t cols, pz_mat* out);

#endif /* PZI_MAT_H */
