/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "shape.h"

#include <string.h>

bool
pzi_shape_spec_bytes(const pz_spec* const spec, size_t* const out)
{
  int64_t count = 1;
  int64_t bytes;
  bool empty = false;
  /* Checks empty tensors too: batch counts and strides are products of some of the extents. */
  for (int32_t i = 0; i < spec->ndim; ++i) {
    const int64_t extent = spec->shape[i] == 0 ? 1 : spec->shape[i];
    empty = empty || spec->shape[i] == 0;
    if (extent < 0 || __builtin_mul_overflow(count, extent, &count)) {
      return false;
    }
  }
  if (__builtin_mul_overflow(count, (int64_t)pz_dtype_size(spec->dtype), &bytes) ||
      bytes > (int64_t)1 << 62) {
    return false;
  }
  *out = empty ? 0 : (size_t)bytes;
  return true;
}

void
pzi_shape_strides(const pz_tensor* const tensor, int64_t strides[PZ_MAX_DIMS])
{
  int64_t step = 1;
  for (int32_t i = tensor->ndim; i-- > 0;) {
    strides[i] = tensor->strides ? tensor->strides[i] : step;
    step *= tensor->shape[i];
  }
}

bool
pzi_shape_is_contiguous(const pz_tensor* const tensor)
{
  if (!tensor->strides || pz_count(tensor) == 0) {
    return true;
  }
  int64_t step = 1;
  for (int32_t i = tensor->ndim; i-- > 0;) {
    if (tensor->shape[i] != 1 && tensor->strides[i] != step) {
      return false;
    }
    step *= tensor->shape[i];
  }
  return true;
}

bool
pzi_shape_same_tensor(const pz_tensor* const a, const pz_tensor* const b)
{
  if (a->data != b->data || a->byte_offset != b->byte_offset || a->dtype != b->dtype ||
      a->ndim != b->ndim) {
    return false;
  }
  int64_t sa[PZ_MAX_DIMS];
  int64_t sb[PZ_MAX_DIMS];
  pzi_shape_strides(a, sa);
  pzi_shape_strides(b, sb);
  for (int32_t i = 0; i < a->ndim; ++i) {
    if (a->shape[i] != b->shape[i] || (a->shape[i] > 1 && sa[i] != sb[i])) {
      return false;
    }
  }
  return true;
}

/* ---- merged shapes ---------------------------------------------------------- */

void
pzi_shape_merge(pzi_shape* const shape, const uint32_t n, const pz_tensor* const* const tensors)
{
  int64_t strides[PZI_SHAPE_OPERANDS][PZ_MAX_DIMS];
  for (uint32_t k = 0; k < n; ++k) {
    pzi_shape_strides(tensors[k], strides[k]);
  }
  shape->ndim = 0;
  for (int32_t i = 0; i < tensors[0]->ndim; ++i) {
    const int64_t extent = tensors[0]->shape[i];
    if (extent == 1) {
      continue;
    }
    const int32_t last = shape->ndim - 1;
    bool merges = last >= 0;
    for (uint32_t k = 0; k < n && merges; ++k) {
      merges = shape->stride[k][last] == strides[k][i] * extent;
    }
    const int32_t at = merges ? last : shape->ndim++;
    shape->extent[at] = merges ? shape->extent[at] * extent : extent;
    for (uint32_t k = 0; k < n; ++k) {
      shape->stride[k][at] = strides[k][i];
    }
  }
}

/* Copies along the innermost dimension. */
static void
copy_line(const int64_t n, const size_t element, const char* const from, const int64_t step_from,
          char* const to, const int64_t step_to)
{
  const int64_t size = (int64_t)element;
  if (step_from == 1 && step_to == 1) {
    memmove(to, from, (size_t)n * element);
  } else if (element == 4) {
    for (int64_t i = 0; i < n; ++i) {
      memcpy(to + i * step_to * size, from + i * step_from * size, 4);
    }
  } else {
    for (int64_t i = 0; i < n; ++i) {
      memcpy(to + i * step_to * size, from + i * step_from * size, 8);
    }
  }
}

void
pzi_shape_copy(const pzi_shape* const shape, const size_t element, const void* const from,
               void* const to)
{
  const int64_t size = (int64_t)element;
  const int32_t inner = shape->ndim - 1;
  if (inner < 0) {
    memmove(to, from, element);
    return;
  }
  int64_t index[PZ_MAX_DIMS] = {0};
  const char* a = (const char*)from;
  char* b = (char*)to;
  for (;;) {
    copy_line(shape->extent[inner], element, a, shape->stride[0][inner], b,
              shape->stride[1][inner]);
    int32_t i = inner - 1;
    for (; i >= 0; --i) {
      a += shape->stride[0][i] * size;
      b += shape->stride[1][i] * size;
      if (++index[i] < shape->extent[i]) {
        break;
      }
      a -= shape->stride[0][i] * shape->extent[i] * size;
      b -= shape->stride[1][i] * shape->extent[i] * size;
      index[i] = 0;
    }
    if (i < 0) {
      return;
    }
  }
}
