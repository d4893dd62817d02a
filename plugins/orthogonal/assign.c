/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Right inverses. A matrix that is not orthogonal up to rounding is replaced by the factor Q of its
   QR factorization, with a positive diagonal of R as in PyTorch; with nearest=0 it is an error.

   With a base, the value becomes the base, and the original becomes the point whose value is the
   identity. Without a base, the map is inverted:

     householder   always possible
     cayley        with signs always, otherwise if no eigenvalue is close to -1
     matrix_exp    square matrices with determinant 1 */

#include "orthogonal.h"

#include "exponential/exponential.h"
#include "rotation.h"

#include <parametrize/plugin.h>

#include <math.h>

pz_status
orth_defects(pz_call* const c, const pz_tensor* const q, const double** const out)
{
  const pz_spec square = orth_spec(q, pz_cols(q), pz_cols(q));
  const pz_spec one = rotation_spec(q, 0);
  pz_tensor gram;
  pz_tensor defect;
  void* memory = NULL;
  PZ_TRY(pz_work(c, &square, &gram));
  PZ_TRY(pz_work(c, &one, &defect));
  PZ_TRY(pz_syrk(c, PZ_T, 1.0, q, 0.0, &gram));
  PZ_TRY(pz_add_identity(c, -1.0, &gram));
  PZ_TRY(pz_norm(c, PZ_NORM_MAX, PZ_OVER_BOTH, &gram, &defect));
  PZ_TRY(pz_work_host(c, (size_t)pz_batch(q) * sizeof(double), &memory));
  *out = memory;
  return pz_read(c, &defect, memory);
}

/* used <- q, or its factor Q if the intent allows it. */
static pz_status
admit(pz_call* const c, const pz_tensor* const q, pz_tensor* const used)
{
  const double tolerance = 100.0 * (double)pz_rows(q) * pz_dtype_epsilon(q->dtype);
  const bool refuses = c->intent == PZ_ASSIGN && c->options[ORTH_NEAREST].as.integer == 0;
  const double* defect = NULL;
  bool orthogonal = true;
  PZ_TRY(orth_defects(c, q, &defect));
  for (int64_t k = 0; k < pz_batch(q); ++k) {
    if (!isfinite(defect[k])) {
      return pz_fail(c, c->intent == PZ_ASSIGN ? PZ_OUTSIDE : PZ_SINGULAR,
                     "found matrix %lld of the batch with entries that are not finite or "
                     "overflow when squared, expected finite ones",
                     (long long)k);
    }
    if (refuses && !(defect[k] <= tolerance)) {
      return pz_fail(c, PZ_OUTSIDE,
                     "found matrix %lld of the batch with Q^T Q at distance %.3g from the "
                     "identity, expected at most %.3g",
                     (long long)k, defect[k], tolerance);
    }
    orthogonal = orthogonal && defect[k] <= tolerance;
  }
  *used = *q;
  if (orthogonal) {
    return PZ_OK;
  }
  PZ_TRY(pz_work_like(c, q, used));
  return rotation_q_factor(c, q, used);
}

/* x <- the logarithm of square q. */
static pz_status
invert_exponential(pz_call* const c, const pz_tensor* const q, pz_tensor* const x)
{
  const int64_t n = pz_rows(q);
  const double* found = NULL;
  pz_tensor proper = *q;
  pz_tensor log;
  if (n != pz_cols(q)) {
    return pz_fail(c, PZ_UNSUPPORTED,
                   "found map=matrix_exp without a base for matrices that are not square, expected "
                   "trivialization=1: their logarithm has no closed form");
  }
  PZ_TRY(rotation_defects(c, q, &found));
  for (int64_t k = 0; k < pz_batch(q); ++k) {
    if (found[pz_batch(q) + k] > 0.0) {
      continue;
    }
    if (c->intent != PZ_REGISTER) {
      return pz_fail(c, PZ_SINGULAR,
                     "found matrix %lld of the batch with determinant -1, expected a rotation, as "
                     "every exponential is (except with trivialization=1)",
                     (long long)k);
    }
    PZ_TRY(pz_work_like(c, q, &proper));
    PZ_TRY(pz_copy(c, q, &proper));
    PZ_TRY(rotation_make_proper(c, n - 1, &proper));
    break;
  }
  PZ_TRY(pz_work_like(c, q, &log));
  PZ_TRY(expm_rotation_log(c, &proper, &log));
  return pz_triangle(c, PZ_LOWER, -1, &log, x);
}

