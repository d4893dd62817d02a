/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Specs and tensors come from hosts and from plugins; both are checked here. */

#include "check_tensor.h"

#include "device_text.h"
#include "shape.h"
#include "spec_text.h"
#include "status.h"

#include <inttypes.h>

pz_status
pzi_check_spec(const pz_spec* const spec, const bool integers, const char* const what)
{
  char text[PZI_SPEC_TEXT];
  if (!spec) {
    return pzi_fail(PZ_INVALID, "%s: found no spec", what);
  }
  if (spec->dtype != PZ_F32 && spec->dtype != PZ_F64 && !(integers && spec->dtype == PZ_I64)) {
    return pzi_fail(PZ_MISMATCH, "%s: found %s, expected %s", what,
                    pzi_spec_text_dtype(spec->dtype, text),
                    integers ? "float32, float64 or int64" : "float32 or float64");
  }
  if (spec->ndim < 0 || spec->ndim > PZ_MAX_DIMS) {
    return pzi_fail(PZ_MISMATCH, "%s: found %" PRId32 " dimensions, expected 0 to %d", what,
                    spec->ndim, PZ_MAX_DIMS);
  }
  for (int32_t i = 0; i < spec->ndim; ++i) {
    if (spec->shape[i] < 0) {
      return pzi_fail(PZ_MISMATCH, "%s: found extent %" PRId64 ", expected 0 or more", what,
                      spec->shape[i]);
    }
  }
  size_t bytes = 0;
  if (!pzi_shape_spec_bytes(spec, &bytes)) {
    return pzi_fail(PZ_UNSUPPORTED, "%s: %s is beyond any memory", what, pzi_spec_text(spec, text));
  }
  return PZ_OK;
}

pz_status
pzi_check_on_host(const pz_tensor* const tensor, const char* const what)
{
  char found[PZI_DEVICE_NAME];
  return tensor->device.type == PZ_DEVICE_CPU
             ? PZ_OK
             : pzi_fail(PZ_MISMATCH, "%s: found on %s, expected host memory", what,
                        pzi_device_text(tensor->device, found));
}

pz_status
pzi_check_may_show(const pz_queue* const queue)
{
  return queue->may_show
             ? PZ_OK
             : pzi_fail(
                   PZ_UNSUPPORTED,
                   "memory of %s is no host memory: copy the tensor (pz_module_read), or ask for "
                   "its handle by PZ_DEVICE_TENSORS",
                   queue->name);
}

pz_status
pzi_check_dtype(const pz_queue* const queue, const uint32_t dtype)
{
  return dtype == PZ_F64 && !queue->f64
             ? pzi_fail(PZ_UNSUPPORTED, "found float64, which device %s has not", queue->name)
             : PZ_OK;
}

static pz_status
check_known(const pz_tensor* const tensor, const char* const what)
{
  if (tensor->dtype == PZ_F32 || tensor->dtype == PZ_F64 || tensor->dtype == PZ_I64) {
    return PZ_OK;
  }
  char text[PZI_SPEC_TEXT];
  return pzi_fail(PZ_UNSUPPORTED, "%s: found %s, expected float32 or float64", what,
                  pzi_spec_text_dtype(tensor->dtype, text));
}

/* Requires every element within 2^61 bytes of the first, so that distances between two tensors fit
   64 bits. Sets `end` to the byte behind the last element. */
