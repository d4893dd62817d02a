/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Writes a file. All byte ranges are assigned at the start, wide elements first, so that every
   tensor is aligned behind a header padded to a multiple of eight. The tensors may then be
   written in any order and in parts. */

#include "atomic_file.h"
#include "file_dtype.h"
#include "json.h"
#include "safetensors.h"
#include "sized_struct.h"
#include "sorted_names.h"
#include "status.h"
#include "utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 8 };

/* One tensor of the file. */
typedef struct placement {
  char* name;
  const char* dtype;
  const int64_t* extents;
  size_t n_extents;
  uint64_t offset; /* from the start of the file */
  uint64_t bytes;
  uint64_t written; /* bytes so far */
} placement;

struct pz_writer {
  char* path; /* for messages */
  bool keep_existing;
  pzi_atomic_file file;
  placement* tensors; /* in the order of the caller */
  size_t n_tensors;
  pzi_alloc_list names;
};

/* ---- checks ----------------------------------------------------------------- */

/* Sorts the names; they must be UTF-8 and unique. */
static pz_status
check_names(const char** const names, const size_t n)
{
  for (size_t k = 0; k < n; ++k) {
    if (!names[k] || !pzi_utf8_check(names[k], strlen(names[k]))) {
      return pzi_fail(PZ_INVALID, "a name is not UTF-8");
    }
  }
  const char* const twice = pzi_sorted_names_sort(names, n);
  return twice ? pzi_fail(PZ_INVALID, "\"%.100s\" appears twice", twice) : PZ_OK;
}

static pz_status
check_all_names(const pz_writer_tensor* const entries, const size_t n_entries,
                const pz_metadata* const metadata, const size_t n_metadata)
{
  const size_t n = n_entries > n_metadata ? n_entries : n_metadata;
  const char** const names = malloc((n + 1) * sizeof(*names));
  if (!names) {
    return pzi_no_memory((n + 1) * sizeof(*names));
  }
  for (size_t k = 0; k < n_entries; ++k) {
    names[k] = entries[k].name;
  }
  pz_status status = check_names(names, n_entries);
  for (size_t k = 0; k < n_metadata; ++k) {
    names[k] = metadata[k].key;
  }
  if (status == PZ_OK) {
    status = pzi_fail_prefix(check_names(names, n_metadata), "metadata");
  }
  free(names);
  for (size_t k = 0; k < n_metadata && status == PZ_OK; ++k) {
    if (!metadata[k].text || !pzi_utf8_check(metadata[k].text, strlen(metadata[k].text))) {
      status = pzi_fail(PZ_INVALID, "metadata: \"%.100s\" is not UTF-8", metadata[k].key);
    }
  }
  return status;
}

static pz_status
check_tensor(pz_writer* const writer, const pz_writer_tensor* const entry, placement* const out)
{
  if (strcmp(entry->name, "__metadata__") == 0) {
    return pzi_fail(PZ_INVALID, "this name is reserved");
  }
  const uint32_t bits = entry->dtype ? pzi_file_dtype_bits(entry->dtype, &out->dtype) : 0;
  if (bits == 0) {
    return pzi_fail(PZ_INVALID, "unknown dtype \"%.32s\"", entry->dtype ? entry->dtype : "");
  }
  const bool many = entry->extents != NULL;
  const size_t n = many ? entry->n_extents : (size_t)entry->spec.ndim;
  const int64_t* const extents = many ? entry->extents : entry->spec.shape;
  bool good = many ? n <= PZI_FILE_DIMS : entry->spec.ndim >= 0 && entry->spec.ndim <= PZ_MAX_DIMS;
  for (size_t i = 0; good && i < n; ++i) {
    good = extents[i] >= 0 && extents[i] <= INT64_C(1) << 53;
  }
  const uint64_t bytes = good ? pzi_file_dtype_bytes(n, extents, bits) : UINT64_MAX;
  if (bytes > INT64_MAX / 2 || bytes != entry->bytes) {
    return pzi_fail(PZ_INVALID, "found %llu byte%s, dtype and shape require another number",
                    (unsigned long long)entry->bytes, PZI_S(entry->bytes));
  }
  int64_t* const copy = pzi_alloc_list_take(&writer->names, n * sizeof(*copy));
  if (!copy) {
    return pzi_no_memory(n * sizeof(*copy));
  }
  memcpy(copy, extents, n * sizeof(*copy));
  out->extents = copy;
  out->n_extents = n;
  out->bytes = bytes;
  return PZ_OK;
}

/* ---- layout ----------------------------------------------------------------- */

