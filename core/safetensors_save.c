/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Writing safetensors files: tensors of eight-byte elements first, so that with a header
   padded to a multiple of eight every tensor lies aligned in the file. */

#include "safetensors.h"

#include "atomic_file.h"
#include "status.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 8 };

static size_t
tensor_bytes(const pz_tensor* const tensor)
{
  return (size_t)pz_count(tensor) * pz_dtype_size(tensor->dtype);
}

static bool
add_number(cJSON* const array, const double value)
{
  cJSON* const number = cJSON_CreateNumber(value);
  return number && cJSON_AddItemToArray(array, number);
}

/* {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]} */
static bool
add_entry(cJSON* const document, const pzi_target* const target, const uint64_t begin)
{
  const pz_tensor* const tensor = target->tensor;
  const char* const dtype = tensor->dtype == PZ_F32   ? "F32"
                            : tensor->dtype == PZ_F64 ? "F64"
                                                      : "I64";
  cJSON* const entry = cJSON_AddObjectToObject(document, target->name);
  bool good = entry && cJSON_AddStringToObject(entry, "dtype", dtype);
  cJSON* const shape = good ? cJSON_AddArrayToObject(entry, "shape") : NULL;
  good = shape != NULL;
  for (int32_t i = 0; good && i < tensor->ndim; ++i) {
    good = add_number(shape, (double)tensor->shape[i]);
  }
  cJSON* const offsets = good ? cJSON_AddArrayToObject(entry, "data_offsets") : NULL;
  return offsets && add_number(offsets, (double)begin) &&
         add_number(offsets, (double)(begin + tensor_bytes(tensor)));
}

static bool
add_metadata(cJSON* const document, const pzi_metadata* const metadata, const size_t n)
{
  cJSON* const object = cJSON_AddObjectToObject(document, "__metadata__");
  bool good = object != NULL;
  for (size_t k = 0; good && k < n; ++k) {
    good = cJSON_AddStringToObject(object, metadata[k].key, metadata[k].text) != NULL;
  }
  return good;
}

/* The header's text, to be freed with cJSON_free; NULL without memory. */
static char*
make_header(const pzi_target* const* const order, const size_t n,
            const pzi_metadata* const metadata, const size_t n_metadata)
{
  cJSON* const document = cJSON_CreateObject();
  bool good = document && (n_metadata == 0 || add_metadata(document, metadata, n_metadata));
  uint64_t begin = 0;
  for (size_t k = 0; good && k < n; ++k) {
    good = add_entry(document, order[k], begin);
    begin += tensor_bytes(order[k]->tensor);
  }
  char* const text = good ? cJSON_PrintUnformatted(document) : NULL;
  cJSON_Delete(document);
  return text;
}

/* PZ_OK for 0, the status for an errno value with its text otherwise. */
static pz_status
check_errno(const int error)
{
  char text[128];
  if (error == 0) {
    return PZ_OK;
  }
  return pzi_fail(error == EEXIST   ? PZ_EXISTS
                  : error == ENOMEM ? PZ_NO_MEMORY
                                    : PZ_IO,
                  "%s", strerror_r(error, text, sizeof(text)));
}

static pz_status
write_header(pzi_atomic_file* const file, const char* const text)
{
  const size_t length = strlen(text);
  const size_t padding = (ALIGNMENT - length % ALIGNMENT) % ALIGNMENT;
  unsigned char prefix[8];
  for (int k = 0; k < 8; ++k) {
    prefix[k] = (unsigned char)((uint64_t)(length + padding) >> (8 * k));
  }
  PZ_TRY(check_errno(pzi_atomic_write(file, prefix, sizeof(prefix))));
  PZ_TRY(check_errno(pzi_atomic_write(file, text, length)));
  return check_errno(pzi_atomic_write(file, "       ", padding));
}

/* The elements in C order, straight from memory where they lie so. */
static pz_status
write_tensor(pzi_atomic_file* const file, const pzi_target* const target)
{
  const pz_tensor* const tensor = target->tensor;
  const size_t bytes = tensor_bytes(tensor);
  if (bytes == 0) {
    return PZ_OK;
  }
  if (tensor->device.type == PZ_DEVICE_CPU && pzi_is_contiguous(tensor)) {
    return check_errno(
        pzi_atomic_write(file, (const char*)tensor->data + tensor->byte_offset, bytes));
  }
  void* const copy = malloc(bytes);
  if (!copy) {
    return pzi_no_memory(bytes);
  }
  const pz_tensor to = pz_host_tensor(tensor->dtype, copy, tensor->ndim, tensor->shape);
  pz_status status = pzi_queue_copy(target->queue, tensor, &to);
  if (status == PZ_OK) {
    status = check_errno(pzi_atomic_write(file, copy, bytes));
  }
  free(copy);
  return status;
}

static pz_status
write_file(const char* const path, const bool keep_existing, const char* const header,
           const pzi_target* const* const order, const size_t n)
{
  pzi_atomic_file file;
  PZ_TRY(check_errno(pzi_atomic_open(&file, path, keep_existing)));
  pz_status status = write_header(&file, header);
  for (size_t k = 0; k < n && status == PZ_OK; ++k) {
    status = write_tensor(&file, order[k]);
  }
  if (status != PZ_OK) {
    pzi_atomic_abandon(&file);
    return status;
  }
  return check_errno(pzi_atomic_commit(&file, keep_existing));
}

pz_status
pzi_safetensors_save(const char* const path, const bool keep_existing,
                     const pzi_target* const tensors, const size_t n,
                     const pzi_metadata* const metadata, const size_t n_metadata)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  return pzi_fail(PZ_UNSUPPORTED, "%s: little endian, this machine is not", path);
#else
  const pzi_target** const order = calloc(n + 1, sizeof(*order));
  if (!order) {
    return pzi_no_memory((n + 1) * sizeof(*order));
  }
  size_t place = 0;
  for (int pass = 0; pass < 2; ++pass) {
    for (size_t k = 0; k < n; ++k) {
      if ((pz_dtype_size(tensors[k].tensor->dtype) == 8) == (pass == 0)) {
        order[place++] = &tensors[k];
      }
    }
  }
  char* const header = make_header(order, n, metadata, n_metadata);
  pz_status status;
  if (header) {
    status = write_file(path, keep_existing, header, order, n);
  } else {
    status = pzi_no_memory(n * sizeof(cJSON));
  }
  cJSON_free(header);
  free(order);
  return pzi_fail_prefix(status, "%s", path);
#endif
}
