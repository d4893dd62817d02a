/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Tensors as matrices: from pz_tensor to pz_mat. */

#ifndef PZI_LOWER_H
#define PZI_LOWER_H

#include "mat.h"
#include "shape.h"

/* How the dimensions of a tensor become matrices. */
typedef enum pzi_form {
  PZI_AS_MATRIX, /* the last two dimensions, the others a batch */
  PZI_AS_VECTOR, /* the last dimension as one column */
  PZI_AS_SCALAR, /* every element a 1 x 1 matrix */
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

/* A C-contiguous tensor as one row. */
pz_mat pzi_lower_line(const pz_tensor* tensor);

#endif /* PZI_LOWER_H */
