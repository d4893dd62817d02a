/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products of very small matrices across lanes, where most of a vector would be empty
   otherwise: y = alpha a b + beta y, and the two products of an inverse's adjoint at once. */

#include "product.h"

#include "batch.h"
#include "lane_product.h"
#include "libraries.h"
#include "pack_square.h"
#include "scratch.h"

/* Orders up to which products go across lanes. With eight lanes of float or four of double those of 16
   take two thirds of the time that rows of one matrix take, and those of 12 a sixth. */
enum {
#if defined(__AVX2__) && !defined(__AVX512F__)
  MOST_ORDER = 16,
#else
  MOST_ORDER = PRODUCT_LANES_MOST,
#endif
  MOST_ENTRIES = MOST_ORDER * MOST_ORDER,
};

/* A batch of matrices as lanes go through it. */
typedef struct operand {
  int64_t rows;
  int64_t cols;
  real* data;
  lane_layout layout;
  bool by_row;
} operand;

static operand
operand_of(const pz_mat* const m)
{
  const operand o = {m->rows, m->cols, view_of(m, 0).data, lane_layout_of(m), cpu_runs_by_row(m)};
  return o;
}

static inline real*
at(const operand* const o, const int64_t k)
{
  return o->data + k * o->layout.batch_step;
}

/* The matrices that lane_load(o) put at `v`. */
LANE_INLINE lane_view
view_loaded(const operand* const o, lane* const v)
{
  const lane_view l = {v, o->by_row ? o->cols : 1, o->by_row ? 1 : o->rows};
  return l;
}

typedef struct batch {
  operand a;
  operand b;
  operand y;
  int64_t n_matrices;
  real alpha;
  real shift;
  uint32_t by;  /* PZ_BY_...: the triangle whose gradient y is, or 0 */
  real sign;    /* of its mirror image */
  int64_t part; /* matrices in a part of the loop */
} batch;

typedef void group_function(const batch* b, int64_t first, int64_t count);

static void
multiply_group(const batch* const t, const int64_t first, const int64_t count)
{
  lane a[MOST_ENTRIES];
  lane b[MOST_ENTRIES];
  lane y[MOST_ENTRIES];
  TYPED(lane_load)(&t->a.layout, count, at(&t->a, first), a);
  TYPED(lane_load)(&t->b.layout, count, at(&t->b, first), b);
  lane_product(t->y.rows, t->a.cols, t->y.cols, false, lane_of(t->alpha), view_loaded(&t->a, a),
               view_loaded(&t->b, b), view_loaded(&t->y, y));
  TYPED(lane_store)(&t->y.layout, count, NULL, y, at(&t->y, first));
}

/* What fold_adjoint makes of y. */
LANE_INLINE void
gather_triangle(const batch* const t, const int64_t n, const lane_view y)
{
  const lane_view v = t->by == PZ_BY_UPPER ? y : lane_view_transposed(y);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = i + 1; j < n; ++j) {
      v.at[i * v.row + j * v.col] += t->sign * v.at[j * v.row + i * v.col];
      v.at[j * v.row + i * v.col] = lane_of(0);
    }
    if (t->sign < 0) {
      v.at[i * (v.row + v.col)] = lane_of(0);
    }
  }
}

/* y = alpha (a + shift I)^T b (a + shift I)^T; `known` where n is known when compiled and all
   operands have rows as runs. */