static pz_status
check_range(const pz_tensor* const tensor, const char* const what, uint64_t* const end)
{
  const int64_t size = (int64_t)pz_dtype_size(tensor->dtype);
  int64_t strides[PZ_MAX_DIMS];
  int64_t low = 0;
  int64_t high = 0;
  pzi_shape_strides(tensor, strides);
  for (int32_t i = 0; i < tensor->ndim; ++i) {
    int64_t reach;
    if (__builtin_mul_overflow(tensor->shape[i] - 1, strides[i], &reach) ||
        __builtin_mul_overflow(reach, size, &reach) ||
        __builtin_add_overflow(reach < 0 ? low : high, reach, reach < 0 ? &low : &high)) {
      return pzi_fail(PZ_INVALID, "%s: strides reach beyond any memory", what);
    }
  }
  if (tensor->byte_offset > (uint64_t)1 << 61 || high > (int64_t)1 << 61 ||
      low < -((int64_t)1 << 61)) {
    return pzi_fail(PZ_INVALID, "%s: offset or strides reach beyond any memory", what);
  }
  const bool host = tensor->device.type == PZ_DEVICE_CPU;
  const uint64_t start = tensor->byte_offset + (host ? (uint64_t)(uintptr_t)tensor->data : 0);
  if (start % (uint64_t)size != 0) {
    return pzi_fail(PZ_INVALID, "%s: data is not aligned to its elements of %" PRId64 " bytes",
                    what, size);
  }
  if (!host && low < 0 && (uint64_t)-low > tensor->byte_offset) {
    return pzi_fail(PZ_INVALID, "%s: strides reach before its memory", what);
  }
  *end = tensor->byte_offset + (uint64_t)high + (uint64_t)size;
  return PZ_OK;
}

/* Has a checked tensor this spec? */
static bool
has_spec(const pz_tensor* const tensor, const pz_spec* const expected)
{
  bool same = tensor->dtype == expected->dtype && tensor->ndim == expected->ndim;
  for (int32_t i = 0; same && i < tensor->ndim; ++i) {
    same = tensor->shape[i] == expected->shape[i];
  }
  return same;
}

pz_status
pzi_check_tensor(const pz_queue* const queue, const pz_tensor* const tensor,
                 const pz_spec* const expected, const char* const what)
{
  if (!tensor) {
    return pzi_fail(PZ_INVALID, "%s: found no tensor", what);
  }
  if (pzi_check_plain(tensor) > 0 && (!expected || has_spec(tensor, expected))) {
    return PZ_OK;
  }
  PZ_TRY(check_known(tensor, what));
  if (tensor->ndim < 0 || tensor->ndim > PZ_MAX_DIMS) {
    return pzi_fail(PZ_INVALID, "%s: found %" PRId32 " dimensions, expected 0 to %d", what,
                    tensor->ndim, (int)PZ_MAX_DIMS);
  }
  if (tensor->ndim > 0 && !tensor->shape) {
    return pzi_fail(PZ_INVALID, "%s: found no shape", what);
  }
  for (int32_t i = 0; i < tensor->ndim; ++i) {
    if (tensor->shape[i] < 0) {
      return pzi_fail(PZ_INVALID, "%s: found extent %" PRId64 ", expected 0 or more", what,
                      tensor->shape[i]);
    }
  }
  const pz_spec spec = pz_spec_of(tensor);
  size_t bytes = 0;
  char found[PZI_SPEC_TEXT];
  if (!pzi_shape_spec_bytes(&spec, &bytes)) {
    return pzi_fail(PZ_INVALID, "%s: %s is beyond any memory", what, pzi_spec_text(&spec, found));
  }
  if (expected && !has_spec(tensor, expected)) {
    char wanted[PZI_SPEC_TEXT];
    return pzi_fail(PZ_MISMATCH, "%s: found %s, expected %s", what, pzi_spec_text(&spec, found),
                    pzi_spec_text(expected, wanted));
  }
  if (tensor->device.type != PZ_DEVICE_CPU && !pzi_check_owned(queue, tensor)) {
    char place[PZI_DEVICE_NAME];
    return pzi_fail(PZ_MISMATCH, "%s: found on %s, expected on %s or the host", what,
                    pzi_device_text(tensor->device, place), queue->name);
  }
  if (bytes == 0) {
    return PZ_OK;
  }
  if (!tensor->data) {
    return pzi_fail(PZ_INVALID, "%s: found no data for %s", what, pzi_spec_text(&spec, found));
  }
  uint64_t end = 0;
  PZ_TRY(check_range(tensor, what, &end));
  if (tensor->device.type == PZ_DEVICE_CPU || !queue->backend->accept) {
    return PZ_OK;
  }
  PZ_TRY(pzi_queue_check_process(queue));
  const uint64_t before = pzi_fail_count();
  return pzi_fail_prefix(
      pzi_queue_check_status(queue, queue->backend->accept(queue->handle, tensor->data, end),
                             before, "accept"),
      "%s", what);
}
