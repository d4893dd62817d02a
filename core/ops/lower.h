/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* From tensors to pz_mat. */

#ifndef PZI_LOWER_H
#define PZI_LOWER_H

#include "dispatch.h"
#include "mat.h"
#include "shape.h"

/* How the dimensions of a tensor become matrices. */
typedef enum pzi_form {
  PZI_AS_MATRIX, /* the last two dimensions, the others a batch */
  PZI_AS_VECTOR, /* the last dimension as one column */
  PZI_AS_SCALAR, /* every element a 1 x 1 matrix */
} pzi_form;

/* The tensor as one pz_mat; false where strides do not allow it: no unit stride, a
   negative or repeated one, several batch strides. No extent is 0. */
bool pzi_lower(const pz_tensor* tensor, pzi_form form, bool transposed, pz_mat* out);

/* Operand k of a merged shape of at most 3 dimensions, likewise. */
bool pzi_lower_merged(const pzi_shape* shape, uint32_t k, const pz_tensor* tensor, pz_mat* out);

/* A C-contiguous tensor as one row. */
pz_mat pzi_lower_line(const pz_tensor* tensor);

/* Copies between two tensors of one non-empty shape on the device, whatever their strides:
   natively, in as few pieces as these allow. Mutex held. */
pz_status pzi_device_copy(pz_queue* queue, const pz_tensor* from, const pz_tensor* to);

/* A C-contiguous tensor of the shape of `like` in the queue's scratch. Mutex held; `out`
   borrows the shape of `like`. */
pz_status pzi_device_scratch(pz_queue* queue, const pz_tensor* like, pz_tensor* out);

#endif /* PZI_LOWER_H */
