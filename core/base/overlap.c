/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Two views share an element if sum_i k_i s_i = d has a solution with every k_i in its bounds,
   where d is the distance of their first elements and s_i are the strides of both. The search
   takes strides in descending order and tries only those k_i for which the smaller strides can
   still reach the rest: one or two candidates for blocks of a matrix. */

#include "overlap.h"

#include "shape.h"

#include <string.h>

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

/* Adds a dimension with indices 0 .. extent-1 and a sign; merges equal strides. */
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

/* The byte range of a tensor, relative to its first element. */
static void
reach(const pz_tensor* const t, const int64_t* const strides, int64_t* const low,
      int64_t* const high)
{
  const int64_t size = (int64_t)pz_dtype_size(t->dtype);
  *low = 0;
  *high = size;
  for (int32_t i = 0; i < t->ndim; ++i) {
    const int64_t step = (t->shape[i] - 1) * strides[i] * size;
    *low += step < 0 ? step : 0;
    *high += step > 0 ? step : 0;
  }
}

bool
pzi_overlap(const bool pointers, const pz_tensor* const a, const pz_tensor* const b)
{
  const int64_t count_a = pz_count(a);
  const int64_t count_b = pz_count(b);
  if (count_a == 0 || count_b == 0 || (!pointers && a->data != b->data)) {
    return false;
  }
  const uint64_t base_a = pointers ? (uint64_t)(uintptr_t)a->data : 0;
  const uint64_t base_b = pointers ? (uint64_t)(uintptr_t)b->data : 0;
  const int64_t distance = (int64_t)(base_b + b->byte_offset - base_a - a->byte_offset);
  const int64_t size_a = (int64_t)pz_dtype_size(a->dtype);
  const int64_t size_b = (int64_t)pz_dtype_size(b->dtype);
  if (!a->strides && !b->strides) {
    return distance < count_a * size_a && -distance < count_b * size_b;
  }
  int64_t sa[PZ_MAX_DIMS];
  int64_t sb[PZ_MAX_DIMS];
  pzi_shape_strides(a, sa);
  pzi_shape_strides(b, sb);

  int64_t low_a;
  int64_t high_a;
  int64_t low_b;
  int64_t high_b;
  reach(a, sa, &low_a, &high_a);
  reach(b, sb, &low_b, &high_b);
  if (distance + low_b >= high_a || distance + high_b <= low_a) {
    return false; /* disjoint byte ranges, the usual case */
  }

  /* offset in a - offset in b = distance, in elements if the sizes are equal, else in bytes */
  const bool elements = size_a == size_b && distance % size_a == 0;
  problem p;
  p.n = 0;
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
pzi_overlap_self(const pz_tensor* const tensor)
{
  if (!tensor->strides || pz_count(tensor) == 0) {
    return false;
  }
  problem p;
  p.n = 0;
  for (int32_t i = 0; i < tensor->ndim; ++i) {
    const int32_t before = p.n;
    add_term(&p, tensor->strides[i], tensor->shape[i], 1);
    if (tensor->shape[i] > 1 && p.n == before) {
      return true; /* a stride of 0, or two dimensions of one stride */
    }
  }
  return false;
}
