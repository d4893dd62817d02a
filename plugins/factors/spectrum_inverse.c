/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Right inverses and distances, from the singular values of y. Where U or V has to be a rotation, the last
   columns of both change sign together, which y does not see. */

#include "spectrum.h"

#include "refuse.h"
#include "rotation.h"

#include <math.h>

/* y = u diag(s) vt. */
typedef struct decomposition {
  int64_t batch;
  int64_t k; /* singular values of each matrix */
  pz_tensor u;
  pz_tensor vt;
  double* sigma;      /* on the host, k of each matrix */
  const double* of_u; /* determinants of square u and vt, 1 for others */
  const double* of_v;
} decomposition;

static pz_status
determinants(pz_call* const c, const pz_tensor* const q, const double** const out)
{
  const int64_t batch = pz_batch(q);
  void* ones = NULL;
  if (pz_rows(q) == pz_cols(q)) {
    PZ_TRY(rotation_defects(c, q, out));
    *out += batch;
    return PZ_OK;
  }
  PZ_TRY(pz_work_host(c, (size_t)batch * sizeof(double), &ones));
  for (int64_t i = 0; i < batch; ++i) {
    ((double*)ones)[i] = 1.0;
  }
  *out = ones;
  return PZ_OK;
}

/* With `vectors` also u, vt and determinants. */
static pz_status
decompose(pz_call* const c, const pz_tensor* const y, const bool vectors, decomposition* const d)
{
  const int64_t n = pz_rows(y);
  const int64_t m = pz_cols(y);
  void* memory = NULL;
  pz_tensor s;
  d->batch = pz_batch(y);
  d->k = n < m ? n : m;
  const pz_spec left = orth_spec(y, n, d->k);
  const pz_spec right = orth_spec(y, d->k, m);
  const pz_spec row = orth_row_spec(y, d->k);
  PZ_TRY(pz_work(c, &row, &s));
  PZ_TRY(pz_work_host(c, (size_t)pz_count(&s) * sizeof(double), &memory));
  d->sigma = memory;
  if (!vectors) {
    PZ_TRY(pz_svd(c, y, NULL, &s, NULL));
    return pz_read(c, &s, d->sigma);
  }
  PZ_TRY(pz_work(c, &left, &d->u));
  PZ_TRY(pz_work(c, &right, &d->vt));
  PZ_TRY(pz_svd(c, y, &d->u, &s, &d->vt));
  PZ_TRY(pz_read(c, &s, d->sigma));
  PZ_TRY(determinants(c, &d->u, &d->of_u));
  return determinants(c, &d->vt, &d->of_v);
}

bool
spectrum_raise(const pz_call* const c, const int64_t r, const double share, double* const sigma)
{
  const double least = r > 0 && sigma[0] > 0.0 ? share * sigma[0] : share;
  for (int64_t j = 0; j < r; ++j) {
    if (sigma[j] <= least) {
      sigma[j] = least;
      if (c->intent == PZ_ASSIGN) {
        return false;
      }
    }
  }
  return true;
}

/* s <- the spectrum of each matrix, r numbers, or a refusal. */
static pz_status
invert(pz_call* const c, const spectrum* const map, const pz_tensor* const y, const int64_t r,
       const decomposition* const d, double* const s)
{
  const int64_t n = pz_rows(y) > pz_cols(y) ? pz_rows(y) : pz_cols(y);
  const double eps = pz_dtype_epsilon(y->dtype);
  const double rounding = 100.0 * (double)n * eps;
  for (int64_t i = 0; i < d->batch; ++i) {
    const double* const sigma = d->sigma + i * d->k;
    const bool finite = isfinite(sigma[0]) && isfinite(sigma[d->k - 1]);
    PZ_TRY(refuse_not_finite(c, finite, i));
    for (int64_t j = 0; j < r; ++j) {
      s[i * r + j] = finite ? sigma[j] : NAN;
    }
    if (!finite) {
      continue;
    }
    if (c->intent == PZ_ASSIGN) {
      const double distance = map->distance(c, d->k, r, sigma, d->of_u[i] * d->of_v[i]);
      if (!(distance <= rounding * sigma[0])) {
        return pz_fail(c, PZ_OUTSIDE,
                       "found matrix %lld of the batch at distance %.3g from the set, expected at "
                       "most %.3g",
                       (long long)i, distance, rounding * sigma[0]);
      }
    }
    if (map->invert &&
        !map->invert(c, r, c->intent == PZ_REGISTER ? sqrt(eps) : rounding, s + i * r)) {
      return pz_fail(c, PZ_SINGULAR,
                     "found matrix %lld of the batch with singular values from %.3g to %.3g, "
                     "expected %s",
                     (long long)i, sigma[r - 1], sigma[0], map->reachable);
    }
  }
  return PZ_OK;
}

