/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products and triangular solves. Transposition goes into the strides. */

#include "op_call.h"
#include "op_entries.h"

static uint8_t
output_access(const double beta)
{
  return beta == 0.0 ? PZI_WRITE : PZI_UPDATE;
}

pz_status
pzi_ops_gemm(pz_call* const c, const pz_trans ta, const pz_trans tb, const double alpha,
             const pz_tensor* const a, const pz_tensor* const b, const double beta,
             pz_tensor* const y)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_GEMM);
  pzi_task_matrix(&t, "a", PZI_READ, ta == PZ_T, a);
  pzi_task_matrix(&t, "b", PZI_READ, tb == PZ_T, b);
  pzi_task_matrix(&t, "y", output_access(beta), false, y);
  pzi_task_expect(&t, 1, pzi_task_cols(&t, 0), pzi_task_cols(&t, 1));
  pzi_task_expect(&t, 2, pzi_task_rows(&t, 0), pzi_task_cols(&t, 1));
  t.request.real[0] = alpha;
  t.request.real[1] = beta;
  if (t.status == PZ_OK && (alpha == 0.0 || pzi_task_cols(&t, 0) == 0)) {
    return pzi_ops_scale(c, beta, y);
  }
  return pzi_task_run(&t);
}

pz_status
pzi_ops_syrk(pz_call* const c, const pz_trans ta, const double alpha, const pz_tensor* const a,
             const double beta, pz_tensor* const y)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_SYRK);
  pzi_task_matrix(&t, "a", PZI_READ, ta == PZ_T, a);
  pzi_task_matrix(&t, "y", output_access(beta), false, y);
  pzi_task_expect(&t, 1, pzi_task_rows(&t, 0), pzi_task_rows(&t, 0));
  t.request.real[0] = alpha;
  t.request.real[1] = beta;
  if (t.status == PZ_OK && (alpha == 0.0 || pzi_task_cols(&t, 0) == 0)) {
    return pzi_ops_scale(c, beta, y);
  }
  return pzi_task_run(&t);
}

/* b from triangular t, multiplied or solved. */
static pz_status
triangular(pz_call* const c, const pzi_op op, const pz_side side, const pz_triangle triangle,
           const pz_trans tt, const pz_diagonal diagonal, const double alpha,
           const pz_tensor* const t, pz_tensor* const b)
{
  pzi_task task;
  pzi_task_begin(&task, c, op);
  pzi_task_matrix(&task, "t", PZI_READ, tt == PZ_T, t);
  pzi_task_matrix(&task, "b", PZI_UPDATE, false, b);
  pzi_task_expect_square(&task, 0);
  const int64_t n = pzi_task_rows(&task, 0);
  pzi_task_expect(&task, 1, side == PZ_LEFT ? n : pzi_task_rows(&task, 1),
                  side == PZ_LEFT ? pzi_task_cols(&task, 1) : n);
  /* a transposed triangle is seen as the other one */
  const bool upper = (triangle == PZ_UPPER) == (tt == PZ_N);
  task.request.which = (int)side;
  task.request.triangle = upper ? PZ_UPPER : PZ_LOWER;
  task.request.diagonal = (int)diagonal;
  task.request.real[0] = alpha;
  if (task.status == PZ_OK && alpha == 0.0) {
    return pzi_ops_fill(c, 0.0, b);
  }
  return pzi_task_run(&task);
}

pz_status
pzi_ops_trmm(pz_call* const c, const pz_side side, const pz_triangle triangle, const pz_trans tt,
             const pz_diagonal diagonal, const double alpha, const pz_tensor* const t,
             pz_tensor* const b)
{
  return triangular(c, PZI_TRMM, side, triangle, tt, diagonal, alpha, t, b);
}

pz_status
pzi_ops_trsm(pz_call* const c, const pz_side side, const pz_triangle triangle, const pz_trans tt,
             const pz_diagonal diagonal, const double alpha, const pz_tensor* const t,
             pz_tensor* const b)
{
  return triangular(c, PZI_TRSM, side, triangle, tt, diagonal, alpha, t, b);
}
