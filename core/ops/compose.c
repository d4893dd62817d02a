/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What a backend lacks, from what it has: for each operation the ways to make it, first
   one first, with what each needs. A backend that offers gemm and launch gets everything
   but pivoted inverses, factorizations, rows by index and random numbers on the device;
   one that offers nothing still copies and fills there.

   `native` must be entries of the backend itself, so that no two ways wait for each other;
   `device` may be composed in turn. */

#include "compose.h"

#define BIT(op) ((uint64_t)1 << (op))

enum { MAX_WAYS = 3 };

typedef struct way {
  uint64_t native;
  uint64_t device;
  pz_status (*run)(pz_queue* queue, const pzi_request* r);
} way;

static const way ways[PZI_N_OPS][MAX_WAYS] = {
    [PZI_COPY] = {{0, 0, pzi_copy_dense},
                  {BIT(PZI_LAUNCH), 0, pzi_copy_kernel},
                  {0, 0, pzi_copy_lines}},
    [PZI_FILL] = {{0, 0, pzi_fill_dense},
                  {BIT(PZI_LAUNCH), 0, pzi_fill_kernel},
                  {0, 0, pzi_fill_lines}},
    [PZI_AXPBY] = {{BIT(PZI_LAUNCH), 0, pzi_axpby_kernel}},
    [PZI_SCALE] = {{BIT(PZI_LAUNCH), 0, pzi_scale_kernel}},
    [PZI_HADAMARD] = {{BIT(PZI_LAUNCH), 0, pzi_hadamard_kernel}},
    [PZI_COMBINE] = {{0, BIT(PZI_AXPBY) | BIT(PZI_ADD_IDENTITY), pzi_combine_terms}},
    [PZI_ADD_IDENTITY] = {{BIT(PZI_LAUNCH), 0, pzi_add_identity_kernel}},
    [PZI_FOLD] = {{BIT(PZI_LAUNCH), 0, pzi_mirror_kernel}},
    [PZI_FOLD_ADJOINT] = {{BIT(PZI_LAUNCH), 0, pzi_mirror_kernel}},
    [PZI_SYMMETRIZE] = {{BIT(PZI_LAUNCH), 0, pzi_mirror_kernel}},
    [PZI_TRIANGLE] = {{BIT(PZI_LAUNCH), 0, pzi_triangle_kernel}},
    [PZI_GET_DIAGONAL] = {{BIT(PZI_LAUNCH), 0, pzi_diagonal_kernel}},
    [PZI_SET_DIAGONAL] = {{BIT(PZI_LAUNCH), 0, pzi_diagonal_kernel}},
    [PZI_NORM] = {{BIT(PZI_LAUNCH), 0, pzi_norm_kernel}},
    [PZI_DOT] = {{BIT(PZI_LAUNCH), BIT(PZI_HADAMARD), pzi_dot_kernel}},
    [PZI_SCALE_BY] = {{BIT(PZI_LAUNCH), 0, pzi_scale_by_kernel}},
    [PZI_GEMM] = {{BIT(PZI_LAUNCH), BIT(PZI_AXPBY), pzi_gemm_kernel}},
    [PZI_SYRK] = {{0, BIT(PZI_GEMM) | BIT(PZI_FOLD), pzi_syrk_gemm}},
    [PZI_TRMM] = {{0, BIT(PZI_GEMM) | BIT(PZI_TRIANGLE) | BIT(PZI_ADD_IDENTITY), pzi_trmm_gemm}},
    [PZI_TRSM] = {{BIT(PZI_LAUNCH), BIT(PZI_GET_DIAGONAL), pzi_trsm_kernel}},
    [PZI_SHIFTED_INVERSE] = {{BIT(PZI_LAUNCH), BIT(PZI_GEMM) | BIT(PZI_NORM) | BIT(PZI_COMBINE),
                              pzi_inverse_blocks},
                             {BIT(PZI_SOLVE), BIT(PZI_COMBINE) | BIT(PZI_ADD_IDENTITY),
                              pzi_inverse_solve}},
    [PZI_SHIFTED_INVERSE_ADJOINT] = {{0, BIT(PZI_GEMM) | BIT(PZI_COMBINE), pzi_inverse_adjoint}},
    [PZI_SOLVE] = {{BIT(PZI_SHIFTED_INVERSE), BIT(PZI_GEMM), pzi_solve_inverse}},
};

static bool
way_open(const pz_queue* const queue, const way* const w, const uint32_t dtype)
{
  for (int op = 0; op < PZI_N_OPS; ++op) {
    if ((w->native & BIT(op)) != 0 && !pzi_op_native(queue, (pzi_op)op, dtype)) {
      return false;
    }
    if ((w->device & BIT(op)) != 0 && !pzi_op_native(queue, (pzi_op)op, dtype) &&
        !pzi_can_compose(queue, (pzi_op)op, dtype)) {
      return false;
    }
  }
  return true;
}

