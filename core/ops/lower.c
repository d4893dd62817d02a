/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* From tensors to pz_mat: a batch of matrices has one unit stride, another that is at
   least the minor extent, and one batch stride. Batch dimensions collapse where each
   stride is that of the next times its extent. What does not fit is for the caller to
   pack. */

#include "lower.h"

#include <string.h>

void
pzi_mat_normalize(pz_mat* const m)
{
  const bool single = m->rows == 1 && m->cols == 1;
  if (single || (m->rows == 1 && m->col_stride == 1)) {
    m->row_stride = m->cols;
    m->col_stride = 1;
  } else if (m->rows == 1) {
    m->row_stride = 1; /* one element per column */
  } else if (m->cols == 1) {
    m->col_stride = m->row_stride == 1 ? m->rows : 1;
  }
  if (m->batch == 1) {
    m->batch_stride = m->rows * m->cols;
  }
}

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

/* Fills `out` from extents and strides of {batch, rows, columns}. */
static bool
make(const pz_tensor* const tensor, const int64_t extent[3], const int64_t stride[3],
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

/* The first n dimensions as one; false where they have several strides. */
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
  if (!tensor->strides && form == PZI_AS_MATRIX && !transposed) { /* as a rule */
    int64_t batch = 1;
    for (int32_t i = 0; i < n - 2; ++i) {
      batch *= tensor->shape[i];
    }
    const int64_t extent[3] = {batch, tensor->shape[n - 2], tensor->shape[n - 1]};
    const int64_t stride[3] = {extent[1] * extent[2], extent[2], 1};
    return make(tensor, extent, stride, out);
  }
  int64_t strides[PZ_MAX_DIMS];
  int64_t extent[3] = {1, 1, 1};
  int64_t stride[3] = {0, 0, 0};
  pzi_shape_strides(tensor, strides);

  const int32_t inner = form == PZI_AS_MATRIX ? 2 : form == PZI_AS_VECTOR ? 1 : 0;
  if (!collapse(tensor, strides, n - inner, &extent[0], &stride[0])) {
    return false;
  }
  for (int32_t i = 0; i < inner; ++i) {
    extent[1 + i] = tensor->shape[n - inner + i];
    stride[1 + i] = strides[n - inner + i];
  }
  if (!make(tensor, extent, stride, out)) {
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
  return make(tensor, extent, stride, out);
}

pz_mat
pzi_lower_line(const pz_tensor* const tensor)
{
  const int64_t extent[3] = {1, 1, pz_count(tensor)};
  const int64_t stride[3] = {0, 0, 1};
  pz_mat line;
  (void)make(tensor, extent, stride, &line);
  return line;
}

/* ---- scratch ---------------------------------------------------------------- */

pz_status
pzi_mat_scratch(pz_queue* const queue, const uint32_t dtype, const int64_t batch,
                const int64_t rows, const int64_t cols, pz_mat* const out)
{
  pz_mat mat = {
      .rows = rows,
      .cols = cols,
      .row_stride = cols,
      .col_stride = 1,
      .batch = batch,
      .batch_stride = rows * cols,
      .dtype = dtype,
  };
  PZ_TRY(pzi_arena_take(&queue->scratch,
                        (size_t)batch * (size_t)rows * (size_t)cols * pz_dtype_size(dtype),
                        &mat.data, &mat.byte_offset));
  pzi_mat_normalize(&mat);
  *out = mat;
  return PZ_OK;
}

pz_status
pzi_device_scratch(pz_queue* const queue, const pz_tensor* const like, pz_tensor* const out)
{
  pz_tensor t = *like;
  t.strides = NULL;
  PZ_TRY(pzi_arena_take(&queue->scratch, (size_t)pz_count(like) * pz_dtype_size(like->dtype),
                        &t.data, &t.byte_offset));
  *out = t;
  return PZ_OK;
}

/* ---- copies of any strides -------------------------------------------------- */

/* How the innermost dimensions of a merged shape may be taken together; the rest is looped
   over. Tried in this order; the last always fits. */
static const struct {
  int32_t inner;
  int8_t role[3]; /* of the dimensions, outermost first: 0 batch, 1 rows, 2 columns */
} pieces[] = {
    {3, {0, 1, 2}}, {2, {1, 2}}, {2, {0, 1}}, {1, {2}}, {1, {0}}, {0, {0}},
};

static bool
fits(const pzi_shape* const shape, const size_t p, const uint32_t k, const pz_tensor* const tensor,
     pz_mat* const out)
{
  int64_t extent[3] = {1, 1, 1};
  int64_t stride[3] = {0, 0, 0};
  const int32_t outer = shape->ndim - pieces[p].inner;
  if (outer < 0) {
    return false;
  }
  for (int32_t i = 0; i < pieces[p].inner; ++i) {
    extent[pieces[p].role[i]] = shape->extent[outer + i];
    stride[pieces[p].role[i]] = shape->stride[k][outer + i];
  }
  return make(tensor, extent, stride, out) && (k == 0 || out->batch == 1 || out->batch_stride > 0);
}

/* Moves on to the next place of the first n dimensions; false after the last. */
static bool
advance(const pzi_shape* const shape, const int32_t n, const int64_t size, int64_t* const index,
        pz_mat* const x, pz_mat* const y)
{
  for (int32_t i = n; i-- > 0;) {
    x->byte_offset += (uint64_t)(shape->stride[0][i] * size);
    y->byte_offset += (uint64_t)(shape->stride[1][i] * size);
    if (++index[i] < shape->extent[i]) {
      return true;
    }
    x->byte_offset -= (uint64_t)(shape->stride[0][i] * shape->extent[i] * size);
    y->byte_offset -= (uint64_t)(shape->stride[1][i] * shape->extent[i] * size);
    index[i] = 0;
  }
  return false;
}

pz_status
pzi_device_copy(pz_queue* const queue, const pz_tensor* const from, const pz_tensor* const to)
{
  const pz_tensor* const tensors[2] = {from, to};
  pzi_shape shape;
  pzi_shape_merge(&shape, 2, tensors);

  pzi_request r = {.op = PZI_COPY, .n = 2, .dtype = from->dtype, .access = {PZI_READ, PZI_WRITE}};
  size_t p = 0;
  while (!fits(&shape, p, 0, from, &r.mat[0]) || !fits(&shape, p, 1, to, &r.mat[1])) {
    ++p;
  }
  const int32_t outer = shape.ndim - pieces[p].inner;
  if (queue->host_memory && outer > 0) {
    PZ_TRY(pzi_queue_wait_held(queue));
    pzi_shape_copy(&shape, pz_dtype_size(from->dtype), (const char*)from->data + from->byte_offset,
                   (char*)to->data + to->byte_offset);
    pzi_op_count(queue, PZI_COPY, PZ_ROUTE_NATIVE);
    return PZ_OK;
  }
  int64_t index[PZ_MAX_DIMS] = {0};
  do {
    PZ_TRY(pzi_run(queue, &r));
  } while (
      advance(&shape, outer, (int64_t)pz_dtype_size(from->dtype), index, &r.mat[0], &r.mat[1]));
  return PZ_OK;
}
