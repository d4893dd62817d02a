/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Small exponentials as operations: across lanes, or by rows. */

#include "exponential.h"

#include "batch.h"
#include "exponential_scratch.h"
#include "libraries.h"
#include "scratch.h"
#include "view.h"

static void
polynomial_of(const expm_scheme* const from, expm_polynomial* const to)
{
  to->products = (int)from->products;
  to->bound = (real)from->bound[CPU_REAL_BITS == 32 ? 0 : 1];
  for (int j = 0; j < EXPM_VALUES; ++j) {
    to->last[j] = (real)from->last[j];
    for (int k = 0; k < EXPM_PRODUCTS; ++k) {
      to->left[k][j] = (real)from->left[k][j];
      to->right[k][j] = (real)from->right[k][j];
    }
  }
}

static pz_status
run(pz_backend_queue* const q, const uint32_t in, const pz_mat* const x, const pz_mat* const gy,
    const pz_mat* const y)
{
  const int64_t n = y->rows;
  const bool lanes = n <= EXPONENTIAL_LANES_MOST && lanes_are_filled(y->batch);
  if (n > PZ_EXPONENTIAL_ORDER) {
    return PZ_UNSUPPORTED;
  }
  expm_batch t = {
      .x = x,
      .gy = gy,
      .y = y,
      .skew = in == PZ_SKEW,
      .symmetric = in == PZ_SYMMETRIC || in == PZ_SPD,
      .part = larger(1, 1024 / (n * n)) * (lanes ? LANES : 1),
      .room = expm_room(lanes ? n * n : (n + LANES - 1) / LANES * n),
  };
  const double flops = (gy ? 40.0 : 12.0) * (double)(n * n) * (double)(n + 4) * (double)y->batch;
  const uint32_t threads = cpu_threads(0.03 * flops);
  t.memory = cpu_scratch(q, CPU_SCRATCH_LANES, (size_t)threads * (size_t)t.room * sizeof(lane));
  if (!t.memory) {
    return cpu_no_memory(q);
  }
  // across lanes every other one, the last among them
  for (uint32_t k = lanes ? EXPM_LAST % 2 : 0; k < EXPM_SCHEMES; k += lanes ? 2 : 1) {
    polynomial_of(&expm_schemes[k], &t.polynomials[t.n_polynomials++]);
  }
  q->host->parallel(threads, (y->batch + t.part - 1) / t.part,
                    lanes ? TYPED(exponential_lanes) : TYPED(exponential_rows), &t);
  return PZ_OK;
}

pz_status
TYPED(exponential)(pz_backend_queue* const q, const uint32_t in, const pz_mat* const x,
                   const pz_mat* const y)
{
  return run(q, in, x, NULL, y);
}

pz_status
TYPED(exponential_adjoint)(pz_backend_queue* const q, const uint32_t in, const pz_mat* const x,
                           const pz_mat* const gy, const pz_mat* const gx)
{
  return run(q, in, x, gy, gx);
}
