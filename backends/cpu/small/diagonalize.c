/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Eigenvalues of symmetric matrices across lanes by the QL iteration with Wilkinson's shifts
   (Golub and Van Loan, 8.3.5), as LAPACK's steqr has them of small matrices one by one.

   Every lane takes its own steps, each on the first block of its T that is not diagonal yet: masks
   leave alone what lies outside of it, and so do rotations of no angle with the vectors. So a
   batch takes as many steps as that of its matrices that needs most. Matrices are scaled, exactly,
   to a largest entry between 1 and 2, beside which everything below eps^2 is zero: no square
   underflows that matters. */

#include "tridiagonal.h"

#include "batch.h"
#include "instructions.h"
#include "lane_flag.h"

enum { STEP_LIMIT = 30 }; /* for each eigenvalue; two do, as a rule */
enum { MOST_STEPS = 64 }; /* until vectors are turned along */

/* ---- vectors ------------------------------------------------------------------- */

/* Steps on rows `first` to `last`, whose rotations are yet to turn the vectors along. */
typedef struct steps {
  int64_t n;
  int64_t n_rotations;
  int64_t first[MOST_STEPS];
  int64_t last[MOST_STEPS];
} steps;

/* Turns rows of q along, `count` columns of them. */
LANE_INLINE void
turn_part(const int64_t count, const steps* const taken, const lane* cosine, const lane* sine,
          const lane_view q)
{
  for (int64_t k = 0; k < taken->n; ++k) {
    lane* row = q.at + taken->last[k] * q.row;
    lane lower[LANE_SUMS];
    LANE_UNROLL
    for (int64_t r = 0; r < count; ++r) {
      lower[r] = row[r];
    }
    for (int64_t i = taken->last[k]; i > taken->first[k]; --i) {
      const lane c = *cosine;
      const lane s = *sine;
      LANE_UNROLL
      for (int64_t r = 0; r < count; ++r) {
        const lane upper = row[r - q.row];
        row[r] = s * upper + c * lower[r];
        lower[r] = c * upper - s * lower[r];
      }
      row -= q.row;
      cosine += 1;
      sine += 1;
    }
    LANE_UNROLL
    for (int64_t r = 0; r < count; ++r) {
      row[r] = lower[r];
    }
  }
}

static void
turn(const int64_t n, const steps* const taken, const lane* const cosine, const lane* const sine,
     const lane_view q)
{
  int64_t r = 0;
  for (; n - r >= LANE_SUMS; r += LANE_SUMS) {
    turn_part(LANE_SUMS, taken, cosine, sine, lane_view_from(q, 0, r));
  }
  if (LANE_SUMS > 4 && n - r >= 4) {
    turn_part(4, taken, cosine, sine, lane_view_from(q, 0, r));
    r += 4;
  }
  if (n - r >= 2) {
    turn_part(2, taken, cosine, sine, lane_view_from(q, 0, r));
    r += 2;
  }
  if (n - r >= 1) {
    turn_part(1, taken, cosine, sine, lane_view_from(q, 0, r));
  }
}

/* ---- values -------------------------------------------------------------------- */

/* The first block of T that is not diagonal, its rows from `first` to `last`, and what the shift
   is made of: entries of its first two rows, and the last one. Without one, n and 0. Rows are
   numbered in floating point, which every set of instructions compares. */
typedef struct block {
  lane first;
  lane last;
  lane d_first;
  lane d_next;
  lane d_last;
  lane e_first;
} block;

/* Looks through rows from `from` on; makes zero what is negligible. */
static block
find_block(const int64_t n, const int64_t from, const lane* const d, lane* const e)
{
  const real square = DBL_EPSILON * DBL_EPSILON / 4;
  block b = {
      .first = lane_of((real)n),
      .last = lane_of(0),
      .d_first = lane_of(0),
      .d_next = lane_of(0),
      .d_last = lane_of(0),
      .e_first = lane_of(1),
  };
  lane_mask inside = {0};
  for (int64_t i = n - 2; i >= from; --i) {
    const lane x = e[i];
    const lane upper = d[i];
    const lane lower = d[i + 1];
    const lane_mask here = lane_above(x * x, square * (lane_magnitude(upper * lower) + square));
    const lane_mask ends = here & ~inside;
    b.last = lane_select(ends, lane_of((real)(i + 1)), b.last);
    b.first = lane_select(here, lane_of((real)i), b.first);
    b.d_first = lane_select(here, upper, b.d_first);
    b.d_next = lane_select(here, lower, b.d_next);
    b.d_last = lane_select(ends, lower, b.d_last);
    b.e_first = lane_select(here, x, b.e_first);
    e[i] = (lane)((lane_mask)x & here);
    inside = here;
  }
  return b;
}