/* Copies everything but the offsets. */
static pz_status
copy_tensors(pz_writer* const writer, const pz_writer_tensor* const entries, const size_t n)
{
  size_t bytes = 1;
  for (size_t k = 0; k < n; ++k) {
    bytes += strlen(entries[k].name) + 1;
  }
  char* room = pzi_alloc_list_take(&writer->names, bytes);
  writer->tensors = calloc(n + 1, sizeof(*writer->tensors));
  if (!room || !writer->tensors) {
    return pzi_no_memory(bytes + (n + 1) * sizeof(*writer->tensors));
  }
  for (size_t k = 0; k < n; ++k) {
    placement* const one = &writer->tensors[writer->n_tensors++];
    one->name = room;
    room = stpcpy(room, entries[k].name) + 1;
    PZ_TRY(pzi_fail_prefix(check_tensor(writer, &entries[k], one), "\"%.100s\"", one->name));
  }
  return PZ_OK;
}

/* The alignment of the elements: a power of two of at most ALIGNMENT. */
static uint32_t
alignment_of(const placement* const one)
{
  const char* name = NULL;
  const uint32_t bytes = pzi_file_dtype_bits(one->dtype, &name) / 8;
  return bytes > 0 ? bytes : 1;
}

/* Sets offsets from the end of the header, and `order` to the tensors in file order. */
static uint64_t
lay_out(const pz_writer* const writer, placement** const order)
{
  uint64_t offset = 0;
  size_t n = 0;
  for (uint32_t step = ALIGNMENT; step > 0; step /= 2) {
    for (size_t k = 0; k < writer->n_tensors; ++k) {
      placement* const one = &writer->tensors[k];
      if (alignment_of(one) == step) {
        one->offset = offset;
        offset += one->bytes;
        order[n++] = one;
      }
    }
  }
  return offset;
}

static void
add_tensor(pzi_text* const json, const placement* const one)
{
  pzi_json_add_text(json, one->name);
  pzi_text_add(json, ":{\"dtype\":");
  pzi_json_add_text(json, one->dtype);
  pzi_text_add(json, ",\"shape\":");
  pzi_json_add_extents(json, one->n_extents, one->extents);
  pzi_text_add(json, ",\"data_offsets\":[");
  pzi_json_add_count(json, one->offset);
  pzi_text_add(json, ",");
  pzi_json_add_count(json, one->offset + one->bytes);
  pzi_text_add(json, "]}");
}

/* Writes the header's JSON, padded with spaces. */
static pz_status
make_header(placement* const* const order, const size_t n, const pz_metadata* const metadata,
            const size_t n_metadata, pzi_text* const json)
{
  pzi_text_add(json, "{");
  for (size_t k = 0; k < n_metadata; ++k) {
    pzi_text_add(json, k > 0 ? "," : "\"__metadata__\":{");
    pzi_json_add_text(json, metadata[k].key);
    pzi_text_add(json, ":");
    pzi_json_add_text(json, metadata[k].text);
  }
  pzi_text_add(json, n_metadata > 0 ? "}" : "");
  for (size_t k = 0; k < n; ++k) {
    pzi_text_add(json, k > 0 || n_metadata > 0 ? "," : "");
    add_tensor(json, order[k]);
  }
  pzi_text_add(json, "}");
  while (!json->failed && json->length % ALIGNMENT != 0) {
    pzi_text_add(json, " ");
  }
  if (json->failed) {
    return pzi_no_memory(json->capacity);
  }
  return json->length <= PZI_SAFETENSORS_MAX
             ? PZ_OK
             : pzi_fail(PZ_INVALID, "the header takes %zu bytes, expected at most %d", json->length,
                        PZI_SAFETENSORS_MAX);
}

/* The status of an errno value; PZ_OK for 0. */
static pz_status
check_errno(const int error)
{
  if (error == 0) {
    return PZ_OK;
  }
  const pz_status status = pzi_fail_system(error);
  return error == EEXIST ? PZ_EXISTS : status == PZ_NOT_FOUND ? PZ_IO : status;
}

static pz_status
begin(pz_writer* const writer, const pz_metadata* const metadata, const size_t n_metadata,
      placement** const order, pzi_text* const json)
{
  lay_out(writer, order);
  PZ_TRY(make_header(order, writer->n_tensors, metadata, n_metadata, json));
  for (size_t k = 0; k < writer->n_tensors; ++k) {
    writer->tensors[k].offset += PZI_SAFETENSORS_PREFIX + json->length;
  }
  unsigned char prefix[PZI_SAFETENSORS_PREFIX];
  for (int k = 0; k < PZI_SAFETENSORS_PREFIX; ++k) {
    prefix[k] = (unsigned char)((uint64_t)json->length >> (8 * k));
  }
  PZ_TRY(check_errno(pzi_atomic_file_open(&writer->file, writer->path, writer->keep_existing)));
  PZ_TRY(check_errno(pzi_atomic_file_write(&writer->file, prefix, sizeof(prefix))));
  return check_errno(pzi_atomic_file_write(&writer->file, json->data, json->length));
}

