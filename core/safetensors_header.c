/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A header is believed only where it must be right: it is scanned for what a parser would
   pass over (depth, control bytes, hidden zeros), parsed, and then every entry must have
   exactly its three members, every name be there once, every range have the size that
   dtype and shape give it, and the ranges fill the data without gap or overlap. */

#include "safetensors_header.h"

#include "status.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 3 }; /* document, entry, shape */

/* cJSON_Parse writes the place of its last error into a global. */
static pthread_mutex_t parser = PTHREAD_MUTEX_INITIALIZER;

bool
pzi_is_utf8(const char* const text, const size_t length)
{
  const unsigned char* const s = (const unsigned char*)text;
  for (size_t i = 0; i < length;) {
    const unsigned char c = s[i];
    const size_t more = c < 0x80   ? 0
                        : c < 0xc2 ? 4
                        : c < 0xe0 ? 1
                        : c < 0xf0 ? 2
                        : c < 0xf5 ? 3
                                   : 4;
    if (more == 4 || more > length - i - 1) {
      return false;
    }
    for (size_t k = 1; k <= more; ++k) {
      if ((s[i + k] & 0xc0) != 0x80) {
        return false;
      }
    }
    /* overlong forms, surrogates, beyond U+10FFFF */
    if ((c == 0xe0 && s[i + 1] < 0xa0) || (c == 0xed && s[i + 1] > 0x9f) ||
        (c == 0xf0 && s[i + 1] < 0x90) || (c == 0xf4 && s[i + 1] > 0x8f)) {
      return false;
    }
    i += more + 1;
  }
  return true;
}

uint64_t
pzi_safetensors_element(const char* const dtype)
{
  static const struct {
    const char* name;
    uint64_t bytes;
  } known[] = {
      {"F32", 4},  {"F64", 8}, {"I64", 8},     {"F16", 2},     {"BF16", 2},    {"I32", 4},
      {"I16", 2},  {"I8", 1},  {"U8", 1},      {"U16", 2},     {"U32", 4},     {"U64", 8},
      {"BOOL", 1}, {"C64", 8}, {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"F8_E8M0", 1},
  };
  for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); ++k) {
    if (strcmp(known[k].name, dtype) == 0) {
      return known[k].bytes;
    }
  }
  return 0;
}

/* What a parser would accept, run out of stack on, or cut short. */
static pz_status
scan(const char* const text, const size_t length)
{
  if (length == 0 || text[0] != '{') {
    return pzi_fail(PZ_IO, "the header does not begin with \"{\"");
  }
  if (!pzi_is_utf8(text, length)) {
    return pzi_fail(PZ_IO, "the header is not UTF-8");
  }
  bool in_string = false;
  uint32_t depth = 0;
  for (size_t i = 0; i < length; ++i) {
    const char c = text[i];
    if ((unsigned char)c < 0x20 && (in_string || !strchr("\t\n\r", c) || c == '\0')) {
      return pzi_fail(PZ_IO, "the header holds control byte 0x%02x at %zu", (unsigned)c, i);
    }
    if (in_string) {
      if (c == '\\') {
        if (length - i > 5 && memcmp(text + i + 1, "u0000", 5) == 0) {
          return pzi_fail(PZ_IO, "the header holds an escaped zero at %zu", i);
        }
        ++i;
      }
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > DEPTH_MAX) {
        return pzi_fail(PZ_IO, "the header is nested deeper than %d at %zu", DEPTH_MAX, i);
      }
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return PZ_OK;
}

/* A number that is a whole one from 0 to 2^53. */
static bool
read_count(const cJSON* const item, uint64_t* const out)
{
  if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0.0 && item->valuedouble <= 0x1p53)) {
    return false;
  }
  *out = (uint64_t)item->valuedouble;
  return (double)*out == item->valuedouble;
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
    if (!read_count(extent, &n)) {
      return pzi_fail(PZ_IO, "an extent is not a whole number from 0 to 2^53");
    }
    spec->shape[spec->ndim++] = (int64_t)n;
  }
  return PZ_OK;
}