static pz_status
identity(pz_call* const c, const double sign, pz_tensor* const y)
{
  PZ_TRY(pz_fill(c, 0.0, y));
  return pz_add_identity(c, sign, y);
}

pz_status
orth_identity_state(pz_call* const c, const int64_t n, const int64_t k, pz_tensor* const state)
{
  if (orth_has_base(c)) {
    return identity(c, orth_has_dense_base(c, n, k) ? 1.0 : -1.0, state);
  }
  return pz_fill(c, orth_map(c, n, k) == ORTH_HOUSEHOLDER ? -1.0 : 1.0, state);
}

pz_status
orth_origin(pz_call* const c, const int64_t map, pz_tensor* const x)
{
  return map == ORTH_HOUSEHOLDER ? identity(c, -1.0, x) : pz_fill(c, 0.0, x);
}

pz_status
orth_set_base(pz_call* const c, const pz_tensor* const q, pz_tensor* const base)
{
  const int64_t n = pz_rows(q);
  const int64_t k = pz_cols(q);
  const bool dense = orth_has_dense_base(c, n, k);
  const pz_spec row = orth_row_spec(q, k);
  pz_view view;
  pz_tensor d;
  pz_tensor r = *base;
  if (dense && n == k) {
    return pz_copy(c, q, base);
  }
  PZ_TRY(pz_work(c, &row, &d));
  if (dense) {
    PZ_TRY(pz_work_like(c, q, &r));
  }
  PZ_TRY(orth_householder_inverse(c, q, &d, &r));
  if (!dense) {
    return PZ_OK;
  }
  PZ_TRY(identity(c, 1.0, base));
  PZ_TRY(orth_reflect(c, PZ_N, &r, base));
  return pz_copy(c, q, pz_view_block(&view, base, 0, n, 0, k));
}

/* x <- the original of q, which has orthonormal columns. */
static pz_status
invert(pz_call* const c, const pz_tensor* const q, pz_tensor* const x)
{
  const int64_t n = pz_rows(q);
  const int64_t k = pz_cols(q);
  const int64_t map = orth_map(c, n, k);
  pz_tensor* const state = c->new_buffer ? &c->new_buffer[ORTH_STATE] : NULL;
  if (orth_has_base(c)) {
    PZ_TRY(orth_set_base(c, q, state));
    return orth_origin(c, map, x);
  }
  if (map == ORTH_MATRIX_EXP) {
    return invert_exponential(c, q, x);
  }
  if (map == ORTH_CAYLEY) {
    return orth_cayley_inverse(c, q, orth_has_signs(c, n, k) ? state : NULL, x);
  }
  pz_tensor own;
  if (!orth_has_signs(c, n, k)) {
    const pz_spec row = orth_row_spec(q, k);
    PZ_TRY(pz_work(c, &row, &own));
  }
  return orth_householder_inverse(c, q, orth_has_signs(c, n, k) ? state : &own, x);
}

pz_status
orth_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  pz_tensor q;
  pz_tensor used;
  pz_tensor tall = *x;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  PZ_TRY(orth_tall(c, y, &q));
  PZ_TRY(admit(c, &q, &used));
  if (pz_rows(x) < pz_cols(x)) {
    PZ_TRY(pz_work_like(c, &q, &tall));
  }
  PZ_TRY(invert(c, &used, &tall));
  return orth_untall(c, &tall, x);
}
