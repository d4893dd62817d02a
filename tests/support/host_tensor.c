/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "host_tensor.h"

#include "dense.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct block {
  struct block* next;
  int64_t shape[PZ_MAX_DIMS];
  double data[];
} block;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static block* blocks;

pz_tensor
host_zeros(const pz_spec* const spec)
{
  const size_t bytes = (size_t)pz_spec_count(spec) * pz_dtype_size(spec->dtype);
  block* const b = calloc(1, sizeof(*b) + bytes);
  ck_assert_ptr_nonnull(b);
  memcpy(b->shape, spec->shape, sizeof(b->shape));
  pthread_mutex_lock(&lock);
  b->next = blocks;
  blocks = b;
  pthread_mutex_unlock(&lock);
  return pz_host_tensor(spec->dtype, b->data, spec->ndim, b->shape);
}

pz_tensor
host_normal(const pz_spec* const spec, uint64_t* const random, const double scale)
{
  const pz_tensor tensor = host_zeros(spec);
  test_fill_normal(random, spec->dtype, pz_spec_count(spec), scale, tensor.data);
  return tensor;
}

pz_tensor
host_skew(const pz_spec* const spec, uint64_t* const random)
{
  const pz_tensor tensor = host_normal(spec, random, 1.0);
  const int64_t n = spec->shape[1];
  for (int64_t b = 0; b < spec->shape[0]; ++b) {
    double* const v = (double*)tensor.data + b * n * n;
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j <= i; ++j) {
        v[i * n + j] = i == j ? 0.0 : -v[j * n + i];
      }
    }
  }
  return tensor;
}

const void*
host_mark(void)
{
  return blocks;
}

void
host_release(const void* const mark)
{
  while (blocks && blocks != mark) {
    block* const b = blocks;
    blocks = b->next;
    free(b);
  }
}

void
host_free(void)
{
  host_release(NULL);
}

size_t
host_bytes(const pz_tensor* const tensor)
{
  return (size_t)pz_count(tensor) * pz_dtype_size(tensor->dtype);
}

double
host_at(const pz_tensor* const tensor, const int64_t k)
{
  return test_at(tensor->dtype, tensor->data, k);
}

void
host_put(const pz_tensor* const tensor, const int64_t k, const double value)
{
  test_put(tensor->dtype, tensor->data, k, value);
}

float*
host_f32(const pz_tensor* const tensor)
{
  ck_assert_uint_eq(tensor->dtype, PZ_F32);
  return tensor->data;
}

double*
host_f64(const pz_tensor* const tensor)
{
  ck_assert_uint_eq(tensor->dtype, PZ_F64);
  return tensor->data;
}

double
host_inner(const pz_tensor* const a, const pz_tensor* const b)
{
  double sum = 0.0;
  for (int64_t k = 0; k < pz_count(a); ++k) {
    sum += host_at(a, k) * host_at(b, k);
  }
  return sum;
}

double
host_distance(const pz_tensor* const a, const pz_tensor* const b)
{
  const pz_spec x = pz_spec_of(a);
  const pz_spec y = pz_spec_of(b);
  ck_assert(pz_spec_equal(&x, &y));
  double most = 0.0;
  for (int64_t k = 0; k < pz_count(a); ++k) {
    const double difference = fabs(host_at(a, k) - host_at(b, k));
    most = difference <= most ? most : difference; /* NaN counts */
  }
  return most;
}

double
host_orthogonality(const pz_tensor* const a)
{
  const int64_t count = pz_count(a);
  const int64_t rows = a->shape[a->ndim - 2];
  const int64_t cols = a->shape[a->ndim - 1];
  double* const values = reals(count);
  for (int64_t k = 0; k < count; ++k) {
    values[k] = host_at(a, k);
  }
  const double most = largest_orthogonality(count / (rows * cols), rows, cols, values);
  free(values);
  return most;
}

double
host_scale(const pz_tensor* const a)
{
  double scale = 1.0;
  for (int64_t k = 0; k < pz_count(a); ++k) {
    scale = fmax(scale, fabs(host_at(a, k)));
  }
  return scale;
}

bool
host_same(const pz_tensor* const a, const pz_tensor* const b)
{
  const pz_spec x = pz_spec_of(a);
  const pz_spec y = pz_spec_of(b);
  return pz_spec_equal(&x, &y) && memcmp(a->data, b->data, host_bytes(a)) == 0;
}
