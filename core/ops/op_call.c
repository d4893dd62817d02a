/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Checking, lowering and packing the operands of one operation. */

#include "op_call.h"

#include "check_tensor.h"
#include "device_copy.h"
#include "dispatch.h"
#include "lower.h"
#include "op_table.h"
#include "ops_table.h"
#include "overlap.h"
#include "spec_text.h"
#include "status.h"

#include <parametrize/plugin.h>

#include <stddef.h>
#include <string.h>

void
pzi_op_call_refuse(pzi_op_call* const call, const char* const what)
{
  if (call->status == PZ_OK) {
    call->status = pzi_fail(PZ_INVALID, "%s: %s", pzi_op_name(call->request.op), what);
  }
}

void
pzi_op_call_begin(pzi_op_call* const call, pz_call* const c, const pzi_op op)
{
  const pzi_frame* const frame = (const pzi_frame*)c->reserved;
  pzi_request* const r = &call->request;
  // operands and their matrices are cleared when they are named
  memset(call, 0, offsetof(pzi_op_call, operand));
  memset(r, 0, offsetof(pzi_request, mat));
  memset(r->real, 0, sizeof(*r) - offsetof(pzi_request, real));
  call->queue = frame->queue;
  call->request.op = op;
  call->frame = frame;
  call->request.fault = &frame->word;
  if (!frame->queue) {
    pzi_op_call_refuse(call, "found in plan, which has no data");
  }
}

/* ---- naming operands --------------------------------------------------------- */

static pz_status
check_place(const pzi_op_call* const call, const pz_tensor* const tensor)
{
  if (!pzi_check_owned(call->queue, tensor)) {
    return pzi_fail(PZ_MISMATCH, "found on device type %d id %d, expected on %s",
                    tensor->device.type, tensor->device.id, call->queue->name);
  }
  return PZ_OK;
}

static pz_status
check_dtype(const pzi_op_call* const call, const pz_tensor* const tensor, const bool index)
{
  const pzi_request* const r = &call->request;
  if (!index && tensor->dtype != PZ_I64 && (r->dtype == 0 || tensor->dtype == r->dtype)) {
    return PZ_OK;
  }
  char found[PZI_SPEC_TEXT];
  char wanted[PZI_SPEC_TEXT];
  const bool integers = index || r->op == PZI_COPY || (r->op == PZI_RANDOM && r->which == PZ_BITS);
  if (tensor->dtype == PZ_I64 && !integers) {
    return pzi_fail(PZ_MISMATCH, "found int64, expected float32 or float64");
  }
  const uint32_t expected = index ? PZ_I64 : r->dtype;
  if (expected != 0 && tensor->dtype != expected) {
    return pzi_fail(r->op == PZI_COPY ? PZ_UNSUPPORTED : PZ_MISMATCH, "found %s, expected %s",
                    pzi_spec_text_dtype(tensor->dtype, found),
                    pzi_spec_text_dtype(expected, wanted));
  }
  return PZ_OK;
}

static pzi_operand*
add(pzi_op_call* const call, const char* const name, const uint8_t access, const pzi_form form,
    const int32_t least_ndim, const bool index, const pz_tensor* const tensor)
{
  const uint32_t k = call->request.n++;
  pzi_operand* const operand = &call->operand[k];
  operand->name = name;
  operand->tensor = NULL;
  operand->form = (uint8_t)form;
  operand->transposed = false;
  operand->contiguous = false;
  call->request.access[k] = access;
  if (call->status != PZ_OK) {
    return operand;
  }
  pz_status status = pzi_check_tensor(call->queue, tensor, NULL, name);
  if (status == PZ_OK) {
    status = check_place(call, tensor);
    status = status == PZ_OK ? check_dtype(call, tensor, index) : status;
    if (status == PZ_OK && tensor->ndim < least_ndim) {
      status = pzi_fail(PZ_MISMATCH, "found %d dimension%s, expected %d or more", tensor->ndim,
                        PZI_S(tensor->ndim), least_ndim);
    }
    if (status != PZ_OK) {
      (void)pzi_fail_prefix(status, "%s", name);
    }
  }
  if (status != PZ_OK) {
    call->status = pzi_fail_prefix(status, "%s", pzi_op_name(call->request.op));
    return operand;
  }
  operand->tensor = tensor;
  operand->packed = *tensor;
  operand->count = pz_count(tensor);
  call->request.dtype = index ? call->request.dtype : tensor->dtype;
  return operand;
}

