/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Exponentials across lanes. Every lane takes the polynomial and the squarings that its own
   matrix asks for, whatever its neighbours do: each polynomial that occurs is evaluated for all,
   and a lane keeps what its matrix would have got alone. For that reason there are fewer
   polynomials than by rows. */

#define EXPM_ACROSS_LANES 1
#include "exponential_tmpl.h"

#include "pack.h"

#include <string.h>

/* What the matrices of a group ask for. */
typedef struct needs {
  lane_mask chosen;    /* polynomial */
  lane_mask squarings; /* 0 but with the last polynomial */
  lane scale;          /* 2^-squarings */
  lane growth;         /* exp of what the diagonal was shifted by, scaled */
  unsigned occurring;  /* bit k: polynomial k */
  int64_t most;        /* squarings */
  int from;            /* products of the last polynomial before it are in v */
} needs;

static void
transpose(const int64_t n, lane* const a)
{
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < i; ++j) {
      const lane swap = a[i * n + j];
      a[i * n + j] = a[j * n + i];
      a[j * n + i] = swap;
    }
  }
}

/* Matrices of m from `first` on in order of rows, or of columns. */
static void
load(const pz_mat* const m, const bool rows, const int64_t first, const int64_t count,
     lane* const to)
{
  const lane_layout l = lane_layout_of(m);
  TYPED(lane_load)(&l, count, view_of(m, first).data, to);
  if (cpu_runs_by_row(m) != rows) {
    transpose(m->rows, to);
  }
}

static void
store(const pz_mat* const m, const bool rows, const int64_t first, const int64_t count,
      lane* const from)
{
  const lane_layout l = lane_layout_of(m);
  if (cpu_runs_by_row(m) != rows) {
    transpose(m->rows, from);
  }
  TYPED(lane_store)(&l, count, NULL, from, view_of(m, first).data);
}

static lane
root_of(const lane squares)
{
  real each[LANES];
  *(lane_in_place*)each = squares;
  for (int64_t k = 0; k < LANES; ++k) {
    each[k] = CPU_REAL_BITS == 32 ? (real)sqrtf((float)each[k]) : (real)sqrt((double)each[k]);
  }
  return *(lane_in_place*)each;
}

/* The smaller of the 1-norm and the Frobenius norm, over sqrt 2 where eigenvalues come in pairs.
   NaN where an entry is not finite. */
static lane
norm_of(const expm_batch* const t, const int64_t n, const lane* const a)
{
  lane one = lane_of(0);
  lane squares = lane_of(0);
  lane odd = lane_of(0);
  for (int64_t j = 0; j < n; ++j) {
    lane column = lane_of(0);
    for (int64_t i = 0; i < n; ++i) {
      const lane each = a[i * n + j];
      column += lane_magnitude(each);
      squares += each * each;
      odd += each * 0;
    }
    one = lane_larger(column, one);
  }
  const lane two = root_of(t->skew ? squares * (real)0.5 : squares);
  return lane_select((lane_mask)(two < one), two, one) + odd;
}

/* A bound on the spectral norm of v[1] that is good enough to choose by. */
static lane
bound_of(const expm_batch* const t, const expm_scratch* const s)
{
  const real last = t->polynomials[t->n_polynomials - 1].bound;
  const lane size = norm_of(t, s->n, s->v[1]);
  const lane_mask beyond = (lane_mask)(size > last);
  bool any = false;
  for (int64_t k = 0; k < LANES && expm_normal(t); ++k) {
    any = any || beyond[k] != 0;
  }
  if (!any) {
    return size;
  }
  expm_multiply(s, 1, false, s->v[1], s->v[1], false, s->left);
  const lane better = root_of(norm_of(t, s->n, s->left));
  return lane_select(beyond & (lane_mask)(better < size), better, size);
}

/* 2^-times */
static lane
powers_of_two(const lane_integer* const times)
{
  real each[LANES];
  for (int64_t k = 0; k < LANES; ++k) {
    each[k] = (real)ldexp(1.0, -(int)times[k]);
  }
  return *(lane_in_place*)each;
}

