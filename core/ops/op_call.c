/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Checking, lowering and packing the operands of one operation. */

#include "op_call.h"

#include "check_tensor.h"
#include "overlap.h"
#include "status.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

void
pzi_task_refuse(pzi_task* const task, const char* const what)
{
  if (task->status == PZ_OK) {
    task->status = pzi_fail(PZ_INVALID, "%s: %s", pzi_op_name(task->request.op), what);
  }
}

void
pzi_task_begin(pzi_task* const task, pz_call* const call, const pzi_op op)
{
  const pzi_frame* const frame = (const pzi_frame*)call->reserved;
  pzi_request* const r = &task->request;
  // operands and their matrices are cleared when they are named
  memset(task, 0, offsetof(pzi_task, operand));
  memset(r, 0, offsetof(pzi_request, mat));
  memset(r->real, 0, sizeof(*r) - offsetof(pzi_request, real));
  task->queue = frame->queue;
  task->request.op = op;
  task->request.fault = &frame->fault;
  if (!frame->queue) {
    pzi_task_refuse(task, "found in plan, which has no data");
  }
}

/* ---- naming operands --------------------------------------------------------- */

static pz_status
check_place(const pzi_task* const task, const pz_tensor* const tensor)
{
  if (!pzi_check_owned(task->queue, tensor)) {
    return pzi_fail(PZ_MISMATCH, "found on device type %d id %d, expected on %s",
                    tensor->device.type, tensor->device.id, task->queue->name);
  }
  return PZ_OK;
}

static pz_status
check_dtype(const pzi_task* const task, const pz_tensor* const tensor, const bool index)
{
  const pzi_request* const r = &task->request;
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
    return pzi_fail(PZ_MISMATCH, "found %s, expected %s", pzi_dtype_text(tensor->dtype, found),
                    pzi_dtype_text(expected, wanted));
  }
  return PZ_OK;
}

static pzi_operand*
add(pzi_task* const task, const char* const name, const uint8_t access, const pzi_form form,
    const int32_t least_ndim, const bool index, const pz_tensor* const tensor)
{
  const uint32_t k = task->request.n++;
  pzi_operand* const operand = &task->operand[k];
  operand->name = name;
  operand->tensor = NULL;
  operand->form = (uint8_t)form;
  operand->transposed = false;
  operand->contiguous = false;
  task->request.access[k] = access;
  if (task->status != PZ_OK) {
    return operand;
  }
  pz_status status = pzi_check_tensor(task->queue, tensor, NULL, name);
  if (status == PZ_OK) {
    status = check_place(task, tensor);
    status = status == PZ_OK ? check_dtype(task, tensor, index) : status;
    if (status == PZ_OK && tensor->ndim < least_ndim) {
      status = pzi_fail(PZ_MISMATCH, "found %d dimensions, expected %d or more", tensor->ndim,
                        least_ndim);
    }
    if (status != PZ_OK) {
      (void)pzi_fail_prefix(status, "%s", name);
    }
  }
  if (status != PZ_OK) {
    task->status = pzi_fail_prefix(status, "%s", pzi_op_name(task->request.op));
    return operand;
  }
  operand->tensor = tensor;
  operand->packed = *tensor;
  operand->count = pz_count(tensor);
  task->request.dtype = index ? task->request.dtype : tensor->dtype;
  return operand;
}

void
pzi_task_matrix(pzi_task* const task, const char* const name, const uint8_t access,
                const bool transposed, const pz_tensor* const tensor)
{
  add(task, name, access, PZI_AS_MATRIX, 2, false, tensor)->transposed = transposed;
}

void
pzi_task_vector(pzi_task* const task, const char* const name, const uint8_t access,
                const pz_tensor* const tensor)
{
  (void)add(task, name, access, PZI_AS_VECTOR, 1, false, tensor);
}

void
pzi_task_reduced(pzi_task* const task, const char* const name, const uint8_t access, const int axis,
                 const pz_tensor* const tensor)
{
  const bool scalar = axis == PZ_OVER_BOTH;
  (void)add(task, name, access, scalar ? PZI_AS_SCALAR : PZI_AS_VECTOR, scalar ? 0 : 1, false,
            tensor);
}

