/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A header is believed only where it must be right: every entry has exactly its three
   members, every name is there once, every range has the size that dtype and shape give
   it, and the ranges fill the data without gap or overlap. What is kept is copied out of
   the parsed document, which takes ten times the memory. */

#include "safetensors.h"

#include "json.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 3 }; /* document, entry, shape */

uint32_t
pzi_dtype_bits(const char* const dtype, const char** const name)
{
  static const struct {
    const char* name;
    uint32_t bits;
  } known[] = {
      {"F32", 32},        {"F64", 64},        {"I64", 64}, {"F16", 16},    {"BF16", 16},
      {"I32", 32},        {"I16", 16},        {"I8", 8},   {"U8", 8},      {"U16", 16},
      {"U32", 32},        {"U64", 64},        {"BOOL", 8}, {"C64", 64},    {"F8_E4M3", 8},
      {"F8_E5M2", 8},     {"F8_E8M0", 8},     {"F4", 4},   {"F6_E2M3", 6}, {"F6_E3M2", 6},
      {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8},
  };
  for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); ++k) {
    if (strcmp(known[k].name, dtype) == 0) {
      *name = known[k].name;
      return known[k].bits;
    }
  }
  return 0;
}

uint32_t
pzi_dtype_of(const char* const dtype)
{
  return strcmp(dtype, "F32") == 0   ? PZ_F32
         : strcmp(dtype, "F64") == 0 ? PZ_F64
         : strcmp(dtype, "I64") == 0 ? PZ_I64
                                     : 0;
}

const char*
pzi_dtype_name(const uint32_t dtype)
{
  return dtype == PZ_F32 ? "F32" : dtype == PZ_F64 ? "F64" : dtype == PZ_I64 ? "I64" : "?";
}

uint64_t
pzi_shape_bytes(const pz_spec* const spec, const uint32_t bits)
{
  uint64_t n = bits;
  for (int32_t i = 0; i < spec->ndim; ++i) {
    if (spec->shape[i] == 0) {
      return 0;
    }
  }
  for (int32_t i = 0; i < spec->ndim; ++i) {
    if (__builtin_mul_overflow(n, (uint64_t)spec->shape[i], &n)) {
      return UINT64_MAX;
    }
  }
  return n % 8 == 0 ? n / 8 : UINT64_MAX;
}

static pz_status
read_shape(const cJSON* const shape, pz_spec* const spec)
{
  const cJSON* extent;
  cJSON_ArrayForEach(extent, shape)
  {
    uint64_t n;
    if (spec->ndim == PZ_MAX_DIMS) {
      return pzi_fail(PZ_IO, "more than %d dimensions", PZ_MAX_DIMS);
    }
    if (!pzi_json_count(extent, &n)) {
      return pzi_fail(PZ_IO, "an extent is not a whole number from 0 to 2^53");
    }
    spec->shape[spec->ndim++] = (int64_t)n;
  }
  return PZ_OK;
}

static pz_status
read_entry(const cJSON* const item, const uint64_t data_bytes, pzi_file_tensor* const out)
{
  const cJSON* const dtype = cJSON_GetObjectItemCaseSensitive(item, "dtype");
  const cJSON* const shape = cJSON_GetObjectItemCaseSensitive(item, "shape");
  const cJSON* const offsets = cJSON_GetObjectItemCaseSensitive(item, "data_offsets");
  if (!cJSON_IsObject(item) || cJSON_GetArraySize(item) != 3 || !cJSON_IsString(dtype) ||
      !cJSON_IsArray(shape) || !cJSON_IsArray(offsets)) {
    return pzi_fail(PZ_IO, "expected exactly the members dtype, shape and data_offsets");
  }
  const uint32_t bits = pzi_dtype_bits(dtype->valuestring, &out->dtype);
  if (bits == 0) {
    return pzi_fail(PZ_IO, "unknown dtype \"%.32s\"", dtype->valuestring);
  }
  out->spec.dtype = pzi_dtype_of(out->dtype);
  PZ_TRY(read_shape(shape, &out->spec));
  if (cJSON_GetArraySize(offsets) != 2 ||
      !pzi_json_count(cJSON_GetArrayItem(offsets, 0), &out->begin) ||
      !pzi_json_count(cJSON_GetArrayItem(offsets, 1), &out->end) || out->begin > out->end) {
    return pzi_fail(PZ_IO, "data_offsets are not two whole numbers in order");
  }
  if (out->end > data_bytes) {
    return pzi_fail(PZ_IO, "its data end at byte %llu, the file has %llu",
                    (unsigned long long)out->end, (unsigned long long)data_bytes);
  }
  const uint64_t bytes = pzi_shape_bytes(&out->spec, bits);
  if (bytes == UINT64_MAX) {
    return pzi_fail(PZ_IO, "dtype and shape make no whole number of bytes, or more than there are");
  }
  if (out->end - out->begin != bytes) {
    return pzi_fail(PZ_IO, "its data take %llu bytes, dtype and shape ask for %llu",
                    (unsigned long long)(out->end - out->begin), (unsigned long long)bytes);
  }
  return PZ_OK;
}

/* In order of bytes; where that says nothing, in the order of the header, which is that of
   the names' copies. */
static int
by_place(const void* const a, const void* const b)
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
pzi_header_sort(pzi_header* const header)
{
  if (header->n_tensors > 0) {
    qsort_r(header->by_name, header->n_tensors, sizeof(*header->by_name), by_name, header->tensors);
  }
}

