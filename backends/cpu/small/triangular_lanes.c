/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products and solutions with triangular matrices of a batch of small ones across lanes. All of
   them are seen as lower ones on the left: on the right stands the transpose, and upper ones are
   read from the last row and column. */

#include "batches.h"

#include "batch.h"
#include "lane_flag.h"
#include "lane_product.h"
#include "lane_triangular.h"
#include "pack.h"

typedef struct batch {
  pz_mat t;
  pz_mat b;
  bool upper;
  bool unit;
  real alpha;
  unsigned char* flags; /* of solutions */
} batch;

/* t and b across lanes. */
typedef struct operands {
  lane_view t;
  lane_view b;
} operands;

static operands
load(const batch* const c, const int64_t first, const int64_t count, lane* const memory)
{
  const int64_t n = c->t.rows;
  operands o = {
      .t = lane_view_loaded(&c->t, memory + n * c->b.cols),
      .b = lane_view_loaded(&c->b, memory),
  };
  lane_load_matrices(&c->t, first, count, o.t.at);
  lane_load_matrices(&c->b, first, count, o.b.at);
  for (int64_t i = 0; c->unit && i < n; ++i) {
    o.t.at[i * (o.t.row + o.t.col)] = lane_of(1);
  }
  if (c->upper) {
    o.t = lane_view_reversed(o.t, n);
    o.b = lane_view_rows_reversed(o.b, n);
  }
  return o;
}

static void
solve_group(const void* const context, const int64_t first, const int64_t count, lane* const memory)
{
  const batch* const c = context;
  const int64_t n = c->t.rows;
  const operands o = load(c, first, count, memory);
  const lane_mask dead = lane_invert_diagonal(n, o.t);
  for (int64_t e = 0; e < n * c->b.cols; ++e) {
    memory[e] *= c->alpha;
  }
  lane_substitute(n, c->b.cols, o.t, o.b, o.b);
  lane_store_matrices(&c->b, first, count, memory);
  lane_flag(dead, count, c->flags + first);
}

static void
multiply_group(const void* const context, const int64_t first, const int64_t count,
               lane* const memory)
{
  const batch* const c = context;
  const operands o = load(c, first, count, memory);
  // rows from the last to the first: none needs those below
  for (int64_t i = c->t.rows - 1; i >= 0; --i) {
    lane_product(1, i + 1, c->b.cols, false, lane_of(c->alpha), lane_view_from(o.t, i, 0), o.b,
                 lane_view_from(o.b, i, 0));
  }
  lane_store_matrices(&c->b, first, count, memory);
}

static pz_status
run(pz_backend_queue* const q, const pz_side side, const pz_triangle triangle, batch* const c,
    lane_group* const group)
{
  if (side == PZ_RIGHT) {
    c->t = pz_mat_transposed(&c->t);
    c->b = pz_mat_transposed(&c->b);
  }
  c->upper = (triangle == PZ_UPPER) == (side == PZ_LEFT);
  const int64_t n = c->t.rows;
  return TYPED(lane_loop)(q, c->b.batch, LANES, n * (n + c->b.cols),
                          0.02 * (double)(n * (n + 8) * (n + c->b.cols)), group, c);
}

pz_status
TYPED(trmm_lanes)(pz_backend_queue* const q, const pz_side side, const pz_triangle triangle,
                  const pz_diagonal diagonal, const real alpha, const pz_mat* const t,
                  const pz_mat* const b)
{
  batch c = {.t = *t, .b = *b, .unit = diagonal == PZ_UNIT, .alpha = alpha};
  return run(q, side, triangle, &c, multiply_group);
}

pz_status
TYPED(trsm_lanes)(pz_backend_queue* const q, const pz_side side, const pz_triangle triangle,
                  const pz_diagonal diagonal, const real alpha, const pz_mat* const t,
                  const pz_mat* const b, unsigned char* const flags)
{
  batch c = {.t = *t, .b = *b, .unit = diagonal == PZ_UNIT, .alpha = alpha, .flags = flags};
  return run(q, side, triangle, &c, solve_group);
}