/* Bytes of a tensor, or UINT64_MAX where that is no size a file can have. */
static uint64_t
count_bytes(const pz_spec* const spec, const uint64_t element)
{
  uint64_t bytes = element;
  bool empty = false;
  for (int32_t i = 0; i < spec->ndim; ++i) {
    empty = empty || spec->shape[i] == 0;
  }
  for (int32_t i = 0; i < spec->ndim && !empty; ++i) {
    if (__builtin_mul_overflow(bytes, (uint64_t)spec->shape[i], &bytes)) {
      return UINT64_MAX;
    }
  }
  return empty ? 0 : bytes;
}

static pz_status
read_entry(const cJSON* const item, const uint64_t data_bytes, pzi_safetensor* const out)
{
  memset(out, 0, sizeof(*out));
  out->name = item->string;
  const cJSON* const dtype = cJSON_GetObjectItemCaseSensitive(item, "dtype");
  const cJSON* const shape = cJSON_GetObjectItemCaseSensitive(item, "shape");
  const cJSON* const offsets = cJSON_GetObjectItemCaseSensitive(item, "data_offsets");
  if (!cJSON_IsObject(item) || cJSON_GetArraySize(item) != 3 || !cJSON_IsString(dtype) ||
      !cJSON_IsArray(shape) || !cJSON_IsArray(offsets)) {
    return pzi_fail(PZ_IO, "expected exactly the members dtype, shape and data_offsets");
  }
  out->dtype = dtype->valuestring;
  const uint64_t element = pzi_safetensors_element(out->dtype);
  if (element == 0) {
    return pzi_fail(PZ_IO, "unknown dtype \"%.32s\"", out->dtype);
  }
  out->spec.dtype = strcmp(out->dtype, "F32") == 0   ? PZ_F32
                    : strcmp(out->dtype, "F64") == 0 ? PZ_F64
                    : strcmp(out->dtype, "I64") == 0 ? PZ_I64
                                                     : 0;
  PZ_TRY(read_shape(shape, &out->spec));
  if (cJSON_GetArraySize(offsets) != 2 ||
      !read_count(cJSON_GetArrayItem(offsets, 0), &out->begin) ||
      !read_count(cJSON_GetArrayItem(offsets, 1), &out->end) || out->begin > out->end) {
    return pzi_fail(PZ_IO, "data_offsets are not two whole numbers in order");
  }
  if (out->end > data_bytes) {
    return pzi_fail(PZ_IO, "its data end at byte %llu, the file has %llu",
                    (unsigned long long)out->end, (unsigned long long)data_bytes);
  }
  const uint64_t bytes = count_bytes(&out->spec, element);
  if (out->end - out->begin != bytes) {
    return pzi_fail(PZ_IO, "its data take %llu bytes, dtype and shape ask for %llu",
                    (unsigned long long)(out->end - out->begin), (unsigned long long)bytes);
  }
  return PZ_OK;
}

static int
by_name(const void* const a, const void* const b)
{
  return strcmp(((const pzi_safetensor*)a)->name, ((const pzi_safetensor*)b)->name);
}

static int
by_place(const void* const a, const void* const b)
{
  const pzi_safetensor* const s = a;
  const pzi_safetensor* const t = b;
  if (s->begin != t->begin) {
    return s->begin < t->begin ? -1 : 1;
  }
  return s->end < t->end ? -1 : s->end > t->end;
}

/* Ranges follow each other without gap or overlap, names are unique; sorted by name. */
static pz_status
check_together(pzi_safetensor* const tensors, const size_t n, const uint64_t data_bytes)
{
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
  }
  if (end != data_bytes) {
    return pzi_fail(PZ_IO, "the tensors' data end at byte %llu, the file has %llu",
                    (unsigned long long)end, (unsigned long long)data_bytes);
  }
  if (n > 0) {
    qsort(tensors, n, sizeof(*tensors), by_name);
  }
  for (size_t k = 1; k < n; ++k) {
    if (strcmp(tensors[k - 1].name, tensors[k].name) == 0) {
      return pzi_fail(PZ_IO, "\"%.100s\" is there twice", tensors[k].name);
    }
  }
  return PZ_OK;
}

