/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Checking the operands of one operation. */

#include "op_call.h"

#include "check_tensor.h"
#include "device_text.h"
#include "lower.h"
#include "op_table.h"
#include "shape.h"
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
    char found[PZI_DEVICE_NAME];
    return pzi_fail(PZ_MISMATCH, "found on %s, expected on %s",
                    pzi_device_text(tensor->device, found), call->queue->name);
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

/* The checks of an operand; sets its tensor where they pass. */
__attribute__((noinline)) static void
check(pzi_op_call* const call, pzi_operand* const operand, const int32_t least_ndim,
      const bool index, const pz_tensor* const tensor)
{
  const char* const name = operand->name;
  call->general = true;
  pz_status status = pzi_check_tensor(call->queue, tensor, NULL, name);
  if (status == PZ_OK) {
    status = check_place(call, tensor);
    status = status == PZ_OK ? check_dtype(call, tensor, index) : status;
    if (status == PZ_OK && tensor->ndim < least_ndim) {
      status = pzi_fail(PZ_MISMATCH, "found %d dimension%s, expected %d or more", tensor->ndim,
                        PZI_S(tensor->ndim), least_ndim);
    }
    status = pzi_fail_prefix(status, "%s", name);
  }
  call->status = pzi_fail_prefix(status, "%s", pzi_op_name(call->request.op));
  if (status == PZ_OK) {
    operand->tensor = tensor;
    operand->count = pz_count(tensor);
    call->request.dtype = index ? call->request.dtype : tensor->dtype;
  }
}

/* Names the next operand; without a tensor after an error. */
static inline __attribute__((always_inline)) pzi_operand*
add(pzi_op_call* const call, const char* const name, const uint8_t access, const pzi_form form,
    const int32_t least_ndim, const bool index, const pz_tensor* const tensor)
{
  pzi_request* const r = &call->request;
  const uint32_t k = r->n++;
  pzi_operand* const operand = &call->operand[k];
  operand->name = name;
  operand->tensor = NULL;
  operand->rows = 1;
  operand->cols = 1;
  operand->form = (uint8_t)form;
  operand->transposed = false;
  operand->contiguous = index;
  operand->plain = false;
  operand->moved = false;
  r->access[k] = access;
  call->outputs |= (access & PZI_WRITE) != 0 ? 1U << k : 0;
  if (call->status != PZ_OK) {
    return operand;
  }
  const int64_t count = tensor && !index ? pzi_check_plain(tensor) : 0;
  if (count == 0 || call->queue->device.type != PZ_DEVICE_CPU || tensor->ndim < least_ndim ||
      (r->dtype != 0 && r->dtype != tensor->dtype)) {
    check(call, operand, least_ndim, index, tensor);
    return operand;
  }
  operand->plain = true;
  operand->tensor = tensor;
  operand->count = count;
  operand->first = (uint64_t)(uintptr_t)tensor->data + tensor->byte_offset;
  operand->end = operand->first + ((uint64_t)count << (tensor->dtype == PZ_F32 ? 2 : 3));
  r->dtype = tensor->dtype;
  return operand;
}

void
pzi_op_call_matrix(pzi_op_call* const call, const char* const name, const uint8_t access,
                   const bool transposed, const pz_tensor* const tensor)
{
  pzi_operand* const operand = add(call, name, access, PZI_AS_MATRIX, 2, false, tensor);
  if (!operand->tensor) {
    return;
  }
  const int64_t rows = pz_rows(tensor);
  const int64_t cols = pz_cols(tensor);
  operand->transposed = transposed;
  operand->rows = transposed ? cols : rows;
  operand->cols = transposed ? rows : cols;
  if (operand->plain && !transposed) {
    call->request.mat[call->request.n - 1] = pzi_lower_dense(tensor, operand->count);
  } else {
    call->general = true;
  }
}

/* An operand of column vectors. */
static void
add_vector(pzi_op_call* const call, const char* const name, const uint8_t access, const bool index,
           const pz_tensor* const tensor)
{
  pzi_operand* const operand = add(call, name, access, PZI_AS_VECTOR, 1, index, tensor);
  call->general = true;
  operand->rows = operand->tensor ? pz_cols(tensor) : 1;
}

void
pzi_op_call_vector(pzi_op_call* const call, const char* const name, const uint8_t access,
                   const pz_tensor* const tensor)
{
  add_vector(call, name, access, false, tensor);
}

void
pzi_op_call_reduced(pzi_op_call* const call, const char* const name, const uint8_t access,
                    const int axis, const pz_tensor* const tensor)
{
  if (axis == PZ_OVER_BOTH) {
    (void)add(call, name, access, PZI_AS_SCALAR, 0, false, tensor);
    call->general = true;
  } else {
    add_vector(call, name, access, false, tensor);
  }
}

void
pzi_op_call_index(pzi_op_call* const call, const char* const name, const pz_tensor* const tensor)
{
  add_vector(call, name, PZI_READ, true, tensor);
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
  const pzi_operand* const operand = add(call, name, access, PZI_AS_SCALAR, 0, false, tensor);
  if (operand->plain) {
    call->request.mat[k] = pzi_lower_line(tensor, operand->count);
  }
  if (call->status != PZ_OK || k == 0) {
    return;
  }
  const pz_tensor* const first = call->operand[0].tensor;
  if (pzi_shape_equal(tensor, first) && tensor->dtype == first->dtype) {
    return;
  }
  const pz_spec found = pz_spec_of(tensor);
  const pz_spec expected = pz_spec_of(first);
  char a[PZI_SPEC_TEXT];
  char b[PZI_SPEC_TEXT];
  call->status =
      pzi_fail(PZ_MISMATCH, "%s: %s: found %s, expected %s", pzi_op_name(call->request.op), name,
               pzi_spec_text(&found, a), pzi_spec_text(&expected, b));
}

void
pzi_op_call_absent(pzi_op_call* const call)
{
  const uint32_t k = call->request.n++;
  call->operand[k].tensor = NULL;
  call->operand[k].plain = false;
  call->operand[k].moved = false;
  call->general = true;
  call->request.mat[k] = (pz_mat){.rows = 0};
  call->request.access[k] = PZI_WRITE;
}

/* ---- extents ----------------------------------------------------------------- */

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
  const int32_t batch = leader->tensor->ndim - leader->form;
  const int32_t inner = o->form;
  bool fits = inner > 0 && o->rows == rows && o->cols == cols && o->tensor->ndim == batch + inner;
  for (int32_t i = 0; fits && i < batch; ++i) {
    fits = o->tensor->shape[i] == leader->tensor->shape[i];
  }
  if (fits) {
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
