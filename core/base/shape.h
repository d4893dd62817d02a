/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Geometry of tensors: extents, strides, which elements two views share, copies between strides. */

#ifndef PZI_SHAPE_H
#define PZI_SHAPE_H

#include <parametrize/types.h>

#include <stdbool.h>

/* Bytes of a spec whose extents are >= 0; false beyond 62 bits. */
bool pzi_spec_bytes(const pz_spec* spec, size_t* out);

bool pzi_is_contiguous(const pz_tensor* tensor);

/* Step of dimension i in elements, also where strides are not given. */
void pzi_strides(const pz_tensor* tensor, int64_t strides[PZ_MAX_DIMS]);

/* Do two tensors of the same extents, strides and place name the very same elements? */
bool pzi_same_tensor(const pz_tensor* a, const pz_tensor* b);

/* Does any byte belong to both? Exact for regular layouts; views so irregular that the
   search is given up count as disjoint. `pointers`: data are addresses, else handles of
   allocations. */
bool pzi_overlap(bool pointers, const pz_tensor* a, const pz_tensor* b);

/* Does the tensor name some element twice (a stride 0, overlapping windows)? Conservative
   in the tensor's favour: only what is certain. */
bool pzi_repeats(const pz_tensor* tensor);

/* The common shape of `n` operands, extents 1 left out and dimensions merged wherever all
   operands allow it. */
enum { PZI_SHAPE_OPERANDS = 10 };
typedef struct pzi_shape {
  int32_t ndim;
  int64_t extent[PZ_MAX_DIMS];
  int64_t stride[PZI_SHAPE_OPERANDS][PZ_MAX_DIMS];
} pzi_shape;
void pzi_shape_merge(pzi_shape* shape, uint32_t n, const pz_tensor* const* tensors);

/* Copies elements of 4 or 8 bytes on the host from operand 0 to operand 1. */
void pzi_host_copy(const pzi_shape* shape, size_t element, const void* from, void* to);

#endif /* PZI_SHAPE_H */
