/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Inverses of a batch of small matrices across lanes, y = alpha I + beta A^-1 with A = gamma I +
   delta X, by the eliminations of inverse.c and within the limits of operations/inverse.c. Lanes
   go through the same steps, so one that meets a limit goes on regardless, and its matrix is
   inverted again with pivoting. One that meets a zero or an entry that is not finite even then
   is flagged, and its matrix inverted again by itself. */

#include "inverse.h"

#include "batch.h"
#include "instructions.h"
#include "inverse_rotation.h"
#include "lane_eliminate.h"
#include "lane_flag.h"
#include "lane_view.h"
#include "pack_square.h"

typedef struct batch {
  const inversion* c;
  lane_layout from;
  lane_layout to;
  const real* x;
  real* y;
  bool crossed; /* rows of x are columns of y as memory shows them */
  int64_t width;
  unsigned char* flags;
} batch;

/* What is seen of a matrix and its inverse. */
typedef struct lane_sight {
  lane squares;
  lane odd; /* 0, or NaN as soon as an entry is not finite */
} lane_sight;

/* The other triangle of X, from the one that is there. */
LANE_INLINE void
mirror(const inversion* const c, const int64_t n, const lane_view x)
{
  const lane_view from = c->by == PZ_BY_UPPER ? x : lane_view_transposed(x);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = i + 1; j < n; ++j) {
      from.at[j * from.row + i * from.col] = c->sign * from.at[i * from.row + j * from.col];
    }
    if (c->sign < 0) {
      from.at[i * (from.row + from.col)] = lane_of(0);
    }
  }
}

/* a = shift I + scale x, n x n in rows of `width`, the rest zero. */
LANE_INLINE lane_sight
shifted(const real shift, const real scale, const int64_t n, const int64_t width, const lane_view x,
        lane* const a)
{
  lane_sight s = {lane_of(0), lane_of(0)};
  for (int64_t i = 0; i < width; ++i) {
    for (int64_t j = 0; j < width; ++j) {
      if (i >= n || j >= n) {
        a[i * width + j] = lane_of(0);
        continue;
      }
      lane v = scale * x.at[i * x.row + j * x.col];
      s.squares += v * v;
      v = i == j ? v + shift : v;
      s.odd += v * 0;
      a[i * width + j] = v;
    }
  }
  return s;
}

/* y = shift I + scale a; NaN where an entry is not finite, else 0. */
LANE_INLINE lane
finish(const real shift, const real scale, const int64_t n, const int64_t width,
       const lane* const a, lane* const y)
{
  lane odd = lane_of(0);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      const lane v = scale * a[i * width + j];
      odd += v * 0;
      y[i * n + j] = i == j ? v + shift : v;
    }
  }
  return odd;
}

/* a <- a^-1 with rows exchanged for the largest pivot, lane by lane; returns which lanes
   have found a column of zeros. */
static lane_mask
eliminate_pivoted(const int64_t n, lane* const a)
{
  lane_mask exchanged[INVERSE_BLOCK];
  lane_mask dead = {0};
  for (int64_t k = 0; k < n; ++k) {
    lane most = lane_magnitude(a[k * n + k]);
    lane_mask best = (lane_integer)k - (lane_mask){0};
    for (int64_t i = k + 1; i < n; ++i) {
      const lane magnitude = lane_magnitude(a[i * n + k]);
      const lane_mask larger_here = (lane_mask)(magnitude > most);
      most = lane_select(larger_here, magnitude, most);
      best = (larger_here & (lane_integer)i) | (~larger_here & best);
    }
    dead |= (lane_mask)(most == 0);
    exchanged[k] = best;
    for (int64_t i = k + 1; i < n; ++i) {
      const lane_mask here = (lane_mask)(best == (lane_integer)i);
      for (int64_t j = 0; j < n; ++j) {
        const lane v = a[k * n + j];
        const lane w = a[i * n + j];
        a[k * n + j] = lane_select(here, w, v);
        a[i * n + j] = lane_select(here, v, w);
      }
    }
    const lane inverse = 1 / a[k * n + k];
    a[k * n + k] = lane_of(1);
    for (int64_t j = 0; j < n; ++j) {
      a[k * n + j] *= inverse;
    }
    for (int64_t i = 0; i < n; ++i) {
      if (i != k) {
        const lane f = a[i * n + k];
        a[i * n + k] = lane_of(0);
        for (int64_t j = 0; j < n; ++j) {
          a[i * n + j] -= f * a[k * n + j];
        }
      }
    }
  }
  // (P A)^-1 P: the exchanges as columns, backwards
  for (int64_t k = n; k-- > 0;) {
    for (int64_t i = k + 1; i < n; ++i) {
      const lane_mask here = (lane_mask)(exchanged[k] == (lane_integer)i);
      for (int64_t j = 0; j < n; ++j) {
        const lane v = a[j * n + k];
        const lane w = a[j * n + i];
        a[j * n + k] = lane_select(here, w, v);
        a[j * n + i] = lane_select(here, v, w);
      }
    }
  }
  return dead;
}

/* y of LANES matrices without pivoting; returns which are within the limits. `a` holds
   width^2 vectors. */
LANE_INLINE lane_mask
invert_unpivoted(const inversion* const c, const int64_t n, const int64_t width, const lane_view x,
                 lane* const a, lane* const y)
{
  const lane_sight s = shifted(0, c->k_scale, n, width, x, a);
  const lane pivots = n <= 4 || width % 4 != 0 ? lane_eliminate(n, width, lane_of(0), a)
                                               : lane_eliminate_blocks(width, lane_of(0), a);
  const lane odd = s.odd + finish(c->d_shift, c->d_scale, n, width, a, y);
  return (lane_mask)(s.squares <= squares_limit(c)) & (lane_mask)(pivots <= PIVOT_REACH) &
         (lane_mask)(odd == 0);
}

