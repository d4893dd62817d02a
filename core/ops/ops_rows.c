/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Rows by index, random numbers, portable kernels, crossing to the host and back. */

#include "op_call.h"

#include "check_tensor.h"
#include "op_entries.h"
#include "overlap.h"
#include "queue_copy.h"
#include "status.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- rows by index ----------------------------------------------------------- */

pz_status
pzi_ops_take(pz_call* const c, const pz_tensor* const index, const pz_tensor* const x,
             pz_tensor* const y)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_TAKE);
  pzi_task_index(&t, "index", index);
  pzi_task_matrix(&t, "x", PZI_READ, false, x);
  pzi_task_matrix(&t, "y", PZI_WRITE, false, y);
  t.leader = 1;
  pzi_task_expect(&t, 2, pzi_task_rows(&t, 0), pzi_task_cols(&t, 1));
  if (pzi_task_empty(&t, 1) && !pzi_task_empty(&t, 2)) {
    pzi_task_refuse(&t, "found indices, but x has no rows");
  }
  return pzi_task_run(&t);
}

pz_status
pzi_ops_put(pz_call* const c, const bool accumulate, const pz_tensor* const index,
            const pz_tensor* const x, pz_tensor* const y)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_PUT);
  pzi_task_index(&t, "index", index);
  pzi_task_matrix(&t, "x", PZI_READ, false, x);
  pzi_task_matrix(&t, "y", PZI_UPDATE, false, y);
  t.leader = 1;
  pzi_task_expect(&t, 1, pzi_task_rows(&t, 0), pzi_task_cols(&t, 1));
  pzi_task_expect(&t, 2, pzi_task_rows(&t, 2), pzi_task_cols(&t, 1));
  t.request.which = accumulate;
  if (pzi_task_empty(&t, 2) && !pzi_task_empty(&t, 1)) {
    pzi_task_refuse(&t, "found indices, but y has no rows");
  }
  return pzi_task_empty(&t, 1) ? PZ_OK : pzi_task_run(&t);
}

/* ---- random numbers ---------------------------------------------------------- */

pz_status
pzi_ops_random(pz_call* const c, const pz_distribution kind, const uint64_t key,
               const uint64_t first, const double a, const double b, pz_tensor* const y)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_RANDOM);
  t.request.which = (int)kind;
  if (kind != PZ_BITS && kind != PZ_UNIFORM && kind != PZ_NORMAL && kind != PZ_BERNOULLI) {
    pzi_task_refuse(&t, "unknown distribution");
  }
  if (kind == PZ_BERNOULLI && !(a >= 0.0 && a <= 1.0)) {
    pzi_task_refuse(&t, "found a probability outside 0 .. 1");
  }
  pzi_task_element(&t, "y", PZI_WRITE, y);
  t.operand[0].contiguous = true;
  if (t.status == PZ_OK && (y->dtype == PZ_I64) != (kind == PZ_BITS)) {
    pzi_task_refuse(&t, "found a float tensor for raw bits, expected int64");
  }
  t.request.key = key;
  t.request.first = first;
  t.request.real[0] = a;
  t.request.real[1] = b;
  return pzi_task_run(&t);
}

/* ---- portable kernels -------------------------------------------------------- */

/* Tensor k of a kernel as one row; an unused one without data. */
static pz_status
lower_argument(pz_queue* const queue, pzi_request* const r, const uint32_t k,
               const pz_tensor* const tensor)
{
  char what[64];
  (void)snprintf(what, sizeof(what), "launch of %.32s: tensor %u", r->kernel->name, k);
  r->mat[k] = (pz_mat){.rows = 1, .batch = 1, .col_stride = 1, .dtype = r->dtype};
  r->access[k] = PZI_UPDATE;
  if (!tensor) {
    return PZ_OK;
  }
  PZ_TRY(pzi_check_tensor(queue, tensor, NULL, what));
  if (!pzi_check_owned(queue, tensor)) {
    return pzi_fail(PZ_MISMATCH, "%s: found on the host, expected on %s", what, queue->name);
  }
  if (tensor->dtype == PZ_I64 || (r->dtype != 0 && tensor->dtype != r->dtype)) {
    return pzi_fail(PZ_MISMATCH, "%s: dtype differs from the others or is not a float", what);
  }
  if (!pzi_shape_is_contiguous(tensor)) {
    return pzi_fail(PZ_INVALID, "%s: found strides, expected it C-contiguous", what);
  }
  r->dtype = tensor->dtype;
  if (pz_count(tensor) > 0) {
    r->mat[k] = pzi_lower_line(tensor);
  }
  return PZ_OK;
}

static pz_status
expect_arguments(const pz_kernel* const kernel, const char* const kind, const uint32_t n,
                 const void* const given)
{
  return n == 0 || given ? PZ_OK
                         : pzi_fail(PZ_INVALID, "launch of %s: found no %s, expected %u",
                                    kernel->name, kind, (unsigned)n);
}

