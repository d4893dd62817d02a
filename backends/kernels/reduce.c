/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Norms and products along a dimension, as reduce.cl lays them out: results along rows,
   terms along columns. Long ones are shared out among chunks. */

#include "gpu.h"

enum { DOT = 4, CHUNK = 4096, MOST_CHUNKS = 256, ENOUGH = 1024 };

typedef struct plan {
  pz_mat x; /* rows: results, or lines of one; columns: terms side by side */
  int64_t outputs;
  int64_t terms;
  int64_t inner;
  int64_t chunks;
} plan;

static plan
plan_for(const pz_axis axis, const pz_mat* const x)
{
  plan p = {.x = *x, .outputs = x->rows, .terms = x->cols};
  if (axis == PZ_OVER_ROWS) {
    p.x = pz_mat_transposed(x);
    p.outputs = x->cols;
    p.terms = x->rows;
  } else if (axis == PZ_OVER_BOTH) {
    p.x = gpu_row_major(x) ? *x : pz_mat_transposed(x);
    p.outputs = 1;
    p.terms = x->rows * x->cols;
  }
  const bool dense = p.x.rows == 1 || p.x.row_stride == p.x.cols * p.x.col_stride;
  p.inner = axis == PZ_OVER_BOTH && !dense ? p.x.cols : p.terms;
  const int64_t wanted = p.terms / CHUNK;
  const int64_t room = 1 + ENOUGH / (p.outputs * x->batch);
  p.chunks = wanted < room ? wanted : room;
  p.chunks = p.chunks < 1 ? 1 : p.chunks > MOST_CHUNKS ? MOST_CHUNKS : p.chunks;
  return p;
}

size_t
gpu_reduce_bytes(const pz_axis axis, const pz_mat* const x)
{
  const plan p = plan_for(axis, x);
  return gpu_mat_bytes(x->dtype, x->batch, p.outputs, 2 * p.chunks);
}

pz_status
gpu_reduce(pz_backend_queue* const q, const int mode, const pz_axis axis, const pz_mat* const x,
           const pz_mat* const y, const pz_mat* const out)
{
  const size_t mark = gpu_mark(q);
  const plan p = plan_for(axis, x);
  plan other = {.x = *y};
  if (axis == PZ_OVER_ROWS || (axis == PZ_OVER_BOTH && !gpu_row_major(x))) {
    other.x = pz_mat_transposed(y);
  }
  /* both must be lines for terms to be counted along one */
  const bool line = other.x.rows == 1 || other.x.row_stride == other.x.cols * other.x.col_stride;
  const int64_t inner = axis == PZ_OVER_BOTH && !line ? p.x.cols : p.inner;
  const bool columns = p.outputs > 1 && p.terms > 1 && p.x.col_stride != 1;
  const pz_mat pairs = gpu_take_mat(q, x->dtype, x->batch, p.outputs, 2 * p.chunks);
  const int64_t pairs_offset = (int64_t)(pairs.byte_offset / pz_dtype_size(x->dtype));

  gpu_call call = gpu_begin(x->dtype);
  gpu_integer(&call, mode);
  gpu_mat(&call, &p.x);
  gpu_mat(&call, &other.x);
  gpu_mat(&call, out);
  gpu_buffer(&call, pairs.data);
  gpu_integer(&call, pairs_offset);
  gpu_integer(&call, p.terms);
  gpu_integer(&call, inner);
  gpu_integer(&call, p.outputs);
  gpu_integer(&call, p.chunks);
  gpu_integer(&call, x->batch);
  if (columns) {
    gpu_groups(&call, (p.outputs + 63) / 64, p.chunks, x->batch, 64, 1);
  } else {
    gpu_groups(&call, p.chunks, p.outputs, x->batch, GPU_GROUP_ITEMS, 1);
  }
  pz_status status = gpu_run(q, columns ? GPU_reduce_columns : GPU_reduce_lines, &call);
  if (status == PZ_OK && p.chunks > 1) {
    gpu_call finish = gpu_begin(x->dtype);
    gpu_integer(&finish, mode);
    gpu_buffer(&finish, pairs.data);
    gpu_integer(&finish, pairs_offset);
    gpu_integer(&finish, p.chunks);
    gpu_mat(&finish, out);
    gpu_over(&finish, p.outputs, x->batch, 1);
    status = gpu_run(q, GPU_reduce_finish, &finish);
  }
  gpu_release(q, mark);
  return status;
}

pz_status
gpu_norm(pz_backend_queue* const q, const pz_norm kind, const pz_axis axis, const pz_mat* const x,
         const pz_mat* const out)
{
  if (!gpu_offers(q, x->dtype)) {
    return PZ_UNSUPPORTED;
  }
  PZ_TRY(gpu_reserve(q, gpu_reduce_bytes(axis, x)));
  return gpu_reduce(q, kind, axis, x, x, out);
}

pz_status
gpu_dot(pz_backend_queue* const q, const pz_axis axis, const pz_mat* const x, const pz_mat* const y,
        const pz_mat* const out)
{
  if (!gpu_offers(q, x->dtype)) {
    return PZ_UNSUPPORTED;
  }
  PZ_TRY(gpu_reserve(q, gpu_reduce_bytes(axis, x)));
  return gpu_reduce(q, DOT, axis, x, y, out);
}
