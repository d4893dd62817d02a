/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Degree and squarings for each matrix of a batch.

   A polynomial of degree m is exact up to rounding if a consistent norm is below its threshold. The
   cheapest polynomial is chosen whose threshold is above the smaller of the 1-norm and the
   Frobenius norm. (For skew X, whose eigenvalues come in pairs, the Frobenius norm over sqrt 2
   bounds the spectral norm.)

   Above the last threshold, both norms ask for more squarings than large matrices need, and every
   squaring doubles the error. The squarings of general matrices, and from order EXPM_POWERS_FROM on those of all, are
   therefore reduced (Al-Mohy, Higham 2009): the matrices are scaled by the norm; their powers 2, 3
   and 6, which degree 18 needs anyway, are computed; the norms of these powers give bounds on
   |X^k|^(1/k) for k >= 19, where the error series begins, and these bounds allow fewer squarings.
   Powers may be small because they cancel, which rounding does not. The squarings of general
   matrices are therefore enough for the growth of their powers without cancellation (general.c), or
   for their columns, to be at most EXPM_ROUNDING.

   The host reads the norms of a batch together, and the norms of powers, if needed, in a second
   read. NaN and Inf use degree 18 without scaling; the exponent range bounds the number of
   squarings. */

#include "exponential.h"

#include <math.h>
#include <string.h>

/* out[0 .. count-1] <- the 1-norms of a batch. */
static pz_status
one_norms(pz_call* const c, const pz_tensor* const x, pz_tensor* const out)
{
  const pz_spec spec = pz_spec_make(x->dtype, 2, (const int64_t[]){pz_batch(x), pz_cols(x)});
  pz_view view;
  pz_tensor sums;
  PZ_TRY(pz_work(c, &spec, &sums));
  PZ_TRY(pz_norm(c, PZ_NORM_ONE, PZ_OVER_ROWS, expm_range(&view, x, 0, pz_batch(x)), &sums));
  return pz_norm(c, PZ_NORM_MAX, PZ_OVER_COLS, &sums, out);
}

/* Part `k` of a vector that has parts of `count` entries. */
static pz_tensor*
part_of(pz_view* const view, const pz_tensor* const t, const int64_t k, const int64_t count)
{
  pz_tensor* const out = pz_view_reshaped(view, t, 1, &count);
  out->byte_offset += (uint64_t)(k * count) * pz_dtype_size(t->dtype);
  return out;
}

/* norm[k] <- the best bound from the entries of matrix k. */
static pz_status
read_norms(pz_call* const c, const uint32_t in, const pz_tensor* const x, double* const norm)
{
  const int64_t batch = pz_batch(x);
  const pz_spec spec = pz_spec_make(x->dtype, 1, (const int64_t[]){2 * batch});
  pz_view one_view;
  pz_view two_view;
  pz_view x_view;
  pz_tensor both;
  void* memory = NULL;
  PZ_TRY(pz_work(c, &spec, &both));
  PZ_TRY(expm_host_array(c, 2 * batch, sizeof(double), &memory));
  PZ_TRY(one_norms(c, x, part_of(&one_view, &both, 0, batch)));
  PZ_TRY(pz_norm(c, PZ_NORM_TWO, PZ_OVER_BOTH, expm_range(&x_view, x, 0, batch),
                 part_of(&two_view, &both, 1, batch)));
  double* const number = memory;
  PZ_TRY(pz_read(c, &both, number));
  for (int64_t k = 0; k < batch; ++k) {
    const double two = in == PZ_SKEW ? number[batch + k] * sqrt(0.5) : number[batch + k];
    norm[k] = fmin(number[k], two);
  }
  return PZ_OK;
}

/* The smallest s >= 0 for which the scaled norm is below the threshold. If s > 0, the norm of a
   skew matrix is brought below 2: its exponential has norm 1, so that the larger terms of a norm of
   3 would cost a digit, and every squaring doubles the error. */
static int64_t
squarings_for(const pz_call* const c, const uint32_t in, const double norm, const double threshold)
{
  const int64_t most = c->dtype == PZ_F32 ? 126 : EXPM_MOST_SQUARINGS; /* 2^-s stays normal */
  int s = 0;
  if (!isfinite(norm) || norm <= threshold) {
    return 0;
  }
  (void)frexp(norm / (in == PZ_SKEW ? fmin(threshold, 2.0) : threshold), &s);
  return s < most ? s : most;
}

/* order <- 0 .. n-1, sorted stably by key[order[i]]; returns whether the order changed. Keys are
   0 .. n_keys-1. */
