/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Tensors as matrices: from pz_tensor to pz_mat. */

#ifndef PZI_LOWER_H
#define PZI_LOWER_H

#include "mat.h"
#include "shape.h"

/* How the dimensions of a tensor become matrices: how many of the last ones do, the others being a
   batch. */
typedef enum pzi_form {
  PZI_AS_SCALAR = 0, /* every element a 1 x 1 matrix */
  PZI_AS_VECTOR = 1, /* the last dimension as one column */
  PZI_AS_MATRIX = 2,
} pzi_form;

/* Fills `out` with the tensor's memory seen with these extents and strides of {batch, rows,
   columns}; false where the strides are not those of a pz_mat: no unit stride, a negative or
   repeated one. No extent is 0. */
bool pzi_lower_strided(const pz_tensor* tensor, const int64_t extent[3], const int64_t stride[3],
                       pz_mat* out);

/* The tensor as one pz_mat; false as above and where batch dimensions have several strides. */
bool pzi_lower(const pz_tensor* tensor, pzi_form form, bool transposed, pz_mat* out);

/* The tensor as operand k of a merged shape; false as above and beyond 3 dimensions. */
bool pzi_lower_merged(const pzi_shape* shape, uint32_t k, const pz_tensor* tensor, pz_mat* out);

/* A C-contiguous tensor of `count` elements, at least 1, as one row, or as matrices. */
static inline pz_mat
pzi_lower_line(const pz_tensor* const tensor, const int64_t count)
{
  return (pz_mat){
      .data = tensor->data,
      .byte_offset = tensor->byte_offset,
      .rows = 1,
      .cols = count,
      .row_stride = count,
      .col_stride = 1,
      .batch = 1,
      .batch_stride = count,
      .dtype = tensor->dtype,
  };
}
static inline pz_mat
pzi_lower_dense(const pz_tensor* const tensor, const int64_t count)
{
  const int64_t rows = pz_rows(tensor);
  const int64_t cols = pz_cols(tensor);
  return (pz_mat){
      .data = tensor->data,
      .byte_offset = tensor->byte_offset,
      .rows = rows,
      .cols = cols,
      .row_stride = cols,
      .col_stride = cols == 1 ? rows : 1, // as pzi_mat_normalize has it
      .batch = tensor->ndim == 2 ? 1 : count / (rows * cols),
      .batch_stride = rows * cols,
      .dtype = tensor->dtype,
  };
}

#endif /* PZI_LOWER_H */
