/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Tensors between files and devices. A file's data may lie at any byte: they pass through
   aligned memory, some pages at a time where the tensor is in the host's memory. */

#include "file.h"

#include "half_float.h"
#include "queue_copy.h"
#include "shape.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

/* The width in bits of a floating dtype of a file, 0 for others. */
static uint32_t
float_bits(const char* const dtype)
{
  const char* name = NULL;
  const bool is_float = strcmp(dtype, "F16") == 0 || strcmp(dtype, "BF16") == 0 ||
                        strcmp(dtype, "F32") == 0 || strcmp(dtype, "F64") == 0;
  return is_float ? pzi_dtype_bits(dtype, &name) : 0;
}

pz_status
pzi_file_check(const pzi_file_tensor* const entry, const bool widen, const pz_spec* const expected)
{
  char a[PZI_SPEC_TEXT];
  char b[PZI_SPEC_TEXT];
  pz_spec found = entry->spec;
  found.dtype = expected->dtype;
  const bool same_shape = pz_spec_equal(&found, expected);
  const uint32_t from = float_bits(entry->dtype);
  const uint32_t to = float_bits(pzi_dtype_name(expected->dtype));
  if (same_shape &&
      (entry->spec.dtype == expected->dtype || (widen && from > 0 && to > 0 && from < to))) {
    return PZ_OK;
  }
  if (entry->spec.dtype == 0) {
    return pzi_fail(PZ_MISMATCH, "\"%s\": found dtype %s%s, expected %s", entry->name, entry->dtype,
                    same_shape ? "" : " and another shape", pzi_spec_text(expected, b));
  }
  return pzi_fail(PZ_MISMATCH, "\"%s\": found %s, expected %s", entry->name,
                  pzi_spec_text(&entry->spec, a), pzi_spec_text(expected, b));
}

/* n elements at any byte to those of ours at any byte. */
static void
convert(const char* const dtype, const void* const from, const uint32_t to_dtype, void* const to,
        const size_t n)
{
  if (pzi_dtype_of(dtype) == to_dtype) {
    memcpy(to, from, n * pz_dtype_size(to_dtype));
  } else if (to_dtype == PZ_F32) {
    (strcmp(dtype, "F16") == 0 ? pzi_f16_to_f32 : pzi_bf16_to_f32)(from, to, n);
  } else if (strcmp(dtype, "F32") == 0) {
    pzi_f32_to_f64(from, to, n);
  } else {
    (strcmp(dtype, "F16") == 0 ? pzi_f16_to_f64 : pzi_bf16_to_f64)(from, to, n);
  }
}

/* Straight into the host's memory once the queue has nothing to do with it any more. */
static pz_status
fill_host(const char* const dtype, const char* const from, pz_queue* const queue,
          const pz_tensor* const to)
{
  pthread_mutex_lock(&queue->mutex);
  const pz_status status = pzi_queue_wait_held(queue);
  pthread_mutex_unlock(&queue->mutex);
  if (status == PZ_OK) {
    convert(dtype, from, to->dtype, (char*)to->data + to->byte_offset, (size_t)pz_count(to));
  }
  return status;
}

pz_status
pzi_file_copy(const pz_file* const file, const pzi_file_tensor* const entry, const bool widen,
              pz_queue* const queue, const pz_tensor* const to)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  return pzi_fail(PZ_UNSUPPORTED, "files are little endian, this machine is not");
#endif
  const pz_spec spec = pz_spec_of(to);
  PZ_TRY(pzi_file_check(entry, widen, &spec));
  const size_t n = (size_t)pz_count(to);
  const char* const from = pzi_file_data(file, entry);
  if (n == 0) {
    return PZ_OK;
  }
  if (queue->host_memory && pzi_is_contiguous(to)) {
    return fill_host(entry->dtype, from, queue, to);
  }
  void* const aligned = malloc(n * pz_dtype_size(to->dtype));
  if (!aligned) {
    return pzi_no_memory(n * pz_dtype_size(to->dtype));
  }
  convert(entry->dtype, from, to->dtype, aligned, n);
  const pz_tensor packed = pz_host_tensor(to->dtype, aligned, to->ndim, to->shape);
  const pz_status status = pzi_queue_copy(queue, &packed, to);
  free(aligned);
  return pzi_fail_prefix(status, "\"%s\"", entry->name);
}

void
pzi_entry_of(const char* const name, const pz_spec* const spec, pz_file_entry* const out)
{
  *out = (pz_file_entry){
      .size = sizeof(*out),
      .name = name,
      .dtype = pzi_dtype_name(spec->dtype),
      .spec = *spec,
      .bytes = (uint64_t)pz_spec_count(spec) * pz_dtype_size(spec->dtype),
  };
}

pz_status
pzi_writer_put_tensor(pz_writer* const writer, const size_t index, pz_queue* const queue,
                      const pz_tensor* const tensor)
{
  const size_t bytes = (size_t)pz_count(tensor) * pz_dtype_size(tensor->dtype);
  if (bytes == 0) {
    return pz_writer_put(writer, index, NULL, 0);
  }
  if (tensor->device.type == PZ_DEVICE_CPU && pzi_is_contiguous(tensor)) {
    return pz_writer_put(writer, index, (const char*)tensor->data + tensor->byte_offset, bytes);
  }
  void* const copy = malloc(bytes);
  if (!copy) {
    return pzi_no_memory(bytes);
  }
  const pz_tensor to = pz_host_tensor(tensor->dtype, copy, tensor->ndim, tensor->shape);
  pz_status status = pzi_queue_copy(queue, tensor, &to);
  if (status == PZ_OK) {
    status = pz_writer_put(writer, index, copy, bytes);
  }
  free(copy);
  return status;
}