static bool
order_by(const int64_t n, const int64_t* const key, int64_t* const order)
{
  int64_t start[EXPM_MOST_SQUARINGS + EXPM_SCHEMES + 1] = {0};
  const int64_t n_keys = (int64_t)(sizeof(start) / sizeof(start[0])) - 1;
  bool changed = false;
  for (int64_t i = 0; i < n; ++i) {
    ++start[key[i] + 1];
    changed |= i > 0 && key[i] < key[i - 1];
  }
  for (int64_t k = 0; k < n_keys; ++k) {
    start[k + 1] += start[k];
  }
  for (int64_t i = 0; i < n; ++i) {
    order[start[key[i]]++] = i;
  }
  return changed;
}

/* out <- what decides on squarings: the growth of general matrices of norms beyond `last`, else the
   norms. */
static pz_status
reduce_norms(pz_call* const c, const pz_tensor* const x, const double last, double* const norm,
             expm_plan* const p, double** const out)
{
  void* reduced = NULL;
  void* column = NULL;
  void* triangular = NULL;
  bool any = false;
  for (int64_t i = 0; i < p->batch; ++i) {
    any = any || (norm[i] > last && isfinite(norm[i]));
  }
  *out = norm;
  p->column = NULL;
  p->triangular = NULL;
  if (expm_structured(p->in) || !any) {
    return PZ_OK;
  }
  PZ_TRY(expm_host_array(c, p->batch, sizeof(double), &reduced));
  PZ_TRY(expm_host_array(c, p->batch, sizeof(double), &column));
  PZ_TRY(expm_host_array(c, p->batch, sizeof(bool), &triangular));
  memcpy(reduced, norm, (size_t)p->batch * sizeof(double));
  *out = reduced;
  p->column = column;
  p->triangular = triangular;
  return expm_reduce_norms(c, x, last, reduced, column, triangular);
}

pz_status
expm_choose(pz_call* const c, const uint32_t in, const pz_tensor* const x, expm_plan* const p)
{
  void* key_memory = NULL;
  void* norm_memory = NULL;
  void* order = NULL;
  void* squarings = NULL;
  void* sorted_norm = NULL;
  double* reduced = NULL;
  p->in = in;
  p->n = pz_rows(x);
  p->batch = pz_batch(x);
  PZ_TRY(expm_host_array(c, p->batch, sizeof(int64_t), &key_memory));
  PZ_TRY(expm_host_array(c, p->batch, sizeof(double), &norm_memory));
  PZ_TRY(expm_host_array(c, p->batch, sizeof(int64_t), &order));
  PZ_TRY(expm_host_array(c, p->batch, sizeof(int64_t), &squarings));
  PZ_TRY(expm_host_array(c, p->batch, sizeof(double), &sorted_norm));
  int64_t* const key = key_memory;
  double* const norm = norm_memory;
  p->order = order;
  p->squarings = squarings;
  p->norm = sorted_norm;
  PZ_TRY(read_norms(c, in, x, norm));

  const int dtype = c->dtype == PZ_F32 ? 0 : 1;
  const double last = expm_schemes[EXPM_LAST].bound[dtype];
  PZ_TRY(reduce_norms(c, x, last, norm, p, &reduced));
  for (int k = 0; k < EXPM_SCHEMES; ++k) {
    p->count[k] = 0;
  }
  for (int64_t i = 0; i < p->batch; ++i) {
    int scheme = 0;
    while (scheme < EXPM_LAST && !(norm[i] <= expm_schemes[scheme].bound[dtype])) {
      ++scheme;
    }
    ++p->count[scheme];
    /* the last scheme with the most squarings has the smallest key, the first scheme the largest */
    const int64_t s = scheme == EXPM_LAST ? squarings_for(c, in, reduced[i], last) : 0;
    key[i] =
        scheme == EXPM_LAST ? EXPM_MOST_SQUARINGS - s : EXPM_MOST_SQUARINGS + EXPM_LAST - scheme;
  }
  p->permuted = order_by(p->batch, key, p->order);
  for (int64_t i = 0; i < p->batch; ++i) {
    const int64_t s = EXPM_MOST_SQUARINGS - key[p->order[i]];
    p->squarings[i] = s > 0 ? s : 0;
    p->norm[i] = reduced[p->order[i]];
  }
  return PZ_OK;
}

