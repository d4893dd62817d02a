/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Passes over batches of small matrices. Across lanes a transpose costs nothing but names.
   Where a whole matrix fits a vector, and the instructions can permute one, not even lanes
   are needed. */

#include "structured.h"

#include "batch.h"
#include "libraries.h"
#include "pack.h"
#include "scratch.h"

#ifdef __AVX512F__
#include <immintrin.h>
#endif

/* ---- a matrix in a vector ---------------------------------------------------- */

#ifdef __AVX512F__

/* y = a (v + s v^T) by places, v^T added where `added` says so and the result kept where `kept`
   does; or, for a fold, y = a v with v's entry from `place`. */
typedef struct whole {
  lane_mask place;
  lane a;
  real s;
  uint32_t inside;
  uint32_t added;
  uint32_t kept;
} whole;

static whole
whole_of(const pass* const p)
{
  whole w = {.s = p->mirror};
  for (int64_t i = 0; i < p->n; ++i) {
    for (int64_t j = 0; j < p->n; ++j) {
      const int64_t e = i * p->n + j;
      const bool within = p->upper ? j > i : j < i;
      const bool taken = p->kind == PASS_FOLD ? within : false;
      const bool diagonal = i == j;
      w.inside |= 1U << e;
      w.place[e] = (lane_integer)(taken ? e : j * p->n + i);
      w.a[e] = diagonal && p->kind != PASS_SYMMETRIZE ? 1 : p->factor;
      if (p->kind == PASS_FOLD && !diagonal && !within) {
        w.a[e] = p->factor * p->mirror;
      }
      if (p->kind == PASS_SYMMETRIZE && diagonal) {
        w.a[e] = 2 * p->factor;
      }
      const bool zero = diagonal ? p->mirror < 0 : p->kind == PASS_ADJOINT && !within;
      w.kept |= zero ? 0 : 1U << e;
      w.added |= !diagonal && p->kind != PASS_FOLD ? 1U << e : 0;
    }
  }
  return w;
}

#if CPU_REAL_BITS == 32
#define PERMUTED(place, v) (lane) _mm512_permutexvar_ps((__m512i)(place), (__m512)(v))
#define LOADED(mask, from) (lane) _mm512_maskz_loadu_ps((__mmask16)(mask), from)
#define KEPT(mask, v) (lane) _mm512_maskz_mov_ps((__mmask16)(mask), (__m512)(v))
#define STORED(to, mask, v) _mm512_mask_storeu_ps(to, (__mmask16)(mask), (__m512)(v))
#define ADDED(mask, v, w) \
  (lane) _mm512_mask_add_ps((__m512)(v), (__mmask16)(mask), (__m512)(v), (__m512)(w))
#else
#define PERMUTED(place, v) (lane) _mm512_permutexvar_pd((__m512i)(place), (__m512d)(v))
#define LOADED(mask, from) (lane) _mm512_maskz_loadu_pd((__mmask8)(mask), from)
#define KEPT(mask, v) (lane) _mm512_maskz_mov_pd((__mmask8)(mask), (__m512d)(v))
#define STORED(to, mask, v) _mm512_mask_storeu_pd(to, (__mmask8)(mask), (__m512d)(v))
#define ADDED(mask, v, w) \
  (lane) _mm512_mask_add_pd((__m512d)(v), (__mmask8)(mask), (__m512d)(v), (__m512d)(w))
#endif

static bool
pass_whole(const pass* const p, const pz_mat* const x, const pz_mat* const y)
{
  if (p->n * p->n > LANES || p->ldx != p->n || p->ldy != p->n) {
    return false;
  }
  const whole w = whole_of(p);
  const real* from = view_of(x, 0).data;
  real* to = view_of(y, 0).data;
  if (p->kind == PASS_FOLD) {
    for (int64_t k = 0; k < y->batch; ++k, from += x->batch_stride, to += y->batch_stride) {
      const lane v = LOADED(w.inside, from);
      STORED(to, w.inside, KEPT(w.kept, w.a * PERMUTED(w.place, v)));
    }
    return true;
  }
  for (int64_t k = 0; k < y->batch; ++k, from += x->batch_stride, to += y->batch_stride) {
    const lane v = LOADED(w.inside, from);
    const lane sum = ADDED(w.added, v, w.s * PERMUTED(w.place, v));
    STORED(to, w.inside, KEPT(w.kept, w.a * sum));
  }
  return true;
}

