/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Spectral radius: the limit of |A^p|^(1/p), p = 2^k, by squarings of A over its norm (Gelfand). The largest real
   part of the eigenvalues is the logarithm of the radius of e^A.

   Lyapunov equation: with F = (I + A)(I - A)^-1, P = F P F^T + 4 (I - A)^-1 (I - A)^-T, which doubling sums
   (Smith 1968): P <- P + F P F^T, F <- F^2. */

#include "stable.h"

#include "exponential/exponential.h"
#include "rotation.h"

#include <math.h>
#include <string.h>

enum { SQUARINGS = 52, DOUBLINGS = 64 };

pz_status
stable_numbers(pz_call* const c, const pz_tensor* const t, double** const out)
{
  void* memory = NULL;
  PZ_TRY(pz_work_host(c, (size_t)pz_batch(t) * sizeof(double), &memory));
  *out = memory;
  return PZ_OK;
}

pz_status
stable_scale(pz_call* const c, const double* const factor, pz_tensor* const t)
{
  const pz_spec one = rotation_spec(t, 0);
  pz_tensor factors;
  PZ_TRY(pz_work(c, &one, &factors));
  PZ_TRY(pz_write(c, factor, &factors));
  return pz_scale_by(c, PZ_OVER_BOTH, &factors, t, t);
}

pz_status
stable_divide(pz_call* const c, pz_tensor* const t, double* const norm)
{
  const pz_spec one = rotation_spec(t, 0);
  double* inverse = NULL;
  pz_tensor norms;
  PZ_TRY(pz_work(c, &one, &norms));
  PZ_TRY(stable_numbers(c, t, &inverse));
  PZ_TRY(pz_norm(c, PZ_NORM_TWO, PZ_OVER_BOTH, t, &norms));
  PZ_TRY(pz_read(c, &norms, norm));
  for (int64_t k = 0; k < pz_batch(t); ++k) {
    inverse[k] = norm[k] == 0.0 ? 1.0 : 1.0 / norm[k];
  }
  return stable_scale(c, inverse, t);
}

/* out <- the logarithm of the radius; a is overwritten. */
static pz_status
log_radius(pz_call* const c, pz_tensor* const a, double* const out)
{
  const int64_t batch = pz_batch(a);
  double* norm = NULL;
  pz_tensor square;
  PZ_TRY(stable_numbers(c, a, &norm));
  PZ_TRY(pz_work_like(c, a, &square));
  memset(out, 0, (size_t)batch * sizeof(*out));
  for (int step = 0; step < SQUARINGS; ++step) {
    const uint64_t mark = pz_work_mark(c);
    PZ_TRY(stable_divide(c, a, norm));
    for (int64_t k = 0; k < batch; ++k) {
      out[k] += ldexp(log(norm[k]), -step);
    }
    PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, a, a, 0.0, &square));
    PZ_TRY(pz_copy(c, &square, a));
    pz_work_release(c, mark);
  }
  return PZ_OK;
}

pz_status
stable_radius(pz_call* const c, const pz_tensor* const a, double* const out)
{
  pz_tensor power;
  PZ_TRY(pz_work_like(c, a, &power));
  PZ_TRY(pz_copy(c, a, &power));
  PZ_TRY(log_radius(c, &power, out));
  for (int64_t k = 0; k < pz_batch(a); ++k) {
    out[k] = exp(out[k]);
  }
  return PZ_OK;
}

pz_status
stable_abscissa(pz_call* const c, const pz_tensor* const a, double* const out)
{
  double* norm = NULL;
  pz_tensor scaled;
  pz_tensor e;
  PZ_TRY(stable_numbers(c, a, &norm));
  PZ_TRY(pz_work_like(c, a, &scaled));
  PZ_TRY(pz_work_like(c, a, &e));
  PZ_TRY(pz_copy(c, a, &scaled));
  PZ_TRY(stable_divide(c, &scaled, norm));
  PZ_TRY(expm_taylor(c, PZ_GENERAL, &scaled, &e));
  PZ_TRY(log_radius(c, &e, out));
  for (int64_t k = 0; k < pz_batch(a); ++k) {
    out[k] *= norm[k];
  }
  return PZ_OK;
}

pz_status
stable_lyapunov(pz_call* const c, const pz_tensor* const a, pz_tensor* const p)
{
  double left = 1.0;
  pz_tensor r;
  pz_tensor f;
  pz_tensor t;
  PZ_TRY(pz_work_like(c, a, &r));
  PZ_TRY(pz_work_like(c, a, &f));
  PZ_TRY(pz_work_like(c, a, &t));
  // R <- (I - A)^-1,  F <- (I + A) R = 2 R - I,  P <- 4 R R^T
  PZ_TRY(pz_shifted_inverse(c, PZ_GENERAL, &(pz_shift){0.0, 1.0, 1.0, -1.0}, a, &r));
  PZ_TRY(pz_combine(c, -1.0, 1, PZ_REALS(2.0), PZ_TENSORS(&r), &f));
  PZ_TRY(pz_syrk(c, PZ_N, 4.0, &r, 0.0, p));
  for (int step = 0; step < DOUBLINGS && left > 0.0; ++step) {
    const uint64_t mark = pz_work_mark(c);
    PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &f, p, 0.0, &t));
    PZ_TRY(pz_gemm(c, PZ_N, PZ_T, 1.0, &t, &f, 0.0, &r));
    PZ_TRY(pz_axpby(c, 1.0, &r, 1.0, p));
    PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &f, &f, 0.0, &t));
    PZ_TRY(pz_copy(c, &t, &f));
    PZ_TRY(pz_largest(c, &f, &left));
    left = left < pz_dtype_epsilon(a->dtype) * pz_dtype_epsilon(a->dtype) ? 0.0 : left;
    pz_work_release(c, mark);
  }
  PZ_TRY(pz_copy(c, p, &t));
  return pz_symmetrize(c, 0.5, 1, &t, p);
}
