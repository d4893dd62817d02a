/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "kernel_call.h"

#include "check_tensor.h"
#include "lower.h"
#include "spec_text.h"
#include "status.h"

#include <inttypes.h>
#include <stdio.h>

pz_status
pzi_kernel_call_begin(const pz_call* const c, const char* const name, pz_queue** const out)
{
  const pzi_frame* const frame = (const pzi_frame*)c->reserved;
  *out = frame->queue;
  if (!name) {
    return pzi_fail(PZ_INVALID, "launch: found no kernel, expected one with a name");
  }
  return frame->queue
             ? PZ_OK
             : pzi_fail(PZ_INVALID, "launch of %s: found in plan, which has no data", name);
}

pz_status
pzi_kernel_call_check(const char* const name, const uint32_t dialect, const uint64_t n_tensors,
                      const uint32_t n_reals, const uint32_t n_integers)
{
  if (n_tensors == 0 || n_tensors > PZ_KERNEL_MAX_ARGS || n_reals > PZ_KERNEL_MAX_ARGS ||
      n_integers > PZ_KERNEL_MAX_ARGS) {
    return pzi_fail(PZ_INVALID,
                    "launch of %s: found %" PRIu64
                    " tensors, %u reals and %u integers, expected 1 to %d tensors and up to %d "
                    "of the others",
                    name, n_tensors, (unsigned)n_reals, (unsigned)n_integers,
                    (int)PZ_KERNEL_MAX_ARGS, (int)PZ_KERNEL_MAX_ARGS);
  }
  return dialect <= PZ_KERNEL_DIALECT
             ? PZ_OK
             : pzi_fail(PZ_UNSUPPORTED,
                        "launch of %s: found kernel dialect %" PRIu32 ", expected %d", name,
                        dialect, (int)PZ_KERNEL_DIALECT);
}

pz_status
pzi_kernel_call_expect(const char* const name, const char* const kind, const uint32_t n,
                       const void* const given)
{
  return n == 0 || given ? PZ_OK
                         : pzi_fail(PZ_INVALID, "launch of %s: found no %s, expected %u", name,
                                    kind, (unsigned)n);
}

pz_status
pzi_kernel_call_tensor(pz_queue* const queue, const char* const name, const uint32_t k,
                       const bool may_lack, const pz_tensor* const tensor, uint32_t* const dtype,
                       pz_mat* const out)
{
  char what[64];
  (void)snprintf(what, sizeof(what), "launch of %.32s: tensor %u", name, k);
  *out = (pz_mat){.rows = 1, .batch = 1, .col_stride = 1};
  if (may_lack && tensor && !tensor->data) {
    const pz_spec spec = pz_spec_of(tensor);
    PZ_TRY(pzi_check_spec(&spec, false, what));
  } else {
    PZ_TRY(pzi_check_tensor(queue, tensor, NULL, what));
  }
  if (!pzi_check_owned(queue, tensor)) {
    return pzi_fail(PZ_MISMATCH, "%s: found on the host, expected on %s", what, queue->name);
  }
  if (tensor->dtype == PZ_I64 || (*dtype != 0 && tensor->dtype != *dtype)) {
    char found[PZI_SPEC_TEXT];
    char expected[PZI_SPEC_TEXT];
    return pzi_fail(PZ_MISMATCH, "%s: found %s, expected %s", what,
                    pzi_spec_text_dtype(tensor->dtype, found),
                    *dtype == 0 ? "float32 or float64" : pzi_spec_text_dtype(*dtype, expected));
  }
  if (!pzi_shape_is_contiguous(tensor)) {
    return pzi_fail(PZ_INVALID, "%s: found strides, expected it C-contiguous", what);
  }
  *dtype = tensor->dtype;
  if (pz_count(tensor) > 0 && tensor->data) {
    *out = pzi_lower_line(tensor, pz_count(tensor));
  }
  return PZ_OK;
}