/* The same with pivoting; returns which are finite and not singular. */
static lane_mask
invert_pivoted(const inversion* const c, const int64_t n, const lane_view x, lane* const a,
               lane* const y)
{
  const lane_sight s = shifted(c->gamma, c->delta, n, n, x, a);
  const lane_mask dead = eliminate_pivoted(n, a);
  const lane odd = s.odd + finish(c->alpha, c->beta, n, n, a, y);
  return ~dead & (lane_mask)(odd == 0);
}

/* The closed form for `count` matrices from `first` on, flagging those that it does not serve. */
LANE_INLINE void
invert_rotations(const batch* const b, const int64_t n, const int64_t first, const int64_t count)
{
  const inversion* const c = b->c;
  const real* const from = b->x + first * b->from.batch_step;
  lane x[9];
  lane y[9];
  lane_mask skew = ~(lane_mask){0}; /* and finite */
  if (c->by != 0 && n == 3 && count == LANES && lane_is_one_run(&b->from)) {
    lane_load_quad(from, b->from.batch_step, x); // all but the last entry
    lane_load_quad(from + 4, b->from.batch_step, x + 4);
  } else {
    lane_load_square(n, &b->from, count, from, x);
    for (int64_t i = 0; i < n && c->by == 0; ++i) {
      for (int64_t j = 0; j <= i; ++j) {
        skew &= (lane_mask)(x[i * n + j] + x[j * n + i] == 0);
      }
    }
  }
  const bool above = c->by == PZ_BY_UPPER;
  const int64_t row = above != b->crossed ? 1 : n;
  const int64_t col = above != b->crossed ? n : 1;
  const real sign = above ? -1 : 1;
  const lane below[3] = {sign * x[row], sign * x[(n - 1) * row], sign * x[(n - 1) * row + col]};
  const lane_mask good = invert_closed(c, n, below, y) & skew;
  lane_store_square(n, &b->to, count, y, b->y + first * b->to.batch_step);
  lane_flag(~good, count, b->flags + first);
}

/* `count` matrices from `first` on. Those beyond the limits of elimination without pivoting get
   what they would get in a batch of any other structure. Flags those to be done again. */
LANE_INLINE void
invert_lanes(const batch* const b, const int64_t n, const bool unpivoted, const int64_t first,
             const int64_t count, lane* const memory)
{
  const inversion* const c = b->c;
  const int64_t width = unpivoted && n >= 8 ? b->width : n;
  lane registers[16];
  lane* const loaded = memory;
  const bool twice = unpivoted && n <= INVERSE_BLOCK; /* x may be wanted again */
  const bool in_place = !twice && !b->crossed && width == n;
  lane* const y = twice ? loaded + n * n : loaded;
  lane* const a = n <= 4 ? registers : in_place ? loaded : loaded + 2 * n * n;
  const lane_view x = {loaded, b->crossed ? 1 : n, b->crossed ? n : 1};
  TYPED(lane_load)(&b->from, count, b->x + first * b->from.batch_step, loaded);
  if (c->by != 0) {
    mirror(c, n, x);
  }
  lane_mask good;
  if (unpivoted) {
    good = invert_unpivoted(c, n, width, x, a, y);
    if (twice && !lane_all(good)) {
      const lane_mask here = invert_pivoted(c, n, x, a, loaded);
      for (int64_t e = 0; e < n * n; ++e) {
        y[e] = lane_select(good, y[e], loaded[e]);
      }
      good |= here;
    }
  } else {
    good = invert_pivoted(c, n, x, a, y);
  }
  TYPED(lane_store)(&b->to, count, NULL, y, b->y + first * b->to.batch_step);
  lane_flag(~good, count, b->flags + first);
}

static void
invert_group(const void* const context, const int64_t first, const int64_t count,
             lane* const memory)
{
  const batch* const b = context;
  const int64_t n = b->c->n;
  if (!b->c->unpivoted) {
    invert_lanes(b, n, false, first, count, memory);
    return;
  }
  switch (n) {
  case 1:
    invert_lanes(b, 1, true, first, count, memory);
    break;
  case 2:
    invert_rotations(b, 2, first, count);
    break;
  case 3:
    invert_rotations(b, 3, first, count);
    break;
  case 4:
    invert_lanes(b, 4, true, first, count, memory);
    break;
  default:
    invert_lanes(b, n, true, first, count, memory);
    break;
  }
}

bool
TYPED(batch_is_for_lanes)(const int64_t n, const int64_t n_matrices, const bool unpivoted)
{
  return n <= (unpivoted ? LANES_MOST : INVERSE_BLOCK) && lanes_are_filled(n_matrices);
}

pz_status
TYPED(invert_batch)(pz_backend_queue* const q, const inversion* const c, const pz_mat* const x,
                    const pz_mat* const y, unsigned char* const flags)
{
  const int64_t n = c->n;
  const batch b = {
      .c = c,
      .from = lane_layout_of(x),
      .to = lane_layout_of(y),
      .x = view_of(x, 0).data,
      .y = view_of(y, 0).data,
      .crossed = cpu_runs_by_row(x) != cpu_runs_by_row(y),
      // blocks of four where few rows are added for them
      .width = n < 8 ? n : (n + 3) / 4 * 4,
      .flags = flags,
  };
  return TYPED(lane_loop)(q, y->batch, LANES, 3 * b.width * b.width,
                          0.05 * (double)(n * n * (n + 8)), invert_group, &b);
}
