/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Operands to and from scratch. */

#include "reference.h"

#include <math.h>
#include <stdlib.h>

pz_status
pzi_reference_scratch(pz_backend_queue* const q, const int64_t count, double** const out)
{
  const size_t bytes = (size_t)count * sizeof(double);
  if (count < 0 || (uint64_t)count > SIZE_MAX / sizeof(double)) {
    return q->host->fail(PZ_NO_MEMORY, "scratch exceeds the address space");
  }
  if (bytes > q->scratch_bytes) {
    double* const grown = malloc(bytes);
    if (!grown) {
      return q->host->fail(PZ_NO_MEMORY, "out of memory for %zu bytes of scratch", bytes);
    }
    free(q->scratch);
    q->scratch = grown;
    q->scratch_bytes = bytes;
  }
  *out = q->scratch;
  return PZ_OK;
}

void
pzi_reference_load(const pz_mat* const m, const int64_t k, double* const out)
{
  for (int64_t i = 0; i < m->rows; ++i) {
    for (int64_t j = 0; j < m->cols; ++j) {
      out[i * m->cols + j] = pzi_reference_get(m, k, i, j);
    }
  }
}

void
pzi_reference_store(const double* const in, const pz_mat* const m, const int64_t k)
{
  for (int64_t i = 0; i < m->rows; ++i) {
    for (int64_t j = 0; j < m->cols; ++j) {
      pzi_reference_put(m, k, i, j, in[i * m->cols + j]);
    }
  }
}

void
pzi_reference_store_nan(const pz_mat* const m, const int64_t k)
{
  for (int64_t i = 0; i < m->rows; ++i) {
    for (int64_t j = 0; j < m->cols; ++j) {
      pzi_reference_put(m, k, i, j, (double)NAN);
    }
  }
}

bool
pzi_reference_normalize(const int64_t count, double* const a, int* const exponent)
{
  double largest = 0.0;
  *exponent = 0;
  for (int64_t k = 0; k < count; ++k) {
    if (!isfinite(a[k])) {
      return false;
    }
    largest = fmax(largest, fabs(a[k]));
  }
  (void)frexp(largest, exponent);
  for (int64_t k = 0; k < count; ++k) {
    a[k] = ldexp(a[k], -*exponent);
  }
  return true;
}

pz_status
pzi_reference_singular(pz_backend_queue* const q, const int64_t k)
{
  return q->host->fail(PZ_SINGULAR, "matrix %lld of the batch is singular", (long long)k);
}
