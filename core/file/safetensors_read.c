/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The parser checks everything that it returns: each tensor has exactly three members, each
   name is unique, each byte range has the size that dtype and shape require, and the ranges
   cover the data without gap or overlap. The results are copied out of the JSON document,
   which takes ten times the memory. */

#include "safetensors.h"

#include "file_dtype.h"
#include "json.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 3 }; /* document, tensor, shape */

pz_status
pzi_safetensors_set_shape(pzi_safetensors* const header, const size_t n,
                          const int64_t* const extents, pzi_file_tensor* const out)
{
  out->spec = (pz_spec){.ndim = n <= PZ_MAX_DIMS ? (int32_t)n : -1};
  if (n <= PZ_MAX_DIMS) {
    out->spec.dtype = pzi_file_dtype_parse(out->dtype);
    memcpy(out->spec.shape, extents, n * sizeof(*extents));
    return PZ_OK;
  }
  int64_t* const copy = pzi_alloc_list_take(&header->strings, n * sizeof(*copy));
  if (!copy) {
    return pzi_no_memory(n * sizeof(*copy));
  }
  memcpy(copy, extents, n * sizeof(*copy));
  out->extents = copy;
  out->n_extents = (uint32_t)n;
  return PZ_OK;
}

/* Reads a shape; returns the bytes that it needs, UINT64_MAX if there is no such number. */
static pz_status
read_shape(const cJSON* const shape, const uint32_t bits, pzi_safetensors* const header,
           pzi_file_tensor* const out, uint64_t* const bytes)
{
  int64_t extents[PZI_FILE_DIMS];
  size_t n = 0;
  PZ_TRY(pzi_json_extents(shape, PZI_FILE_DIMS, extents, &n));
  *bytes = pzi_file_dtype_bytes(n, extents, bits);
  return pzi_safetensors_set_shape(header, n, extents, out);
}

static pz_status
read_tensor(const cJSON* const item, const uint64_t data_bytes, pzi_safetensors* const header,
            pzi_file_tensor* const out)
{
  const cJSON* const dtype = cJSON_GetObjectItemCaseSensitive(item, "dtype");
  const cJSON* const shape = cJSON_GetObjectItemCaseSensitive(item, "shape");
  const cJSON* const offsets = cJSON_GetObjectItemCaseSensitive(item, "data_offsets");
  if (!cJSON_IsObject(item) || cJSON_GetArraySize(item) != 3 || !cJSON_IsString(dtype) ||
      !cJSON_IsArray(shape) || !cJSON_IsArray(offsets)) {
    return pzi_fail(PZ_IO, "expected exactly the members dtype, shape and data_offsets");
  }
  const uint32_t bits = pzi_file_dtype_bits(dtype->valuestring, &out->dtype);
  if (bits == 0) {
    return pzi_fail(PZ_IO, "unknown dtype \"%.32s\"", dtype->valuestring);
  }
  uint64_t bytes = 0;
  PZ_TRY(read_shape(shape, bits, header, out, &bytes));
  if (cJSON_GetArraySize(offsets) != 2 ||
      !pzi_json_count(cJSON_GetArrayItem(offsets, 0), &out->begin) ||
      !pzi_json_count(cJSON_GetArrayItem(offsets, 1), &out->end) || out->begin > out->end) {
    return pzi_fail(PZ_IO, "data_offsets are not two integers in increasing order");
  }
  if (out->end > data_bytes) {
    return pzi_fail(PZ_IO, "data end at byte %llu, the file has %llu", (unsigned long long)out->end,
                    (unsigned long long)data_bytes);
  }
  if (bytes == UINT64_MAX) {
    return pzi_fail(PZ_IO, "dtype and shape give no valid number of bytes");
  }
  if (out->end - out->begin != bytes) {
    return pzi_fail(PZ_IO, "found %llu byte%s of data, dtype and shape require %llu",
                    (unsigned long long)(out->end - out->begin), PZI_S(out->end - out->begin),
                    (unsigned long long)bytes);
  }
  return PZ_OK;
}