void
pzi_op_call_matrix(pzi_op_call* const call, const char* const name, const uint8_t access,
                   const bool transposed, const pz_tensor* const tensor)
{
  add(call, name, access, PZI_AS_MATRIX, 2, false, tensor)->transposed = transposed;
}

void
pzi_op_call_vector(pzi_op_call* const call, const char* const name, const uint8_t access,
                   const pz_tensor* const tensor)
{
  (void)add(call, name, access, PZI_AS_VECTOR, 1, false, tensor);
}

void
pzi_op_call_reduced(pzi_op_call* const call, const char* const name, const uint8_t access,
                    const int axis, const pz_tensor* const tensor)
{
  const bool scalar = axis == PZ_OVER_BOTH;
  (void)add(call, name, access, scalar ? PZI_AS_SCALAR : PZI_AS_VECTOR, scalar ? 0 : 1, false,
            tensor);
}

void
pzi_op_call_index(pzi_op_call* const call, const char* const name, const pz_tensor* const tensor)
{
  pzi_operand* const operand = add(call, name, PZI_READ, PZI_AS_VECTOR, 1, true, tensor);
  operand->contiguous = true;
  if (call->status == PZ_OK && tensor->ndim != 1) {
    call->status = pzi_fail(PZ_MISMATCH, "%s: %s: found %d dimension%s, expected 1",
                            pzi_op_name(call->request.op), name, tensor->ndim, PZI_S(tensor->ndim));
  }
}

void
pzi_op_call_element(pzi_op_call* const call, const char* const name, const uint8_t access,
                    const pz_tensor* const tensor)
{
  const uint32_t k = call->request.n;
  call->elementwise = true;
  (void)add(call, name, access, PZI_AS_SCALAR, 0, false, tensor);
  if (call->status != PZ_OK || k == 0) {
    return;
  }
  const pz_spec found = pz_spec_of(tensor);
  const pz_spec expected = pz_spec_of(call->operand[0].tensor);
  if (!pz_spec_equal(&found, &expected)) {
    char a[PZI_SPEC_TEXT];
    char b[PZI_SPEC_TEXT];
    call->status =
        pzi_fail(PZ_MISMATCH, "%s: %s: found %s, expected %s", pzi_op_name(call->request.op), name,
                 pzi_spec_text(&found, a), pzi_spec_text(&expected, b));
  }
}

void
pzi_op_call_absent(pzi_op_call* const call)
{
  const uint32_t k = call->request.n++;
  call->operand[k].tensor = NULL;
  call->request.mat[k] = (pz_mat){.rows = 0};
  call->request.access[k] = PZI_WRITE;
}

/* ---- extents ----------------------------------------------------------------- */

static int32_t
inner_dims(const pzi_operand* const operand)
{
  return operand->form == PZI_AS_MATRIX ? 2 : operand->form == PZI_AS_VECTOR ? 1 : 0;
}

int64_t
pzi_op_call_rows(const pzi_op_call* const call, const uint32_t k)
{
  const pzi_operand* const o = &call->operand[k];
  if (call->status != PZ_OK || o->form == PZI_AS_SCALAR) {
    return 1;
  }
  return o->form == PZI_AS_VECTOR || o->transposed ? pz_cols(o->tensor) : pz_rows(o->tensor);
}

int64_t
pzi_op_call_cols(const pzi_op_call* const call, const uint32_t k)
{
  const pzi_operand* const o = &call->operand[k];
  if (call->status != PZ_OK || o->form != PZI_AS_MATRIX) {
    return 1;
  }
  return o->transposed ? pz_rows(o->tensor) : pz_cols(o->tensor);
}

bool
pzi_op_call_empty(const pzi_op_call* const call, const uint32_t k)
{
  return call->status == PZ_OK && call->operand[k].count == 0;
}