#else

static bool
pass_whole(const pass* const p, const pz_mat* const x, const pz_mat* const y)
{
  (void)p;
  (void)x;
  (void)y;
  return false;
}

#endif

/* ---- across lanes ------------------------------------------------------------ */

typedef struct batch {
  const pass* p;
  const pz_mat* x;
  const pz_mat* y;
  lane_layout from;
  lane_layout to;
  lane_pick pick[STRUCTURED_LANES_MOST * STRUCTURED_LANES_MOST]; /* of a fold */
  int64_t part; /* matrices in a part of the loop */
} batch;

static void
pick_fold(const pass* const p, lane_pick* const pick)
{
  for (int64_t i = 0; i < p->n; ++i) {
    for (int64_t j = 0; j < p->n; ++j) {
      const bool within = p->upper ? j > i : j < i;
      const real sign = i == j   ? (p->mirror > 0 ? 1 : 0)
                        : within ? p->factor
                                 : p->factor * p->mirror;
      pick[i * p->n + j].place = (int32_t)(within || i == j ? i * p->n + j : j * p->n + i);
      pick[i * p->n + j].sign = (int32_t)sign;
    }
  }
}

/* out = f (v + s v^T), or the triangle of it. */
static void
sum(const pass* const p, const lane* const v, lane* const out)
{
  const int64_t n = p->n;
  const bool both = p->kind == PASS_SYMMETRIZE;
  const real diagonal = p->mirror < 0 ? 0 : both ? 2 * p->factor : 1;
  for (int64_t i = 0; i < n; ++i) {
    out[i * (n + 1)] = diagonal == 0 ? lane_of(0) : diagonal * v[i * (n + 1)];
    for (int64_t j = i + 1; j < n; ++j) {
      const lane above = p->factor * (v[i * n + j] + p->mirror * v[j * n + i]);
      out[i * n + j] = both || p->upper ? above : lane_of(0);
      out[j * n + i] = both || !p->upper ? p->mirror * above : lane_of(0);
    }
  }
}

static void
pass_part(void* const context, const int64_t k, const uint32_t thread)
{
  const batch* const b = context;
  const int64_t end = smaller((k + 1) * b->part, b->y->batch);
  lane v[STRUCTURED_LANES_MOST * STRUCTURED_LANES_MOST];
  lane out[STRUCTURED_LANES_MOST * STRUCTURED_LANES_MOST];
  (void)thread;
  for (int64_t first = k * b->part; first < end; first += LANES) {
    const int64_t count = smaller(LANES, end - first);
    const bool fold = b->p->kind == PASS_FOLD;
    TYPED(lane_load)(&b->from, count, view_of(b->x, first).data, v);
    if (!fold) {
      sum(b->p, v, out);
    }
    TYPED(lane_store)
    (&b->to, count, fold ? b->pick : NULL, fold ? v : out, view_of(b->y, first).data);
  }
}

bool
TYPED(pass_small)(pz_backend_queue* const q, const pass* const p, const pz_mat* const x,
                  const pz_mat* const y)
{
  if (p->n > STRUCTURED_LANES_MOST || !lanes_are_filled(y->batch)) {
    return false;
  }
  if (pass_whole(p, x, y)) {
    return true;
  }
  batch b = {
      .p = p,
      .x = x,
      .y = y,
      .from = lane_layout_of(x),
      .to = lane_layout_of(y),
      .part = larger(1, 1024 / (p->n * p->n)) * LANES,
  };
  if (p->kind == PASS_FOLD) {
    pick_fold(p, b.pick);
  }
  q->host->parallel(cpu_threads(0.3 * (double)(p->n * p->n) * (double)y->batch),
                    (y->batch + b.part - 1) / b.part, pass_part, &b);
  return true;
}
