/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Packing: entries of matrices in memory to and from lanes. A run whose length is no multiple of
   four ends with four entries of which some come twice. */

#ifndef CPU_PACK_H
#define CPU_PACK_H

#include "lane.h"
#include "view.h"

/* Matrices as memory shows them: `runs` of `length` elements `step` apart, the next matrix
   `batch_step` further. */
typedef struct lane_layout {
  int64_t runs;
  int64_t length;
  int64_t step;
  int64_t batch_step;
  int64_t element_step; /* 1, or of operands without runs */
} lane_layout;

LANE_INLINE lane_layout
lane_layout_of(const pz_mat* const m)
{
  const bool by_row = cpu_runs_by_row(m);
  const int64_t runs = by_row ? m->rows : m->cols;
  lane_layout l = {
      .runs = runs,
      .length = by_row ? m->cols : m->rows,
      .step = by_row ? m->row_stride : m->col_stride,
      .batch_step = m->batch_stride,
      .element_step = by_row ? m->col_stride : m->row_stride,
  };
  if (l.element_step == 1 && (l.step == l.length || runs == 1)) { /* a single run */
    l.length *= runs;
    l.runs = 1;
  }
  return l;
}

LANE_INLINE bool
lane_is_one_run(const lane_layout* const l)
{
  return l->runs == 1 && l->element_step == 1;
}

/* Place of the quad of a run after the one at `place`: some come twice at the end. */
LANE_INLINE int64_t
lane_next_quad(const int64_t place, const int64_t length)
{
  return place + 4 == length ? length : smaller(place + 4, length - 4);
}

/* Run by run, the entries of `count` matrices, at most LANES, that begin at `from`. The
   remaining lanes repeat the last one. */
void TYPED(lane_load)(const lane_layout* l, int64_t count, const real* from, lane* to);

/* Where an entry that is written comes from: its place among the lanes, and its sign: 1, -1, or
   0 for zero, whatever there is. */
typedef struct lane_pick {
  int32_t place;
  int32_t sign;
} lane_pick;

/* Writes entry e of `count` matrices from lanes e, or as pick[e] says. */
void TYPED(lane_store)(const lane_layout* l, int64_t count, const lane_pick* pick, const lane* from,
                       real* to);

/* Load and store `count` matrices of m from `first` on. */
LANE_INLINE void
lane_load_matrices(const pz_mat* const m, const int64_t first, const int64_t count, lane* const to)
{
  const lane_layout l = lane_layout_of(m);
  TYPED(lane_load)(&l, count, view_of(m, first).data, to);
}

LANE_INLINE void
lane_store_matrices(const pz_mat* const m, const int64_t first, const int64_t count,
                    const lane* const from)
{
  const lane_layout l = lane_layout_of(m);
  TYPED(lane_store)(&l, count, NULL, from, view_of(m, first).data);
}

#endif /* CPU_PACK_H */
