/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A file's data may have any alignment. They are converted into contiguous host memory of the
   queue, or into an aligned buffer that is then copied to the device. */

#include "tensor_io.h"

#include "file_dtype.h"
#include "float_convert.h"
#include "queue_copy.h"
#include "shape.h"
#include "spec_text.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

/* Bits of a floating dtype of a file; 0 for other dtypes. */
static uint32_t
float_bits(const char* const dtype)
{
  const char* name = NULL;
  const bool is_float = strcmp(dtype, "F16") == 0 || strcmp(dtype, "BF16") == 0 ||
                        strcmp(dtype, "F32") == 0 || strcmp(dtype, "F64") == 0;
  return is_float ? pzi_file_dtype_bits(dtype, &name) : 0;
}

pz_status
pzi_tensor_io_check(const pzi_file_tensor* const file_tensor, const bool widen,
                    const pz_spec* const expected)
{
  char a[PZI_SPEC_TEXT];
  char b[PZI_SPEC_TEXT];
  pz_spec found = file_tensor->spec;
  found.dtype = expected->dtype;
  const bool same_shape = pz_spec_equal(&found, expected);
  const uint32_t from = float_bits(file_tensor->dtype);
  const uint32_t to = float_bits(pzi_file_dtype_name(expected->dtype));
  if (same_shape &&
      (file_tensor->spec.dtype == expected->dtype || (widen && from > 0 && to > 0 && from < to))) {
    return PZ_OK;
  }
  if (file_tensor->spec.dtype == 0) {
    return pzi_fail(PZ_MISMATCH, "\"%s\": found dtype %s%s, expected %s", file_tensor->name,
                    file_tensor->dtype, same_shape ? "" : " and another shape",
                    pzi_spec_text(expected, b));
  }
  return pzi_fail(PZ_MISMATCH, "\"%s\": found %s, expected %s", file_tensor->name,
                  pzi_spec_text(&file_tensor->spec, a), pzi_spec_text(expected, b));
}

/* Converts n elements to a dtype of the library, at any alignment. */
static void
convert(const char* const dtype, const void* const from, const uint32_t to_dtype, void* const to,
        const size_t n)
{
  if (pzi_file_dtype_parse(dtype) == to_dtype) {
    memcpy(to, from, n * pz_dtype_size(to_dtype));
  } else if (to_dtype == PZ_F32) {
    (strcmp(dtype, "F16") == 0 ? pzi_float_convert_f16_to_f32
                               : pzi_float_convert_bf16_to_f32)(from, to, n);
  } else if (strcmp(dtype, "F32") == 0) {
    pzi_float_convert_f32_to_f64(from, to, n);
  } else {
    (strcmp(dtype, "F16") == 0 ? pzi_float_convert_f16_to_f64
                               : pzi_float_convert_bf16_to_f64)(from, to, n);
  }
}

/* Converts directly into host memory, after the queue has finished its work. */
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
pzi_tensor_io_read(const pz_file* const file, const pzi_file_tensor* const file_tensor,
                   const bool widen, pz_queue* const queue, const pz_tensor* const to)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  return pzi_fail(PZ_UNSUPPORTED, "files are little endian, this machine is not");
#endif
  const pz_spec spec = pz_spec_of(to);
  PZ_TRY(pzi_tensor_io_check(file_tensor, widen, &spec));
  const size_t n = (size_t)pz_count(to);
  const char* const from = pzi_file_data(file, file_tensor);
  if (n == 0) {
    return PZ_OK;
  }
  if (queue->host_memory && pzi_shape_is_contiguous(to)) {
    return fill_host(file_tensor->dtype, from, queue, to);
  }
  void* const aligned = malloc(n * pz_dtype_size(to->dtype));
  if (!aligned) {
    return pzi_no_memory(n * pz_dtype_size(to->dtype));
  }
  convert(file_tensor->dtype, from, to->dtype, aligned, n);
  const pz_tensor packed = pz_host_tensor(to->dtype, aligned, to->ndim, to->shape);
  const pz_status status = pzi_queue_copy(queue, &packed, to);
  free(aligned);
  return pzi_fail_prefix(status, "\"%s\"", file_tensor->name);
}

void
pzi_tensor_io_describe(const char* const name, const pz_spec* const spec,
                       pz_writer_tensor* const out)
{
  *out = (pz_writer_tensor){
      .name = name,
      .dtype = pzi_file_dtype_name(spec->dtype),
      .spec = *spec,
      .bytes = (uint64_t)pz_spec_count(spec) * pz_dtype_size(spec->dtype),
  };
}

pz_status
pzi_tensor_io_write(pz_writer* const writer, const uint32_t index, pz_queue* const queue,
                    const pz_tensor* const tensor)
{
  const size_t bytes = (size_t)pz_count(tensor) * pz_dtype_size(tensor->dtype);
  if (bytes == 0) {
    return pz_writer_put(writer, index, NULL, 0);
  }
  if (tensor->device.type == PZ_DEVICE_CPU && pzi_shape_is_contiguous(tensor)) {
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
