/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Operations on matrices in one pass over memory: structured ones, linear combinations, diagonals,
   reductions and scalings. */

#include "op_call.h"
#include "op_entries.h"

static void
check_choice(pzi_op_call* const op, const bool good, const char* const what)
{
  if (!good) {
    pzi_op_call_refuse(op, what);
  }
}

/* ---- structured passes ------------------------------------------------------- */

pz_status
pzi_ops_add_identity(pz_call* const c, const double a, pz_tensor* const y)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_ADD_IDENTITY);
  pzi_op_call_matrix(&op, "y", PZI_UPDATE, false, y);
  op.request.real[0] = a;
  return a == 0.0 ? op.status : pzi_op_call_run(&op);
}

pz_status
pzi_ops_combine(pz_call* const c, const double shift, const uint32_t n, const double* const a,
                const pz_tensor* const* const x, pz_tensor* const y)
{
  static const char* const names[] = {"x[0]", "x[1]", "x[2]", "x[3]",
                                      "x[4]", "x[5]", "x[6]", "x[7]"};
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_COMBINE);
  if (n > sizeof(names) / sizeof(names[0]) || (n > 0 && (!a || !x))) {
    pzi_op_call_refuse(&op, a && x ? "found more than 8 terms" : "found no terms");
    return op.status;
  }
  for (uint32_t k = 0; k < n; ++k) {
    if (a[k] == 0.0) {
      continue;
    }
    op.request.real[op.request.n] = a[k];
    if (shift == 0.0) {
      pzi_op_call_element(&op, names[k], PZI_READ, x[k]);
    } else {
      pzi_op_call_matrix(&op, names[k], PZI_READ, false, x[k]);
      pzi_op_call_expect(&op, op.request.n - 1, pzi_op_call_rows(&op, 0), pzi_op_call_cols(&op, 0));
    }
  }
  const uint32_t terms = op.request.n;
  if (terms == 0) {
    PZ_TRY(pzi_ops_fill(c, 0.0, y));
    return shift == 0.0 ? PZ_OK : pzi_ops_add_identity(c, shift, y);
  }
  if (shift == 0.0) {
    pzi_op_call_element(&op, "y", PZI_WRITE, y);
  } else {
    pzi_op_call_matrix(&op, "y", PZI_WRITE, false, y);
    pzi_op_call_expect(&op, terms, pzi_op_call_rows(&op, 0), pzi_op_call_cols(&op, 0));
  }
  op.may_alias = (1U << terms) - 1;
  op.request.shift = shift;
  return pzi_op_call_run(&op);
}

/* y from square x of the same shape; an entry of y depends on that of x and on its mirror image. */
static pz_status
mirror(pz_call* const c, const pzi_op kind, const double a, const pz_triangle triangle,
       const int sign, const pz_tensor* const x, pz_tensor* const y)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, kind);
  check_choice(&op, sign == 1 || sign == -1, "sign is neither 1 nor -1");
  check_choice(&op, triangle == PZ_UPPER || triangle == PZ_LOWER, "unknown triangle");
  pzi_op_call_matrix(&op, "x", PZI_READ, false, x);
  pzi_op_call_matrix(&op, "y", PZI_WRITE, false, y);
  pzi_op_call_expect_square(&op, 0);
  pzi_op_call_expect(&op, 1, pzi_op_call_rows(&op, 0), pzi_op_call_cols(&op, 0));
  op.request.which = (int)triangle;
  op.request.sign = sign;
  op.request.real[0] = a;
  return pzi_op_call_run(&op);
}

pz_status
pzi_ops_fold(pz_call* const c, const pz_triangle triangle, const int sign, const pz_tensor* const x,
             pz_tensor* const y)
{
  return mirror(c, PZI_FOLD, 1.0, triangle, sign, x, y);
}

pz_status
pzi_ops_fold_adjoint(pz_call* const c, const pz_triangle triangle, const int sign,
                     const pz_tensor* const g, pz_tensor* const gx)
{
  return mirror(c, PZI_FOLD_ADJOINT, 1.0, triangle, sign, g, gx);
}

pz_status
pzi_ops_symmetrize(pz_call* const c, const double a, const int sign, const pz_tensor* const x,
                   pz_tensor* const y)
{
  return mirror(c, PZI_SYMMETRIZE, a, PZ_UPPER, sign, x, y);
}