void
pzi_task_index(pzi_task* const task, const char* const name, const pz_tensor* const tensor)
{
  pzi_operand* const operand = add(task, name, PZI_READ, PZI_AS_VECTOR, 1, true, tensor);
  operand->contiguous = true;
  if (task->status == PZ_OK && tensor->ndim != 1) {
    task->status = pzi_fail(PZ_MISMATCH, "%s: %s: found %d dimensions, expected 1",
                            pzi_op_name(task->request.op), name, tensor->ndim);
  }
}

void
pzi_task_element(pzi_task* const task, const char* const name, const uint8_t access,
                 const pz_tensor* const tensor)
{
  const uint32_t k = task->request.n;
  task->elementwise = true;
  (void)add(task, name, access, PZI_AS_SCALAR, 0, false, tensor);
  if (task->status != PZ_OK || k == 0) {
    return;
  }
  const pz_spec found = pz_spec_of(tensor);
  const pz_spec expected = pz_spec_of(task->operand[0].tensor);
  if (!pz_spec_equal(&found, &expected)) {
    char a[PZI_SPEC_TEXT];
    char b[PZI_SPEC_TEXT];
    task->status =
        pzi_fail(PZ_MISMATCH, "%s: %s: found %s, expected %s", pzi_op_name(task->request.op), name,
                 pzi_spec_text(&found, a), pzi_spec_text(&expected, b));
  }
}

void
pzi_task_absent(pzi_task* const task)
{
  const uint32_t k = task->request.n++;
  task->operand[k].tensor = NULL;
  task->request.mat[k] = (pz_mat){.rows = 0};
  task->request.access[k] = PZI_WRITE;
}

/* ---- extents ----------------------------------------------------------------- */

static int32_t
inner_dims(const pzi_operand* const operand)
{
  return operand->form == PZI_AS_MATRIX ? 2 : operand->form == PZI_AS_VECTOR ? 1 : 0;
}

int64_t
pzi_task_rows(const pzi_task* const task, const uint32_t k)
{
  const pzi_operand* const o = &task->operand[k];
  if (task->status != PZ_OK || o->form == PZI_AS_SCALAR) {
    return 1;
  }
  return o->form == PZI_AS_VECTOR || o->transposed ? pz_cols(o->tensor) : pz_rows(o->tensor);
}

int64_t
pzi_task_cols(const pzi_task* const task, const uint32_t k)
{
  const pzi_operand* const o = &task->operand[k];
  if (task->status != PZ_OK || o->form != PZI_AS_MATRIX) {
    return 1;
  }
  return o->transposed ? pz_rows(o->tensor) : pz_cols(o->tensor);
}

bool
pzi_task_empty(const pzi_task* const task, const uint32_t k)
{
  return task->status == PZ_OK && task->operand[k].count == 0;
}

void
pzi_task_expect(pzi_task* const task, const uint32_t k, const int64_t rows, const int64_t cols)
{
  if (task->status != PZ_OK) {
    return;
  }
  const pzi_operand* const o = &task->operand[k];
  const pzi_operand* const leader = &task->operand[task->leader];
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
    task->status =
        pzi_fail(PZ_MISMATCH, "%s: %s: found %s, expected %s", pzi_op_name(task->request.op),
                 o->name, pzi_spec_text(&found, a), pzi_spec_text(&expected, b));
  }
}

void
pzi_task_expect_square(pzi_task* const task, const uint32_t k)
{
  if (task->status == PZ_OK && pzi_task_rows(task, k) != pzi_task_cols(task, k)) {
    char text[PZI_SPEC_TEXT];
    const pz_spec found = pz_spec_of(task->operand[k].tensor);
    task->status =
        pzi_fail(PZ_MISMATCH, "%s: %s: found %s, expected square matrices",
                 pzi_op_name(task->request.op), task->operand[k].name, pzi_spec_text(&found, text));
  }
}

/* ---- running ----------------------------------------------------------------- */

/* Do operands without strides share an address? */
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
check_output(const pzi_task* const task, const uint32_t out)
{
  const pzi_operand* const y = &task->operand[out];
  const char* const name = pzi_op_name(task->request.op);
  const bool pointers = task->queue->host_memory || y->tensor->device.type == PZ_DEVICE_CUDA;
  if (pzi_overlap_self(y->tensor)) {
    return pzi_fail(PZ_INVALID, "%s: %s names an element twice", name, y->name);
  }
  for (uint32_t k = 0; k < task->request.n; ++k) {
    const pzi_operand* const x = &task->operand[k];
    if (k == out || !x->tensor) {
      continue;
    }
    if (((task->may_alias >> k) & 1U) != 0 && pzi_shape_same_tensor(x->tensor, y->tensor)) {
      continue;
    }
    const bool dense = pointers && !x->tensor->strides && !y->tensor->strides;
    if (dense ? dense_overlap(x, y) : pzi_overlap(pointers, x->tensor, y->tensor)) {
      return pzi_fail(PZ_INVALID, "%s: %s overlaps %s", name, y->name, x->name);
    }
  }
  return PZ_OK;
}

