/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Makes a file of tensors that the caller has in memory. */

#include "file.h"

#include "file_chains.h"
#include "file_dtype.h"
#include "sized_struct.h"
#include "status.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static pz_status
read_tensor(const pz_file_tensor_info* const info, pzi_safetensors* const header,
            pzi_file_tensor* const out)
{
  const uint32_t bits = info->dtype ? pzi_file_dtype_bits(info->dtype, &out->dtype) : 0;
  const bool many = info->extents != NULL;
  const size_t n = many ? info->n_extents : (size_t)info->spec.ndim;
  const int64_t* const extents = many ? info->extents : info->spec.shape;
  if (bits == 0) {
    return pzi_fail(PZ_INVALID, "unknown dtype \"%.32s\"", info->dtype ? info->dtype : "");
  }
  bool good = n <= (many ? PZI_FILE_DIMS : PZ_MAX_DIMS);
  for (size_t i = 0; good && i < n; ++i) {
    good = extents[i] >= 0;
  }
  if (!good || pzi_file_dtype_bytes(n, extents, bits) != info->bytes ||
      (info->bytes > 0 && !info->data)) {
    return pzi_fail(PZ_INVALID, "found %llu byte%s, dtype and shape require another number",
                    (unsigned long long)(info->data ? info->bytes : 0), PZI_S(info->bytes));
  }
  out->end = info->bytes;
  out->data = info->data ? info->data : "";
  return pzi_safetensors_set_shape(header, n, extents, out);
}

static pz_status
copy_text(pzi_safetensors* const header, const char* const text, const char** const out)
{
  if (!text) {
    return pzi_fail(PZ_INVALID, "found no name or no text");
  }
  *out = pzi_alloc_list_text(&header->strings, text, strlen(text));
  return *out ? PZ_OK : pzi_no_memory(strlen(text));
}

static pz_status
read_all(const pz_file_tensor_info* const tensors, const pz_metadata* const metadata,
         const uint32_t n_metadata, pz_file* const file)
{
  pzi_safetensors* const header = &file->header;
  for (size_t k = 0; k < header->n_tensors; ++k) {
    pz_file_tensor_info info;
    pzi_file_tensor* const out = &header->tensors[k];
    PZ_TRY(pzi_struct_read(&info, sizeof(info), offsetof(pz_file_tensor_info, reserved),
                           (const char*)tensors + k * tensors->size, "tensor"));
    PZ_TRY(copy_text(header, info.name, &out->name));
    PZ_TRY(pzi_fail_prefix(read_tensor(&info, header, out), "\"%.100s\"", out->name));
    header->by_name[k] = (uint32_t)k;
  }
  for (uint32_t k = 0; k < n_metadata; ++k) {
    pz_metadata* const one = &header->metadata[header->n_metadata++];
    PZ_TRY(copy_text(header, metadata[k].key, &one->key));
    PZ_TRY(copy_text(header, metadata[k].text, &one->text));
  }
  pzi_safetensors_sort(header);
  PZ_TRY(pzi_safetensors_check_names(header));
  return pzi_file_describe(file);
}

pz_status
pz_file_from_tensors(const pz_file_tensor_info* const tensors, const uint32_t n_tensors,
                     const pz_metadata* const metadata, const uint32_t n_metadata,
                     pz_file** const out)
{
  if (!out || (n_tensors > 0 && !tensors) || (n_metadata > 0 && !metadata)) {
    return pzi_fail(PZ_INVALID, "expected tensors, metadata and an output pointer");
  }
  pz_file* const file = calloc(1, sizeof(*file));
  if (!file) {
    return pzi_no_memory(sizeof(*file));
  }
  file->header = (pzi_safetensors){
      .tensors = calloc((size_t)n_tensors + 1, sizeof(*file->header.tensors)),
      .by_name = calloc((size_t)n_tensors + 1, sizeof(*file->header.by_name)),
      .n_tensors = n_tensors,
      .metadata = calloc((size_t)n_metadata + 1, sizeof(*file->header.metadata)),
  };
  const pzi_safetensors* const header = &file->header;
  const pz_status status = header->tensors && header->by_name && header->metadata
                               ? read_all(tensors, metadata, n_metadata, file)
                               : pzi_no_memory(n_tensors * sizeof(*header->tensors));
  if (status != PZ_OK) {
    pz_file_close(file);
    return status;
  }
  *out = file;
  return PZ_OK;
}
