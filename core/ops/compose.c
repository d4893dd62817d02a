/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Operations made of others. The table has one or more ways to compose an operation, which are
   tried in order, and for each way the operations that it requires. If a backend offers gemm and
   launch, everything runs on the device except pivoted inverses, factorizations, rows by index, row
   kernels and random numbers. If it offers nothing, copies and fills still run there.

   A way requires two kinds of operations. For those in `native`, the backend must have an entry.
   Those in `device` may be composed in turn. Solve and shifted_inverse are each composed of the
   other: without `native` they would call each other without end. */

#include "compose.h"

#include "compose_ways.h"
#include "op_table.h"

#define BIT(op) ((uint64_t)1 << (op))

enum { MAX_WAYS = 3 };

typedef struct way {
  uint64_t native;
  uint64_t device;
  pz_status (*run)(pz_queue* queue, const pzi_request* r);
} way;

static const way ways[PZI_N_OPS][MAX_WAYS] = {
    [PZI_COPY] = {{0, 0, pzi_compose_copy_dense},
                  {BIT(PZI_LAUNCH), 0, pzi_compose_copy_kernel},
                  {0, 0, pzi_compose_copy_lines}},
    [PZI_FILL] = {{0, 0, pzi_compose_fill_dense},
                  {BIT(PZI_LAUNCH), 0, pzi_compose_fill_kernel},
                  {0, 0, pzi_compose_fill_lines}},
    [PZI_AXPBY] = {{BIT(PZI_LAUNCH), 0, pzi_compose_axpby}},
    [PZI_SCALE] = {{BIT(PZI_LAUNCH), 0, pzi_compose_scale}},
    [PZI_HADAMARD] = {{BIT(PZI_LAUNCH), 0, pzi_compose_hadamard}},
    [PZI_COMBINE] = {{0, BIT(PZI_AXPBY) | BIT(PZI_ADD_IDENTITY), pzi_compose_combine}},
    [PZI_ADD_IDENTITY] = {{BIT(PZI_LAUNCH), 0, pzi_compose_add_identity}},
    [PZI_FOLD] = {{BIT(PZI_LAUNCH), 0, pzi_compose_mirror}},
    [PZI_FOLD_ADJOINT] = {{BIT(PZI_LAUNCH), 0, pzi_compose_mirror}},
    [PZI_SYMMETRIZE] = {{BIT(PZI_LAUNCH), 0, pzi_compose_mirror}},
    [PZI_TRIANGLE] = {{BIT(PZI_LAUNCH), 0, pzi_compose_triangle}},
    [PZI_GET_DIAGONAL] = {{BIT(PZI_LAUNCH), 0, pzi_compose_diagonal}},
    [PZI_SET_DIAGONAL] = {{BIT(PZI_LAUNCH), 0, pzi_compose_diagonal}},
    [PZI_NORM] = {{BIT(PZI_LAUNCH), 0, pzi_compose_norm}},
    [PZI_DOT] = {{BIT(PZI_LAUNCH), BIT(PZI_HADAMARD), pzi_compose_dot}},
    [PZI_SCALE_BY] = {{BIT(PZI_LAUNCH), 0, pzi_compose_scale_by}},
    [PZI_GEMM] = {{BIT(PZI_LAUNCH), BIT(PZI_AXPBY), pzi_compose_gemm}},
    [PZI_SYRK] = {{0, BIT(PZI_GEMM) | BIT(PZI_FOLD), pzi_compose_syrk}},
    [PZI_TRMM] = {{0, BIT(PZI_GEMM) | BIT(PZI_TRIANGLE) | BIT(PZI_ADD_IDENTITY), pzi_compose_trmm}},
    [PZI_TRSM] = {{BIT(PZI_LAUNCH), BIT(PZI_GET_DIAGONAL), pzi_compose_trsm}},
    [PZI_SHIFTED_INVERSE] = {{BIT(PZI_LAUNCH), BIT(PZI_GEMM) | BIT(PZI_NORM) | BIT(PZI_COMBINE),
                              pzi_compose_inverse_blocks},
                             {BIT(PZI_SOLVE), BIT(PZI_COMBINE) | BIT(PZI_ADD_IDENTITY),
                              pzi_compose_inverse_solve}},
    [PZI_SHIFTED_INVERSE_ADJOINT] = {{0, BIT(PZI_GEMM) | BIT(PZI_COMBINE),
                                      pzi_compose_inverse_adjoint}},
    [PZI_SOLVE] = {{BIT(PZI_SHIFTED_INVERSE), BIT(PZI_GEMM), pzi_compose_solve}},
};

static bool
way_open(const pz_queue* const queue, const way* const w, const uint32_t dtype)
{
  for (int op = 0; op < PZI_N_OPS; ++op) {
    if ((w->native & BIT(op)) != 0 && !pzi_op_native(queue, (pzi_op)op, dtype)) {
      return false;
    }
    if ((w->device & BIT(op)) != 0 && !pzi_op_native(queue, (pzi_op)op, dtype) &&
        !pzi_compose_possible(queue, (pzi_op)op, dtype)) {
      return false;
    }
  }
  return true;
}

bool
pzi_compose_possible(const pz_queue* const queue, const pzi_op op, const uint32_t dtype)
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