/* Puts a C-contiguous copy in the operand's place. */
static pz_status
pack(pzi_task* const task, const uint32_t k)
{
  pzi_operand* const o = &task->operand[k];
  PZ_TRY(pzi_device_scratch(task->queue, o->tensor, &o->packed));
  return (task->request.access[k] & PZI_READ) != 0
             ? pzi_device_copy(task->queue, o->tensor, &o->packed)
             : PZ_OK;
}

/* Operands of one shape: dimensions merge in all at once, else what is not contiguous is
   packed and all are one row. */
static pz_status
lower_elementwise(pzi_task* const task)
{
  pzi_request* const r = &task->request;
  const pz_tensor* tensors[PZI_MAX_MATS];
  pzi_shape shape;
  bool dense = true;
  for (uint32_t k = 0; k < r->n; ++k) {
    tensors[k] = task->operand[k].tensor;
    dense = dense && !tensors[k]->strides;
  }
  if (!dense) {
    pzi_shape_merge(&shape, r->n, tensors);
  }
  bool fits = !dense;
  for (uint32_t k = 0; k < r->n && fits; ++k) {
    fits = (!task->operand[k].contiguous || pzi_shape_is_contiguous(tensors[k])) &&
           pzi_lower_merged(&shape, k, tensors[k], &r->mat[k]);
  }
  for (uint32_t k = 0; k < r->n && !fits; ++k) {
    if (!dense && !pzi_shape_is_contiguous(tensors[k])) {
      PZ_TRY(pack(task, k));
    }
    r->mat[k] = pzi_lower_line(&task->operand[k].packed);
  }
  return PZ_OK;
}

static pz_status
lower_each(pzi_task* const task)
{
  for (uint32_t k = 0; k < task->request.n; ++k) {
    const pzi_operand* const o = &task->operand[k];
    pz_mat* const mat = &task->request.mat[k];
    if (!o->tensor) {
      continue;
    }
    const bool fits = !o->contiguous || pzi_shape_is_contiguous(o->tensor);
    if (!fits || !pzi_lower(o->tensor, (pzi_form)o->form, o->transposed, mat)) {
      PZ_TRY(pack(task, k));
      (void)pzi_lower(&o->packed, (pzi_form)o->form, o->transposed, mat);
    }
  }
  return PZ_OK;
}

static pz_status
run_held(pzi_task* const task)
{
  PZ_TRY(task->elementwise ? lower_elementwise(task) : lower_each(task));
  PZ_TRY(pzi_run(task->queue, &task->request));
  for (uint32_t k = 0; k < task->request.n; ++k) {
    pzi_operand* const o = &task->operand[k];
    const bool moved = o->tensor && (o->packed.data != o->tensor->data ||
                                     o->packed.byte_offset != o->tensor->byte_offset);
    if (moved && (task->request.access[k] & PZI_WRITE) != 0) {
      PZ_TRY(pzi_device_copy(task->queue, &o->packed, o->tensor));
    }
  }
  return PZ_OK;
}

pz_status
pzi_task_run(pzi_task* const task)
{
  PZ_TRY(task->status);
  bool something = false;
  for (uint32_t k = 0; k < task->request.n; ++k) {
    if ((task->request.access[k] & PZI_WRITE) != 0 && task->operand[k].tensor) {
      PZ_TRY(check_output(task, k));
      something = something || task->operand[k].count > 0;
    }
  }
  if (!something) {
    return PZ_OK;
  }
  pz_queue* const queue = task->queue;
  pthread_mutex_lock(&queue->mutex);
  const uint64_t mark = pzi_arena_mark(&queue->scratch);
  const pz_status status = run_held(task);
  pzi_arena_release(&queue->scratch, mark);
  pthread_mutex_unlock(&queue->mutex);
  return status;
}
