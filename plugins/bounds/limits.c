/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "bounds.h"

#include <math.h>

// clang-format off

/* most <- the largest entry that is not negative, NaN if one is not finite; on <- 1 if an entry is 0 */
PZ_ROW_KERNEL(bounds_largest, 1, 2, 0, 0,
  PZ_ROW_IN(0, beyond);
  PZ_ROW_MAX(most, j, n, beyond[j][r] + 0 * beyond[j][r]);
  PZ_ROW_MAX(on, j, n, beyond[j][r] == (real)0 ? (real)1 : (real)0);
  PZ_VALUE_OUT(0, pz_max((real)0, most[r]));
  PZ_VALUE_OUT(1, pz_max((real)0, on[r]));
)

// clang-format on

static int64_t
last_extent(const pz_spec* const value)
{
  return value->ndim > 0 ? value->shape[value->ndim - 1] : 1;
}

double
bounds_number(const pz_call* const c, const uint32_t k, const double fallback, const int64_t j)
{
  const pz_tensor* const t = c->options[k].as.tensor;
  const int64_t n = t ? pz_count(t) : 0;
  if (n == 0) {
    return fallback;
  }
  const char* const data = (const char*)t->data + t->byte_offset;
  return t->dtype == PZ_F32   ? (double)((const float*)(const void*)data)[j % n]
         : t->dtype == PZ_F64 ? ((const double*)(const void*)data)[j % n]
                              : (double)((const int64_t*)(const void*)data)[j % n];
}

pz_status
bounds_declare(pz_call* const c, const uint32_t k, const char* const name,
               const pz_spec* const value)
{
  const pz_tensor* const t = c->options[k].as.tensor;
  const int64_t n = t ? pz_count(t) : 1;
  const int64_t last = last_extent(value);
  for (int64_t j = 0; t && j < n; ++j) {
    if (!isfinite(bounds_number(c, k, 0.0, j))) {
      return pz_fail(c, PZ_INVALID, "found bound %g, expected a finite number",
                     bounds_number(c, k, 0.0, j));
    }
  }
  const pz_spec row = pz_spec_make(value->dtype, value->ndim > 0 ? 1 : 0, &last);
  if (n == 1 || (t->ndim == 1 && n == last)) {
    return pz_declare_buffer(c, name, &row);
  }
  if (n != pz_spec_count(value) || t->ndim != value->ndim) {
    return pz_fail(c, PZ_MISMATCH,
                   "found %lld bounds, expected one, one for each of the %lld entries of the last "
                   "dimension, or the shape of the value",
                   (long long)n, (long long)last);
  }
  return pz_declare_buffer(c, name, value);
}

pz_status
bounds_fill(pz_call* const c, const uint32_t k, const double fallback, pz_tensor* const buffer)
{
  const pz_tensor* const t = c->options[k].as.tensor; /* on the device of the queue */
  const int64_t given = t ? pz_count(t) : 0;
  const int64_t n = pz_count(buffer);
  void* memory = NULL;
  PZ_TRY(pz_work_host(c, (size_t)(n + given + 1) * sizeof(double), &memory));
  double* const numbers = (double*)memory;
  double* const read = numbers + n;
  PZ_TRY(given > 0 ? pz_read(c, t, read) : PZ_OK);
  for (int64_t j = 0; j < n; ++j) {
    numbers[j] = given > 0 ? read[j % given] : fallback;
  }
  return pz_write(c, numbers, buffer);
}

pz_row_kind
bounds_rows(const pz_tensor* const like)
{
  return like->ndim > 0 ? PZ_ALONG_DIM : PZ_WHOLE;
}

pz_tensor*
bounds_row(pz_view* const view, const pz_tensor* const bound, const pz_tensor* const like)
{
  int64_t shape[PZ_MAX_DIMS];
  for (int32_t i = 0; i < like->ndim; ++i) {
    shape[i] = i < like->ndim - 1 ? 1 : like->shape[i];
  }
  return bound->ndim == like->ndim ? pz_view_of(view, bound)
                                   : pz_view_reshaped(view, bound, like->ndim, shape);
}

static pz_status
largest_beyond(pz_call* const c, const pz_tensor* const beyond, double* const most,
               double* const on)
{
  const pz_spec one = pz_spec_make(beyond->dtype, 0, NULL);
  pz_tensor numbers[2];
  PZ_TRY(pz_work(c, &one, &numbers[0]));
  PZ_TRY(pz_work(c, &one, &numbers[1]));
  PZ_TRY(pz_launch_rows(c, &bounds_largest, PZ_WHOLE, 0, PZ_TENSORS(beyond),
                        PZ_OUTPUTS(&numbers[0], &numbers[1]), NULL, NULL));
  PZ_TRY(pz_read(c, &numbers[0], most));
  return pz_read(c, &numbers[1], on);
}

pz_status
bounds_check(pz_call* const c, const pz_tensor* const beyond, const bool closed)
{
  double most = 0.0;
  double on = 0.0;
  PZ_TRY(largest_beyond(c, beyond, &most, &on));
  if (isnan(most)) {
    return pz_fail(c, PZ_OUTSIDE,
                   "found an entry that is not finite, expected all inside the bound");
  }
  if (most > 0.0) {
    return pz_fail(c, PZ_OUTSIDE, "found an entry beyond the bound by %g, expected all inside",
                   most);
  }
  return on == 0.0 || closed
             ? PZ_OK
             : pz_fail(c, PZ_SINGULAR, "found an entry on the bound, which no original reaches");
}

pz_status
bounds_distance_of(pz_call* const c, const pz_tensor* const beyond, double* const distance)
{
  double on = 0.0;
  return largest_beyond(c, beyond, distance, &on);
}
