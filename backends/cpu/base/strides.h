/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Where the entries of a matrix lie, whatever its element type. */

#ifndef CPU_STRIDES_H
#define CPU_STRIDES_H

#include <parametrize/backend.h>

#include <stddef.h>
#include <stdint.h>

/* First element of matrix k. */
static inline char*
cpu_at(const pz_mat* const m, const int64_t k)
{
  return (char*)m->data + m->byte_offset +
         (size_t)(k * m->batch_stride) * (size_t)pz_dtype_size(m->dtype);
}

/* Are the rows of this matrix contiguous runs? Else its columns are. */
static inline bool
cpu_runs_by_row(const pz_mat* const m)
{
  return m->col_stride == 1 || m->row_stride != 1;
}

#endif /* CPU_STRIDES_H */
