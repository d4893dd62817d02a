/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Elementwise operations from portable kernels, and copies and fills from the copy and fill of
   bytes that every backend has. An item of a kernel is one entry, columns fastest. */

#include "compose_ways.h"

#include "mat_ops.h"
#include "status.h"

/* ---- copy and fill by bytes --------------------------------------------------- */

static pz_status
move_on_device(pz_queue* const queue, const pz_mat* const x, const uint64_t x_at,
               const pz_mat* const y, const uint64_t y_at, const int64_t count)
{
  const size_t size = pz_dtype_size(y->dtype);
  return pzi_queue_move_held(queue, PZ_DEVICE_TO_DEVICE, y->data, y->byte_offset + y_at * size,
                             x->data, x->byte_offset + x_at * size, (size_t)count * size);
}

pz_status
pzi_compose_copy_dense(pz_queue* const queue, const pzi_request* const r)
{
  const pz_mat* const x = &r->mat[0];
  const pz_mat* const y = &r->mat[1];
  if (!pzi_mat_dense(x) || !pzi_mat_dense(y) || pzi_mat_row_major(x) != pzi_mat_row_major(y)) {
    return PZ_UNSUPPORTED;
  }
  return move_on_device(queue, x, 0, y, 0, pzi_mat_span(y));
}

pz_status
pzi_compose_copy_lines(pz_queue* const queue, const pzi_request* const r)
{
  const pz_mat* const x = &r->mat[0];
  const pz_mat* const y = &r->mat[1];
  const bool row_major = pzi_mat_row_major(y);
  if (pzi_mat_row_major(x) != row_major) {
    return PZ_UNSUPPORTED;
  }
  const int64_t lines = row_major ? y->rows : y->cols;
  const int64_t length = row_major ? y->cols : y->rows;
  for (int64_t k = 0; k < y->batch; ++k) {
    for (int64_t i = 0; i < lines; ++i) {
      PZ_TRY(move_on_device(queue, x, (uint64_t)(k * x->batch_stride + i * pzi_mat_ld(x)), y,
                            (uint64_t)(k * y->batch_stride + i * pzi_mat_ld(y)), length));
    }
  }
  return PZ_OK;
}

static pz_status
fill_line(pz_queue* const queue, const pz_mat* const y, const int64_t at, const int64_t count,
          const double value)
{
  const size_t size = pz_dtype_size(y->dtype);
  const float single = (float)value;
  const uint64_t before = pzi_fail_count();
  PZ_TRY(pzi_queue_check_process(queue));
  const pz_status status = queue->backend->fill(
      queue->handle, y->data, y->byte_offset + (uint64_t)at * size, (size_t)count * size,
      y->dtype == PZ_F32 ? (const void*)&single : (const void*)&value, size);
  return pzi_queue_check_status(queue, status, before, "fill");
}

pz_status
pzi_compose_fill_dense(pz_queue* const queue, const pzi_request* const r)
{
  const pz_mat* const y = &r->mat[0];
  return pzi_mat_dense(y) ? fill_line(queue, y, 0, pzi_mat_span(y), r->real[0]) : PZ_UNSUPPORTED;
}

pz_status
pzi_compose_fill_lines(pz_queue* const queue, const pzi_request* const r)
{
  const pz_mat* const y = &r->mat[0];
  const bool row_major = pzi_mat_row_major(y);
  const int64_t lines = row_major ? y->rows : y->cols;
  const int64_t length = row_major ? y->cols : y->rows;
  for (int64_t k = 0; k < y->batch; ++k) {
    for (int64_t i = 0; i < lines; ++i) {
      PZ_TRY(fill_line(queue, y, k * y->batch_stride + i * pzi_mat_ld(y), length, r->real[0]));
    }
  }
  return PZ_OK;
}

/* ---- kernels ------------------------------------------------------------------ */

/* clang-format off */
PZ_KERNEL(compose_fill, 1, 1, 4,
  PZ_TENSOR_ARG(0, y);
  PZ_REAL_ARG(0, value);
  PZ_INTEGER_ARG(0, yl);
  PZ_INTEGER_ARG(1, yb);
  PZ_INTEGER_ARG(2, rows);
  PZ_INTEGER_ARG(3, cols);
  const pz_int c = i % cols;
  const pz_int r = i / cols % rows;
  const pz_int k = i / cols / rows;
  y[k * yb + (yl > 0 ? r * yl + c : r - c * yl)] = value;
)