void
pzi_op_call_expect(pzi_op_call* const call, const uint32_t k, const int64_t rows,
                   const int64_t cols)
{
  if (call->status != PZ_OK) {
    return;
  }
  const pzi_operand* const o = &call->operand[k];
  const pzi_operand* const leader = &call->operand[call->leader];
  const int32_t batch = leader->tensor->ndim - inner_dims(leader);
  const int32_t inner = inner_dims(o);
  if (inner == 2 && o->tensor->ndim == batch + 2 &&
      memcmp(o->tensor->shape, leader->tensor->shape, (size_t)batch * sizeof(int64_t)) == 0 &&
      o->tensor->shape[batch] == (o->transposed ? cols : rows) &&
      o->tensor->shape[batch + 1] == (o->transposed ? rows : cols)) {
    return;
  }

  pz_spec expected = pz_spec_make(o->tensor->dtype, batch, leader->tensor->shape);
  expected.ndim = batch + inner;
  if (inner == 2) {
    expected.shape[batch] = o->transposed ? cols : rows;
    expected.shape[batch + 1] = o->transposed ? rows : cols;
  } else if (inner == 1) {
    expected.shape[batch] = rows;
  }
  const pz_spec found = pz_spec_of(o->tensor);
  if (!pz_spec_equal(&found, &expected)) {
    char a[PZI_SPEC_TEXT];
    char b[PZI_SPEC_TEXT];
    call->status =
        pzi_fail(PZ_MISMATCH, "%s: %s: found %s, expected %s", pzi_op_name(call->request.op),
                 o->name, pzi_spec_text(&found, a), pzi_spec_text(&expected, b));
  }
}

void
pzi_op_call_expect_square(pzi_op_call* const call, const uint32_t k)
{
  if (call->status == PZ_OK && pzi_op_call_rows(call, k) != pzi_op_call_cols(call, k)) {
    char text[PZI_SPEC_TEXT];
    const pz_spec found = pz_spec_of(call->operand[k].tensor);
    call->status =
        pzi_fail(PZ_MISMATCH, "%s: %s: found %s, expected square matrices",
                 pzi_op_name(call->request.op), call->operand[k].name, pzi_spec_text(&found, text));
  }
}

/* ---- running ----------------------------------------------------------------- */

/* Do operands without strides share an element? */
static bool
dense_overlap(const pzi_operand* const x, const pzi_operand* const y)
{
  const uint64_t a = (uint64_t)(uintptr_t)x->tensor->data + x->tensor->byte_offset;
  const uint64_t b = (uint64_t)(uintptr_t)y->tensor->data + y->tensor->byte_offset;
  const uint64_t bytes_a = (uint64_t)x->count * pz_dtype_size(x->tensor->dtype);
  const uint64_t bytes_b = (uint64_t)y->count * pz_dtype_size(y->tensor->dtype);
  return a < b ? b - a < bytes_a && bytes_b != 0 : a - b < bytes_b && bytes_a != 0;
}

static pz_status
check_output(const pzi_op_call* const call, const uint32_t out)
{
  const pzi_operand* const y = &call->operand[out];
  const char* const name = pzi_op_name(call->request.op);
  const bool pointers = call->queue->addresses;
  if (pzi_overlap_self(y->tensor)) {
    return pzi_fail(PZ_INVALID, "%s: %s names an element twice", name, y->name);
  }
  for (uint32_t k = 0; k < call->request.n; ++k) {
    const pzi_operand* const x = &call->operand[k];
    if (k == out || !x->tensor) {
      continue;
    }
    if (((call->may_alias >> k) & 1U) != 0 && pzi_shape_same_tensor(x->tensor, y->tensor)) {
      continue;
    }
    const bool dense = pointers && !x->tensor->strides && !y->tensor->strides;
    if (dense ? dense_overlap(x, y) : pzi_overlap(pointers, x->tensor, y->tensor)) {
      return pzi_fail(PZ_INVALID, "%s: %s overlaps %s", name, y->name, x->name);
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
  return (call->request.access[k] & PZI_READ) != 0
             ? pzi_device_copy(call->queue, o->tensor, &o->packed)
             : PZ_OK;
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
    r->mat[k] = pzi_lower_line(&call->operand[k].packed);
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

static pz_status
run_held(pzi_op_call* const call)
{
  PZ_TRY(call->elementwise ? lower_elementwise(call) : lower_each(call));
  const pz_status status = pzi_dispatch(call->queue, &call->request);
  if (status != PZ_OK && status != PZ_SINGULAR) { /* the others of the batch have their results */
    return status;
  }
  for (uint32_t k = 0; k < call->request.n; ++k) {
    pzi_operand* const o = &call->operand[k];
    const bool moved = o->tensor && (o->packed.data != o->tensor->data ||
                                     o->packed.byte_offset != o->tensor->byte_offset);
    if (moved && (call->request.access[k] & PZI_WRITE) != 0) {
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
  for (uint32_t k = 0; k < call->request.n; ++k) {
    if ((call->request.access[k] & PZI_WRITE) != 0 && call->operand[k].tensor) {
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
  const pz_status status = run_held(call);
  pzi_arena_release(&queue->scratch, mark);
  pthread_mutex_unlock(&queue->mutex);
  return reports ? report(call, status, &before) : status;
}
