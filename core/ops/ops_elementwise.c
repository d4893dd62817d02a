/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Elementwise operations and random numbers.

   A coefficient that is exactly 0 leaves its operand unread, as in BLAS: NaN and Inf in it do not
   propagate. The files ops_*.c ensure that for all backends: they run the simpler operation that
   such a call amounts to. */

#include "op_call.h"
#include "op_entries.h"

pz_status
pzi_ops_copy(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_COPY);
  pzi_op_call_element(&op, "x", PZI_READ, x);
  pzi_op_call_element(&op, "y", PZI_WRITE, y);
  return pzi_op_call_run(&op);
}

pz_status
pzi_ops_fill(pz_call* const c, const double value, pz_tensor* const y)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_FILL);
  pzi_op_call_element(&op, "y", PZI_WRITE, y);
  op.request.real[0] = value;
  return pzi_op_call_run(&op);
}

pz_status
pzi_ops_scale(pz_call* const c, const double a, pz_tensor* const y)
{
  if (a == 0.0) {
    return pzi_ops_fill(c, 0.0, y);
  }
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_SCALE);
  pzi_op_call_element(&op, "y", PZI_UPDATE, y);
  op.request.real[0] = a;
  return a == 1.0 ? op.status : pzi_op_call_run(&op);
}

pz_status
pzi_ops_axpby(pz_call* const c, const double a, const pz_tensor* const x, const double b,
              pz_tensor* const y)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_AXPBY);
  pzi_op_call_element(&op, "x", PZI_READ, x);
  pzi_op_call_element(&op, "y", b == 0.0 ? PZI_WRITE : PZI_UPDATE, y);
  op.may_alias = 1U << 0;
  op.request.real[0] = a;
  op.request.real[1] = b;
  if (op.status == PZ_OK && a == 0.0) {
    return pzi_ops_scale(c, b, y);
  }
  return pzi_op_call_run(&op);
}

pz_status
pzi_ops_hadamard(pz_call* const c, const double a, const pz_tensor* const x,
                 const pz_tensor* const y, const double b, pz_tensor* const z)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_HADAMARD);
  pzi_op_call_element(&op, "x", PZI_READ, x);
  pzi_op_call_element(&op, "y", PZI_READ, y);
  pzi_op_call_element(&op, "z", b == 0.0 ? PZI_WRITE : PZI_UPDATE, z);
  op.may_alias = 1U << 0 | 1U << 1;
  op.request.real[0] = a;
  op.request.real[1] = b;
  if (op.status == PZ_OK && a == 0.0) {
    return pzi_ops_scale(c, b, z);
  }
  return pzi_op_call_run(&op);
}

pz_status
pzi_ops_random(pz_call* const c, const pz_distribution kind, const uint64_t key,
               const uint64_t first, const double a, const double b, pz_tensor* const y)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_RANDOM);
  op.request.which = (int)kind;
  if (kind != PZ_BITS && kind != PZ_UNIFORM && kind != PZ_NORMAL && kind != PZ_BERNOULLI) {
    pzi_op_call_refuse(&op, "unknown distribution");
  }
  if (kind == PZ_BERNOULLI && !(a >= 0.0 && a <= 1.0)) {
    pzi_op_call_refuse(&op, "found a probability outside 0 .. 1");
  }
  pzi_op_call_element(&op, "y", PZI_WRITE, y);
  op.operand[0].contiguous = true;
  if (op.status == PZ_OK && (y->dtype == PZ_I64) != (kind == PZ_BITS)) {
    pzi_op_call_refuse(&op, "found a float tensor for raw bits, expected int64");
  }
  op.request.key = key;
  op.request.first = first;
  op.request.real[0] = a;
  op.request.real[1] = b;
  return pzi_op_call_run(&op);
}
