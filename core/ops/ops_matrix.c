/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Operations on matrices that are one pass over memory. */

#include "op_call.h"
#include "op_entries.h"

static void
check_choice(pzi_task* const task, const bool good, const char* const what)
{
  if (!good) {
    pzi_task_refuse(task, what);
  }
}

/* ---- structured passes ------------------------------------------------------- */

pz_status
pzi_ops_add_identity(pz_call* const c, const double a, pz_tensor* const y)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_ADD_IDENTITY);
  pzi_task_matrix(&t, "y", PZI_UPDATE, false, y);
  t.request.real[0] = a;
  return a == 0.0 ? t.status : pzi_task_run(&t);
}

/* y from square x of the same shape, by triangle and sign. */
static pz_status
mirror(pz_call* const c, const pzi_op op, const double a, const pz_triangle triangle,
       const int sign, const pz_tensor* const x, pz_tensor* const y)
{
  pzi_task t;
  pzi_task_begin(&t, c, op);
  check_choice(&t, sign == 1 || sign == -1, "sign is neither 1 nor -1");
  check_choice(&t, triangle == PZ_UPPER || triangle == PZ_LOWER, "unknown triangle");
  pzi_task_matrix(&t, "x", PZI_READ, false, x);
  pzi_task_matrix(&t, "y", PZI_WRITE, false, y);
  pzi_task_expect_square(&t, 0);
  pzi_task_expect(&t, 1, pzi_task_rows(&t, 0), pzi_task_cols(&t, 0));
  t.request.which = (int)triangle;
  t.request.sign = sign;
  t.request.real[0] = a;
  return pzi_task_run(&t);
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
  pzi_task t;
  pzi_task_begin(&t, c, PZI_TRIANGLE);
  check_choice(&t, triangle == PZ_UPPER || triangle == PZ_LOWER, "unknown triangle");
  pzi_task_matrix(&t, "x", PZI_READ, false, x);
  pzi_task_matrix(&t, "y", PZI_WRITE, false, y);
  pzi_task_expect(&t, 1, pzi_task_rows(&t, 0), pzi_task_cols(&t, 0));
  t.may_alias = 1U << 0;
  t.request.which = (int)triangle;
  t.request.integer = offset;
  return pzi_task_run(&t);
}

static int64_t
diagonal_length(const pzi_task* const task, const uint32_t k)
{
  const int64_t rows = pzi_task_rows(task, k);
  const int64_t cols = pzi_task_cols(task, k);
  return rows < cols ? rows : cols;
}

pz_status
pzi_ops_get_diagonal(pz_call* const c, const pz_tensor* const x, pz_tensor* const d)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_GET_DIAGONAL);
  pzi_task_matrix(&t, "x", PZI_READ, false, x);
  pzi_task_vector(&t, "d", PZI_WRITE, d);
  pzi_task_expect(&t, 1, diagonal_length(&t, 0), 1);
  return pzi_task_run(&t);
}

pz_status
pzi_ops_set_diagonal(pz_call* const c, const pz_tensor* const d, pz_tensor* const y)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_SET_DIAGONAL);
  pzi_task_vector(&t, "d", PZI_READ, d);
  pzi_task_matrix(&t, "y", PZI_UPDATE, false, y);
  t.leader = 1;
  pzi_task_expect(&t, 0, diagonal_length(&t, 1), 1);
  return t.status == PZ_OK && diagonal_length(&t, 1) == 0 ? PZ_OK : pzi_task_run(&t);
}

/* ---- reductions and scalings ------------------------------------------------- */

static void
expect_reduced(pzi_task* const task, const uint32_t k, const uint32_t of, const pz_axis axis)
{
  pzi_task_expect(task, k, axis == PZ_OVER_ROWS ? pzi_task_cols(task, of) : pzi_task_rows(task, of),
                  1);
}

static void
check_axis(pzi_task* const task, const pz_axis axis)
{
  check_choice(task, axis == PZ_OVER_ROWS || axis == PZ_OVER_COLS || axis == PZ_OVER_BOTH,
               "unknown axis");
  task->request.which = (int)axis;
}

pz_status
pzi_ops_norm(pz_call* const c, const pz_norm kind, const pz_axis axis, const pz_tensor* const x,
             pz_tensor* const out)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_NORM);
  check_axis(&t, axis);
  check_choice(&t, kind == PZ_NORM_ONE || kind == PZ_NORM_TWO || kind == PZ_NORM_MAX,
               "unknown norm");
  pzi_task_matrix(&t, "x", PZI_READ, false, x);
  pzi_task_reduced(&t, "out", PZI_WRITE, axis, out);
  expect_reduced(&t, 1, 0, axis);
  t.request.sign = (int)kind;
  return pzi_task_empty(&t, 0) ? pzi_ops_fill(c, 0.0, out) : pzi_task_run(&t);
}

pz_status
pzi_ops_dot(pz_call* const c, const pz_axis axis, const pz_tensor* const x,
            const pz_tensor* const y, pz_tensor* const out)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_DOT);
  check_axis(&t, axis);
  pzi_task_matrix(&t, "x", PZI_READ, false, x);
  pzi_task_matrix(&t, "y", PZI_READ, false, y);
  pzi_task_reduced(&t, "out", PZI_WRITE, axis, out);
  pzi_task_expect(&t, 1, pzi_task_rows(&t, 0), pzi_task_cols(&t, 0));
  expect_reduced(&t, 2, 0, axis);
  return pzi_task_empty(&t, 0) ? pzi_ops_fill(c, 0.0, out) : pzi_task_run(&t);
}

pz_status
pzi_ops_scale_by(pz_call* const c, const pz_axis axis, const pz_tensor* const d,
                 const pz_tensor* const x, pz_tensor* const y)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_SCALE_BY);
  check_axis(&t, axis);
  pzi_task_reduced(&t, "d", PZI_READ, axis, d);
  pzi_task_matrix(&t, "x", PZI_READ, false, x);
  pzi_task_matrix(&t, "y", PZI_WRITE, false, y);
  t.leader = 1;
  t.may_alias = 1U << 1;
  expect_reduced(&t, 0, 1, axis);
  pzi_task_expect(&t, 2, pzi_task_rows(&t, 1), pzi_task_cols(&t, 1));
  return pzi_task_run(&t);
}
