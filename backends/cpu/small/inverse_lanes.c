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
  unsigned char* flags;
} batch;

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

/* a = shift I + scale x; NaN where an entry is not finite, else 0. */
LANE_INLINE lane
shifted(const real shift, const real scale, const int64_t n, const lane_view x, lane* const a)
{
  lane odd = lane_of(0);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      const lane v = scale * x.at[i * x.row + j * x.col] + (i == j ? shift : 0);
      odd += v * 0;
      a[i * n + j] = v;
    }
  }
  return odd;
}

/* y = shift I + scale a; the same. */
LANE_INLINE lane
finish(const real shift, const real scale, const int64_t n, const lane* const a, lane* const y)
{
  lane odd = lane_of(0);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      const lane v = scale * a[i * n + j];
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

/* a = K in rows of `width`, the rest zero, from x, which may be a itself where `width` is n; returns the
   sum of the squares, which is not finite where an entry is not. */
LANE_INLINE lane
form_skew(const inversion* const c, const int64_t n, const int64_t width, const lane_view x,
          lane* const a)
{
  const bool lower = c->by == PZ_BY_LOWER;
  const lane_view from = lower ? lane_view_transposed(x) : x;
  const real scale = lower ? -c->k_scale : c->k_scale;
  lane squares = lane_of(0);
  for (int64_t i = 0; i < n; ++i) {
    lane* const row = a + i * width;
    const lane diagonal = c->by != 0 ? lane_of(0) : scale * x.at[i * (x.row + x.col)];
    row[i] = diagonal;
    squares += diagonal * diagonal;
    for (int64_t j = i + 1; j < n; ++j) {
      const lane above = scale * from.at[i * from.row + j * from.col];
      const lane below = c->by != 0 ? -above : scale * x.at[j * x.row + i * x.col];
      squares += above * above + below * below;
      row[j] = above;
      a[j * width + i] = below;
    }
    for (int64_t j = n; j < width; ++j) {
      row[j] = lane_of(0);
    }
  }
  for (int64_t e = n * width; e < width * width; ++e) {
    a[e] = lane_of(0);
  }
  return squares;
}

/* y = shift I + scale a, which may be y itself where `width` is n. */
LANE_INLINE void
finish_skew(const real shift, const real scale, const int64_t n, const int64_t width,
            const lane* const a, lane* const y)
{
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      y[i * n + j] = scale * a[i * width + j];
    }
    y[i * (n + 1)] += shift;
  }
}

static lane
eliminate_large(const int64_t width, lane* const a)
{
  return lane_eliminate_blocks(width, lane_of(0), a);
}

/* a <- (I + a)^-1 - I in rows of `width`, which is n up to 5; as lane_eliminate returns. */
LANE_INLINE lane
eliminate(const int64_t n, const int64_t width, lane* const a)
{
  switch (width) {
  case 4:
    return lane_invert_four(lane_of(0), a);
  case 8:
    return lane_eliminate_blocks(8, lane_of(0), a);
  case 16:
    return lane_eliminate_blocks(16, lane_of(0), a);
  default:
    return width % 4 != 0 ? lane_eliminate(n, width, lane_of(0), a) : eliminate_large(width, a);
  }
}

/* y of LANES matrices without pivoting; returns which are within the limits: a sum of squares and pivots
   that are, are finite, and so is then the result. `a` holds width^2 vectors. */
LANE_INLINE lane_mask
invert_unpivoted(const inversion* const c, const int64_t n, const int64_t width, const lane_view x,
                 lane* const a, lane* const y)
{
  const lane squares = form_skew(c, n, width, x, a);
  const lane pivots = eliminate(n, width, a);
  finish_skew(c->d_shift, c->d_scale, n, width, a, y);
  return (lane_mask)(squares <= squares_limit(c)) & (lane_mask)(pivots <= PIVOT_REACH);
}

/* The same with pivoting; returns which are finite and not singular. */
static lane_mask
invert_pivoted(const inversion* const c, const int64_t n, const lane_view x, lane* const a,
               lane* const y)
{
  const lane before = shifted(c->gamma, c->delta, n, x, a);
  const lane_mask dead = eliminate_pivoted(n, a);
  const lane odd = before + finish(c->alpha, c->beta, n, a, y);
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

/* Orders below are widened to a multiple of four rows: few are added for them, and blocks of four take
   fewer divisions. */
LANE_INLINE int64_t
width_of(const int64_t n)
{
  return n < 6 ? n : (n + 3) / 4 * 4;
}

/* `count` matrices from `first` on by pivoting, into y; returns which are finite and not singular.
   `memory` holds 2 n^2 vectors. */
static lane_mask
invert_loaded(const batch* const b, const int64_t n, const int64_t first, const int64_t count,
              lane* const memory, lane* const y)
{
  const lane_view x = {memory, b->crossed ? 1 : n, b->crossed ? n : 1};
  TYPED(lane_load)(&b->from, count, b->x + first * b->from.batch_step, memory);
  if (b->c->by != 0) {
    mirror(b->c, n, x);
  }
  return invert_pivoted(b->c, n, x, memory + n * n, y);
}

/* The same, without pivoting where it is within the limits of that; the others get what they would get in
   a batch of any other structure. Flags those to be done again. `memory` holds 3 n^2 vectors, and the
   square of the width more. */
LANE_INLINE void
invert_lanes(const batch* const b, const int64_t n, const bool unpivoted, const int64_t first,
             const int64_t count, lane* const memory)
{
  const inversion* const c = b->c;
  lane* const y = memory;
  lane* const more = memory + n * n;
  lane_mask good;
  if (unpivoted) {
    const int64_t width = width_of(n);
    const lane_view x = {y, b->crossed ? 1 : n, b->crossed ? n : 1};
    lane registers[16];
    lane* const a = n <= 4 ? registers : width == n ? y : more;
    TYPED(lane_load)(&b->from, count, b->x + first * b->from.batch_step, y);
    good = invert_unpivoted(c, n, width, x, a, y);
    if (n <= INVERSE_BLOCK && !lane_all(good)) {
      lane* const again = more + 2 * n * n;
      const lane_mask here = invert_loaded(b, n, first, count, more, again);
      for (int64_t e = 0; e < n * n; ++e) {
        y[e] = lane_select(good, y[e], again[e]);
      }
      good |= here;
    }
  } else {
    good = invert_loaded(b, n, first, count, more, y);
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
      .flags = flags,
  };
  return TYPED(lane_loop)(q, y->batch, LANES,
                          (n > INVERSE_BLOCK ? 2 : 4) * width_of(n) * width_of(n),
                          0.05 * (double)(n * n * (n + 8)), invert_group, &b);
}
