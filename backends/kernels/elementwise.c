/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Entry by entry. Items follow the columns of what is written, so operands are transposed
   where its entries of unit stride lie along a column. */

#include "gpu.h"

#include <string.h>

static pz_mat
turned(const bool down, const pz_mat* const m)
{
  return down ? pz_mat_transposed(m) : *m;
}

static pz_mat
diagonal_of(const pz_mat* const m)
{
  pz_mat d = *m;
  d.rows = m->rows < m->cols ? m->rows : m->cols;
  d.cols = 1;
  d.row_stride = m->row_stride + m->col_stride;
  d.col_stride = 1;
  return d;
}

/* ---- transfers ---------------------------------------------------------------- */

/* Contiguous along different dimensions, both large enough to care. */
static bool
is_transposition(const pz_mat* const x, const pz_mat* const y)
{
  return y->rows > 4 && y->cols > 4 && x->row_stride == 1 && y->col_stride == 1 &&
         x->col_stride > 1;
}

pz_status
gpu_copy(pz_backend_queue* const q, const pz_mat* const x, const pz_mat* const y)
{
  const bool down = !gpu_row_major(y);
  const pz_mat from = turned(down, x);
  const pz_mat to = turned(down, y);
  const bool wide = pz_dtype_size(x->dtype) == 8;
  gpu_call call = gpu_begin(PZ_F32);
  gpu_mat(&call, &from);
  gpu_mat(&call, &to);
  gpu_over(&call, to.cols, to.rows, to.batch);
  if (is_transposition(&from, &to)) {
    gpu_groups(&call, (to.cols + 31) / 32, (to.rows + 31) / 32, to.batch, 32, 8);
    return gpu_run(q, wide ? GPU_transpose64 : GPU_transpose32, &call);
  }
  return gpu_run(q, wide ? GPU_copy64 : GPU_copy32, &call);
}

pz_status
gpu_fill(pz_backend_queue* const q, const double value, const pz_mat* const y)
{
  const pz_mat to = turned(!gpu_row_major(y), y);
  const bool wide = y->dtype != PZ_F32;
  const float narrow = (float)value;
  int64_t bits = 0;
  memcpy(&bits, wide ? (const void*)&value : (const void*)&narrow, wide ? 8 : 4);
  gpu_call call = gpu_begin(PZ_F32);
  gpu_mat(&call, &to);
  gpu_integer(&call, bits);
  gpu_over(&call, to.cols, to.rows, to.batch);
  return gpu_run(q, wide ? GPU_fill64 : GPU_fill32, &call);
}

pz_status
gpu_get_diagonal(pz_backend_queue* const q, const pz_mat* const x, const pz_mat* const d)
{
  const pz_mat diagonal = diagonal_of(x);
  return gpu_copy(q, &diagonal, d);
}

pz_status
gpu_set_diagonal(pz_backend_queue* const q, const pz_mat* const d, const pz_mat* const y)
{
  const pz_mat diagonal = diagonal_of(y);
  return gpu_copy(q, d, &diagonal);
}

/* ---- arithmetic ---------------------------------------------------------------- */

pz_status
gpu_axpby(pz_backend_queue* const q, const double a, const pz_mat* const x, const double b,
          const pz_mat* const y)
{
  const bool down = !gpu_row_major(y);
  const pz_mat from = turned(down, x);
  const pz_mat to = turned(down, y);
  if (!gpu_offers(q, y->dtype)) {
    return PZ_UNSUPPORTED;
  }
  gpu_call call = gpu_begin(y->dtype);
  gpu_real(&call, a);
  gpu_mat(&call, &from);
  gpu_real(&call, b);
  gpu_mat(&call, &to);
  gpu_over(&call, to.cols, to.rows, to.batch);
  return gpu_run(q, GPU_axpby, &call);
}

