/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Loops over batches of matrices of equal shape. Three extents (batch, rows, columns) are
   put in the order of the output's strides and merged wherever every operand passes from
   one loop to the next without a gap: a contiguous batch becomes a single run. */

#include "loops.h"

#include "strides.h"

void
cpu_loops_init(cpu_loops* const l, const uint32_t n_operands, const pz_mat* const* const operands)
{
  const pz_mat* const y = operands[n_operands - 1U];
  const bool by_row = cpu_runs_by_row(y) || y->rows == 1;
  const int64_t extent[3] = {y->batch, by_row ? y->rows : y->cols, by_row ? y->cols : y->rows};

  l->n_operands = n_operands;
  if (y->rows == 1 && y->batch == 1) { /* one run, as of nearly every operand without gaps */
    for (uint32_t k = 0; k < n_operands; ++k) {
      l->stride[k][0] = 0;
      l->stride[k][1] = 0;
      l->stride[k][2] = operands[k]->col_stride;
      l->first[k] = cpu_at(operands[k], 0);
    }
    l->extent[0] = 1;
    l->extent[1] = 1;
    l->extent[2] = y->cols;
    return;
  }
  int kept = 3; /* loops are filled from the innermost outwards */
  for (int d = 2; d >= 0; --d) {
    if (extent[d] == 1) {
      continue;
    }
    int64_t stride[CPU_MAX_OPERANDS];
    bool merges = kept < 3;
    for (uint32_t k = 0; k < n_operands; ++k) {
      const pz_mat* const m = operands[k];
      stride[k] = d == 0 ? m->batch_stride : (d == 1) == by_row ? m->row_stride : m->col_stride;
      merges = merges && stride[k] == l->stride[k][kept] * l->extent[kept];
    }
    if (merges) {
      l->extent[kept] *= extent[d];
      continue;
    }
    --kept;
    l->extent[kept] = extent[d];
    for (uint32_t k = 0; k < n_operands; ++k) {
      l->stride[k][kept] = stride[k];
    }
  }
  if (kept == 3) { /* a single element */
    kept = 2;
    l->extent[2] = 1;
    for (uint32_t k = 0; k < n_operands; ++k) {
      l->stride[k][2] = 1;
    }
  }
  for (int d = 0; d < kept; ++d) {
    l->extent[d] = 1;
    for (uint32_t k = 0; k < n_operands; ++k) {
      l->stride[k][d] = 0;
    }
  }
  for (uint32_t k = 0; k < n_operands; ++k) {
    l->first[k] = cpu_at(operands[k], 0);
  }
}
