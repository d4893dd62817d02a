/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Extents and strides of tensors. */

#ifndef PZI_SHAPE_H
#define PZI_SHAPE_H

#include <parametrize/types.h>

#include <stdbool.h>

/* Bytes of a tensor; false if they exceed 62 bits. Extents must not be negative. */
bool pzi_shape_spec_bytes(const pz_spec* spec, size_t* out);

bool pzi_shape_is_contiguous(const pz_tensor* tensor);

/* The strides in elements, computed if the tensor has none. */
void pzi_shape_strides(const pz_tensor* tensor, int64_t strides[PZ_MAX_DIMS]);

/* Do two tensors have the same extents? */
static inline bool
pzi_shape_equal(const pz_tensor* const a, const pz_tensor* const b)
{
  bool same = a->ndim == b->ndim;
  for (int32_t i = 0; same && i < a->ndim; ++i) {
    same = a->shape[i] == b->shape[i];
  }
  return same;
}

/* Do two tensors have the same data, dtype, extents and strides? */
bool pzi_shape_same_tensor(const pz_tensor* a, const pz_tensor* b);

/* The common shape of `n` operands: without extents of 1, and with neighbouring dimensions merged
   where the strides of all operands allow it. */
enum { PZI_SHAPE_OPERANDS = 10 };
typedef struct pzi_shape {
  int32_t ndim;
  int64_t extent[PZ_MAX_DIMS];
  int64_t stride[PZI_SHAPE_OPERANDS][PZ_MAX_DIMS];
} pzi_shape;
void pzi_shape_merge(pzi_shape* shape, uint32_t n, const pz_tensor* const* tensors);

/* Copies elements of 4 or 8 bytes on the host from operand 0 to operand 1. */
void pzi_shape_copy(const pzi_shape* shape, size_t element, const void* from, void* to);

#endif /* PZI_SHAPE_H */