// y <- a y + b
static pz_status
affine(pz_backend_queue* const q, const double a, const double b, const pz_mat* const y)
{
  const pz_mat to = turned(!gpu_row_major(y), y);
  if (!gpu_offers(q, y->dtype)) {
    return PZ_UNSUPPORTED;
  }
  gpu_call call = gpu_begin(y->dtype);
  gpu_real(&call, a);
  gpu_real(&call, b);
  gpu_mat(&call, &to);
  gpu_over(&call, to.cols, to.rows, to.batch);
  return gpu_run(q, GPU_affine, &call);
}

pz_status
gpu_scale(pz_backend_queue* const q, const double a, const pz_mat* const y)
{
  return affine(q, a, 0.0, y);
}

pz_status
gpu_add_identity(pz_backend_queue* const q, const double a, const pz_mat* const y)
{
  const pz_mat diagonal = diagonal_of(y);
  return affine(q, 1.0, a, &diagonal);
}

pz_status
gpu_hadamard(pz_backend_queue* const q, const double a, const pz_mat* const x,
             const pz_mat* const y, const double b, const pz_mat* const z)
{
  const bool down = !gpu_row_major(z);
  const pz_mat left = turned(down, x);
  const pz_mat right = turned(down, y);
  const pz_mat to = turned(down, z);
  if (!gpu_offers(q, z->dtype)) {
    return PZ_UNSUPPORTED;
  }
  gpu_call call = gpu_begin(z->dtype);
  gpu_real(&call, a);
  gpu_mat(&call, &left);
  gpu_mat(&call, &right);
  gpu_real(&call, b);
  gpu_mat(&call, &to);
  gpu_over(&call, to.cols, to.rows, to.batch);
  return gpu_run(q, GPU_hadamard, &call);
}

/* d repeated along the axis it was reduced over: strides of 0. */
pz_status
gpu_scale_by(pz_backend_queue* const q, const pz_axis axis, const pz_mat* const d,
             const pz_mat* const x, const pz_mat* const y)
{
  pz_mat repeated = *d;
  repeated.rows = y->rows;
  repeated.cols = y->cols;
  repeated.row_stride = axis == PZ_OVER_COLS ? d->row_stride : 0;
  repeated.col_stride = axis == PZ_OVER_ROWS ? d->row_stride : 0;
  return gpu_hadamard(q, 1.0, &repeated, x, 0.0, y);
}

static bool
same_place(const pz_mat* const a, const pz_mat* const b)
{
  return a->data == b->data && a->byte_offset == b->byte_offset;
}

/* At most four terms at a time; the one that y is, if any, in the first round. */
pz_status
gpu_combine(pz_backend_queue* const q, const double shift, const uint32_t n, const double* const a,
            const pz_mat* const x, const pz_mat* const y)
{
  enum { TERMS = 4, MOST = 8 };
  const bool down = !gpu_row_major(y);
  const pz_mat to = turned(down, y);
  uint32_t order[MOST];
  if (!gpu_offers(q, y->dtype) || n > MOST) {
    return PZ_UNSUPPORTED;
  }
  for (uint32_t k = 0, front = 0; k < n; ++k) {
    order[k] = k;
    if (same_place(&x[k], y)) {
      order[k] = order[front];
      order[front++] = k;
    }
  }
  for (uint32_t first = 0; first == 0 || first < n; first += TERMS) {
    const uint32_t count = n - first < TERMS ? n - first : TERMS;
    gpu_call call = gpu_begin(y->dtype);
    gpu_real(&call, first == 0 ? shift : 0.0);
    gpu_integer(&call, first > 0);
    gpu_integer(&call, count);
    for (uint32_t k = 0; k < TERMS; ++k) {
      const uint32_t t = k < count ? order[first + k] : 0;
      const pz_mat term = k < count ? turned(down, &x[t]) : to;
      gpu_real(&call, k < count ? a[t] : 0.0);
      gpu_mat(&call, &term);
    }
    gpu_mat(&call, &to);
    gpu_over(&call, to.cols, to.rows, to.batch);
    PZ_TRY(gpu_run(q, GPU_combine, &call));
  }
  return PZ_OK;
}
