/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* From tensors to pz_mat: a batch of matrices has one unit stride, another stride that is at least
   the minor extent, and one batch stride. Batch dimensions collapse into one where the stride of
   each is the next one's stride times its extent. The caller packs what does not fit. */

#include "lower.h"

static bool
is_legal(const pz_mat* const m)
{
  if (m->batch_stride < 0 || m->row_stride < 0 || m->col_stride < 0) {
    return false;
  }
  if (m->rows > 1 && m->cols > 1) {
    return (m->col_stride == 1 && m->row_stride >= m->cols) ||
           (m->row_stride == 1 && m->col_stride >= m->rows);
  }
  return m->rows > 1 ? m->row_stride > 0 : m->cols == 1 || m->col_stride > 0;
}

bool
pzi_lower_strided(const pz_tensor* const tensor, const int64_t extent[3], const int64_t stride[3],
                  pz_mat* const out)
{
  *out = (pz_mat){
      .data = tensor->data,
      .byte_offset = tensor->byte_offset,
      .rows = extent[1],
      .cols = extent[2],
      .row_stride = stride[1],
      .col_stride = stride[2],
      .batch = extent[0],
      .batch_stride = stride[0],
      .dtype = tensor->dtype,
  };
  pzi_mat_normalize(out);
  return is_legal(out);
}

/* Merges the first n dimensions into one; false where no single stride describes it. */
static bool
collapse(const pz_tensor* const tensor, const int64_t* const strides, const int32_t n,
         int64_t* const extent, int64_t* const stride)
{
  *extent = 1;
  *stride = 0;
  for (int32_t i = n; i-- > 0;) {
    if (tensor->shape[i] == 1) {
      continue;
    }
    if (*extent == 1) {
      *stride = strides[i];
    } else if (strides[i] != *stride * *extent) {
      return false;
    }
    *extent *= tensor->shape[i];
  }
  return true;
}

bool
pzi_lower(const pz_tensor* const tensor, const pzi_form form, const bool transposed,
          pz_mat* const out)
{
  const int32_t n = tensor->ndim;
  if (!tensor->strides && form == PZI_AS_MATRIX && !transposed) { /* the usual case, done faster */
    *out = pzi_lower_dense(tensor, pz_count(tensor));
    return true;
  }
  int64_t strides[PZ_MAX_DIMS];
  int64_t extent[3] = {1, 1, 1};
  int64_t stride[3] = {0, 0, 0};
  pzi_shape_strides(tensor, strides);

  const int32_t inner = (int32_t)form;
  if (!collapse(tensor, strides, n - inner, &extent[0], &stride[0])) {
    return false;
  }
  for (int32_t i = 0; i < inner; ++i) {
    extent[1 + i] = tensor->shape[n - inner + i];
    stride[1 + i] = strides[n - inner + i];
  }
  if (!pzi_lower_strided(tensor, extent, stride, out)) {
    return false;
  }
  if (transposed) {
    *out = pz_mat_transposed(out);
    pzi_mat_normalize(out);
  }
  return true;
}

bool
pzi_lower_merged(const pzi_shape* const shape, const uint32_t k, const pz_tensor* const tensor,
                 pz_mat* const out)
{
  int64_t extent[3] = {1, 1, 1};
  int64_t stride[3] = {0, 0, 0};
  if (shape->ndim > 3) {
    return false;
  }
  for (int32_t i = 0; i < shape->ndim; ++i) {
    extent[3 - shape->ndim + i] = shape->extent[i];
    stride[3 - shape->ndim + i] = shape->stride[k][i];
  }
  return pzi_lower_strided(tensor, extent, stride, out);
}
