/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Copies on a device. The copy operation takes matrices, so a tensor with other strides is copied
   in pieces: its innermost dimensions become matrices, a loop runs over the outer ones. */

#include "device_copy.h"

#include "dispatch.h"
#include "lower.h"
#include "op_table.h"
#include "shape.h"

pz_status
pzi_device_copy_scratch(pz_queue* const queue, const pz_tensor* const like, pz_tensor* const out)
{
  pz_tensor t = *like;
  t.strides = NULL;
  PZ_TRY(pzi_arena_take(&queue->scratch, (size_t)pz_count(like) * pz_dtype_size(like->dtype),
                        &t.data, &t.byte_offset));
  *out = t;
  return PZ_OK;
}

/* Which dimensions of a merged shape, counted from the innermost, become batch, rows and columns of
   one piece. Tried in this order; the last always fits. */
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
  return pzi_lower_strided(tensor, extent, stride, out) &&
         (k == 0 || out->batch == 1 || out->batch_stride > 0);
}

/* Moves x and y to the next index of the first n dimensions; false after the last. */
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
    PZ_TRY(pzi_dispatch(queue, &r));
  } while (
      advance(&shape, outer, (int64_t)pz_dtype_size(from->dtype), index, &r.mat[0], &r.mat[1]));
  return PZ_OK;
}
