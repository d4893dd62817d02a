/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Geometry of tensors.

   Two views share an element when sum_i k_i s_i = d has a solution with every k_i within
   its bounds, d the distance of their first elements, s_i all strides of both. Strides
   are tried from the largest down, each time only with those k that the smaller ones can
   still make up for: for blocks of one matrix that leaves one or two candidates. */

#include "tensor.h"

#include "status.h"

#include <inttypes.h>
#include <string.h>

bool
pzi_spec_bytes(const pz_spec* const spec, size_t* const out)
{
  int64_t count = 1;
  int64_t bytes;
  bool empty = false;
  for (int32_t i = 0; i < spec->ndim; ++i) {
    empty = empty || spec->shape[i] == 0;
  }
  for (int32_t i = 0; i < spec->ndim && !empty; ++i) {
    if (spec->shape[i] < 0 || __builtin_mul_overflow(count, spec->shape[i], &count)) {
      return false;
    }
  }
  if (__builtin_mul_overflow(empty ? 0 : count, (int64_t)pz_dtype_size(spec->dtype), &bytes) ||
      bytes > (int64_t)1 << 62) {
    return false;
  }
  *out = (size_t)bytes;
  return true;
}

void
pzi_strides(const pz_tensor* const tensor, int64_t strides[PZ_MAX_DIMS])
{
  int64_t step = 1;
  for (int32_t i = tensor->ndim; i-- > 0;) {
    strides[i] = tensor->strides ? tensor->strides[i] : step;
    step *= tensor->shape[i];
  }
}

bool
pzi_is_contiguous(const pz_tensor* const tensor)
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
pzi_queue_owns(const pz_queue* const queue, const pz_tensor* const tensor)
{
  return tensor->device.type == queue->device.type &&
         (tensor->device.type == PZ_DEVICE_CPU || tensor->device.id == queue->device.id);
}

static pz_status
check_dtype(const pz_tensor* const tensor, const char* const what)
{
  if (tensor->dtype == PZ_F32 || tensor->dtype == PZ_F64 || tensor->dtype == PZ_I64) {
    return PZ_OK;
  }
  char text[PZI_SPEC_TEXT];
  return pzi_fail(PZ_UNSUPPORTED, "%s: found %s, expected float32 or float64", what,
                  pzi_dtype_text(tensor->dtype, text));
}

/* Every element within 2^62 bytes of the first, none before address 0 or offset 0. */
static pz_status
check_range(const pz_tensor* const tensor, const char* const what)
{
  const int64_t size = (int64_t)pz_dtype_size(tensor->dtype);
  int64_t strides[PZ_MAX_DIMS];
  int64_t low = 0;
  int64_t high = 0;
  pzi_strides(tensor, strides);
  for (int32_t i = 0; i < tensor->ndim; ++i) {
    int64_t reach;
    if (__builtin_mul_overflow(tensor->shape[i] - 1, strides[i], &reach) ||
        __builtin_mul_overflow(reach, size, &reach) ||
        __builtin_add_overflow(reach < 0 ? low : high, reach, reach < 0 ? &low : &high)) {
      return pzi_fail(PZ_INVALID, "%s: strides reach beyond any memory", what);
    }
  }
  if (tensor->byte_offset > (uint64_t)1 << 62 || high > (int64_t)1 << 62 ||
      low < -((int64_t)1 << 62)) {
    return pzi_fail(PZ_INVALID, "%s: offset or strides reach beyond any memory", what);
  }
  const bool host = tensor->device.type == PZ_DEVICE_CPU;
  const uint64_t start = tensor->byte_offset + (host ? (uint64_t)(uintptr_t)tensor->data : 0);
  if (start % (uint64_t)size != 0) {
    return pzi_fail(PZ_INVALID, "%s: data is not aligned to its elements of %" PRId64 " bytes",
                    what, size);
  }
  return PZ_OK;
}

