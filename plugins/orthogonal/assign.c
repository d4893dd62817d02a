/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Right inverses. A matrix that is not orthogonal up to rounding is replaced by the factor Q of its
   QR factorization, with a positive diagonal of R as in PyTorch; with nearest=0 it is an error.

   With a base, the value becomes the base, and the original becomes the point whose value is the
   identity. Without a base, the map is inverted:

     householder   always possible
     cayley        with signs always, otherwise if no eigenvalue is close to -1
     matrix_exp    square matrices with determinant 1

   Registering accepts entries that are not finite. The original and the state of their matrix become
   NaN, so that its value does. */

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
  PZ_TRY(pz_work(c, &square, &gram));
  PZ_TRY(pz_work(c, &one, &defect));
  PZ_TRY(pz_syrk(c, PZ_T, 1.0, q, 0.0, &gram));
  PZ_TRY(pz_add_identity(c, -1.0, &gram));
  PZ_TRY(pz_norm(c, PZ_NORM_MAX, PZ_OVER_BOTH, &gram, &defect));
  return pz_read_all(c, &defect, out);
}

// clang-format off

/* The matrices of q, n x k, times their factors, or the identity's first columns where that is 0. */
PZ_KERNEL(orth_scaled, 2, 0, 2,
  PZ_TENSOR_ARG(0, q);
  PZ_TENSOR_ARG(1, factor);
  PZ_INTEGER_ARG(0, size);
  PZ_INTEGER_ARG(1, k);
  const pz_int e = i % size;
  const real f = factor[i / size];
  const real one = e % (k + 1) == 0 && e / (k + 1) < k ? (real)1 : (real)0;
  q[i] = f == (real)0 ? one : q[i] * f;
)

// clang-format on

/* Matrices of a batch with entries that are not finite, while a tensor is registered. */
typedef struct marks {
  bool any;
  pz_tensor mark; /* NaN for those, 1 for others */
} marks;

/* used <- q over its largest entry, whose squares do not overflow, or the identity for what is not
   finite. */
static pz_status
scale(pz_call* const c, const pz_tensor* const q, pz_tensor* const used, marks* const bad)
{
  const int64_t batch = pz_batch(q);
  const int64_t size = pz_rows(q) * pz_cols(q);
  const pz_spec one = pz_spec_make(q->dtype, 1, &batch);
  const int most = q->dtype == PZ_F32 ? 100 : 1000; /* 2^most is in range */
  pz_tensor factor;
  pz_view view;
  void* memory = NULL;
  PZ_TRY(pz_work(c, &one, &factor));
  PZ_TRY(pz_work(c, &one, &bad->mark));
  PZ_TRY(pz_work_host(c, (size_t)batch * 2 * sizeof(double), &memory));
  double* const number = memory;
  double* const mark = number + batch;
  PZ_TRY(pz_norm(c, PZ_NORM_MAX, PZ_OVER_BOTH,
                 pz_view_reshaped(&view, q, 3, (const int64_t[]){batch, pz_rows(q), pz_cols(q)}),
                 &factor));
  PZ_TRY(pz_read(c, &factor, number));
  for (int64_t k = 0; k < batch; ++k) {
    const bool finite = isfinite(number[k]);
    if (!finite && c->intent != PZ_REGISTER) {
      return pz_fail(c, c->intent == PZ_ASSIGN ? PZ_OUTSIDE : PZ_SINGULAR,
                     "found matrix %lld of the batch with entries that are not finite, expected "
                     "finite ones",
                     (long long)k);
    }
    int exponent = 0;
    (void)frexp(finite ? number[k] : 1.0, &exponent);
    exponent = exponent < -most ? -most : exponent > most ? most : exponent;
    number[k] = finite ? ldexp(1.0, -exponent) : 0.0;
    mark[k] = finite ? 1.0 : NAN;
    bad->any = bad->any || !finite;
  }
  PZ_TRY(pz_write(c, number, &factor));
  PZ_TRY(pz_write(c, mark, &bad->mark));
  PZ_TRY(pz_work_like(c, q, used));
  PZ_TRY(pz_copy(c, q, used));
  return pz_launch(c, &orth_scaled, pz_count(used), (const pz_tensor* const[]){used, &factor}, NULL,
                   (const int64_t[]){size, pz_cols(q)});
}

/* used <- q, or its factor Q if the intent allows it. */
static pz_status
admit(pz_call* const c, const pz_tensor* const q, pz_tensor* const used, marks* const bad)
{
  const double tolerance = 100.0 * (double)pz_rows(q) * pz_dtype_epsilon(q->dtype);
  const bool refuses = c->intent == PZ_ASSIGN && c->options[ORTH_NEAREST].as.integer == 0;
  const double* defect = NULL;
  bool orthogonal = true;
  bad->any = false;
  PZ_TRY(orth_defects(c, q, &defect));
  for (int64_t k = 0; k < pz_batch(q); ++k) {
    if (refuses && isfinite(defect[k]) && !(defect[k] <= tolerance)) {
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
  pz_tensor scaled;
  PZ_TRY(scale(c, q, &scaled, bad));
  if (refuses) { /* finite, and its squares are not */
    return pz_fail(c, PZ_OUTSIDE,
                   "found entries whose squares overflow, expected orthonormal columns");
  }
  PZ_TRY(pz_work_like(c, q, used));
  return rotation_q_factor(c, &scaled, used);
}

/* The numbers of bad matrices become NaN. */
static pz_status
spoil(pz_call* const c, const marks* const bad, pz_tensor* const x)
{
  const int64_t batch = bad->mark.shape[0];
  pz_view view;
  pz_tensor* const rows =
      pz_view_reshaped(&view, x, 2, (const int64_t[]){batch, pz_count(x) / batch});
  return pz_scale_by(c, PZ_OVER_COLS, &bad->mark, rows, rows);
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
  marks bad;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  PZ_TRY(orth_tall(c, y, &q));
  PZ_TRY(admit(c, &q, &used, &bad));
  if (pz_rows(x) < pz_cols(x)) {
    PZ_TRY(pz_work_like(c, &q, &tall));
  }
  PZ_TRY(invert(c, &used, &tall));
  if (bad.any) {
    PZ_TRY(spoil(c, &bad, &tall));
    if (c->n_buffer > 0) {
      PZ_TRY(spoil(c, &bad, &c->new_buffer[ORTH_STATE]));
    }
  }
  return orth_untall(c, &tall, x);
}
