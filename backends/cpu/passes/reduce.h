/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Reductions, of matrices one by one (reduce.c) or across lanes (reduce_lanes.c). */

#ifndef CPU_REDUCE_H
#define CPU_REDUCE_H

#include "real.h"

#include <parametrize/backend.h>

#include <stdbool.h>

/* What becomes one number. */
typedef enum term {
  TERM_MAGNITUDE,
  TERM_SQUARE,
  TERM_SCALED_SQUARE, /* of x / scale */
  TERM_PRODUCT,       /* x y */
  TERM_LARGEST,       /* magnitude */
} term;

/* Is the root of this sum of squares precise? */
static inline bool
cpu_sum_is_plain(const double sum)
{
  return sum > 1e-270 && sum < 1e300;
}

/* Whether a batch goes across lanes; then all of it, but for matrices whose flag is 1 in the end,
   with squares that left the range of double. */
bool TYPED(reduction_is_for_lanes)(term what, const pz_mat* x, const pz_mat* out);
pz_status TYPED(reduce_lanes)(pz_backend_queue* q, term what, pz_axis axis, const pz_mat* x,
                              const pz_mat* y, const pz_mat* out, unsigned char* flags);

#endif /* CPU_REDUCE_H */