pz_status
pzi_check_tensor(const pz_queue* const queue, const pz_tensor* const tensor,
                 const pz_spec* const expected, const char* const what)
{
  if (!tensor) {
    return pzi_fail(PZ_INVALID, "%s: found no tensor", what);
  }
  PZ_TRY(check_dtype(tensor, what));
  if (tensor->ndim < 0 || tensor->ndim > PZ_MAX_DIMS) {
    return pzi_fail(PZ_INVALID, "%s: found %" PRId32 " dimensions, expected 0 to %d", what,
                    tensor->ndim, (int)PZ_MAX_DIMS);
  }
  if (tensor->ndim > 0 && !tensor->shape) {
    return pzi_fail(PZ_INVALID, "%s: found no shape", what);
  }
  for (int32_t i = 0; i < tensor->ndim; ++i) {
    if (tensor->shape[i] < 0) {
      return pzi_fail(PZ_INVALID, "%s: found extent %" PRId64 ", expected 0 or more", what,
                      tensor->shape[i]);
    }
  }
  const pz_spec spec = pz_spec_of(tensor);
  size_t bytes = 0;
  char found[PZI_SPEC_TEXT];
  if (!pzi_spec_bytes(&spec, &bytes)) {
    return pzi_fail(PZ_INVALID, "%s: %s is beyond any memory", what, pzi_spec_text(&spec, found));
  }
  if (expected && !pz_spec_equal(&spec, expected)) {
    char wanted[PZI_SPEC_TEXT];
    return pzi_fail(PZ_MISMATCH, "%s: found %s, expected %s", what, pzi_spec_text(&spec, found),
                    pzi_spec_text(expected, wanted));
  }
  if (tensor->device.type != PZ_DEVICE_CPU && !pzi_queue_owns(queue, tensor)) {
    return pzi_fail(PZ_MISMATCH,
                    "%s: found on device type %" PRId32 " id %" PRId32 ", expected %s or the host",
                    what, tensor->device.type, tensor->device.id, queue->name);
  }
  if (bytes == 0) {
    return PZ_OK;
  }
  if (!tensor->data) {
    return pzi_fail(PZ_INVALID, "%s: found no data for %s", what, pzi_spec_text(&spec, found));
  }
  return check_range(tensor, what);
}

bool
pzi_same_tensor(const pz_tensor* const a, const pz_tensor* const b)
{
  if (a->data != b->data || a->byte_offset != b->byte_offset || a->dtype != b->dtype ||
      a->ndim != b->ndim) {
    return false;
  }
  int64_t sa[PZ_MAX_DIMS];
  int64_t sb[PZ_MAX_DIMS];
  pzi_strides(a, sa);
  pzi_strides(b, sb);
  for (int32_t i = 0; i < a->ndim; ++i) {
    if (a->shape[i] != b->shape[i] || (a->shape[i] > 1 && sa[i] != sb[i])) {
      return false;
    }
  }
  return true;
}

/* ---- overlap ---------------------------------------------------------------- */

/* One unknown k in [low, high] times a stride > 0. */
typedef struct term {
  int64_t stride;
  int64_t low;
  int64_t high;
} term;

typedef struct problem {
  int32_t n;
  int32_t budget; /* candidates left */
  term terms[2 * PZ_MAX_DIMS + 1];
  int64_t least[2 * PZ_MAX_DIMS + 2]; /* of the sum of terms i and later */
  int64_t most[2 * PZ_MAX_DIMS + 2];
} problem;

/* Adds the indices 0 .. extent-1 of a dimension, taken with a sign; equal strides join. */
static void
add_term(problem* const p, int64_t stride, const int64_t extent, const int sign)
{
  if (stride == 0 || extent <= 1) {
    return;
  }
  const bool up = (stride > 0) == (sign > 0);
  stride = stride > 0 ? stride : -stride;
  int32_t at = 0;
  while (at < p->n && p->terms[at].stride > stride) {
    ++at;
  }
  if (at == p->n || p->terms[at].stride != stride) {
    memmove(&p->terms[at + 1], &p->terms[at], (size_t)(p->n - at) * sizeof(term));
    p->terms[at] = (term){.stride = stride};
    p->n += 1;
  }
  p->terms[at].low -= up ? 0 : extent - 1;
  p->terms[at].high += up ? extent - 1 : 0;
}

