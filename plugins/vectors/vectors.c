/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "vectors.h"

static int32_t
index_of(const int32_t dim, const int32_t ndim)
{
  return dim < 0 ? dim + ndim : dim;
}

pz_status
vectors_expect(pz_call* const c, const pz_spec* const given, const int32_t dim, bool* const last)
{
  PZ_TRY(pz_expect_dim(c, given, dim));
  *last = index_of(dim, given->ndim) == given->ndim - 1;
  return PZ_OK;
}

pz_status
vectors_extend(pz_call* const c, const int32_t dim, const int64_t more, const int64_t least,
               pz_spec* const original, pz_spec* const value)
{
  const int32_t index = index_of(dim, value->ndim);
  original->shape[index] -= c->direction == PZ_FROM_TENSOR ? more : 0;
  value->shape[index] += c->direction == PZ_FROM_TENSOR ? 0 : more;
  return value->shape[index] >= least
             ? PZ_OK
             : pz_fail(c, PZ_MISMATCH, "found vectors of no entries, expected one or more");
}

int64_t
vectors_extent(const pz_tensor* const t, const int32_t dim)
{
  return t->shape[index_of(dim, t->ndim)];
}

pz_status
vectors_launch(pz_call* const c, const pz_row_kernel* const kernel, const int32_t dim,
               const pz_tensor* const* const inputs, pz_tensor* const* const outputs)
{
  return pz_launch_rows(c, kernel, PZ_ALONG_DIM, dim, inputs, outputs, NULL, NULL);
}

pz_status
vectors_constants(pz_call* const c, const vectors_memory memory, const pz_kernel* const kernel,
                  const pz_tensor* const like, const int32_t dim, const int64_t n,
                  pz_tensor* const out)
{
  pz_spec row = pz_spec_of(like);
  for (int32_t i = 0; i < like->ndim; ++i) {
    row.shape[i] = i == index_of(dim, like->ndim) ? n : 1;
  }
  PZ_TRY(memory(c, &row, &out[0]));
  PZ_TRY(memory(c, &row, &out[1]));
  return pz_launch(c, kernel, n, PZ_TENSORS(&out[0], &out[1]), NULL, &n);
}

/* ---- members of a set ------------------------------------------------------------------- */

/* The largest distance of the vectors, and the largest code of them if `code` is not NULL. */
static pz_status
measure(pz_call* const c, const vectors_set* const set, const int32_t dim, const double extra,
        const pz_tensor* const y, double* const distance, double* const code)
{
  const pz_spec number = pz_spec_of_numbers(pz_spec_of(y), PZ_ALONG_DIM, dim);
  const double n = (double)vectors_extent(y, dim);
  const double reals[] = {100.0 * n * pz_dtype_epsilon(y->dtype), extra};
  pz_tensor distances;
  pz_tensor codes;
  PZ_TRY(pz_work(c, &number, &distances));
  PZ_TRY(pz_work(c, &number, &codes));
  PZ_TRY(pz_launch_rows(c, set->kernel, PZ_ALONG_DIM, dim, PZ_TENSORS(y),
                        PZ_OUTPUTS(&distances, &codes), reals, NULL));
  PZ_TRY(pz_largest(c, &distances, distance));
  return code ? pz_largest(c, &codes, code) : PZ_OK;
}

pz_status
vectors_check(pz_call* const c, const vectors_set* const set, const int32_t dim, const double extra,
              const pz_tensor* const y)
{
  double distance = 0.0;
  double code = 0.0;
  PZ_TRY(measure(c, set, dim, extra, y, &distance, &code));
  return code >= VECTORS_OUTSIDE
             ? pz_fail(c, PZ_OUTSIDE, "found a vector at distance %g from the set, expected %s",
                       distance, set->expected)
         : code >= VECTORS_UNREACHED
             ? pz_fail(c, PZ_SINGULAR, "found %s, which no original reaches", set->unreached)
             : PZ_OK;
}

pz_status
vectors_distance(pz_call* const c, const vectors_set* const set, const int32_t dim,
                 const double extra, const pz_tensor* const y, double* const distance)
{
  return measure(c, set, dim, extra, y, distance, NULL);
}

PZ_PLUGIN(vectors, "1.0.0", PZ_PARAMETRIZATION(&vectors_ordered),
          PZ_PARAMETRIZATION(&vectors_positive_ordered), PZ_PARAMETRIZATION(&vectors_simplex),
          PZ_PARAMETRIZATION(&vectors_sphere), PZ_PARAMETRIZATION(&vectors_sum_to_zero));
