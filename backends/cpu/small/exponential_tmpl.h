/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The algorithm of small exponentials and of their adjoints, a template: compiled for one matrix whose
   rows are vectors, or, with EXPM_ACROSS_LANES 1, for as many at once as a vector has lanes, which
   then holds one entry of each. Include it once, after defining EXPM_ACROSS_LANES.

   Scaling and squaring by the polynomials of the caller, within scratch that the nearest caches
   hold. The adjoint evaluates again instead of reading what forward would have saved, which is
   as many products and less memory, and reverses every product. It works on transposed
   gradients, h = g^T, which turns the products of the reversal into plain ones: for C = L R

     hL = R hC,  hR = hC L */

#ifndef EXPM_ACROSS_LANES
#error "EXPM_ACROSS_LANES is 0 or 1"
#endif

#include "exponential_general.h"
#include "exponential_scratch.h"
#include "lane_product.h"
#include "product.h"

/* More squarings than these are followed by a step towards rotations. */
enum { EXPM_REPAIR_FROM = 2 };

/* ---- products and sums ----------------------------------------------------------- */

/* y <- alpha op(a) b, added to y where `add`. Calls: the tiles of lane_product are many. */
static __attribute__((noinline)) void
expm_multiply(const expm_scratch* const s, const real alpha, const bool transposed,
              const lane* const a, const lane* const b, const bool add, lane* const y)
{
  const int64_t n = s->n;
  if (EXPM_ACROSS_LANES) {
    const lane_view left = {(lane*)a, transposed ? 1 : n, transposed ? n : 1};
    const lane_view right = {(lane*)b, n, 1};
    const lane_view out = {y, n, 1};
    lane_product(n, n, n, add, lane_of(alpha), left, right, out);
    return;
  }
  const int64_t step = s->width * LANES;
  const padded_product t = {
      .inner = n,
      .a = (const real*)a,
      .a_row = transposed ? 1 : step,
      .a_col = transposed ? step : 1,
      .b = (const real*)b,
      .ldb = step,
      .y = (real*)y,
      .ldy = step,
      .alpha = alpha,
      .beta = add ? 1 : 0,
  };
  TYPED(multiply_padded)(&t, n, step);
}

LANE_INLINE void
expm_sum(const int64_t vectors, const int terms, const real* const a, lane* const* const x,
         lane* const y)
{
  for (int64_t e = 0; e < vectors; ++e) {
    lane sum = a[0] * x[0][e];
    LANE_UNROLL
    for (int j = 1; j < terms; ++j) {
      sum += a[j] * x[j][e];
    }
    y[e] = sum;
  }
}

/* y <- y + a I */
LANE_INLINE void
expm_add_identity(const expm_scratch* const s, const real a, lane* const y)
{
  /* whole vectors only: reading one of which an entry was just written would wait for that */
  static const real units[2 * LANES] = {[LANES] = 1};
  for (int64_t i = 0; i < s->n; ++i) {
    if (EXPM_ACROSS_LANES) {
      y[i * (s->n + 1)] += a;
    } else {
      y[i * s->width + i / LANES] += a * *(const lane_in_place*)(units + LANES - i % LANES);
    }
  }
}

/* y <- sum of a[j] v[j], j < count; at least one j > 0 is not zero. */
static __attribute__((noinline)) void
expm_combine(const expm_scratch* const s, const int count, const real* const a, lane* const y)
{
  real factor[EXPM_VALUES] = {0};
  lane* x[EXPM_VALUES] = {NULL};
  int terms = 0;
  for (int j = 1; j < count; ++j) {
    if (a[j] != 0) {
      factor[terms] = a[j];
      x[terms++] = s->v[j];
    }
  }
  switch (terms) {
  case 1:
    expm_sum(s->vectors, 1, factor, x, y);
    break;
  case 2:
    expm_sum(s->vectors, 2, factor, x, y);
    break;
  case 3:
    expm_sum(s->vectors, 3, factor, x, y);
    break;
  case 4:
    expm_sum(s->vectors, 4, factor, x, y);
    break;
  default:
    expm_sum(s->vectors, 5, factor, x, y);
    break;
  }
  if (a[0] != 0) {
    expm_add_identity(s, a[0], y);
  }
}

/* ---- a polynomial and its reversal --------------------------------------------------- */