/* The last entry less the shift, which is the eigenvalue of the first two rows that is nearer to
   their first entry. */
LANE_INLINE lane
shifted_end(const block* const b)
{
  const lane g = (b->d_next - b->d_first) / (2 * b->e_first);
  return b->d_last - b->d_first + b->e_first / (g + lane_signed(lane_root(g * g + 1), g));
}

/* A step under way: its last rotation, and what that left to the next one. */
typedef struct chase {
  lane c;
  lane s;
  lane g;
  lane p;
} chase;

/* Rotates rows i and i + 1 where both are in the block; d and e begin at row i. Returns which lanes
   met squares that are not precise. */
LANE_INLINE lane_mask
rotate(const int64_t i, const block* const b, chase* const t, lane* const d, lane* const e,
       lane* const cosine, lane* const sine)
{
  const lane row = lane_of((real)i);
  const lane_mask in = lane_above(b->last, row) & ~lane_above(b->first, row);
  const lane_mask first = in & lane_above(b->first, row - 1);
  const lane_mask inner = in & lane_above(b->last, row + 1);
  const lane f = t->s * e[0];
  const lane h = t->c * e[0];
  const lane squares = f * f + t->g * t->g;
  const lane r = lane_root(squares);
  t->c = lane_select(in, t->g / r, t->c);
  t->s = lane_select(in, f / r, t->s);
  const lane u = d[1] - t->p;
  const lane v = (d[0] - u) * t->s + 2 * t->c * h;
  t->p = lane_select(in, t->s * v, t->p);
  t->g = lane_select(in, t->c * v - h, t->g);
  e[1] = lane_select(inner, r, e[1]);
  d[1] = lane_select(in, u + t->p, d[1]);
  e[0] = lane_select(first, t->g, e[0]);
  d[0] = lane_select(first, d[0] - t->p, d[0]);
  *cosine = lane_select(in, t->c, lane_of(1));
  *sine = lane_select(in, t->s, lane_of(0));
  return in & lane_above(lane_of(EIGEN_TINY), squares);
}

/* What the iteration works with, of each of the vectors side by side. */
typedef struct iteration {
  lane* d;
  lane* e;
  lane* cosine;
  lane* sine;
  lane_view q; /* or at NULL */
  lane_mask dead;
} iteration;

static bool
any_begins(const block* const b, const int64_t i)
{
  lane_mask here = {0};
  for (int64_t h = 0; h < EIGEN_VECTORS; ++h) {
    here |= ~lane_above(b[h].first, lane_of((real)i));
  }
  return lane_any(here);
}

static bool
any_ends(const block* const b, const int64_t i)
{
  lane_mask here = {0};
  for (int64_t h = 0; h < EIGEN_VECTORS; ++h) {
    here |= lane_above(b[h].last, lane_of((real)(i - 1)));
  }
  return lane_any(here);
}

/* One step on blocks that lie between rows `first` and `last`. */
static void
step(iteration* const t, const block* const b, const int64_t first, const int64_t last,
     steps* const taken)
{
  chase c[EIGEN_VECTORS];
  int64_t at = taken->n_rotations;
  LANE_UNROLL
  for (int64_t h = 0; h < EIGEN_VECTORS; ++h) {
    c[h] = (chase){lane_of(1), lane_of(1), shifted_end(&b[h]), lane_of(0)};
  }
  for (int64_t i = last - 1; i >= first; --i, ++at) {
    LANE_UNROLL
    for (int64_t h = 0; h < EIGEN_VECTORS; ++h) {
      t[h].dead |=
          rotate(i, &b[h], &c[h], t[h].d + i, t[h].e + i, t[h].cosine + at, t[h].sine + at);
    }
  }
  taken->first[taken->n] = first;
  taken->last[taken->n] = last;
  taken->n += 1;
  taken->n_rotations = at;
}

