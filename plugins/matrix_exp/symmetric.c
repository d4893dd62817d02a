/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The exponential of symmetric matrices. Norm and order decide between two methods.

   Scaling and squaring works on A = X - m I, where m is the mean of the eigenvalues, and exp(X) =
   exp(m) exp(A), also in the adjoint. The largest eigenvalue of A is not negative, so that exp(A)
   is not much smaller than the terms of its polynomial, and no digits are lost. Eigenvectors
   (spectral.c) cost as much as many products, so they are used if that many squarings are
   needed. */

#include "matrix_exp.h"

// clang-format off

/* m <- trace(a) / n, a <- a - m I: one item per matrix. */
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

/* m <- exp(m / 2): one item per matrix. Two factors exp(m / 2) are used because exp(m) may be out
   of range when the product with it is not. */
PZ_KERNEL(expm_half_factor, 1, 0, 0,
  PZ_TENSOR_ARG(0, m);
  m[i] = pz_exp((real)0.5 * m[i]);
)

// clang-format on

/* The record that forward saves for vjp. */
typedef struct symmetric_record {
  bool by_products;
} symmetric_record;

/* The largest number of squarings for which products are the faster method and exp(A) stays in
   range. Times of eigenvectors relative to products, on one processor with OpenBLAS 0.3.21:
   float32: 4 up to n = 256 and 3 at 512, with the adjoint 2; float64: 2.5 at 128, below 1 from 256
   on with the adjoint and from 512 on without it. */
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
  return pz_launch(c, &expm_center, pz_batch(x), (const pz_tensor* const[]){m, a}, NULL,
                   (const int64_t[]){pz_rows(x)});
}

/* y <- exp(m) y; m is overwritten. */
static pz_status
multiply_back(pz_call* const c, pz_tensor* const m, pz_tensor* const y)
{
  PZ_TRY(pz_launch(c, &expm_half_factor, pz_batch(y), (const pz_tensor* const[]){m}, NULL, NULL));
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
  const uint64_t mark = pz_work_mark(c);
  const int64_t limit = most_squarings(c, pz_rows(x));
  const pz_spec mean = mean_spec(x);
  expm_plan p;
  pz_tensor m;
  pz_tensor a;
  int64_t most = 0;
  void* memory = NULL;
  PZ_TRY(pz_save_host(c, sizeof(symmetric_record), &memory));
  PZ_TRY(pz_work(c, &mean, &m));
  PZ_TRY(pz_work_like(c, x, &a));
  PZ_TRY(center(c, x, &m, &a));
  PZ_TRY(expm_choose(c, PZ_SYMMETRIC, &a, &p));
  PZ_TRY(expm_most_squarings(c, &p, limit, &a, &most));
  symmetric_record* const r = memory;
  r->by_products = most <= limit;
  if (!r->by_products) {
    pz_work_release(c, mark);
    return expm_spectral(c, x, y);
  }
  // Y <- exp(m) exp(A), exactly symmetric
  pz_tensor value;
  PZ_TRY(pz_work_like(c, x, &value));
  PZ_TRY(expm_taylor_chosen(c, &p, &a, &value));
  PZ_TRY(multiply_back(c, &m, &value));
  return pz_symmetrize(c, 0.5, 1, &value, y);
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
  PZ_TRY(pz_saved_host(c, 0, &memory));
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
