/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Exponentials of one matrix after the other, in rows of whole vectors. */

#define EXPM_ACROSS_LANES 0
#include "exponential_tmpl.h"

/* The smaller of the 1-norm and the Frobenius norm, over sqrt 2 where eigenvalues come in pairs.
   NaN where an entry is not finite. */
static real
norm_of(const expm_batch* const t, const expm_scratch* const s, const lane* const a)
{
  lane squares = lane_of(0);
  lane odd = lane_of(0);
  lane one = lane_of(0);
  for (int64_t j = 0; j < s->width; ++j) {
    lane column = lane_of(0);
    for (int64_t i = 0; i < s->n; ++i) {
      const lane each = a[i * s->width + j];
      column += lane_magnitude(each);
      squares += each * each;
      odd += each * 0;
    }
    one = lane_larger(column, one);
  }
  double sum = 0.0;
  real most = 0;
  real other = 0;
  for (int64_t k = 0; k < LANES; ++k) {
    sum += (double)squares[k];
    most = one[k] > most ? one[k] : most;
    other += odd[k];
  }
  const real two = (real)sqrt(t->skew ? sum * 0.5 : sum);
  return (two < most ? two : most) + other;
}

static void
one(const expm_batch* const t, expm_scratch* const s, const int64_t k)
{
  const int64_t n = s->n;
  const int64_t step = s->width * LANES;
  real* const a = (real*)s->v[1];
  TYPED(pad_rows)(view_of(t->x, k), step, a);
  real shift = 0;
  for (int64_t i = 0; i < n && t->symmetric; ++i) {
    shift += a[i * (step + 1)] * ((real)1 / (real)n);
  }
  for (int64_t i = 0; i < n && t->symmetric; ++i) {
    a[i * (step + 1)] -= shift;
  }
  real norm = norm_of(t, s, s->v[1]);
  if (expm_normal(t) && norm > t->polynomials[t->n_polynomials - 1].bound) {
    expm_multiply(s, 1, false, s->v[1], s->v[1], false, s->left);
    const real better = (real)sqrt((double)norm_of(t, s, s->left));
    norm = better < norm ? better : norm;
  }
  int chosen = 0;
  while (chosen + 1 < t->n_polynomials && !(norm <= t->polynomials[chosen].bound)) {
    ++chosen;
  }
  const expm_polynomial* const p = &t->polynomials[chosen];
  if (!expm_normal(t) && norm > p->bound) {
    expm_reduce_norms(s, p->bound, &norm);
  }
  lane_integer squarings = (lane_integer)expm_squarings(t, norm);
  if (!expm_normal(t)) {
    expm_find_triangular(s, &squarings);
  }
  real scale = (real)ldexp(1.0, -(int)squarings);
  for (int64_t e = 0; e < s->vectors && squarings > 0; ++e) {
    s->v[1][e] *= scale;
  }
  int from = 0;
  if (expm_may_spare(t, squarings)) {
    real norms[EXPM_POWERS][LANES];
    from = EXPM_POWERS;
    expm_values(s, p, 0, from);
    for (int j = 0; j < EXPM_POWERS; ++j) {
      norms[j][0] = norm_of(t, s, s->v[j + 2]);
    }
    expm_spare_squarings(t, s, p->bound, &norm, norms, &squarings);
    scale = (real)ldexp(1.0, -(int)squarings);
  }
  const lane growth = lane_of(t->symmetric ? (real)exp((double)(shift * scale)) : 1);
  const lane_mask same = {0};
  if (t->gy) {
    TYPED(pad_rows)(view_transposed(view_of(t->gy, k)), step, (real*)s->h[0]);
    expm_backward(t, s, p, growth, same, squarings, from);
    for (int64_t e = 0; e < s->vectors && squarings > 0; ++e) {
      s->g[1][e] *= scale;
    }
    TYPED(unpad_rows)((const real*)s->g[1], step, view_transposed(view_of(t->y, k)));
    return;
  }
  real* const y = (real*)expm_forward(t, s, p, growth, same, squarings, from, s->other);
  for (int64_t i = 0; i < n && t->symmetric; ++i) {
    for (int64_t j = 0; j < i; ++j) {
      const real mean = (y[i * step + j] + y[j * step + i]) * (real)0.5;
      y[i * step + j] = mean;
      y[j * step + i] = mean;
    }
  }
  TYPED(unpad_rows)(y, step, view_of(t->y, k));
}

void
TYPED(exponential_rows)(void* const context, const int64_t k, const uint32_t thread)
{
  const expm_batch* const t = context;
  const int64_t n = t->y->rows;
  const int64_t end = smaller((k + 1) * t->part, t->y->batch);
  expm_scratch s;
  expm_scratch_init(&s, n, (n + LANES - 1) / LANES, t->memory + (int64_t)thread * t->room);
  for (int64_t m = k * t->part; m < end; ++m) {
    one(t, &s, m);
  }
}