/* One side of a product, `alpha` times the matrix returned: one of v, or formed in `room`. */
static inline lane*
expm_factor(const expm_scratch* const s, const int count, const real* const a, lane* const room,
            real* const alpha)
{
  int terms = a[0] != 0 ? 2 : 0;
  int single = 0;
  for (int j = 1; j < count; ++j) {
    if (a[j] != 0) {
      ++terms;
      single = j;
    }
  }
  if (terms == 1) {
    *alpha = a[single];
    return s->v[single];
  }
  *alpha = 1;
  expm_combine(s, count, a, room);
  return room;
}

static inline void
expm_product(const expm_scratch* const s, const expm_polynomial* const p, const int k,
             const bool add, lane* const y)
{
  real a = 0;
  real b = 0;
  const lane* const left = expm_factor(s, k + 2, p->left[k], s->left, &a);
  const lane* const right = expm_factor(s, k + 2, p->right[k], s->right, &b);
  expm_multiply(s, a * b, false, left, right, add, y);
}

/* Products from `from` on, but the last. */
static inline void
expm_values(const expm_scratch* const s, const expm_polynomial* const p, const int from,
            const int to)
{
  for (int k = from; k < to; ++k) {
    expm_product(s, p, k, false, s->v[k + 2]);
  }
}

/* y <- the value, from v. */
static inline void
expm_value(const expm_scratch* const s, const expm_polynomial* const p, lane* const y)
{
  expm_combine(s, p->products > 0 ? p->products + 1 : 2, p->last, y);
  if (p->products > 0) {
    expm_product(s, p, p->products - 1, true, y);
  }
}

/* g[1] <- the transposed gradient at v[1] for h at the value. */
static inline void
expm_reverse(const expm_scratch* const s, const expm_polynomial* const p, const lane* const h)
{
  const int last = p->products - 1;
  if (last < 0) {
    for (int64_t e = 0; e < s->vectors; ++e) {
      s->g[1][e] = p->last[1] * h[e];
    }
  }
  for (int k = last; k >= 0; --k) {
    const lane* const at = k == last ? h : s->g[k + 2];
    real a = 0;
    real b = 0;
    const lane* const left = expm_factor(s, k + 2, p->left[k], s->left, &a);
    const lane* const right = expm_factor(s, k + 2, p->right[k], s->right, &b);
    expm_multiply(s, b, false, right, at, false, s->hl);
    expm_multiply(s, a, false, at, left, false, s->hr);
    for (int j = 1; j < k + 2; ++j) {
      const real l = p->left[k][j];
      const real r = p->right[k][j];
      lane* const g = s->g[j];
      if (k == last) {
        for (int64_t e = 0; e < s->vectors; ++e) {
          g[e] = p->last[j] * h[e] + l * s->hl[e] + r * s->hr[e];
        }
      } else if (l != 0 && r != 0) {
        for (int64_t e = 0; e < s->vectors; ++e) {
          g[e] += l * s->hl[e] + r * s->hr[e];
        }
      } else if (l != 0 || r != 0) {
        const lane* const one = l != 0 ? s->hl : s->hr;
        for (int64_t e = 0; e < s->vectors; ++e) {
          g[e] += (l + r) * one[e];
        }
      }
    }
  }
}

/* ---- squarings ------------------------------------------------------------------------ */

/* y <- a where the mask is set, else b. */
static inline void
expm_select(const expm_scratch* const s, const lane_mask mask, const lane* const a,
            const lane* const b, lane* const y)
{
  for (int64_t e = 0; e < s->vectors; ++e) {
    y[e] = lane_select(mask, a[e], b[e]);
  }
}

/* y <- x x where a lane wants more than j squarings, else x. */
static inline void
expm_square(const expm_scratch* const s, const lane_mask squarings, const int64_t j,
            const lane* const x, lane* const y)
{
  expm_multiply(s, 1, false, x, x, false, y);
  if (EXPM_ACROSS_LANES) {
    expm_select(s, (lane_mask)(squarings > (lane_integer)j), y, x, y);
  }
  if (s->any_triangular) {
    expm_exact_diagonal(s, squarings, j + 1, y);
  }
}

/* The root after squarings `from` to `to` - 1, in x or in `room`. */
static inline lane*
expm_squared(const expm_scratch* const s, const lane_mask squarings, const int64_t from,
             const int64_t to, lane* x, lane* room)
{
  for (int64_t j = from; j < to; ++j) {
    expm_square(s, squarings, j, x, room);
    lane* const swap = x;
    x = room;
    room = swap;
  }
  return x;
}

