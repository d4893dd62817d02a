/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Running a call whose operands have been named: outputs that share memory with other operands are
   refused, operands are lowered and, where their strides do not fit, packed. */

#include "op_call.h"

#include "device_copy.h"
#include "dispatch.h"
#include "lower.h"
#include "op_table.h"
#include "overlap.h"
#include "status.h"

/* Does output y share memory with x in a way that the operation does not allow? */
static bool
collides(const pzi_op_call* const call, const pzi_operand* const x, const bool may_alias,
         const pzi_operand* const y)
{
  if (x->plain && y->plain) {
    return x->first < y->end && y->first < x->end &&
           !(may_alias && x->first == y->first && pzi_shape_equal(x->tensor, y->tensor));
  }
  return pzi_overlap(call->queue->addresses, x->tensor, y->tensor) &&
         !(may_alias && pzi_shape_same_tensor(x->tensor, y->tensor));
}

static pz_status
check_output(const pzi_op_call* const call, const uint32_t out)
{
  const pzi_operand* const y = &call->operand[out];
  if (!y->plain && pzi_overlap_self(y->tensor)) {
    return pzi_fail(PZ_INVALID, "%s: %s names an element twice", pzi_op_name(call->request.op),
                    y->name);
  }
  for (uint32_t k = 0; k < call->request.n; ++k) {
    const pzi_operand* const x = &call->operand[k];
    if (k != out && x->tensor && collides(call, x, ((call->may_alias >> k) & 1U) != 0, y)) {
      return pzi_fail(PZ_INVALID, "%s: %s overlaps %s", pzi_op_name(call->request.op), y->name,
                      x->name);
    }
  }
  return PZ_OK;
}

/* Replaces the operand by a C-contiguous copy in scratch. */
static pz_status
pack(pzi_op_call* const call, const uint32_t k)
{
  pzi_operand* const o = &call->operand[k];
  PZ_TRY(pzi_device_copy_scratch(call->queue, o->tensor, &o->packed));
  o->moved = true;
  return (call->request.access[k] & PZI_READ) != 0
             ? pzi_device_copy(call->queue, o->tensor, &o->packed)
             : PZ_OK;
}

/* What stands for the operand on the device. */
static const pz_tensor*
lowered(const pzi_operand* const o)
{
  return o->moved ? &o->packed : o->tensor;
}

/* Operands of one shape: their dimensions merge into at most three in all of them; where that
   fails, operands with gaps are packed and each is one row. */
static pz_status
lower_elementwise(pzi_op_call* const call)
{
  pzi_request* const r = &call->request;
  const pz_tensor* tensors[PZI_MAX_MATS];
  pzi_shape shape;
  bool dense = true;
  for (uint32_t k = 0; k < r->n; ++k) {
    tensors[k] = call->operand[k].tensor;
    dense = dense && !tensors[k]->strides;
  }
  if (!dense) {
    pzi_shape_merge(&shape, r->n, tensors);
  }
  bool fits = !dense;
  for (uint32_t k = 0; k < r->n && fits; ++k) {
    fits = (!call->operand[k].contiguous || pzi_shape_is_contiguous(tensors[k])) &&
           pzi_lower_merged(&shape, k, tensors[k], &r->mat[k]);
  }
  for (uint32_t k = 0; k < r->n && !fits; ++k) {
    if (!dense && !pzi_shape_is_contiguous(tensors[k])) {
      PZ_TRY(pack(call, k));
    }
    r->mat[k] = pzi_lower_line(lowered(&call->operand[k]), call->operand[k].count);
  }
  return PZ_OK;
}

static pz_status
lower_each(pzi_op_call* const call)
{
  for (uint32_t k = 0; k < call->request.n; ++k) {
    const pzi_operand* const o = &call->operand[k];
    pz_mat* const mat = &call->request.mat[k];
    if (!o->tensor) {
      continue;
    }
    const bool fits = !o->contiguous || pzi_shape_is_contiguous(o->tensor);
    if (!fits || !pzi_lower(o->tensor, (pzi_form)o->form, o->transposed, mat)) {
      PZ_TRY(pack(call, k));
      (void)pzi_lower(&o->packed, (pzi_form)o->form, o->transposed, mat);
    }
  }
  return PZ_OK;
}

/* Runs a call with an operand that may have to be packed. */
static pz_status
run_general(pzi_op_call* const call)
{
  PZ_TRY(call->elementwise ? lower_elementwise(call) : lower_each(call));
  const pz_status status = pzi_dispatch(call->queue, &call->request);
  if (status != PZ_OK && status != PZ_SINGULAR) { /* the others of the batch have their results */
    return status;
  }
  for (uint32_t k = 0; k < call->request.n; ++k) {
    pzi_operand* const o = &call->operand[k];
    if (o->moved && (call->request.access[k] & PZI_WRITE) != 0) {
      PZ_TRY(pzi_device_copy(call->queue, &o->packed, o->tensor));
    }
  }
  return status;
}

/* Can an operation report a fault? */
static bool
has_fault(const pzi_op op)
{
  switch (op) {
  case PZI_TRSM:
  case PZI_SHIFTED_INVERSE:
  case PZI_SOLVE:
  case PZI_POTRF:
  case PZI_EIGH:
  case PZI_SVD:
  case PZI_SCHUR:
  case PZI_TAKE:
  case PZI_PUT:
    return true;
  default:
    return false;
  }
}

/* Turns what the device said into what this callback is told, the same on every device. */
static pz_status
report(const pzi_op_call* const call, const pz_status status, const pzi_message* const before)
{
  const pzi_frame* const frame = call->frame;
  if (frame->report == PZI_REPORT_AT_ONCE && status == PZ_OK) {
    return pzi_fail_prefix(pzi_fault_check(frame->queue, frame->fault), "%s",
                           pzi_op_name(call->request.op));
  }
  if (frame->report == PZI_REPORT_LATER && status == PZ_SINGULAR) {
    pzi_fault_keep(frame->fault, status);
    pzi_message_restore(before);
    return PZ_OK;
  }
  return status;
}

pz_status
pzi_op_call_run(pzi_op_call* const call)
{
  PZ_TRY(call->status);
  bool something = false;
  for (uint32_t left = call->outputs; left != 0; left &= left - 1) {
    const uint32_t k = (uint32_t)__builtin_ctz(left);
    if (call->operand[k].tensor) {
      PZ_TRY(check_output(call, k));
      something = something || call->operand[k].count > 0;
    }
  }
  if (!something) {
    return PZ_OK;
  }
  pz_queue* const queue = call->queue;
  const bool reports = call->frame->report != PZI_REPORT_AS_DEVICE && has_fault(call->request.op);
  pzi_message before;
  if (reports) {
    pzi_message_save(&before);
  }
  pthread_mutex_lock(&queue->mutex);
  const uint64_t mark = pzi_arena_mark(&queue->scratch);
  const pz_status status = call->general ? run_general(call) : pzi_dispatch(queue, &call->request);
  pzi_arena_release(&queue->scratch, mark);
  pthread_mutex_unlock(&queue->mutex);
  return reports ? report(call, status, &before) : status;
}