pz_status
pzi_ops_triangle(pz_call* const c, const pz_triangle triangle, const int64_t offset,
                 const pz_tensor* const x, pz_tensor* const y)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_TRIANGLE);
  check_choice(&op, triangle == PZ_UPPER || triangle == PZ_LOWER, "unknown triangle");
  pzi_op_call_matrix(&op, "x", PZI_READ, false, x);
  pzi_op_call_matrix(&op, "y", PZI_WRITE, false, y);
  pzi_op_call_expect(&op, 1, pzi_op_call_rows(&op, 0), pzi_op_call_cols(&op, 0));
  op.may_alias = 1U << 0;
  op.request.which = (int)triangle;
  op.request.integer = offset;
  return pzi_op_call_run(&op);
}

static int64_t
diagonal_length(const pzi_op_call* const op, const uint32_t k)
{
  const int64_t rows = pzi_op_call_rows(op, k);
  const int64_t cols = pzi_op_call_cols(op, k);
  return rows < cols ? rows : cols;
}

pz_status
pzi_ops_get_diagonal(pz_call* const c, const pz_tensor* const x, pz_tensor* const d)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_GET_DIAGONAL);
  pzi_op_call_matrix(&op, "x", PZI_READ, false, x);
  pzi_op_call_vector(&op, "d", PZI_WRITE, d);
  pzi_op_call_expect(&op, 1, diagonal_length(&op, 0), 1);
  return pzi_op_call_run(&op);
}

pz_status
pzi_ops_set_diagonal(pz_call* const c, const pz_tensor* const d, pz_tensor* const y)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_SET_DIAGONAL);
  pzi_op_call_vector(&op, "d", PZI_READ, d);
  pzi_op_call_matrix(&op, "y", PZI_UPDATE, false, y);
  op.leader = 1;
  pzi_op_call_expect(&op, 0, diagonal_length(&op, 1), 1);
  return op.status == PZ_OK && diagonal_length(&op, 1) == 0 ? PZ_OK : pzi_op_call_run(&op);
}

/* ---- reductions and scalings ------------------------------------------------- */

static void
expect_reduced(pzi_op_call* const op, const uint32_t k, const uint32_t of, const pz_axis axis)
{
  pzi_op_call_expect(op, k,
                     axis == PZ_OVER_ROWS ? pzi_op_call_cols(op, of) : pzi_op_call_rows(op, of), 1);
}

static void
check_axis(pzi_op_call* const op, const pz_axis axis)
{
  check_choice(op, axis == PZ_OVER_ROWS || axis == PZ_OVER_COLS || axis == PZ_OVER_BOTH,
               "unknown axis");
  op->request.which = (int)axis;
}

pz_status
pzi_ops_norm(pz_call* const c, const pz_norm kind, const pz_axis axis, const pz_tensor* const x,
             pz_tensor* const out)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_NORM);
  check_axis(&op, axis);
  check_choice(&op, kind == PZ_NORM_ONE || kind == PZ_NORM_TWO || kind == PZ_NORM_MAX,
               "unknown norm");
  pzi_op_call_matrix(&op, "x", PZI_READ, false, x);
  pzi_op_call_reduced(&op, "out", PZI_WRITE, axis, out);
  expect_reduced(&op, 1, 0, axis);
  op.request.sign = (int)kind;
  return pzi_op_call_empty(&op, 0) ? pzi_ops_fill(c, 0.0, out) : pzi_op_call_run(&op);
}

pz_status
pzi_ops_dot(pz_call* const c, const pz_axis axis, const pz_tensor* const x,
            const pz_tensor* const y, pz_tensor* const out)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_DOT);
  check_axis(&op, axis);
  pzi_op_call_matrix(&op, "x", PZI_READ, false, x);
  pzi_op_call_matrix(&op, "y", PZI_READ, false, y);
  pzi_op_call_reduced(&op, "out", PZI_WRITE, axis, out);
  pzi_op_call_expect(&op, 1, pzi_op_call_rows(&op, 0), pzi_op_call_cols(&op, 0));
  expect_reduced(&op, 2, 0, axis);
  return pzi_op_call_empty(&op, 0) ? pzi_ops_fill(c, 0.0, out) : pzi_op_call_run(&op);
}

pz_status
pzi_ops_scale_by(pz_call* const c, const pz_axis axis, const pz_tensor* const d,
                 const pz_tensor* const x, pz_tensor* const y)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_SCALE_BY);
  check_axis(&op, axis);
  pzi_op_call_reduced(&op, "d", PZI_READ, axis, d);
  pzi_op_call_matrix(&op, "x", PZI_READ, false, x);
  pzi_op_call_matrix(&op, "y", PZI_WRITE, false, y);
  op.leader = 1;
  op.may_alias = 1U << 1;
  expect_reduced(&op, 0, 1, axis);
  pzi_op_call_expect(&op, 2, pzi_op_call_rows(&op, 1), pzi_op_call_cols(&op, 1));
  return pzi_op_call_run(&op);
}
