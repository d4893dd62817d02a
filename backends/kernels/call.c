/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Making calls: arguments, shapes of groups, scratch. */

#include "gpu.h"

#include <assert.h>

enum { MOST_GROUPS = 65535 };

bool
gpu_offers(const pz_backend_queue* const q, const uint32_t dtype)
{
  return dtype == PZ_F32 || (dtype == PZ_F64 && q->f64);
}

gpu_call
gpu_begin(const uint32_t dtype)
{
  return (gpu_call){.dtype = dtype};
}

void
gpu_integer(gpu_call* const call, const int64_t value)
{
  call->argument[call->n++] = (gpu_argument){.kind = GPU_INTEGER, .as.integer = value};
}

void
gpu_real(gpu_call* const call, const double value)
{
  call->argument[call->n++] = (gpu_argument){.kind = GPU_REAL, .as.real = value};
}

void
gpu_buffer(gpu_call* const call, void* const buffer)
{
  call->argument[call->n++] = (gpu_argument){.kind = GPU_BUFFER, .as.buffer = buffer};
}

void
gpu_mat(gpu_call* const call, const pz_mat* const mat)
{
  gpu_buffer(call, mat->data);
  gpu_integer(call, (int64_t)(mat->byte_offset / pz_dtype_size(mat->dtype)));
  gpu_integer(call, mat->row_stride);
  gpu_integer(call, mat->col_stride);
  gpu_integer(call, mat->batch_stride);
}

void
gpu_fault(gpu_call* const call, const pz_fault* const fault)
{
  gpu_buffer(call, fault->data);
  gpu_integer(call, (int64_t)(fault->byte_offset / sizeof(int64_t)));
}

/* ---- shapes ------------------------------------------------------------------ */

static size_t
pieces(const int64_t n, const size_t size, const int64_t most)
{
  const int64_t count = (n + (int64_t)size - 1) / (int64_t)size;
  return (size_t)(count < 1 ? 1 : count > most ? most : count);
}

void
gpu_over(gpu_call* const call, const int64_t cols, const int64_t rows, const int64_t batch)
{
  /* few shapes, since each may be compiled on its own */
  static const size_t line[3] = {256, 1, 1};
  static const size_t wide[3] = {32, 8, 1};
  static const size_t tall[3] = {8, 32, 1};
  static const size_t small[3] = {4, 4, 16};
  const size_t* const local = rows == 1 && batch == 1               ? line
                              : cols <= 8 && rows <= 8 && batch > 1 ? small
                              : cols <= 8                           ? tall
                                                                    : wide;
  gpu_integer(call, cols);
  gpu_integer(call, rows);
  gpu_integer(call, batch);
  for (int d = 0; d < 3; ++d) {
    call->local[d] = local[d];
  }
  call->groups[0] = pieces(cols, local[0], INT32_MAX / GPU_GROUP_ITEMS);
  call->groups[1] = pieces(rows, local[1], MOST_GROUPS);
  call->groups[2] = pieces(batch, local[2], MOST_GROUPS);
}

void
gpu_groups(gpu_call* const call, const int64_t x, const int64_t y, const int64_t z,
           const size_t local_x, const size_t local_y)
{
  call->local[0] = local_x;
  call->local[1] = local_y;
  call->local[2] = 1;
  call->groups[0] = pieces(x, 1, INT32_MAX / (int64_t)local_x);
  call->groups[1] = pieces(y, 1, MOST_GROUPS);
  call->groups[2] = pieces(z, 1, MOST_GROUPS);
}

/* ---- scratch ------------------------------------------------------------------ */

enum { ALIGNMENT = 256 };

size_t
gpu_mat_bytes(const uint32_t dtype, const int64_t batch, const int64_t rows, const int64_t cols)
{
  const size_t bytes = (size_t)batch * (size_t)rows * (size_t)cols * pz_dtype_size(dtype);
  return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

pz_status
gpu_reserve(pz_backend_queue* const q, const size_t bytes)
{
  q->scratch_used = 0;
  q->scratch_reserved = bytes;
  if (bytes <= q->scratch_bytes) {
    return PZ_OK;
  }
  /* freeing is ordered behind what still uses it */
  q->backend->free(q, q->scratch);
  q->scratch = NULL;
  q->scratch_bytes = 0;
  PZ_TRY(q->backend->alloc(q, bytes, &q->scratch));
  q->scratch_bytes = bytes;
  return PZ_OK;
}

pz_mat
gpu_take_mat(pz_backend_queue* const q, const uint32_t dtype, const int64_t batch,
             const int64_t rows, const int64_t cols)
{
  const pz_mat mat = {
      .data = q->scratch,
      .byte_offset = q->scratch_used,
      .rows = rows,
      .cols = cols,
      .row_stride = cols,
      .col_stride = 1,
      .batch = batch,
      .batch_stride = rows * cols,
      .dtype = dtype,
  };
  q->scratch_used += gpu_mat_bytes(dtype, batch, rows, cols);
  assert(q->scratch_used <= q->scratch_reserved);
  return mat;
}

size_t
gpu_mark(const pz_backend_queue* const q)
{
  return q->scratch_used;
}

void
gpu_release(pz_backend_queue* const q, const size_t mark)
{
  q->scratch_used = mark;
}