LANE_INLINE void
adjoint_of_order(const batch* const t, const int64_t n, const bool known, const int64_t first,
                 const int64_t count)
{
  lane a[MOST_ENTRIES];
  lane b[MOST_ENTRIES];
  lane w[MOST_ENTRIES];
  const lane_view rows = {NULL, n, 1};
  lane_view shifted = known ? rows : view_loaded(&t->a, a);
  lane_view given = known ? rows : view_loaded(&t->b, b);
  lane_view out = known ? rows : view_loaded(&t->y, b);
  const lane_view between = {w, n, 1};
  shifted.at = a;
  given.at = b;
  out.at = b;
  if (known) {
    lane_load_square(n, &t->a.layout, count, at(&t->a, first), a);
    lane_load_square(n, &t->b.layout, count, at(&t->b, first), b);
  } else {
    TYPED(lane_load)(&t->a.layout, count, at(&t->a, first), a);
    TYPED(lane_load)(&t->b.layout, count, at(&t->b, first), b);
  }
  for (int64_t i = 0; i < n; ++i) {
    a[i * (n + 1)] += t->shift;
  }
  lane_product(n, n, n, false, lane_of(1), lane_view_transposed(shifted), given, between);
  lane_product(n, n, n, false, lane_of(t->alpha), between, lane_view_transposed(shifted), out);
  if (t->by != 0) {
    gather_triangle(t, n, out);
  }
  if (known) {
    lane_store_square(n, &t->y.layout, count, b, at(&t->y, first));
  } else {
    TYPED(lane_store)(&t->y.layout, count, NULL, b, at(&t->y, first));
  }
}

static void
adjoint_group(const batch* const t, const int64_t first, const int64_t count)
{
  switch (t->a.by_row && t->b.by_row && t->y.by_row ? t->y.rows : 0) {
  case 2:
    adjoint_of_order(t, 2, true, first, count);
    break;
  case 3:
    adjoint_of_order(t, 3, true, first, count);
    break;
  case 4:
    adjoint_of_order(t, 4, true, first, count);
    break;
  default:
    adjoint_of_order(t, t->y.rows, false, first, count);
    break;
  }
}

LANE_INLINE void
part_of(const batch* const t, group_function* const group, const int64_t k)
{
  const int64_t end = smaller((k + 1) * t->part, t->n_matrices);
  for (int64_t first = k * t->part; first < end; first += LANES) {
    group(t, first, smaller(LANES, end - first));
  }
}

static void
multiply_part(void* const context, const int64_t k, const uint32_t thread)
{
  (void)thread;
  part_of(context, multiply_group, k);
}

static void
adjoint_part(void* const context, const int64_t k, const uint32_t thread)
{
  (void)thread;
  part_of(context, adjoint_group, k);
}

static bool
fits(const pz_mat* const m)
{
  return m->rows <= MOST_ORDER && m->cols <= MOST_ORDER;
}

static void
run(pz_backend_queue* const q, batch* const t, pz_part* const part, const double products)
{
  const double n = (double)t->y.rows;
  t->part = larger(1, 1024 / (t->y.rows * t->y.cols)) * LANES;
  q->host->parallel(cpu_threads(products * 0.05 * n * n * (n + 8) * (double)t->n_matrices),
                    (t->n_matrices + t->part - 1) / t->part, part, t);
}

bool
TYPED(multiply_lanes)(pz_backend_queue* const q, const real alpha, const pz_mat* const a,
                      const pz_mat* const b, const pz_mat* const y)
{
  if (!fits(a) || !fits(b) || !fits(y) || !lanes_are_filled(y->batch)) {
    return false;
  }
  batch t = {
      .a = operand_of(a),
      .b = operand_of(b),
      .y = operand_of(y),
      .n_matrices = y->batch,
      .alpha = alpha,
  };
  run(q, &t, multiply_part, 1);
  return true;
}

bool
TYPED(adjoint_lanes)(pz_backend_queue* const q, const uint32_t by, const real sign,
                     const real alpha, const real shift, const pz_mat* const a,
                     const pz_mat* const b, const pz_mat* const y)
{
  if (!fits(y) || !lanes_are_filled(y->batch)) {
    return false;
  }
  batch t = {
      .a = operand_of(a),
      .b = operand_of(b),
      .y = operand_of(y),
      .n_matrices = y->batch,
      .alpha = alpha,
      .shift = shift,
      .by = by,
      .sign = sign,
  };
  run(q, &t, adjoint_part, 2);
  return true;
}
