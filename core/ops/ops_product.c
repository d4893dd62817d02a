/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products and triangular solves. Transposed operands get transposed strides. */

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
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_GEMM);
  pzi_op_call_matrix(&op, "a", PZI_READ, ta == PZ_T, a);
  pzi_op_call_matrix(&op, "b", PZI_READ, tb == PZ_T, b);
  pzi_op_call_matrix(&op, "y", output_access(beta), false, y);
  pzi_op_call_expect(&op, 1, pzi_op_call_cols(&op, 0), pzi_op_call_cols(&op, 1));
  pzi_op_call_expect(&op, 2, pzi_op_call_rows(&op, 0), pzi_op_call_cols(&op, 1));
  op.request.real[0] = alpha;
  op.request.real[1] = beta;
  if (op.status == PZ_OK && (alpha == 0.0 || pzi_op_call_cols(&op, 0) == 0)) {
    return pzi_ops_scale(c, beta, y);
  }
  return pzi_op_call_run(&op);
}

pz_status
pzi_ops_syrk(pz_call* const c, const pz_trans ta, const double alpha, const pz_tensor* const a,
             const double beta, pz_tensor* const y)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_SYRK);
  pzi_op_call_matrix(&op, "a", PZI_READ, ta == PZ_T, a);
  pzi_op_call_matrix(&op, "y", output_access(beta), false, y);
  pzi_op_call_expect(&op, 1, pzi_op_call_rows(&op, 0), pzi_op_call_rows(&op, 0));
  op.request.real[0] = alpha;
  op.request.real[1] = beta;
  if (op.status == PZ_OK && (alpha == 0.0 || pzi_op_call_cols(&op, 0) == 0)) {
    return pzi_ops_scale(c, beta, y);
  }
  return pzi_op_call_run(&op);
}

/* b multiplied by triangular t or by its inverse. */
static pz_status
triangular(pz_call* const c, const pzi_op kind, const pz_side side, const pz_triangle triangle,
           const pz_trans tt, const pz_diagonal diagonal, const double alpha,
           const pz_tensor* const t, pz_tensor* const b)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, kind);
  pzi_op_call_matrix(&op, "t", PZI_READ, tt == PZ_T, t);
  pzi_op_call_matrix(&op, "b", PZI_UPDATE, false, b);
  pzi_op_call_expect_square(&op, 0);
  const int64_t n = pzi_op_call_rows(&op, 0);
  pzi_op_call_expect(&op, 1, side == PZ_LEFT ? n : pzi_op_call_rows(&op, 1),
                     side == PZ_LEFT ? pzi_op_call_cols(&op, 1) : n);
  /* the transpose of an upper triangle is a lower one */
  const bool upper = (triangle == PZ_UPPER) == (tt == PZ_N);
  op.request.which = (int)side;
  op.request.triangle = upper ? PZ_UPPER : PZ_LOWER;
  op.request.diagonal = (int)diagonal;
  op.request.real[0] = alpha;
  if (op.status == PZ_OK && alpha == 0.0) {
    return pzi_ops_fill(c, 0.0, b);
  }
  return pzi_op_call_run(&op);
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