/* Ranges follow each other without gap or overlap, names are unique. */
static pz_status
check_together(pzi_header* const header, const uint64_t data_bytes)
{
  pzi_file_tensor* const tensors = header->tensors;
  const size_t n = header->n_tensors;
  uint64_t end = 0;
  if (n > 0) {
    qsort(tensors, n, sizeof(*tensors), by_place);
  }
  for (size_t k = 0; k < n; ++k) {
    if (tensors[k].begin != end) {
      return pzi_fail(PZ_IO, "\"%.100s\": its data begin at byte %llu, %s %llu", tensors[k].name,
                      (unsigned long long)tensors[k].begin,
                      tensors[k].begin < end ? "inside those before, which end at"
                                             : "leaving a gap from",
                      (unsigned long long)end);
    }
    end = tensors[k].end;
    header->by_name[k] = (uint32_t)k;
  }
  if (end != data_bytes) {
    return pzi_fail(PZ_IO, "the tensors' data end at byte %llu, the file has %llu",
                    (unsigned long long)end, (unsigned long long)data_bytes);
  }
  pzi_header_sort(header);
  for (size_t k = 1; k < n; ++k) {
    const char* const name = tensors[header->by_name[k]].name;
    if (strcmp(tensors[header->by_name[k - 1]].name, name) == 0) {
      return pzi_fail(PZ_IO, "\"%.100s\" is there twice", name);
    }
  }
  return PZ_OK;
}

static char*
copy_text(char** const room, const char* const text)
{
  char* const copy = *room;
  *room = stpcpy(copy, text) + 1;
  return copy;
}

static pz_status
read_metadata(const cJSON* const object, char** const room, pzi_header* const header)
{
  if (header->metadata) {
    return pzi_fail(PZ_IO, "\"__metadata__\" is there twice");
  }
  if (!cJSON_IsObject(object)) {
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
      return pzi_fail(PZ_IO, "__metadata__: \"%.100s\" is not a text", item->string);
    }
    pz_metadata* const one = &header->metadata[header->n_metadata++];
    one->key = copy_text(room, item->string);
    one->text = copy_text(room, item->valuestring);
  }
  return PZ_OK;
}

static pz_status
read_document(const cJSON* const document, char* room, const uint64_t data_bytes,
              pzi_header* const out)
{
  const cJSON* item;
  cJSON_ArrayForEach(item, document)
  {
    if (strcmp(item->string, "__metadata__") == 0) {
      PZ_TRY(read_metadata(item, &room, out));
      continue;
    }
    pzi_file_tensor* const tensor = &out->tensors[out->n_tensors++];
    PZ_TRY(pzi_fail_prefix(read_entry(item, data_bytes, tensor), "\"%.100s\"", item->string));
    tensor->name = copy_text(&room, item->string);
  }
  return check_together(out, data_bytes);
}

pz_status
pzi_header_parse(const char* const text, const size_t length, const uint64_t data_bytes,
                 pzi_header* const out)
{
  pzi_header header = {0};
  cJSON* document = NULL;
  PZ_TRY(pzi_json_parse(text, length, DEPTH_MAX, "the header", &document));
  const size_t n = (size_t)cJSON_GetArraySize(document);
  header.tensors = calloc(n + 1, sizeof(*header.tensors));
  header.by_name = calloc(n + 1, sizeof(*header.by_name));
  /* Strings in JSON are at least as long as what they mean, their quotes more than the 0. */
  char* const room = pzi_pool_take(&header.strings, length);
  pz_status status;
  if (header.tensors && header.by_name && room) {
    status = read_document(document, room, data_bytes, &header);
  } else {
    status = pzi_no_memory(n * sizeof(*header.tensors) + length);
  }
  cJSON_Delete(document);
  if (status != PZ_OK) {
    pzi_header_cleanup(&header);
    return status;
  }
  *out = header;
  return PZ_OK;
}

pz_status
pzi_header_borrow(const pzi_header* const from, pzi_header* const out)
{
  const size_t n = from->n_tensors;
  const size_t bytes = n * sizeof(*from->tensors) + from->n_metadata * sizeof(*from->metadata);
  pzi_header header = {.n_tensors = n, .n_metadata = from->n_metadata};
  header.tensors = calloc(n + 1, sizeof(*header.tensors));
  header.by_name = calloc(n + 1, sizeof(*header.by_name));
  header.metadata = calloc(from->n_metadata + 1, sizeof(*header.metadata));
  if (!header.tensors || !header.by_name || !header.metadata) {
    pzi_header_cleanup(&header);
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
pzi_header_cleanup(pzi_header* const header)
{
  pzi_pool_cleanup(&header->strings);
  free(header->tensors);
  free(header->by_name);
  free(header->metadata);
  memset(header, 0, sizeof(*header));
}

const pzi_file_tensor*
pzi_header_find(const pzi_header* const header, const char* const name)
{
  size_t low = 0;
  size_t high = header->n_tensors;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const pzi_file_tensor* const tensor = &header->tensors[header->by_name[middle]];
    const int order = strcmp(name, tensor->name);
    if (order == 0) {
      return tensor;
    }
    low = order > 0 ? middle + 1 : low;
    high = order > 0 ? high : middle;
  }
  return NULL;
}