pz_status
pzi_ops_launch(pz_call* const c, const pz_kernel* const kernel, const int64_t n_items,
               const pz_tensor* const* const tensors, const double* const reals,
               const int64_t* const integers)
{
  const pzi_frame* const frame = (const pzi_frame*)c->reserved;
  pz_queue* const queue = frame->queue;
  if (!queue) {
    return pzi_fail(PZ_INVALID, "launch: found in plan, which has no data");
  }
  if (!kernel || kernel->n_tensors == 0 || kernel->n_tensors > PZ_KERNEL_MAX_ARGS ||
      kernel->n_reals > PZ_KERNEL_MAX_ARGS || kernel->n_integers > PZ_KERNEL_MAX_ARGS) {
    return pzi_fail(PZ_INVALID, "launch: found no kernel of 1 to %d tensors and up to %d numbers",
                    (int)PZ_KERNEL_MAX_ARGS, (int)PZ_KERNEL_MAX_ARGS);
  }
  if (n_items < 0) {
    return pzi_fail(PZ_INVALID, "launch of %s: found %" PRId64 " items", kernel->name, n_items);
  }
  PZ_TRY(expect_arguments(kernel, "tensors", kernel->n_tensors, tensors));
  PZ_TRY(expect_arguments(kernel, "reals", kernel->n_reals, reals));
  PZ_TRY(expect_arguments(kernel, "integers", kernel->n_integers, integers));
  pzi_request r = {
      .op = PZI_LAUNCH,
      .n = kernel->n_tensors,
      .integer = n_items,
      .kernel = kernel,
      .reals = reals,
      .integers = integers,
      .fault = &frame->fault,
  };
  for (uint32_t k = 0; k < r.n; ++k) {
    PZ_TRY(lower_argument(queue, &r, k, tensors[k]));
  }
  for (uint32_t k = 0; k < r.n; ++k) {
    r.mat[k].dtype = r.dtype;
  }
  if (n_items == 0 || r.dtype == 0) {
    return PZ_OK;
  }
  pthread_mutex_lock(&queue->mutex);
  const pz_status status = pzi_run(queue, &r);
  pthread_mutex_unlock(&queue->mutex);
  return status;
}

/* ---- crossing to the host ---------------------------------------------------- */

static void
to_double(const pz_tensor* const from, double* const to, const int64_t n)
{
  const void* const data = (const char*)from->data + from->byte_offset;
  for (int64_t k = 0; k < n; ++k) {
    to[k] = from->dtype == PZ_F32   ? (double)((const float*)data)[k]
            : from->dtype == PZ_F64 ? ((const double*)data)[k]
                                    : (double)((const int64_t*)data)[k];
  }
}

static void
from_double(const double* const from, const pz_tensor* const to, const int64_t n)
{
  for (int64_t k = 0; k < n; ++k) {
    if (to->dtype == PZ_F32) {
      ((float*)to->data)[k] = (float)from[k];
    } else if (to->dtype == PZ_F64) {
      ((double*)to->data)[k] = from[k];
    } else {
      ((int64_t*)to->data)[k] = (int64_t)from[k];
    }
  }
}

/* Either way over a C-contiguous host tensor; `in` or `out` is given. */
static pz_status
cross_held(pz_queue* const queue, const pz_tensor* const t, const double* const in,
           double* const out)
{
  const int64_t n = pz_count(t);
  pz_tensor host = *t;
  uint64_t offset = 0;
  PZ_TRY(pzi_queue_wait_held(queue));
  if (out && queue->host_memory && pzi_shape_is_contiguous(t)) {
    to_double(t, out, n);
    return PZ_OK;
  }
  PZ_TRY(pzi_arena_take(&queue->staging, (size_t)n * pz_dtype_size(t->dtype), &host.data, &offset));
  host = pz_host_tensor(t->dtype, host.data, t->ndim, t->shape);
  if (in) {
    from_double(in, &host, n);
    PZ_TRY(pzi_queue_copy_held(queue, &host, t));
    return pzi_queue_wait_held(queue);
  }
  PZ_TRY(pzi_queue_copy_held(queue, t, &host));
  to_double(&host, out, n);
  return PZ_OK;
}

static pz_status
cross(pz_call* const c, const pzi_op op, const pz_tensor* const t, const double* const in,
      double* const out)
{
  pz_queue* const queue = ((const pzi_frame*)c->reserved)->queue;
  if (!queue) {
    return pzi_fail(PZ_INVALID, "%s: found in plan, which has no data", pzi_op_name(op));
  }
  PZ_TRY(pzi_check_tensor(queue, t, NULL, pzi_op_name(op)));
  if (!pzi_check_owned(queue, t)) {
    return pzi_fail(PZ_MISMATCH, "%s: found on the host, expected on %s", pzi_op_name(op),
                    queue->name);
  }
  if (in && pzi_overlap_self(t)) {
    return pzi_fail(PZ_INVALID, "write: y names an element twice");
  }
  if (pz_count(t) == 0) {
    return PZ_OK;
  }
  pthread_mutex_lock(&queue->mutex);
  const uint64_t scratch = pzi_arena_mark(&queue->scratch);
  const uint64_t staging = pzi_arena_mark(&queue->staging);
  const pz_status status = cross_held(queue, t, in, out);
  pzi_op_count(queue, op, PZ_ROUTE_NATIVE);
  pzi_arena_release(&queue->scratch, scratch);
  pzi_arena_release(&queue->staging, staging);
  pthread_mutex_unlock(&queue->mutex);
  return status;
}

pz_status
pzi_ops_read(pz_call* const c, const pz_tensor* const x, double* const out)
{
  return cross(c, PZI_READ_OUT, x, NULL, out);
}

pz_status
pzi_ops_write(pz_call* const c, const double* const in, pz_tensor* const y)
{
  return cross(c, PZI_WRITE_IN, y, in, NULL);
}
