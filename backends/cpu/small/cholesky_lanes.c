/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Cholesky factors of a batch of small matrices across lanes. Lanes go through the same steps,
   so one that meets a pivot that is not above zero goes on regardless; it is flagged, as one
   whose factor is not finite, and its matrix left to be looked at by itself. */

#include "batches.h"

#include "batch.h"
#include "lane_cholesky.h"
#include "lane_flag.h"
#include "pack.h"

typedef struct batch {
  const pz_mat* a;
  const pz_mat* l;
  unsigned char* flags;
} batch;

static void
factor_group(const void* const context, const int64_t first, const int64_t count,
             lane* const memory)
{
  const batch* const t = context;
  const int64_t n = t->l->rows;
  const lane_view a = lane_view_loaded(t->a, memory);
  const lane_view l = {memory + n * n, lane_width(n), 1};
  const lane_view out = lane_view_loaded(t->l, memory);
  lane_load_matrices(t->a, first, count, memory);
  const lane_mask dead = lane_cholesky(n, a, l);
  lane odd = lane_of(0);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      const lane v = l.at[i * l.row + j];
      odd += 0 * v;
      out.at[i * out.row + j * out.col] = v;
    }
    for (int64_t j = i + 1; j < n; ++j) {
      out.at[i * out.row + j * out.col] = lane_of(0);
    }
  }
  lane_store_matrices(t->l, first, count, memory);
  lane_flag(dead | (lane_mask)(odd != 0), count, t->flags + first);
}

pz_status
TYPED(potrf_lanes)(pz_backend_queue* const q, const pz_triangle triangle, const pz_mat* const a,
                   const pz_mat* const l, unsigned char* const flags)
{
  // of an upper triangle l^T l = a: the transpose is that of the lower one
  const pz_mat from = triangle == PZ_LOWER ? *a : pz_mat_transposed(a);
  const pz_mat to = triangle == PZ_LOWER ? *l : pz_mat_transposed(l);
  const batch t = {&from, &to, flags};
  const int64_t n = l->rows;
  return TYPED(lane_loop)(q, l->batch, LANES, n * (n + lane_width(n)),
                          0.02 * (double)(n * n * (n + 8)), factor_group, &t);
}