/* b = 0 does not read y. */
PZ_KERNEL(compose_axpby, 2, 2, 6,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  PZ_REAL_ARG(0, a);
  PZ_REAL_ARG(1, b);
  PZ_INTEGER_ARG(0, xl);
  PZ_INTEGER_ARG(1, xb);
  PZ_INTEGER_ARG(2, yl);
  PZ_INTEGER_ARG(3, yb);
  PZ_INTEGER_ARG(4, rows);
  PZ_INTEGER_ARG(5, cols);
  const pz_int c = i % cols;
  const pz_int r = i / cols % rows;
  const pz_int k = i / cols / rows;
  const pz_int at = k * yb + (yl > 0 ? r * yl + c : r - c * yl);
  const real term = a * x[k * xb + (xl > 0 ? r * xl + c : r - c * xl)];
  y[at] = b == (real)0 ? term : term + b * y[at];
)

PZ_KERNEL(compose_hadamard, 3, 2, 8,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  PZ_TENSOR_ARG(2, z);
  PZ_REAL_ARG(0, a);
  PZ_REAL_ARG(1, b);
  PZ_INTEGER_ARG(0, xl);
  PZ_INTEGER_ARG(1, xb);
  PZ_INTEGER_ARG(2, yl);
  PZ_INTEGER_ARG(3, yb);
  PZ_INTEGER_ARG(4, zl);
  PZ_INTEGER_ARG(5, zb);
  PZ_INTEGER_ARG(6, rows);
  PZ_INTEGER_ARG(7, cols);
  const pz_int c = i % cols;
  const pz_int r = i / cols % rows;
  const pz_int k = i / cols / rows;
  const pz_int at = k * zb + (zl > 0 ? r * zl + c : r - c * zl);
  const real term = a * x[k * xb + (xl > 0 ? r * xl + c : r - c * xl)]
                      * y[k * yb + (yl > 0 ? r * yl + c : r - c * yl)];
  z[at] = b == (real)0 ? term : term + b * z[at];
)
/* clang-format on */

/* Runs a kernel for every entry of its last matrix; all matrices have one shape. */
static pz_status
launch(pz_queue* const queue, const pz_kernel* const kernel, const pz_mat* const mats,
       const double* const reals)
{
  const pz_mat* const y = &mats[kernel->n_tensors - 1];
  const int64_t shape[] = {y->rows, y->cols};
  return pzi_mat_ops_launch(queue, kernel, y->batch * y->rows * y->cols, mats, reals, 2, shape);
}

pz_status
pzi_compose_fill_kernel(pz_queue* const queue, const pzi_request* const r)
{
  return launch(queue, &compose_fill, r->mat, r->real);
}

pz_status
pzi_compose_axpby(pz_queue* const queue, const pzi_request* const r)
{
  return launch(queue, &compose_axpby, r->mat, r->real);
}

pz_status
pzi_compose_scale(pz_queue* const queue, const pzi_request* const r)
{
  const pz_mat mats[] = {r->mat[0], r->mat[0]};
  const double reals[] = {r->real[0], 0.0};
  return launch(queue, &compose_axpby, mats, reals);
}

pz_status
pzi_compose_hadamard(pz_queue* const queue, const pzi_request* const r)
{
  return launch(queue, &compose_hadamard, r->mat, r->real);
}

/* ---- combine ------------------------------------------------------------------ */

static bool
same_mat(const pz_mat* const a, const pz_mat* const b)
{
  return a->data == b->data && a->byte_offset == b->byte_offset && a->row_stride == b->row_stride &&
         a->col_stride == b->col_stride && a->batch_stride == b->batch_stride;
}

/* y = shift I + sum of a[k] x[k]. The terms that are y itself come first: y is overwritten. */
pz_status
pzi_compose_combine(pz_queue* const queue, const pzi_request* const r)
{
  const uint32_t n = r->n - 1;
  const pz_mat* const y = &r->mat[n];
  double own = 0.0;
  bool aliased = false;
  for (uint32_t k = 0; k < n; ++k) {
    if (same_mat(&r->mat[k], y)) {
      own += r->real[k];
      aliased = true;
    }
  }
  double kept = 0.0; /* the coefficient of y in the sum so far */
  if (aliased) {
    PZ_TRY(pzi_mat_ops_axpby(queue, own, y, 0.0, y));
    kept = 1.0;
  }
  for (uint32_t k = 0; k < n; ++k) {
    if (!same_mat(&r->mat[k], y)) {
      PZ_TRY(pzi_mat_ops_axpby(queue, r->real[k], &r->mat[k], kept, y));
      kept = 1.0;
    }
  }
  return r->shift == 0.0 ? PZ_OK : pzi_mat_ops_add_identity(queue, r->shift, y);
}
