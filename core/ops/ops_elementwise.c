/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The table of operations, and the elementwise ones.

   A coefficient that is exactly 0 leaves its operand unread, as in BLAS: NaN and Inf in it
   do not propagate. That is settled here, once for all backends, by turning such a call
   into the simpler operation it is. */

#include "ops.h"

#include "op_call.h"
#include "op_entries.h"
#include "status.h"

#include <string.h>

pz_status
pzi_ops_copy(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_COPY);
  pzi_task_element(&t, "x", PZI_READ, x);
  pzi_task_element(&t, "y", PZI_WRITE, y);
  return pzi_task_run(&t);
}

pz_status
pzi_ops_fill(pz_call* const c, const double value, pz_tensor* const y)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_FILL);
  pzi_task_element(&t, "y", PZI_WRITE, y);
  t.request.real[0] = value;
  return pzi_task_run(&t);
}

pz_status
pzi_ops_scale(pz_call* const c, const double a, pz_tensor* const y)
{
  if (a == 0.0) {
    return pzi_ops_fill(c, 0.0, y);
  }
  pzi_task t;
  pzi_task_begin(&t, c, PZI_SCALE);
  pzi_task_element(&t, "y", PZI_UPDATE, y);
  t.request.real[0] = a;
  return a == 1.0 ? t.status : pzi_task_run(&t);
}

pz_status
pzi_ops_axpby(pz_call* const c, const double a, const pz_tensor* const x, const double b,
              pz_tensor* const y)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_AXPBY);
  pzi_task_element(&t, "x", PZI_READ, x);
  pzi_task_element(&t, "y", b == 0.0 ? PZI_WRITE : PZI_UPDATE, y);
  t.may_alias = 1U << 0;
  t.request.real[0] = a;
  t.request.real[1] = b;
  if (t.status == PZ_OK && a == 0.0) {
    return pzi_ops_scale(c, b, y);
  }
  return pzi_task_run(&t);
}

pz_status
pzi_ops_hadamard(pz_call* const c, const double a, const pz_tensor* const x,
                 const pz_tensor* const y, const double b, pz_tensor* const z)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_HADAMARD);
  pzi_task_element(&t, "x", PZI_READ, x);
  pzi_task_element(&t, "y", PZI_READ, y);
  pzi_task_element(&t, "z", b == 0.0 ? PZI_WRITE : PZI_UPDATE, z);
  t.may_alias = 1U << 0 | 1U << 1;
  t.request.real[0] = a;
  t.request.real[1] = b;
  if (t.status == PZ_OK && a == 0.0) {
    return pzi_ops_scale(c, b, z);
  }
  return pzi_task_run(&t);
}

pz_status
pzi_ops_combine(pz_call* const c, const double shift, const uint32_t n, const double* const a,
                const pz_tensor* const* const x, pz_tensor* const y)
{
  static const char* const names[] = {"x[0]", "x[1]", "x[2]", "x[3]",
                                      "x[4]", "x[5]", "x[6]", "x[7]"};
  pzi_task t;
  pzi_task_begin(&t, c, PZI_COMBINE);
  if (n > sizeof(names) / sizeof(names[0]) || (n > 0 && (!a || !x))) {
    pzi_task_refuse(&t, a && x ? "found more than 8 terms" : "found no terms");
    return t.status;
  }
  for (uint32_t k = 0; k < n; ++k) {
    if (a[k] == 0.0) {
      continue;
    }
    t.request.real[t.request.n] = a[k];
    if (shift == 0.0) {
      pzi_task_element(&t, names[k], PZI_READ, x[k]);
    } else {
      pzi_task_matrix(&t, names[k], PZI_READ, false, x[k]);
      pzi_task_expect(&t, t.request.n - 1, pzi_task_rows(&t, 0), pzi_task_cols(&t, 0));
    }
  }
  const uint32_t terms = t.request.n;
  if (terms == 0) {
    PZ_TRY(pzi_ops_fill(c, 0.0, y));
    return shift == 0.0 ? PZ_OK : pzi_ops_add_identity(c, shift, y);
  }
  if (shift == 0.0) {
    pzi_task_element(&t, "y", PZI_WRITE, y);
  } else {
    pzi_task_matrix(&t, "y", PZI_WRITE, false, y);
    pzi_task_expect(&t, terms, pzi_task_rows(&t, 0), pzi_task_cols(&t, 0));
  }
  t.may_alias = (1U << terms) - 1;
  t.request.shift = shift;
  return pzi_task_run(&t);
}

const pz_ops pzi_ops = {
    .size = sizeof(pzi_ops),
    .copy = pzi_ops_copy,
    .fill = pzi_ops_fill,
    .axpby = pzi_ops_axpby,
    .scale = pzi_ops_scale,
    .hadamard = pzi_ops_hadamard,
    .combine = pzi_ops_combine,
    .add_identity = pzi_ops_add_identity,
    .fold = pzi_ops_fold,
    .fold_adjoint = pzi_ops_fold_adjoint,
    .symmetrize = pzi_ops_symmetrize,
    .triangle = pzi_ops_triangle,
    .get_diagonal = pzi_ops_get_diagonal,
    .set_diagonal = pzi_ops_set_diagonal,
    .norm = pzi_ops_norm,
    .dot = pzi_ops_dot,
    .scale_by = pzi_ops_scale_by,
    .gemm = pzi_ops_gemm,
    .syrk = pzi_ops_syrk,
    .trmm = pzi_ops_trmm,
    .trsm = pzi_ops_trsm,
    .shifted_inverse = pzi_ops_shifted_inverse,
    .solve = pzi_ops_solve,
    .potrf = pzi_ops_potrf,
    .qr = pzi_ops_qr,
    .eigh = pzi_ops_eigh,
    .svd = pzi_ops_svd,
    .schur = pzi_ops_schur,
    .take = pzi_ops_take,
    .put = pzi_ops_put,
    .random = pzi_ops_random,
    .launch = pzi_ops_launch,
    .read = pzi_ops_read,
    .write = pzi_ops_write,
    .shifted_inverse_adjoint = pzi_ops_shifted_inverse_adjoint,
    .exponential = pzi_ops_exponential,
    .exponential_adjoint = pzi_ops_exponential_adjoint,
};

void
pzi_call_init(pz_call* const call, pzi_frame* const frame, pz_queue* const queue,
              const pz_fault* const fault)
{
  memset(call, 0, sizeof(*call));
  frame->queue = queue;
  frame->fault = fault ? *fault : queue->fault;
  call->size = sizeof(*call);
  call->ops = &pzi_ops;
  call->reserved = frame;
}