/* Multiplies the last columns of q by the sign of their matrix. */
static pz_status
flip(pz_call* const c, const double* const sign, pz_tensor* const q)
{
  const int64_t r = pz_cols(q);
  const int64_t batch = pz_batch(q);
  const pz_spec row = orth_row_spec(q, r);
  pz_tensor factors;
  void* memory = NULL;
  PZ_TRY(pz_work(c, &row, &factors));
  PZ_TRY(pz_work_host(c, (size_t)(batch * r) * sizeof(double), &memory));
  double* const each = memory;
  for (int64_t k = 0; k < batch * r; ++k) {
    each[k] = k % r == r - 1 ? sign[k / r] : 1.0;
  }
  PZ_TRY(pz_write(c, each, &factors));
  return pz_scale_by(c, PZ_OVER_ROWS, &factors, q, q);
}

/* Must this frame, square with r columns, be a rotation? */
static bool
rotates(const spectrum* const map, const frames* const f, const part* const p, const int64_t n,
        const int64_t r)
{
  return n == r &&
         (map->square || (p->n_buffer == 0 && f->options[ORTH_MAP].as.integer != ORTH_HOUSEHOLDER));
}

/* Makes rotations of u and v where they have to be. s changes sign if one of them cannot be otherwise. */
static pz_status
make_proper(pz_call* const c, const spectrum* const map, const frames* const f,
            const decomposition* const d, pz_tensor* const u, pz_tensor* const v, double* const s)
{
  const int64_t r = pz_cols(u);
  const bool left = rotates(map, f, &f->left, pz_rows(u), r);
  const bool right = rotates(map, f, &f->right, pz_rows(v), r);
  void* memory = NULL;
  PZ_TRY(pz_work_host(c, (size_t)(2 * d->batch) * sizeof(double), &memory));
  double* const of_u = memory;
  double* const of_v = of_u + d->batch;
  for (int64_t i = 0; i < d->batch; ++i) {
    of_u[i] = left ? d->of_u[i] : right ? d->of_v[i] : 1.0;
    of_v[i] = right ? d->of_v[i] : of_u[i];
    if (of_u[i] * of_v[i] < 0.0) {
      if (!map->any_sign && c->intent == PZ_ASSIGN) {
        return pz_fail(c, PZ_SINGULAR,
                       "found matrix %lld of the batch with a negative determinant, expected a "
                       "positive one (except with trivialization=1)",
                       (long long)i);
      }
      s[(i + 1) * r - 1] *= map->any_sign ? -1.0 : 1.0;
    }
  }
  if (!left && !right) {
    return PZ_OK;
  }
  PZ_TRY(flip(c, of_u, u));
  return flip(c, of_v, v);
}

pz_status
spectrum_right_inverse(pz_call* const c, const spectrum* const map, const pz_tensor* const y,
                       pz_tensor* const x)
{
  const int64_t r = pz_cols(&x[LEFT]);
  decomposition d;
  frames f;
  pz_tensor u;
  pz_tensor v;
  pz_view block;
  pz_view turned;
  void* memory = NULL;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  PZ_TRY(decompose(c, y, true, &d));
  PZ_TRY(pz_work_host(c, (size_t)(d.batch * r) * sizeof(double), &memory));
  PZ_TRY(invert(c, map, y, r, &d, memory));
  PZ_TRY(pz_work_like(c, &x[LEFT], &u));
  PZ_TRY(pz_work_like(c, &x[RIGHT], &v));
  PZ_TRY(pz_copy(c, orth_first(&block, &d.u, r), &u));
  PZ_TRY(pz_copy(c, pz_view_transposed(&turned, pz_view_block(&block, &d.vt, 0, r, 0, pz_cols(y))),
                 &v));
  spectrum_open_frames(c, map, pz_rows(y), pz_cols(y), r, &f);
  PZ_TRY(make_proper(c, map, &f, &d, &u, &v, memory));
  PZ_TRY(pz_write(c, memory, &x[SPECTRUM]));
  PZ_TRY(part_leave(c, &f.left, orth_table.right_inverse(part_enter(c, &f.left), &u, &x[LEFT])));
  return part_leave(c, &f.right, orth_table.right_inverse(part_enter(c, &f.right), &v, &x[RIGHT]));
}

pz_status
spectrum_residual(pz_call* const c, const spectrum* const map, const pz_tensor* const y,
                  double* const distance)
{
  decomposition d;
  *distance = 0.0;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  PZ_TRY(decompose(c, y, map->square, &d));
  const int64_t asked = map->ranked ? c->options[OWN_OPTIONS].as.integer : 0;
  for (int64_t i = 0; i < d.batch; ++i) {
    const double each = map->distance(c, d.k, asked == 0 ? d.k : asked, d.sigma + i * d.k,
                                      map->square ? d.of_u[i] * d.of_v[i] : 1.0);
    *distance = pz_max(*distance, each);
  }
  return PZ_OK;
}
