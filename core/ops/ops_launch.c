/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Launches of portable kernels. Their tensors are C-contiguous; the backend gets each as a row. */

#include "dispatch.h"
#include "kernel_call.h"
#include "op_entries.h"
#include "ops_table.h"
#include "status.h"

#include <parametrize/plugin.h>

#include <inttypes.h>

pz_status
pzi_ops_launch(pz_call* const c, const pz_kernel* const kernel, const int64_t n_items,
               const pz_tensor* const* const tensors, const double* const reals,
               const int64_t* const integers)
{
  pz_queue* queue = NULL;
  PZ_TRY(pzi_kernel_call_begin(c, kernel ? kernel->name : NULL, &queue));
  PZ_TRY(pzi_kernel_call_check(kernel->name, kernel->dialect, kernel->n_tensors, kernel->n_reals,
                               kernel->n_integers));
  if (n_items < 0) {
    return pzi_fail(PZ_INVALID, "launch of %s: found %" PRId64 " items", kernel->name, n_items);
  }
  PZ_TRY(pzi_kernel_call_expect(kernel->name, "tensors", kernel->n_tensors, tensors));
  PZ_TRY(pzi_kernel_call_expect(kernel->name, "reals", kernel->n_reals, reals));
  PZ_TRY(pzi_kernel_call_expect(kernel->name, "integers", kernel->n_integers, integers));
  pzi_request r = {
      .op = PZI_LAUNCH,
      .n = kernel->n_tensors,
      .integer = n_items,
      .kernel = kernel,
      .reals = reals,
      .integers = integers,
      .fault = &((const pzi_frame*)c->reserved)->word,
  };
  for (uint32_t k = 0; k < r.n; ++k) {
    r.access[k] = PZI_UPDATE;
    r.mat[k] = (pz_mat){.rows = 1, .batch = 1, .col_stride = 1};
    if (tensors[k]) {
      PZ_TRY(
          pzi_kernel_call_tensor(queue, kernel->name, k, false, tensors[k], &r.dtype, &r.mat[k]));
    }
  }
  for (uint32_t k = 0; k < r.n; ++k) {
    r.mat[k].dtype = r.dtype;
  }
  if (n_items == 0 || r.dtype == 0) {
    return PZ_OK;
  }
  pthread_mutex_lock(&queue->mutex);
  const pz_status status = pzi_dispatch(queue, &r);
  pthread_mutex_unlock(&queue->mutex);
  return status;
}