/* By byte range. Empty tensors at one offset keep the order of the header, which is also the
   order of their names in memory. */
static int
by_range(const void* const a, const void* const b)
{
  const pzi_file_tensor* const s = a;
  const pzi_file_tensor* const t = b;
  if (s->begin != t->begin) {
    return s->begin < t->begin ? -1 : 1;
  }
  if (s->end != t->end) {
    return s->end < t->end ? -1 : 1;
  }
  return s->name < t->name ? -1 : s->name > t->name;
}

static int
by_name(const void* const a, const void* const b, void* const tensors)
{
  const pzi_file_tensor* const all = tensors;
  return strcmp(all[*(const uint32_t*)a].name, all[*(const uint32_t*)b].name);
}

void
pzi_safetensors_sort(pzi_safetensors* const header)
{
  if (header->n_tensors > 0) {
    qsort_r(header->by_name, header->n_tensors, sizeof(*header->by_name), by_name, header->tensors);
  }
}

pz_status
pzi_safetensors_check_names(const pzi_safetensors* const header)
{
  for (size_t k = 1; k < header->n_tensors; ++k) {
    const char* const name = header->tensors[header->by_name[k]].name;
    if (strcmp(header->tensors[header->by_name[k - 1]].name, name) == 0) {
      return pzi_fail(PZ_IO, "\"%.100s\" appears twice", name);
    }
  }
  return PZ_OK;
}

/* Checks that the ranges have no gap or overlap, and that names are unique. */
static pz_status
check_ranges(pzi_safetensors* const header, const uint64_t data_bytes)
{
  pzi_file_tensor* const tensors = header->tensors;
  const size_t n = header->n_tensors;
  uint64_t end = 0;
  if (n > 0) {
    qsort(tensors, n, sizeof(*tensors), by_range);
  }
  for (size_t k = 0; k < n; ++k) {
    if (tensors[k].begin != end) {
      return pzi_fail(PZ_IO, "\"%.100s\": data begin at byte %llu, the tensor before ends at %llu",
                      tensors[k].name, (unsigned long long)tensors[k].begin,
                      (unsigned long long)end);
    }
    end = tensors[k].end;
    header->by_name[k] = (uint32_t)k;
  }
  if (end != data_bytes) {
    return pzi_fail(PZ_IO, "the tensors' data end at byte %llu, the file has %llu",
                    (unsigned long long)end, (unsigned long long)data_bytes);
  }
  pzi_safetensors_sort(header);
  return pzi_safetensors_check_names(header);
}

static char*
copy_text(char** const room, const char* const text)
{
  char* const copy = *room;
  *room = stpcpy(copy, text) + 1;
  return copy;
}

static pz_status
read_metadata(const cJSON* const object, char** const room, pzi_safetensors* const header)
{
  if (header->metadata) {
    return pzi_fail(PZ_IO, "\"__metadata__\" appears twice");
  }
  if (!cJSON_IsObject(object) && !cJSON_IsNull(object)) {
    return pzi_fail(PZ_IO, "__metadata__ is not an object");
  }
  PZ_TRY(pzi_fail_prefix(pzi_json_unique(object), "__metadata__"));
  const size_t n = (size_t)cJSON_GetArraySize(object);
  header->metadata = calloc(n + 1, sizeof(*header->metadata));
  if (!header->metadata) {
    return pzi_no_memory((n + 1) * sizeof(*header->metadata));
  }
  const cJSON* item;
  cJSON_ArrayForEach(item, object)
  {
    if (!cJSON_IsString(item)) {
      return pzi_fail(PZ_IO, "__metadata__: \"%.100s\" is not a string", item->string);
    }
    pz_metadata* const one = &header->metadata[header->n_metadata++];
    one->key = copy_text(room, item->string);
    one->text = copy_text(room, item->valuestring);
  }
  return PZ_OK;
}