static void
turn_vectors(const int64_t n, const iteration* const t, steps* const taken)
{
  for (int64_t h = 0; t->q.at && h < EIGEN_VECTORS; ++h) {
    turn(n, taken, t[h].cosine, t[h].sine, t[h].q);
  }
  taken->n = 0;
  taken->n_rotations = 0;
}

/* d becomes the eigenvalues of T, and rows of q turn along. */
static void
iterate(const int64_t n, iteration* const t)
{
  steps taken = {.n = 0};
  int64_t first = 0;
  for (int64_t k = 0;; ++k) {
    block b[EIGEN_VECTORS];
    for (int64_t h = 0; h < EIGEN_VECTORS; ++h) {
      b[h] = find_block(n, first, t[h].d, t[h].e);
    }
    if (!any_ends(b, 1) || k == STEP_LIMIT * n) {
      for (int64_t h = 0; h < EIGEN_VECTORS; ++h) {
        t[h].dead |= lane_above(b[h].last, lane_of(0));
      }
      break;
    }
    int64_t last = n - 1;
    while (!any_begins(b, first)) {
      first += 1;
    }
    while (!any_ends(b, last)) {
      last -= 1;
    }
    step(t, b, first, last, &taken);
    if (taken.n == MOST_STEPS || taken.n_rotations > (EIGEN_ROTATIONS - 1) * n) {
      turn_vectors(n, t, &taken);
    }
  }
  turn_vectors(n, t, &taken);
}

/* ---- all of it ----------------------------------------------------------------- */

/* Scales a to a largest entry between 1 and 2 and returns what undoes it; adds NaN to *odd where
   an entry is not finite. */
static lane
normalize(const int64_t n, const lane_view a, lane* const odd)
{
  lane most = lane_of(DBL_MIN);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      const lane x = a.at[i * a.row + j * a.col];
      most = lane_larger(lane_magnitude(x), most);
      *odd += 0 * x;
    }
  }
  const lane_mask exponent = (lane_mask)lane_of(INFINITY);
  const lane scale = (lane)((lane_mask)most & exponent);
  const lane inverse = 1 / scale;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      a.at[i * a.row + j * a.col] *= inverse;
    }
  }
  return scale;
}

static lane*
lanes_at(double* const x)
{
  return (lane*)(void*)x;
}

void
TYPED(diagonalize)(const eigen* const given, const bool vectors, unsigned char* const flags)
{
  const int64_t n = given->n;
  iteration t[EIGEN_VECTORS];
  lane scale[EIGEN_VECTORS];
  lane odd[EIGEN_VECTORS];
  for (int64_t h = 0; h < EIGEN_VECTORS; ++h) {
    const lane_view a = {lanes_at(given[h].a), given[h].width, 1};
    const lane_view q = {vectors ? lanes_at(given[h].vectors) : NULL, given[h].width, 1};
    lane* const work = lanes_at(given[h].work);
    lane* const cosine = work + 3 * n;
    t[h] = (iteration){
        .d = lanes_at(given[h].values),
        .e = work + 2 * n,
        .cosine = cosine,
        .sine = cosine + EIGEN_ROTATIONS * n,
        .q = q,
        .dead = {0},
    };
    odd[h] = lane_of(0);
    scale[h] = normalize(n, a, &odd[h]);
    TYPED(tridiagonalize)(n, a, t[h].d, t[h].e, work);
    if (vectors) {
      TYPED(accumulate_reflections)(n, a, work, q);
    }
  }
  iterate(n, t);
  for (int64_t h = 0; h < EIGEN_VECTORS; ++h) {
    for (int64_t i = 0; i < n; ++i) {
      t[h].d[i] *= scale[h];
      odd[h] += 0 * t[h].d[i];
    }
    lane_flag(t[h].dead | (lane_mask)(odd[h] != 0), LANES, flags + h * LANES);
  }
}
