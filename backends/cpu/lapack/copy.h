/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Copies by the operations of the set of instructions in use, which the queue knows: lapack/ itself is
   compiled without any. */

#ifndef CPU_COPY_H
#define CPU_COPY_H

#include "scratch.h"
#include "view.h"

static inline const pz_backend_ops*
ops_of(const pz_backend_queue* const q)
{
  return CPU_REAL_BITS == 32 ? q->f32 : q->f64;
}

/* y = x by tiles, any layouts. */
static inline void
copy_view(const pz_backend_queue* const q, const view x, const view y)
{
  const pz_mat from = mat_of(x);
  const pz_mat to = mat_of(y);
  (void)ops_of(q)->copy(NULL, &from, &to);
}

/* y = value everywhere. */
static inline void
fill_view(const pz_backend_queue* const q, const real value, const view y)
{
  const pz_mat m = mat_of(y);
  (void)ops_of(q)->fill(NULL, (double)value, &m);
}

#endif /* CPU_COPY_H */