static int
by_text(const void* const a, const void* const b)
{
  return strcmp(*(const char* const*)a, *(const char* const*)b);
}

static pz_status
check_metadata(const cJSON* const metadata)
{
  const int n = cJSON_GetArraySize(metadata);
  if (!cJSON_IsObject(metadata)) {
    return pzi_fail(PZ_IO, "__metadata__ is not an object");
  }
  const char** const keys = calloc((size_t)n + 1, sizeof(*keys));
  if (!keys) {
    return pzi_no_memory(((size_t)n + 1) * sizeof(*keys));
  }
  pz_status status = PZ_OK;
  size_t k = 0;
  const cJSON* item;
  cJSON_ArrayForEach(item, metadata)
  {
    keys[k++] = item->string;
    if (!cJSON_IsString(item)) {
      status = pzi_fail(PZ_IO, "__metadata__: \"%.100s\" is not a text", item->string);
    }
  }
  qsort(keys, k, sizeof(*keys), by_text);
  for (size_t i = 1; i < k && status == PZ_OK; ++i) {
    if (strcmp(keys[i - 1], keys[i]) == 0) {
      status = pzi_fail(PZ_IO, "__metadata__: \"%.100s\" is there twice", keys[i]);
    }
  }
  free(keys);
  return status;
}

static pz_status
parse(const char* const text, const size_t length, cJSON** const out)
{
  const char* end = NULL;
  pthread_mutex_lock(&parser);
  cJSON* const document = cJSON_ParseWithLengthOpts(text, length, &end, 0);
  pthread_mutex_unlock(&parser);
  if (!document) {
    return pzi_fail(PZ_IO, "the header is not JSON (or memory ran out) at byte %zu",
                    end ? (size_t)(end - text) : 0);
  }
  for (; end < text + length; ++end) {
    if (!strchr(" \t\n\r", *end)) {
      cJSON_Delete(document);
      return pzi_fail(PZ_IO, "the header goes on after its end at byte %zu", (size_t)(end - text));
    }
  }
  *out = document;
  return PZ_OK;
}

static pz_status
read_document(const uint64_t data_bytes, pzi_header* const out)
{
  const cJSON* item;
  cJSON_ArrayForEach(item, out->document)
  {
    if (strcmp(item->string, "__metadata__") != 0) {
      PZ_TRY(pzi_fail_prefix(read_entry(item, data_bytes, &out->tensors[out->n_tensors++]),
                             "\"%.100s\"", item->string));
    } else if (out->metadata) {
      return pzi_fail(PZ_IO, "\"__metadata__\" is there twice");
    } else {
      out->metadata = item;
      PZ_TRY(check_metadata(item));
    }
  }
  return check_together(out->tensors, out->n_tensors, data_bytes);
}

pz_status
pzi_header_parse(const char* const text, const size_t length, const uint64_t data_bytes,
                 pzi_header* const out)
{
  pzi_header header = {0};
  PZ_TRY(scan(text, length));
  PZ_TRY(parse(text, length, &header.document));
  const size_t n = (size_t)cJSON_GetArraySize(header.document);
  header.tensors = calloc(n + 1, sizeof(*header.tensors));
  pz_status status;
  if (header.tensors) {
    status = read_document(data_bytes, &header);
  } else {
    status = pzi_no_memory((n + 1) * sizeof(*header.tensors));
  }
  if (status != PZ_OK) {
    pzi_header_cleanup(&header);
    return status;
  }
  *out = header;
  return PZ_OK;
}

void
pzi_header_cleanup(pzi_header* const header)
{
  cJSON_Delete(header->document);
  free(header->tensors);
  memset(header, 0, sizeof(*header));
}
