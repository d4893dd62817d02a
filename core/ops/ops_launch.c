/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Launches of portable kernels. Their tensors are C-contiguous; the backend gets each as a row. */

#include "check_tensor.h"
#include "dispatch.h"
#include "lower.h"
#include "op_entries.h"
#include "ops_table.h"
#include "spec_text.h"
#include "status.h"

#include <parametrize/plugin.h>

#include <inttypes.h>
#include <stdio.h>

/* Tensor k of a kernel as one row; NULL gives a row without data. */
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
    char found[PZI_SPEC_TEXT];
    char expected[PZI_SPEC_TEXT];
    return pzi_fail(PZ_MISMATCH, "%s: found %s, expected %s", what,
                    pzi_spec_text_dtype(tensor->dtype, found),
                    r->dtype == 0 ? "float32 or float64" : pzi_spec_text_dtype(r->dtype, expected));
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
  if (kernel->dialect > PZ_KERNEL_DIALECT) {
    return pzi_fail(PZ_UNSUPPORTED, "launch of %s: found kernel dialect %" PRIu32 ", expected %d",
                    kernel->name, kernel->dialect, (int)PZ_KERNEL_DIALECT);
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
      .fault = &frame->word,
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
  const pz_status status = pzi_dispatch(queue, &r);
  pthread_mutex_unlock(&queue->mutex);
  return status;
}
