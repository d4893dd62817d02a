/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Norms and inner products of a batch of small matrices across lanes. Sums run in double. */

#include "reduce.h"

#include "batch.h"
#include "lane_flag.h"
#include "lane_view.h"
#include "pack.h"

/* Lanes as double take the space of so many vectors. */
enum { PARTS = sizeof(double) / sizeof(real) };

typedef real part_in_place
    __attribute__((vector_size(LANES * sizeof(real) / PARTS), aligned(sizeof(real)), may_alias));
typedef double wide __attribute__((vector_size(LANES * sizeof(double) / PARTS)));

typedef struct batch {
  const pz_mat* x;
  const pz_mat* y;
  const pz_mat* out;
  term what;
  pz_axis axis;
  unsigned char* flags;
} batch;

LANE_INLINE wide
widened(const lane* const x, const int64_t part)
{
  const real* const at = (const real*)(const void*)x + part * (LANES / PARTS);
  return __builtin_convertvector(*(const part_in_place*)(const void*)at, wide);
}

/* Adds to `sum` what `count` columns of a row make. */
LANE_INLINE void
add(const term what, const int64_t count, const lane_view x, const lane_view y, wide* const sum)
{
  const int64_t sign = INT64_MAX;
  for (int64_t i = 0; i < count; ++i) {
    LANE_UNROLL
    for (int64_t p = 0; p < PARTS; ++p) {
      const wide u = widened(x.at + i * x.col, p);
      if (what == TERM_MAGNITUDE) {
        typedef int64_t bits __attribute__((vector_size(sizeof(wide))));
        sum[p] += (wide)((bits)u & sign);
      } else {
        sum[p] += u * (what == TERM_SQUARE ? u : widened(y.at + i * y.col, p));
      }
    }
  }
}

/* One number for each lane from `rows` x `cols` entries; returns which are not precise. */
LANE_INLINE lane_mask
sum_entries(const term what, const int64_t rows, const int64_t cols, const lane_view x,
            const lane_view y, lane* const out)
{
  double sums[LANES] __attribute__((aligned(64)));
  real numbers[LANES] __attribute__((aligned(64)));
  wide sum[PARTS] = {{0}};
  lane_mask odd = {0};
  for (int64_t i = 0; i < rows; ++i) {
    const lane_view u = {x.at + i * x.row, x.row, x.col};
    const lane_view v = {y.at + i * y.row, y.row, y.col};
    add(what, cols, u, v, sum);
  }
  LANE_UNROLL
  for (int64_t p = 0; p < PARTS; ++p) {
    *(wide*)(void*)&sums[p * (LANES / PARTS)] = sum[p];
  }
  for (int64_t k = 0; k < LANES; ++k) {
    numbers[k] = (real)(what == TERM_SQUARE ? sqrt(sums[k]) : sums[k]);
  }
  // squares of float never leave the range of double
  for (int64_t k = 0; k < LANES && what == TERM_SQUARE && PARTS == 1; ++k) {
    odd[k] = cpu_sum_is_plain(sums[k]) ? 0 : -1;
  }
  *out = *(const lane*)(const void*)numbers;
  return odd;
}

/* The largest magnitude, NaN where any entry is. */
LANE_INLINE lane_mask
find_largest(const int64_t rows, const int64_t cols, const lane_view x, lane* const out)
{
  lane most = lane_of(0);
  lane nan = lane_of(0);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) {
      const lane v = lane_magnitude(x.at[i * x.row + j * x.col]);
      most = lane_larger(v, most);
      nan = lane_select((lane_mask)(v == v), nan, v);
    }
  }
  *out = most + nan;
  return (lane_mask){0};
}

LANE_INLINE lane_mask
reduce(const term what, const int64_t rows, const int64_t cols, const lane_view x,
       const lane_view y, lane* const out)
{
  switch (what) {
  case TERM_MAGNITUDE:
    return sum_entries(TERM_MAGNITUDE, rows, cols, x, y, out);
  case TERM_PRODUCT:
    return sum_entries(TERM_PRODUCT, rows, cols, x, y, out);
  case TERM_LARGEST:
    return find_largest(rows, cols, x, out);
  case TERM_SQUARE:
  case TERM_SCALED_SQUARE: /* taken one by one only */
    break;
  }
  return sum_entries(TERM_SQUARE, rows, cols, x, x, out);
}

static void
reduce_group(const void* const context, const int64_t first, const int64_t count,
             lane* const memory)
{
  const batch* const t = context;
  const int64_t size = t->x->rows * t->x->cols;
  const bool by_rows = t->axis == PZ_OVER_ROWS;
  lane* const out = memory;
  lane* const loaded = out + LANES_MOST;
  lane_view x = lane_view_loaded(t->x, loaded);
  lane_view y = lane_view_loaded(t->y, t->what == TERM_PRODUCT ? loaded + size : loaded);
  lane_mask odd = {0};
  lane_load_matrices(t->x, first, count, loaded);
  if (t->what == TERM_PRODUCT) {
    lane_load_matrices(t->y, first, count, y.at);
  }
  if (t->axis == PZ_OVER_BOTH) {
    odd = reduce(t->what, t->x->rows, t->x->cols, x, y, out);
  } else {
    x = by_rows ? lane_view_transposed(x) : x;
    y = by_rows ? lane_view_transposed(y) : y;
    for (int64_t i = 0; i < t->out->rows; ++i) {
      const lane_view u = {x.at + i * x.row, x.row, x.col};
      const lane_view v = {y.at + i * y.row, y.row, y.col};
      odd |= reduce(t->what, 1, by_rows ? t->x->rows : t->x->cols, u, v, &out[i]);
    }
  }
  lane_store_matrices(t->out, first, count, out);
  lane_flag(odd, count, t->flags + first);
}

bool
TYPED(reduction_is_for_lanes)(const term what, const pz_mat* const x, const pz_mat* const out)
{
  const int64_t most = what == TERM_PRODUCT ? REDUCE_PRODUCT_MOST : REDUCE_NORM_MOST;
  return x->rows <= LANES_MOST && x->cols <= LANES_MOST && x->rows * x->cols <= most &&
         lanes_are_filled(out->batch);
}

pz_status
TYPED(reduce_lanes)(pz_backend_queue* const q, const term what, const pz_axis axis,
                    const pz_mat* const x, const pz_mat* const y, const pz_mat* const out,
                    unsigned char* const flags)
{
  const batch t = {x, y, out, what, axis, flags};
  const int64_t size = x->rows * x->cols;
  const int64_t operands = what == TERM_PRODUCT ? 2 : 1;
  return TYPED(lane_loop)(q, out->batch, LANES, LANES_MOST + operands * size,
                          0.5 * (double)(operands * size), reduce_group, &t);
}