/* One Newton-Schulz step, Q <- Q (3 I - Q^T Q) / 2, where many squarings have doubled the
   distance from orthogonality again and again. The result is where q was or in `room`. */
static inline lane*
expm_repaired(const expm_scratch* const s, const lane_mask squarings, lane* const q,
              lane* const room)
{
  expm_multiply(s, (real)-0.5, true, q, q, false, s->left);
  expm_add_identity(s, (real)1.5, s->left);
  expm_multiply(s, 1, false, q, s->left, false, room);
  if (EXPM_ACROSS_LANES) {
    expm_select(s, (lane_mask)(squarings > (lane_integer)EXPM_REPAIR_FROM), room, q, room);
  }
  return room;
}

/* The transposed gradient at the root for `h` at its last square: h <- P h + h P. */
static inline const lane*
expm_reverse_squarings(const expm_scratch* const s, const lane_mask squarings, const int64_t most,
                       const lane* h)
{
  lane* power[EXPM_ROOTS + 1];
  int64_t end = most;
  int turn = 1;
  while (end > 0) {
    const int64_t first = (end - 1) / EXPM_ROOTS * EXPM_ROOTS;
    power[0] = s->root;
    if (first > 0) {
      expm_square(s, squarings, 0, s->root, s->power[0]);
      power[0] = expm_squared(s, squarings, 1, first, s->power[0], s->left);
      if (power[0] == s->left) {
        for (int64_t e = 0; e < s->vectors; ++e) {
          s->power[0][e] = s->left[e];
        }
        power[0] = s->power[0];
      }
    }
    for (int64_t j = first + 1; j < end; ++j) {
      power[j - first] = s->power[j - first];
      expm_square(s, squarings, j - 1, power[j - 1 - first], power[j - first]);
    }
    for (int64_t j = end; j-- > first; turn = 3 - turn) {
      lane* const to = s->h[turn];
      expm_multiply(s, 1, false, power[j - first], h, false, to);
      expm_multiply(s, 1, false, h, power[j - first], true, to);
      if (EXPM_ACROSS_LANES) {
        expm_select(s, (lane_mask)(squarings > (lane_integer)j), to, h, to);
      }
      h = to;
    }
    end = first;
  }
  return h;
}

/* ---- one polynomial, all of it ---------------------------------------------------------- */

/* s->root <- the value of a polynomial, from v, times `growth`. */
static inline void
expm_to_root(const expm_batch* const t, const expm_scratch* const s, const expm_polynomial* const p,
             const lane growth, const lane_mask squarings)
{
  expm_value(s, p, s->root);
  for (int64_t e = 0; e < s->vectors && t->symmetric; ++e) {
    s->root[e] *= growth;
  }
  if (s->any_triangular) {
    expm_exact_diagonal(s, squarings, 0, s->root);
  }
}

/* The value of a polynomial times `growth`, squared, from its products before `from`; s->root is
   lost. */
static inline lane*
expm_forward(const expm_batch* const t, const expm_scratch* const s, const expm_polynomial* const p,
             const lane growth, const lane_mask squarings, const int64_t most, const int from,
             lane* const room)
{
  expm_values(s, p, from, p->products - 1);
  expm_to_root(t, s, p, growth, squarings);
  lane* const y = expm_squared(s, squarings, 0, most, s->root, room);
  return t->skew && most > EXPM_REPAIR_FROM
             ? expm_repaired(s, squarings, y, y == room ? s->root : room)
             : y;
}

/* The transposed gradient in g[1] for the one at the value in h[0]. */
static inline void
expm_backward(const expm_batch* const t, const expm_scratch* const s,
              const expm_polynomial* const p, const lane growth, const lane_mask squarings,
              const int64_t most, const int from)
{
  const lane* h = s->h[0];
  expm_values(s, p, from, p->products - 1);
  if (most > 0) {
    expm_to_root(t, s, p, growth, squarings);
    h = expm_reverse_squarings(s, squarings, most, h);
  }
  expm_reverse(s, p, h);
  for (int64_t e = 0; e < s->vectors && t->symmetric; ++e) {
    s->g[1][e] *= growth;
  }
}
