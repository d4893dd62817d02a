/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Launches of portable kernels. Their tensors are C-contiguous; the backend gets each as a row. */

#include "dispatch.h"
#include "kernel_call.h"
#include "op_entries.h"
#include "ops_table.h"
#include "queue_order.h"
#include "status.h"

#include <parametrize/plugin.h>

#include <inttypes.h>

/* Checks a launch and makes its request, whose dtype is 0 if there is nothing to compute. */
static pz_status
prepare(pz_queue* const queue, const pz_kernel* const kernel, const int64_t n_items,
        const pz_tensor* const* const tensors, const double* const reals,
        const int64_t* const integers, pzi_request* const r)
{
  PZ_TRY(pzi_kernel_call_check(kernel->name, kernel->dialect, kernel->n_tensors, kernel->n_reals,
                               kernel->n_integers));
  if (n_items < 0) {
    return pzi_fail(PZ_INVALID, "launch of %s: found %" PRId64 " items", kernel->name, n_items);
  }
  PZ_TRY(pzi_kernel_call_expect(kernel->name, "tensors", kernel->n_tensors, tensors));
  PZ_TRY(pzi_kernel_call_expect(kernel->name, "reals", kernel->n_reals, reals));
  PZ_TRY(pzi_kernel_call_expect(kernel->name, "integers", kernel->n_integers, integers));
  *r = (pzi_request){
      .op = PZI_LAUNCH,
      .n = kernel->n_tensors,
      .integer = n_items,
      .kernel = kernel,
      .reals = reals,
      .integers = integers,
      .fault = &queue->fault,
  };
  for (uint32_t k = 0; k < r->n; ++k) {
    r->access[k] = PZI_UPDATE;
    r->mat[k] = (pz_mat){.rows = 1, .batch = 1, .col_stride = 1};
    if (tensors[k]) {
      PZ_TRY(
          pzi_kernel_call_tensor(queue, kernel->name, k, false, tensors[k], &r->dtype, &r->mat[k]));
    }
  }
  for (uint32_t k = 0; k < r->n; ++k) {
    r->mat[k].dtype = r->dtype;
  }
  return PZ_OK;
}

static pz_status
run(pz_queue* const queue, pzi_request* const r)
{
  if (r->integer == 0 || r->dtype == 0) {
    return PZ_OK;
  }
  pthread_mutex_lock(&queue->mutex);
  const pz_status status = pzi_dispatch(queue, r);
  pthread_mutex_unlock(&queue->mutex);
  return status;
}

pz_status
pzi_ops_launch(pz_call* const c, const pz_kernel* const kernel, const int64_t n_items,
               const pz_tensor* const* const tensors, const double* const reals,
               const int64_t* const integers)
{
  pz_queue* queue = NULL;
  pzi_request r;
  PZ_TRY(pzi_kernel_call_begin(c, kernel ? kernel->name : NULL, &queue));
  PZ_TRY(prepare(queue, kernel, n_items, tensors, reals, integers, &r));
  r.fault = &((const pzi_frame*)c->reserved)->word;
  return run(queue, &r);
}

pz_status
pz_queue_launch(pz_queue* const queue, const pz_kernel* const kernel, const int64_t n_items,
                const pz_tensor* const* const tensors, const double* const reals,
                const int64_t* const integers)
{
  pzi_request r;
  pzi_queue_order order;
  if (!queue || !kernel || !kernel->name) {
    return pzi_fail(PZ_INVALID, "launch: found no %s", queue ? "kernel with a name" : "queue");
  }
  PZ_TRY(pzi_queue_check_process(queue));
  PZ_TRY(prepare(queue, kernel, n_items, tensors, reals, integers, &r));
  pz_status status = pzi_queue_order_begin(&order, queue, r.n, tensors);
  if (status == PZ_OK) {
    status = run(queue, &r);
  }
  return pzi_queue_order_end(&order, status);
}