static pz_status
read_document(const cJSON* const document, char* room, const uint64_t data_bytes,
              pzi_safetensors* const out)
{
  const cJSON* item;
  cJSON_ArrayForEach(item, document)
  {
    if (strcmp(item->string, "__metadata__") == 0) {
      PZ_TRY(read_metadata(item, &room, out));
      continue;
    }
    pzi_file_tensor* const tensor = &out->tensors[out->n_tensors++];
    PZ_TRY(pzi_fail_prefix(read_tensor(item, data_bytes, out, tensor), "\"%.100s\"", item->string));
    tensor->name = copy_text(&room, item->string);
  }
  return check_ranges(out, data_bytes);
}

pz_status
pzi_safetensors_parse(const char* const text, const size_t length, const uint64_t data_bytes,
                      pzi_safetensors* const out)
{
  pzi_safetensors header = {0};
  cJSON* document = NULL;
  PZ_TRY(pzi_json_parse(text, length, DEPTH_MAX, PZI_JSON_WHOLE_NUMBERS, "the header", &document));
  const size_t n = (size_t)cJSON_GetArraySize(document);
  header.tensors = calloc(n + 1, sizeof(*header.tensors));
  header.by_name = calloc(n + 1, sizeof(*header.by_name));
  /* A JSON string is never shorter than its value, and its quotes leave room for the zero. */
  char* const room = pzi_alloc_list_take(&header.strings, length);
  pz_status status;
  if (header.tensors && header.by_name && room) {
    status = read_document(document, room, data_bytes, &header);
  } else {
    status = pzi_no_memory(n * sizeof(*header.tensors) + length);
  }
  cJSON_Delete(document);
  if (status != PZ_OK) {
    pzi_safetensors_cleanup(&header);
    return status;
  }
  *out = header;
  return PZ_OK;
}

pz_status
pzi_safetensors_borrow(const pzi_safetensors* const from, pzi_safetensors* const out)
{
  const size_t n = from->n_tensors;
  const size_t bytes = n * sizeof(*from->tensors) + from->n_metadata * sizeof(*from->metadata);
  pzi_safetensors header = {.n_tensors = n, .n_metadata = from->n_metadata};
  header.tensors = calloc(n + 1, sizeof(*header.tensors));
  header.by_name = calloc(n + 1, sizeof(*header.by_name));
  header.metadata = calloc(from->n_metadata + 1, sizeof(*header.metadata));
  if (!header.tensors || !header.by_name || !header.metadata) {
    pzi_safetensors_cleanup(&header);
    return pzi_no_memory(bytes);
  }
  memcpy(header.tensors, from->tensors, n * sizeof(*header.tensors));
  memcpy(header.by_name, from->by_name, n * sizeof(*header.by_name));
  if (from->n_metadata > 0) {
    memcpy(header.metadata, from->metadata, from->n_metadata * sizeof(*header.metadata));
  }
  *out = header;
  return PZ_OK;
}

void
pzi_safetensors_cleanup(pzi_safetensors* const header)
{
  pzi_alloc_list_cleanup(&header->strings);
  free(header->tensors);
  free(header->by_name);
  free(header->metadata);
  memset(header, 0, sizeof(*header));
}

size_t
pzi_safetensors_bound(const pzi_safetensors* const header, const char* const name)
{
  size_t low = 0;
  size_t high = header->n_tensors;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const bool before = strcmp(header->tensors[header->by_name[middle]].name, name) < 0;
    low = before ? middle + 1 : low;
    high = before ? high : middle;
  }
  return low;
}

const pzi_file_tensor*
pzi_safetensors_find(const pzi_safetensors* const header, const char* const name)
{
  const size_t place = pzi_safetensors_bound(header, name);
  if (place == header->n_tensors) {
    return NULL;
  }
  const pzi_file_tensor* const tensor = &header->tensors[header->by_name[place]];
  return strcmp(tensor->name, name) == 0 ? tensor : NULL;
}
