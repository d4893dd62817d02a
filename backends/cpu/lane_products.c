/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products of very small matrices across lanes, where most of a vector would be empty
   otherwise: y = alpha a b + beta y, and the two products of an inverse's adjoint at once. */

#include "lane_matrix.h"

typedef struct batch {
  const pz_mat* a;
  const pz_mat* b;
  const pz_mat* y;
  real alpha;
  real shift;
  uint32_t by;  /* PZ_BY_...: the triangle whose gradient y is, or 0 */
  real sign;    /* of its mirror image */
  int64_t part; /* matrices in a part of the loop */
} batch;

/* Matrices of m from `first` on. */
LANE_INLINE void
load(const pz_mat* const m, const int64_t first, const int64_t count, lane* const to)
{
  const lane_layout l = lane_layout_of(m);
  TYPED(lane_load)(&l, count, view_of(m, first).data, to);
}

LANE_INLINE void
store(const pz_mat* const m, const int64_t first, const int64_t count, const lane* const from)
{
  const lane_layout l = lane_layout_of(m);
  TYPED(lane_store)(&l, count, NULL, from, view_of(m, first).data);
}

typedef void group_function(const batch* b, int64_t first, int64_t count);

static void
multiply_group(const batch* const t, const int64_t first, const int64_t count)
{
  lane a[CPU_LANE_PRODUCT * CPU_LANE_PRODUCT];
  lane b[CPU_LANE_PRODUCT * CPU_LANE_PRODUCT];
  lane y[CPU_LANE_PRODUCT * CPU_LANE_PRODUCT];
  load(t->a, first, count, a);
  load(t->b, first, count, b);
  lane_product(t->y->rows, t->a->cols, t->y->cols, lane_of(t->alpha), lane_view_loaded(t->a, a),
               lane_view_loaded(t->b, b), lane_view_loaded(t->y, y));
  store(t->y, first, count, y);
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

/* y = alpha (a + shift I)^T b (a + shift I)^T, for n known when compiled where it is small. */
LANE_INLINE void
adjoint_of_order(const batch* const t, const int64_t n, const int64_t first, const int64_t count)
{
  lane a[CPU_LANE_PRODUCT * CPU_LANE_PRODUCT];
  lane b[CPU_LANE_PRODUCT * CPU_LANE_PRODUCT];
  lane w[CPU_LANE_PRODUCT * CPU_LANE_PRODUCT];
  load(t->a, first, count, a);
  load(t->b, first, count, b);
  for (int64_t i = 0; i < n; ++i) {
    a[i * (n + 1)] += t->shift;
  }
  const bool a_rows = cpu_runs_by_row(t->a);
  const lane_view transposed = {a, a_rows ? 1 : n, a_rows ? n : 1};
  const bool b_rows = cpu_runs_by_row(t->b);
  const bool y_rows = cpu_runs_by_row(t->y);
  const lane_view given = {b, b_rows ? n : 1, b_rows ? 1 : n};
  const lane_view between = {w, n, 1};
  const lane_view out = {b, y_rows ? n : 1, y_rows ? 1 : n};
  lane_product(n, n, n, lane_of(1), transposed, given, between);
  lane_product(n, n, n, lane_of(t->alpha), between, transposed, out);
  if (t->by != 0) {
    gather_triangle(t, n, out);
  }
  store(t->y, first, count, b);
}

static void
adjoint_group(const batch* const t, const int64_t first, const int64_t count)
{
  switch (t->y->rows) {
  case 2:
    adjoint_of_order(t, 2, first, count);
    break;
  case 3:
    adjoint_of_order(t, 3, first, count);
    break;
  case 4:
    adjoint_of_order(t, 4, first, count);
    break;
  default:
    adjoint_of_order(t, t->y->rows, first, count);
    break;
  }
}

LANE_INLINE void
part_of(const batch* const t, group_function* const group, const int64_t k)
{
  const int64_t end = smaller((k + 1) * t->part, t->y->batch);
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
  return m->rows <= CPU_LANE_PRODUCT && m->cols <= CPU_LANE_PRODUCT;
}

static void
run(pz_backend_queue* const q, batch* const t, pz_part* const part, const double products)
{
  const double n = (double)t->y->rows;
  t->part = larger(1, 1024 / (t->y->rows * t->y->cols)) * LANES;
  q->host->parallel(cpu_threads(products * 0.05 * n * n * (n + 8) * (double)t->y->batch),
                    (t->y->batch + t->part - 1) / t->part, part, t);
}

bool
TYPED(multiply_lanes)(pz_backend_queue* const q, const real alpha, const pz_mat* const a,
                      const pz_mat* const b, const pz_mat* const y)
{
  if (!fits(a) || !fits(b) || !fits(y) || 2 * y->batch < LANES) {
    return false;
  }
  batch t = {.a = a, .b = b, .y = y, .alpha = alpha};
  run(q, &t, multiply_part, 1);
  return true;
}

bool
TYPED(adjoint_lanes)(pz_backend_queue* const q, const uint32_t by, const real sign,
                     const real alpha, const real shift, const pz_mat* const a,
                     const pz_mat* const b, const pz_mat* const y)
{
  if (!fits(y) || 2 * y->batch < LANES) {
    return false;
  }
  batch t = {.a = a, .b = b, .y = y, .alpha = alpha, .shift = shift, .by = by, .sign = sign};
  run(q, &t, adjoint_part, 2);
  return true;
}