bool
pzi_can_compose(const pz_queue* const queue, const pzi_op op, const uint32_t dtype)
{
  for (int k = 0; k < MAX_WAYS && ways[op][k].run; ++k) {
    if (way_open(queue, &ways[op][k], dtype)) {
      return true;
    }
  }
  return false;
}

pz_status
pzi_compose(pz_queue* const queue, const pzi_request* const request)
{
  pz_status status = PZ_UNSUPPORTED;
  for (int k = 0; k < MAX_WAYS && ways[request->op][k].run && status == PZ_UNSUPPORTED; ++k) {
    const way* const w = &ways[request->op][k];
    if (way_open(queue, w, request->dtype)) {
      const uint64_t mark = pzi_arena_mark(&queue->scratch);
      status = w->run(queue, request);
      pzi_arena_release(&queue->scratch, mark);
    }
  }
  return status;
}

/* ---- short names ------------------------------------------------------------- */

pz_status
pzi_compose_launch(pz_queue* const queue, const pz_kernel* const kernel, const int64_t n_items,
                   const uint32_t n, const pz_mat* const* const mats, const double* const reals,
                   const int64_t* const integers)
{
  pzi_request r = {
      .op = PZI_LAUNCH,
      .n = n,
      .dtype = mats[0]->dtype,
      .integer = n_items,
      .fault = &queue->fault,
      .kernel = kernel,
      .reals = reals,
      .integers = integers,
  };
  for (uint32_t k = 0; k < n; ++k) {
    r.mat[k] = pzi_mat_line(mats[k]);
    r.access[k] = PZI_UPDATE;
  }
  return pzi_run_native(queue, &r);
}

/* x to y by an operation without further operands. */
static pzi_request
unary(const pz_queue* const queue, const pzi_op op, const pz_mat* const x, const pz_mat* const y,
      const uint8_t access)
{
  return (pzi_request){
      .op = op,
      .n = 2,
      .dtype = x->dtype,
      .access = {PZI_READ, access},
      .mat = {*x, *y},
      .fault = &queue->fault,
  };
}

pz_status
pzi_do_copy(pz_queue* const queue, const pz_mat* const x, const pz_mat* const y)
{
  const pzi_request r = unary(queue, PZI_COPY, x, y, PZI_WRITE);
  return pzi_run(queue, &r);
}

pz_status
pzi_do_axpby(pz_queue* const queue, const double a, const pz_mat* const x, const double b,
             const pz_mat* const y)
{
  pzi_request r = unary(queue, PZI_AXPBY, x, y, b == 0.0 ? PZI_WRITE : PZI_UPDATE);
  r.real[0] = a;
  r.real[1] = b;
  return pzi_run(queue, &r);
}

/* An operation on y alone with one number. */
static pz_status
in_place(pz_queue* const queue, const pzi_op op, const double number, const pz_mat* const y,
         const uint8_t access)
{
  const pzi_request r = {
      .op = op,
      .n = 1,
      .dtype = y->dtype,
      .access = {access},
      .mat = {*y},
      .real = {number},
      .fault = &queue->fault,
  };
  return pzi_run(queue, &r);
}

pz_status
pzi_do_fill(pz_queue* const queue, const double value, const pz_mat* const y)
{
  return in_place(queue, PZI_FILL, value, y, PZI_WRITE);
}

pz_status
pzi_do_add_identity(pz_queue* const queue, const double a, const pz_mat* const y)
{
  return in_place(queue, PZI_ADD_IDENTITY, a, y, PZI_UPDATE);
}

pz_status
pzi_do_shifted(pz_queue* const queue, const double shift, const double a, const pz_mat* const x,
               const pz_mat* const y)
{
  pzi_request r = unary(queue, PZI_COMBINE, x, y, PZI_WRITE);
  r.shift = shift;
  r.real[0] = a;
  return pzi_run(queue, &r);
}

pz_status
pzi_do_gemm(pz_queue* const queue, const double alpha, const pz_mat* const a, const pz_mat* const b,
            const double beta, const pz_mat* const y)
{
  const pzi_request r = {
      .op = PZI_GEMM,
      .n = 3,
      .dtype = y->dtype,
      .access = {PZI_READ, PZI_READ, beta == 0.0 ? PZI_WRITE : PZI_UPDATE},
      .mat = {*a, *b, *y},
      .real = {alpha, beta},
      .fault = &queue->fault,
  };
  return pzi_run(queue, &r);
}

pz_status
pzi_do_pass(pz_queue* const queue, const pzi_op op, const int which, const int sign,
            const int64_t offset, const pz_mat* const x, const pz_mat* const y)
{
  pzi_request r = unary(queue, op, x, y, PZI_WRITE);
  r.which = which;
  r.sign = sign;
  r.integer = offset;
  return pzi_run(queue, &r);
}