pz_status
expm_most_squarings(pz_call* const c, const expm_plan* const p, const int64_t enough,
                    const pz_tensor* const x, int64_t* const most)
{
  const double last = expm_schemes[EXPM_LAST].bound[c->dtype == PZ_F32 ? 0 : 1];
  *most = p->count[EXPM_LAST] > 0 ? p->squarings[0] : 0;
  if (*most <= enough) {
    return PZ_OK;
  }
  const uint64_t mark = pz_work_mark(c);
  pz_tensor square;
  void* norm = NULL;
  PZ_TRY(pz_work_like(c, x, &square));
  PZ_TRY(expm_host_array(c, p->batch, sizeof(double), &norm));
  PZ_TRY(pz_syrk(c, PZ_N, 1.0, x, 0.0, &square));
  PZ_TRY(read_norms(c, p->in, &square, norm));
  *most = 0;
  for (int64_t i = 0; i < p->batch; ++i) {
    const int64_t s = squarings_for(c, p->in, sqrt(((const double*)norm)[i]), last);
    *most = s > *most ? s : *most;
  }
  pz_work_release(c, mark);
  return PZ_OK;
}

pz_status
expm_refine(pz_call* const c, expm_plan* const p, pz_tensor* const* const v)
{
  const int64_t m = p->count[EXPM_LAST];
  const double threshold = expm_schemes[EXPM_LAST].bound[c->dtype == PZ_F32 ? 0 : 1];
  const int64_t most = c->dtype == PZ_F32 ? 20 : 170; /* 2^(6 t) stays finite */
  const pz_spec spec = pz_spec_make(v[1]->dtype, 1, (const int64_t[]){EXPM_POWERS * m});
  pz_tensor norms;
  void* memory = NULL;
  void* back_memory = NULL;
  void* key_memory = NULL;
  void* place_memory = NULL;
  void* old_memory = NULL;
  PZ_TRY(pz_work(c, &spec, &norms));
  PZ_TRY(expm_host_array(c, EXPM_POWERS * m, sizeof(double), &memory));
  PZ_TRY(expm_host_array(c, m, sizeof(int64_t), &back_memory));
  PZ_TRY(expm_host_array(c, m, sizeof(int64_t), &key_memory));
  PZ_TRY(expm_host_array(c, m, sizeof(int64_t), &place_memory));
  PZ_TRY(expm_host_array(c, m, sizeof(int64_t), &old_memory));
  for (int64_t k = 0; k < EXPM_POWERS; ++k) {
    pz_view view;
    PZ_TRY(one_norms(c, v[2 + k], part_of(&view, &norms, k, m)));
  }
  const double* const number = memory;
  int64_t* const back = back_memory;
  int64_t* const key = key_memory;
  int64_t* const place = place_memory;
  int64_t* const old = old_memory;
  PZ_TRY(pz_read(c, &norms, memory));

  bool any = false;
  for (int64_t i = 0; i < m; ++i) {
    const double scaled = p->norm[i] * exp2((double)-p->squarings[i]);
    const double each[EXPM_POWERS] = {number[i], number[m + i], number[2 * m + i]};
    const double rounding =
        p->column ? fmin(scaled, p->column[p->order[i]] * exp2((double)-p->squarings[i])) : 0.0;
    back[i] = expm_spared(threshold, expm_structured(p->in), scaled, rounding, each);
    back[i] = back[i] < p->squarings[i] ? back[i] : p->squarings[i];
    back[i] = back[i] < most ? back[i] : most;
    any |= back[i] > 0;
    p->squarings[i] -= back[i];
    key[i] = EXPM_MOST_SQUARINGS - p->squarings[i];
    old[i] = p->order[i];
  }
  if (!any) {
    return PZ_OK;
  }
  // X, X^2, X^3, X^6 <- 2^t X, 2^2t X^2, 2^3t X^3, 2^6t X^6
  const pz_spec factor_spec = pz_spec_make(v[1]->dtype, 1, &m);
  pz_tensor factor;
  PZ_TRY(pz_work(c, &factor_spec, &factor));
  for (int k = 1; k <= EXPM_POWERS + 1; ++k) {
    PZ_TRY(expm_write_powers(c, m, back, k <= EXPM_POWERS ? k : 6.0, &factor));
    PZ_TRY(expm_scale(c, &factor, v[k]));
  }
  if (!order_by(m, key, place)) {
    return PZ_OK;
  }
  const pz_spec index_spec = pz_spec_make(PZ_I64, 1, &m);
  pz_tensor index;
  pz_tensor copy;
  PZ_TRY(pz_work(c, &index_spec, &index));
  PZ_TRY(pz_work_like(c, v[1], &copy));
  PZ_TRY(expm_write_indices(c, m, place, &index));
  for (int k = 1; k <= EXPM_POWERS + 1; ++k) {
    PZ_TRY(pz_copy(c, v[k], &copy));
    PZ_TRY(expm_gather(c, false, &index, &copy, v[k]));
  }
  for (int64_t i = 0; i < m; ++i) {
    back[i] = p->squarings[place[i]];
    p->order[i] = old[place[i]];
  }
  for (int64_t i = 0; i < m; ++i) {
    p->squarings[i] = back[i];
  }
  p->permuted = true;
  return PZ_OK;
}