/* Shifts symmetric matrices to trace zero and scales what is to be squared. */
static needs
prepare(const expm_batch* const t, expm_scratch* const s)
{
  const int64_t n = s->n;
  lane* const a = s->v[1];
  needs want = {.occurring = 0};
  lane shift = lane_of(0);
  real norm[LANES];
  real growth[LANES];
  lane_integer chosen[LANES];
  lane_integer squarings[LANES] = {0};
  for (int64_t i = 0; i < n && t->symmetric; ++i) {
    shift += a[i * (n + 1)] * ((real)1 / (real)n);
  }
  for (int64_t i = 0; i < n && t->symmetric; ++i) {
    a[i * (n + 1)] -= shift;
  }
  const lane size = bound_of(t, s);
  *(lane_in_place*)norm = size;
  want.chosen = (lane_mask){0};
  for (int k = 0; k + 1 < t->n_polynomials; ++k) {
    want.chosen -= ~(lane_mask)(size <= t->polynomials[k].bound);
  }
  memcpy(chosen, &want.chosen, sizeof(chosen));
  for (int64_t k = 0; k < LANES; ++k) {
    want.occurring |= 1U << chosen[k];
  }
  const bool beyond = want.occurring >> (t->n_polynomials - 1) != 0;
  if (beyond && !expm_normal(t)) {
    expm_reduce_norms(s, t->polynomials[t->n_polynomials - 1].bound, norm);
  }
  for (int64_t k = 0; k < LANES && beyond; ++k) {
    squarings[k] = (lane_integer)expm_squarings(t, norm[k]);
    want.most = larger(want.most, squarings[k]);
  }
  if (!expm_normal(t)) {
    expm_find_triangular(s, squarings);
  }
  want.scale = lane_of(1);
  if (want.most > 0) {
    want.scale = powers_of_two(squarings);
    for (int64_t e = 0; e < n * n; ++e) {
      a[e] *= want.scale;
    }
    if (expm_may_spare(t, want.most)) {
      const expm_polynomial* const p = &t->polynomials[t->n_polynomials - 1];
      real norms[EXPM_POWERS][LANES];
      want.from = EXPM_POWERS;
      expm_values(s, p, 0, want.from);
      for (int j = 0; j < EXPM_POWERS; ++j) {
        *(lane_in_place*)norms[j] = norm_of(t, n, s->v[j + 2]);
      }
      expm_spare_squarings(t, s, p->bound, norm, norms, squarings);
      want.scale = powers_of_two(squarings);
      want.most = 0;
      for (int64_t k = 0; k < LANES; ++k) {
        want.most = larger(want.most, squarings[k]);
      }
    }
  }
  memcpy(&want.squarings, squarings, sizeof(squarings));
  if (t->symmetric) {
    *(lane_in_place*)growth = shift * want.scale;
    for (int64_t k = 0; k < LANES; ++k) {
      growth[k] = (real)exp((double)growth[k]);
    }
    want.growth = *(lane_in_place*)growth;
  }
  return want;
}

/* a <- (a + a^T) / 2 */
static void
symmetrize(const int64_t n, lane* const a)
{
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < i; ++j) {
      const lane mean = (a[i * n + j] + a[j * n + i]) * (real)0.5;
      a[i * n + j] = mean;
      a[j * n + i] = mean;
    }
  }
}

static void
group(const expm_batch* const t, expm_scratch* const s, const int64_t first, const int64_t count)
{
  load(t->x, true, first, count, s->v[1]);
  const needs want = prepare(t, s);
  if (t->gy) {
    load(t->gy, false, first, count, s->h[0]);
  }
  lane* result = NULL;
  for (int k = t->n_polynomials; k-- > 0;) { /* the last one first, while v has its products */
    if (((want.occurring >> k) & 1U) == 0) {
      continue;
    }
    const expm_polynomial* const p = &t->polynomials[k];
    const bool last = k + 1 == t->n_polynomials;
    const int64_t most = last ? want.most : 0;
    const int from = last ? want.from : 0;
    lane* part = s->g[1];
    if (t->gy) {
      expm_backward(t, s, p, want.growth, want.squarings, most, from);
    } else {
      part = expm_forward(t, s, p, want.growth, want.squarings, most, from, s->other);
    }
    if (!result && (want.occurring & ((1U << k) - 1)) == 0) { /* the only one */
      result = part;
      continue;
    }
    const lane_mask mine = (lane_mask)(want.chosen == (lane_integer)k);
    expm_select(s, mine, part, result ? result : part, s->result);
    result = s->result;
  }
  for (int64_t e = 0; e < s->vectors && t->gy && want.most > 0; ++e) {
    result[e] *= want.scale;
  }
  if (t->symmetric && !t->gy) {
    symmetrize(s->n, result);
  }
  store(t->y, !t->gy, first, count, result);
}

void
TYPED(exponential_lanes)(void* const context, const int64_t k, const uint32_t thread)
{
  const expm_batch* const t = context;
  const int64_t end = smaller((k + 1) * t->part, t->y->batch);
  expm_scratch s;
  expm_scratch_init(&s, t->y->rows, t->y->rows, t->memory + (int64_t)thread * t->room);
  for (int64_t first = k * t->part; first < end; first += LANES) {
    group(t, &s, first, smaller(LANES, end - first));
  }
}
