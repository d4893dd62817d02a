/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A = (A + A^T)/2 + (A - A^T)/2. For parity +1 (symmetric) or -1 (skew), a member has a zero other
   part. The distance of A from the nearest member is the largest entry of its other part. */

#include "parity.h"

#include <math.h>

/* out[k] <- the largest entry of (A - parity A^T)/2 for matrix k, out[batch + k] <- the largest
   entry of A. `out` is host scratch. */
static pz_status
parity_distances(pz_call* const c, const int parity, const pz_tensor* const a,
                 const double** const out)
{
  const int64_t batch = pz_batch(a);
  const pz_spec spec = pz_spec_make(a->dtype, 1, (const int64_t[]){2 * batch});
  pz_tensor norms;
  pz_tensor other;
  PZ_TRY(pz_work(c, &spec, &norms));
  PZ_TRY(pz_work_like(c, a, &other));
  pz_view first;
  pz_view second;
  pz_tensor* const distance = pz_view_reshaped(&first, &norms, a->ndim - 2, a->shape);
  pz_tensor* const size = pz_view_reshaped(&second, &norms, a->ndim - 2, a->shape);
  size->byte_offset += (uint64_t)batch * pz_dtype_size(a->dtype);

  PZ_TRY(pz_symmetrize(c, 0.5, -parity, a, &other));
  PZ_TRY(pz_norm(c, PZ_NORM_MAX, PZ_OVER_BOTH, &other, distance));
  PZ_TRY(pz_norm(c, PZ_NORM_MAX, PZ_OVER_BOTH, a, size));
  return pz_read_all(c, &norms, out);
}

pz_status
parity_check(pz_call* const c, const int parity, const pz_tensor* const a)
{
  const char* const member = parity > 0 ? "symmetric" : "skew";
  const int64_t batch = pz_batch(a);
  const double tolerance = 100.0 * (double)pz_rows(a) * pz_dtype_epsilon(a->dtype);
  const double* distance = NULL;
  PZ_TRY(parity_distances(c, parity, a, &distance));
  for (int64_t k = 0; k < batch; ++k) {
    const double most = tolerance * distance[batch + k];
    if (!isfinite(distance[batch + k])) {
      return pz_fail(c, PZ_OUTSIDE,
                     "found matrix %lld of the batch with an entry that is not finite, "
                     "expected a %s matrix",
                     (long long)k, member);
    }
    if (!(distance[k] <= most)) {
      return pz_fail(c, PZ_OUTSIDE,
                     "found matrix %lld of the batch at distance %.3g from a %s matrix, "
                     "expected at most %.3g",
                     (long long)k, distance[k], member, most);
    }
  }
  return PZ_OK;
}

pz_status
parity_residual(pz_call* const c, const int parity, const pz_tensor* const a,
                double* const distance)
{
  const double* each = NULL;
  PZ_TRY(parity_distances(c, parity, a, &each));
  const int64_t batch = pz_batch(a);
  *distance = 0.0;
  for (int64_t k = 0; k < batch; ++k) {
    /* a NaN on the diagonal of a symmetric matrix shows only in the size */
    *distance = pz_max(*distance, isnan(each[batch + k]) ? NAN : each[k]);
  }
  return PZ_OK;
}