static pz_status
check_reserved(const pz_writer_tensor* const entries, const size_t n_entries,
               const pz_metadata* const metadata, const size_t n_metadata)
{
  for (size_t k = 0; k < n_entries; ++k) {
    PZ_TRY(
        pzi_struct_check_reserved(&entries[k].reserved, sizeof(entries[k].reserved), "tensor", k));
  }
  for (size_t k = 0; k < n_metadata; ++k) {
    PZ_TRY(pzi_struct_check_reserved(metadata[k].reserved, sizeof(metadata[k].reserved), "metadata",
                                     k));
  }
  return PZ_OK;
}

static pz_status
open_writer(pz_writer* const writer, const pz_writer_tensor* const entries, const size_t n_entries,
            const pz_metadata* const metadata, const size_t n_metadata)
{
  PZ_TRY(check_reserved(entries, n_entries, metadata, n_metadata));
  PZ_TRY(check_all_names(entries, n_entries, metadata, n_metadata));
  PZ_TRY(copy_tensors(writer, entries, n_entries));
  placement** const order = calloc(n_entries + 1, sizeof(*order));
  if (!order) {
    return pzi_no_memory((n_entries + 1) * sizeof(*order));
  }
  pzi_text json = {0};
  const pz_status status = begin(writer, metadata, n_metadata, order, &json);
  free(json.data);
  free(order);
  return status;
}

/* ---- the public calls ------------------------------------------------------- */

pz_status
pz_writer_open(const char* const path, const uint32_t flags, const pz_writer_tensor* const entries,
               const uint32_t n_entries, const pz_metadata* const metadata,
               const uint32_t n_metadata, pz_writer** const out)
{
  if (!path || !out || (flags & ~(uint32_t)PZ_KEEP_EXISTING) != 0 || (n_entries > 0 && !entries) ||
      (n_metadata > 0 && !metadata)) {
    return pzi_fail(PZ_INVALID, "expected a path, tensors, metadata, an output pointer, and no "
                                "flag but PZ_KEEP_EXISTING");
  }
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  return pzi_fail(PZ_UNSUPPORTED, "%s: files are little endian, this machine is not", path);
#else
  pz_writer* const writer = calloc(1, sizeof(*writer));
  if (!writer) {
    return pzi_no_memory(sizeof(*writer));
  }
  writer->keep_existing = (flags & PZ_KEEP_EXISTING) != 0;
  writer->path = strdup(path);
  pz_status status;
  if (writer->path) {
    status = open_writer(writer, entries, n_entries, metadata, n_metadata);
  } else {
    status = pzi_no_memory(strlen(path) + 1);
  }
  if (status != PZ_OK) {
    pz_writer_abandon(writer);
    return pzi_fail_prefix(status, "%s", path);
  }
  *out = writer;
  return PZ_OK;
#endif
}

pz_status
pz_writer_put(pz_writer* const writer, const uint32_t index, const void* const data,
              const uint64_t bytes)
{
  if (!writer || index >= writer->n_tensors) {
    return pzi_fail(PZ_INVALID, "found tensor %" PRIu32 " of %zu", index,
                    writer ? writer->n_tensors : 0);
  }
  placement* const one = &writer->tensors[index];
  const uint64_t left = one->bytes - one->written;
  if (bytes > left || (bytes > 0 && !data)) {
    return pzi_fail(PZ_INVALID, "%s: \"%.100s\": found %llu byte%s, expected %s%llu", writer->path,
                    one->name, (unsigned long long)(data ? bytes : 0), PZI_S(data ? bytes : 0),
                    data ? "at most " : "", (unsigned long long)left);
  }
  PZ_TRY(pzi_fail_prefix(check_errno(pzi_atomic_file_write_at(&writer->file, data, (size_t)bytes,
                                                              one->offset + one->written)),
                         "%s", writer->path));
  one->written += bytes;
  return PZ_OK;
}

pz_status
pz_writer_commit(pz_writer* const writer)
{
  if (!writer) {
    return pzi_fail(PZ_INVALID, "found no writer");
  }
  pz_status status = PZ_OK;
  for (size_t k = 0; k < writer->n_tensors && status == PZ_OK; ++k) {
    const placement* const one = &writer->tensors[k];
    if (one->written < one->bytes) {
      status = pzi_fail(PZ_INVALID, "\"%.100s\": found %llu byte%s written, expected %llu",
                        one->name, (unsigned long long)one->written, PZI_S(one->written),
                        (unsigned long long)one->bytes);
    }
  }
  if (status == PZ_OK) {
    status = check_errno(pzi_atomic_file_commit(&writer->file, writer->keep_existing));
  }
  (void)pzi_fail_prefix(status, "%s", writer->path);
  pz_writer_abandon(writer);
  return status;
}

void
pz_writer_abandon(pz_writer* const writer)
{
  if (!writer) {
    return;
  }
  pzi_atomic_file_abandon(&writer->file);
  pzi_alloc_list_cleanup(&writer->names);
  free(writer->tensors);
  free(writer->path);
  free(writer);
}