static int64_t
divide_down(const int64_t a, const int64_t b)
{
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* Can terms i and later add up to d? */
static bool
reachable(problem* const p, const int32_t i, const int64_t d)
{
  if (d < p->least[i] || d > p->most[i]) {
    return false;
  }
  if (i == p->n) {
    return d == 0;
  }
  const term* const t = &p->terms[i];
  int64_t first = -divide_down(-(d - p->most[i + 1]), t->stride);
  int64_t last = divide_down(d - p->least[i + 1], t->stride);
  first = first > t->low ? first : t->low;
  last = last < t->high ? last : t->high;
  for (int64_t k = first; k <= last; ++k) {
    if (--p->budget < 0) {
      return false;
    }
    if (reachable(p, i + 1, d - k * t->stride)) {
      return true;
    }
  }
  return false;
}

static bool
solve(problem* const p, const int64_t distance)
{
  p->least[p->n] = 0;
  p->most[p->n] = 0;
  for (int32_t i = p->n; i-- > 0;) {
    p->least[i] = p->least[i + 1] + p->terms[i].low * p->terms[i].stride;
    p->most[i] = p->most[i + 1] + p->terms[i].high * p->terms[i].stride;
  }
  p->budget = 4096;
  return reachable(p, 0, distance);
}

bool
pzi_overlap(const bool pointers, const pz_tensor* const a, const pz_tensor* const b)
{
  if (pz_count(a) == 0 || pz_count(b) == 0 || (!pointers && a->data != b->data)) {
    return false;
  }
  const uint64_t base_a = pointers ? (uint64_t)(uintptr_t)a->data : 0;
  const uint64_t base_b = pointers ? (uint64_t)(uintptr_t)b->data : 0;
  const int64_t distance = (int64_t)(base_b + b->byte_offset - base_a - a->byte_offset);
  const int64_t size_a = (int64_t)pz_dtype_size(a->dtype);
  const int64_t size_b = (int64_t)pz_dtype_size(b->dtype);
  int64_t sa[PZ_MAX_DIMS];
  int64_t sb[PZ_MAX_DIMS];
  pzi_strides(a, sa);
  pzi_strides(b, sb);

  /* place in a - place in b = distance, in elements where sizes agree, else in bytes */
  const bool elements = size_a == size_b && distance % size_a == 0;
  problem p = {.n = 0};
  for (int32_t i = 0; i < a->ndim; ++i) {
    add_term(&p, sa[i] * (elements ? 1 : size_a), a->shape[i], 1);
  }
  for (int32_t i = 0; i < b->ndim; ++i) {
    add_term(&p, sb[i] * (elements ? 1 : size_b), b->shape[i], -1);
  }
  if (!elements) {
    add_term(&p, 1, size_a, 1);
    add_term(&p, 1, size_b, -1);
  }
  return solve(&p, elements ? distance / size_a : distance);
}

bool
pzi_repeats(const pz_tensor* const tensor)
{
  if (!tensor->strides || pz_count(tensor) == 0) {
    return false;
  }
  problem p = {.n = 0};
  for (int32_t i = 0; i < tensor->ndim; ++i) {
    const int32_t before = p.n;
    add_term(&p, tensor->strides[i], tensor->shape[i], 1);
    if (tensor->shape[i] > 1 && p.n == before) {
      return true; /* a stride of 0, or two dimensions of one stride */
    }
  }
  return false;
}

/* ---- merged shapes ---------------------------------------------------------- */

void
pzi_shape_merge(pzi_shape* const shape, const uint32_t n, const pz_tensor* const* const tensors)
{
  int64_t strides[PZI_SHAPE_OPERANDS][PZ_MAX_DIMS];
  for (uint32_t k = 0; k < n; ++k) {
    pzi_strides(tensors[k], strides[k]);
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

/* The innermost dimension. */
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
pzi_host_copy(const pzi_shape* const shape, const size_t element, const void* const from,
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
