/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The exponential of symmetric matrices by one of two routes, as they stand in norm and order.

   Scaling and squaring works on A = X - m I, m the mean of the eigenvalues: the largest of A is
   not negative, so no digit is lost to an exponential far smaller than the terms of its
   polynomial, and exp(X) = exp(m) exp(A), which goes for the adjoint too. Eigenvectors
   (spectral.c) cost as much as many products, and are worth it where there are that many. */

#include "matrix_exp.h"

// clang-format off

/* One item per matrix: what its diagonal is lowered by to have trace zero. */
PZ_KERNEL(expm_center, 2, 0, 1,
  PZ_TENSOR_ARG(0, m);
  PZ_TENSOR_ARG(1, a);
  PZ_INTEGER_ARG(0, n);
  real sum = (real)0;
  for (pz_int j = 0; j < n; ++j) {
    sum += a[i * n * n + j * (n + 1)] / (real)n;
  }
  for (pz_int j = 0; j < n; ++j) {
    a[i * n * n + j * (n + 1)] -= sum;
  }
  m[i] = sum;
)

/* One item per matrix, whose half is taken twice: exp(m) may be out of range where the product
   is not. */
PZ_KERNEL(expm_half_factor, 1, 0, 0,
  PZ_TENSOR_ARG(0, m);
  m[i] = pz_exp((real)0.5 * m[i]);
)

// clang-format on

/* What vjp has to know. */
typedef struct symmetric_record {
  bool by_products;
} symmetric_record;

/* Squarings up to which products are the faster route of the two, and at most so many that exp(A)
   stays in range. Measured on one processor with OpenBLAS 0.3.21: in float32 eigenvectors take
   four times as long up to n = 256 and three at 512, with the adjoint two; in float64 two and a
   half at 128, with the adjoint they win from 256 on, without it from 512. */
static int64_t
most_squarings(const pz_call* const c, const int64_t n)
{
  const bool saving = (c->flags & PZ_CALL_SAVING) != 0;
  if (c->dtype == PZ_F32 || n <= 128) {
    return 4;
  }
  return saving ? 0 : n <= 256 ? 4 : 1;
}

/* a <- x - m I */
static pz_status
center(pz_call* const c, const pz_tensor* const x, pz_tensor* const m, pz_tensor* const a)
{
  PZ_TRY(pz_copy(c, x, a));
  return c->ops->launch(c, &expm_center, pz_batch(x), (const pz_tensor* const[]){m, a}, NULL,
                        (const int64_t[]){pz_rows(x)});
}

/* y <- exp(m) y; m is lost. */
static pz_status
multiply_back(pz_call* const c, pz_tensor* const m, pz_tensor* const y)
{
  PZ_TRY(
      c->ops->launch(c, &expm_half_factor, pz_batch(y), (const pz_tensor* const[]){m}, NULL, NULL));
  PZ_TRY(expm_scale(c, m, y));
  return expm_scale(c, m, y);
}

static pz_spec
mean_spec(const pz_tensor* const x)
{
  return pz_spec_make(x->dtype, 1, (const int64_t[]){pz_batch(x)});
}

pz_status
expm_symmetric(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  const pz_status small = expm_small(c, PZ_SYMMETRIC, x, y);
  if (small != PZ_UNSUPPORTED) {
    return small;
  }
  const uint64_t mark = c->host->work_mark(c);
  const int64_t limit = most_squarings(c, pz_rows(x));
  const pz_spec mean = mean_spec(x);
  expm_plan p;
  pz_tensor m;
  pz_tensor a;
  int64_t most = 0;
  void* memory = NULL;
  PZ_TRY(c->host->save_host(c, sizeof(symmetric_record), &memory));
  PZ_TRY(pz_work(c, &mean, &m));
  PZ_TRY(pz_work_like(c, x, &a));
  PZ_TRY(center(c, x, &m, &a));
  PZ_TRY(expm_choose(c, PZ_SYMMETRIC, &a, &p));
  PZ_TRY(expm_most_squarings(c, &p, limit, &a, &most));
  symmetric_record* const r = memory;
  r->by_products = most <= limit;
  if (!r->by_products) {
    c->host->work_release(c, mark);
    return expm_spectral(c, x, y);
  }
  // Y <- exp(m) exp(A), exactly symmetric
  pz_tensor value;
  PZ_TRY(pz_work_like(c, x, &value));
  PZ_TRY(expm_taylor_chosen(c, &p, &a, &value));
  PZ_TRY(multiply_back(c, &m, &value));
  return c->ops->symmetrize(c, 0.5, 1, &value, y);
}

pz_status
expm_symmetric_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const gy,
                   pz_tensor* const gx)
{
  const pz_status small = expm_small_vjp(c, PZ_SYMMETRIC, x, gy, gx);
  if (small != PZ_UNSUPPORTED) {
    return small;
  }
  const void* memory = NULL;
  PZ_TRY(c->host->saved_host(c, 0, &memory));
  const symmetric_record* const r = memory;
  if (!r->by_products) {
    return expm_spectral_vjp(c, gy, gx);
  }
  const pz_spec mean = mean_spec(x);
  pz_tensor m;
  pz_tensor a;
  PZ_TRY(pz_work(c, &mean, &m));
  PZ_TRY(pz_work_like(c, x, &a));
  PZ_TRY(center(c, x, &m, &a));
  PZ_TRY(expm_taylor_vjp(c, PZ_SYMMETRIC, 0, 1, &a, gy, gx));
  return multiply_back(c, &m, gx);
}
