/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Strided views of tensors, without copies. Include <parametrize/plugin.h>. */

#ifndef PARAMETRIZE_VIEW_H
#define PARAMETRIZE_VIEW_H

#include <parametrize/types.h>

PZ_BEGIN_DECLS

/* A tensor with its own shape and strides. It points into this struct, so do not copy the
   struct. */
typedef struct pz_view {
  pz_tensor tensor;
  int64_t shape[PZ_MAX_DIMS];
  int64_t strides[PZ_MAX_DIMS];
} pz_view;

/* The same tensor, with its shape and strides stored in the view. */
static inline pz_tensor*
pz_view_of(pz_view* const v, const pz_tensor* const t)
{
  int64_t step = 1;
  v->tensor = *t;
  for (int32_t i = t->ndim; i-- > 0;) {
    v->shape[i] = t->shape[i];
    v->strides[i] = t->strides ? t->strides[i] : step;
    step *= t->shape[i];
  }
  v->tensor.shape = v->shape;
  v->tensor.strides = v->strides;
  return &v->tensor;
}

/* Each matrix transposed. */
static inline pz_tensor*
pz_view_transposed(pz_view* const v, const pz_tensor* const t)
{
  pz_tensor* const out = pz_view_of(v, t);
  const int32_t i = t->ndim - 2;
  const int64_t rows = v->shape[i];
  const int64_t stride = v->strides[i];
  v->shape[i] = v->shape[i + 1];
  v->strides[i] = v->strides[i + 1];
  v->shape[i + 1] = rows;
  v->strides[i + 1] = stride;
  return out;
}

/* Rows row .. row+rows-1 and columns col .. col+cols-1 of each matrix. */
static inline pz_tensor*
pz_view_block(pz_view* const v, const pz_tensor* const t, const int64_t row, const int64_t rows,
              const int64_t col, const int64_t cols)
{
  pz_tensor* const out = pz_view_of(v, t);
  const int32_t i = t->ndim - 2;
  out->byte_offset +=
      (uint64_t)(row * v->strides[i] + col * v->strides[i + 1]) * (uint64_t)pz_dtype_size(t->dtype);
  v->shape[i] = rows;
  v->shape[i + 1] = cols;
  return out;
}

/* A C-contiguous tensor under another shape of the same count. */
static inline pz_tensor*
pz_view_reshaped(pz_view* const v, const pz_tensor* const t, const int32_t ndim,
                 const int64_t* const shape)
{
  int64_t step = 1;
  v->tensor = *t;
  v->tensor.ndim = ndim;
  for (int32_t i = ndim; i-- > 0;) {
    v->shape[i] = shape[i];
    v->strides[i] = step;
    step *= shape[i];
  }
  v->tensor.shape = v->shape;
  v->tensor.strides = v->strides;
  return &v->tensor;
}

/* Matrix k of a C-contiguous batch, as two dimensions. */
static inline pz_tensor*
pz_view_matrix(pz_view* const v, const pz_tensor* const t, const int64_t k)
{
  const int64_t shape[2] = {pz_rows(t), pz_cols(t)};
  pz_tensor* const out = pz_view_reshaped(v, t, 2, shape);
  out->byte_offset += (uint64_t)(k * shape[0] * shape[1]) * (uint64_t)pz_dtype_size(t->dtype);
  return out;
}

PZ_END_DECLS

#endif /* PARAMETRIZE_VIEW_H */
