/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The reader of safetensors files. What it accepts has names that are there once, and
   ranges of the right size that cover the data, each byte once; the tensors, written to a
   file again, are the same. */

#include "file.h"
#include "file_dtype.h"
#include "tensors.h"

#include <string.h>
#include <unistd.h>

static char path[64];
static char folder[] = "/dev/shm/parametrize-fuzz-XXXXXX"; /* nothing there waits for a disk */

static void
remove_folder(void)
{
  unlink(path);
  rmdir(folder);
}

static void
st_open(void)
{
  FUZZ_ENSURE(mkdtemp(folder));
  snprintf(path, sizeof(path), "%s/x.safetensors", folder);
  atexit(remove_folder);
}

/* ---- what was read ---------------------------------------------------------- */

/* Bytes that dtype and shape ask for, in floating point, where nothing wraps. */
static double
expected_bytes(const pzi_file_tensor* const t)
{
  const char* name = NULL;
  double bits = pzi_file_dtype_bits(t->dtype, &name);
  const size_t n = t->extents ? t->n_extents : (size_t)t->spec.ndim;
  const int64_t* const extents = t->extents ? t->extents : t->spec.shape;
  for (size_t i = 0; i < n; ++i) {
    FUZZ_ENSURE(extents[i] >= 0);
    bits *= (double)extents[i];
  }
  return bits / 8.0;
}

static void
check_tensors(const pz_file* const file, const char* const end)
{
  const pzi_safetensors* const header = &file->header;
  uint64_t sum = 0;
  for (size_t k = 0; k < header->n_tensors; ++k) {
    const pzi_file_tensor* const t = &header->tensors[k];
    pz_file_tensor_info entry = {.size = sizeof(entry)};
    FUZZ_ENSURE(t->extents ? t->spec.ndim == -1 && t->spec.dtype == 0 &&
                                 t->n_extents > PZ_MAX_DIMS && t->n_extents <= PZI_FILE_DIMS
                           : t->spec.ndim >= 0 && t->spec.ndim <= PZ_MAX_DIMS);
    FUZZ_ENSURE(t->begin <= t->end && (double)(t->end - t->begin) == expected_bytes(t));
    FUZZ_ENSURE(strcmp(t->name, "__metadata__") != 0);
    FUZZ_ENSURE(pz_file_find(file, t->name, &entry) == PZ_OK && entry.name == t->name);
    FUZZ_ENSURE((const char*)entry.data + entry.bytes <= end);
    sum += entry.bytes;
    for (size_t i = 0; i < k; ++i) {
      const pzi_file_tensor* const other = &header->tensors[i];
      FUZZ_ENSURE(strcmp(other->name, t->name) != 0);
      FUZZ_ENSURE(other->end <= t->begin);
    }
  }
  FUZZ_ENSURE(file->data + sum == end);
}

static void
check_texts(const pz_file* const file)
{
  pz_metadata text;
  for (size_t k = 0; pz_file_metadata(file, k, &text) == PZ_OK; ++k) {
    FUZZ_ENSURE(pz_file_text(file, text.key) == text.text);
  }
  char last[FUZZ_MOST] = "";
  pz_file_chain_info list = {.size = sizeof(list)};
  for (size_t k = 0; pz_file_chain(file, k, &list) == PZ_OK; ++k) {
    FUZZ_ENSURE(k == 0 || strcmp(last, list.path) < 0);
    FUZZ_ENSURE(!list.text == !list.plugins && (list.text || list.n_tensors > 0));
    FUZZ_ENSURE(strlen(list.prefix) >= strlen("parametrizations.."));
    snprintf(last, sizeof(last), "%s", list.path);
  }
}

/* ---- written again ---------------------------------------------------------- */

enum { WRITTEN_MOST = 64 }; /* entries and texts of a file that is written again */

static void
write_again(const pz_file* const file)
{
  pz_file_tensor_info found[WRITTEN_MOST];
  pz_writer_tensor entries[WRITTEN_MOST];
  pz_metadata texts[WRITTEN_MOST];
  pz_writer* writer = NULL;
  size_t n = 0;
  size_t n_texts = 0;
  for (found[0].size = sizeof(found[0]); pz_file_tensor(file, (uint32_t)n, &found[n]) == PZ_OK;) {
    entries[n] = (pz_writer_tensor){
        .name = found[n].name,
        .dtype = found[n].dtype,
        .spec = found[n].spec,
        .bytes = found[n].bytes,
    };
    found[++n].size = sizeof(found[0]);
  }
  while (pz_file_metadata(file, (uint32_t)n_texts, &texts[n_texts]) == PZ_OK) {
    ++n_texts;
  }
  FUZZ_ENSURE(pz_writer_open(path, 0, entries, (uint32_t)n, texts, (uint32_t)n_texts, &writer) ==
              PZ_OK);
  for (size_t k = n; k-- > 0;) {
    FUZZ_ENSURE(pz_writer_put(writer, (uint32_t)k, found[k].data, found[k].bytes) == PZ_OK);
  }
  FUZZ_ENSURE(pz_writer_commit(writer) == PZ_OK);
}

static void
check_written(const pz_file* const file)
{
  pz_file* again = NULL;
  FUZZ_ENSURE(pz_file_open(path, &again) == PZ_OK);
  FUZZ_ENSURE(again->header.n_tensors == file->header.n_tensors);
  FUZZ_ENSURE(again->header.n_metadata == file->header.n_metadata);
  FUZZ_ENSURE(again->n_chains == file->n_chains);
  pz_file_tensor_info a = {.size = sizeof(a)};
  pz_file_tensor_info b = {.size = sizeof(b)};
  for (size_t k = 0; pz_file_tensor(file, k, &a) == PZ_OK; ++k) {
    FUZZ_ENSURE(pz_file_find(again, a.name, &b) == PZ_OK);
    FUZZ_ENSURE(strcmp(a.dtype, b.dtype) == 0 && pz_spec_equal(&a.spec, &b.spec));
    FUZZ_ENSURE(a.bytes == b.bytes && memcmp(a.data, b.data, a.bytes) == 0);
    FUZZ_ENSURE(b.spec.dtype == 0 || (uintptr_t)b.data % pz_dtype_size(b.spec.dtype) == 0);
  }
  for (size_t k = 0; k < file->header.n_metadata; ++k) {
    const pz_metadata* const text = &file->header.metadata[k];
    FUZZ_ENSURE(strcmp(again->header.metadata[k].key, text->key) == 0);
    FUZZ_ENSURE(strcmp(again->header.metadata[k].text, text->text) == 0);
  }
  pz_file_close(again);
}

static bool
st_run(const uint8_t* const data, const size_t size)
{
  pz_file* file = NULL;
  if (size > FUZZ_MOST) {
    return false;
  }
  const pz_status status = pzi_file_from_memory(data, size, &file);
  if (status != PZ_OK) {
    const char* const message = pz_error_message();
    FUZZ_ENSURE(status == PZ_IO && *message != '\0' && !strchr(message, '\n'));
    return false;
  }
  check_tensors(file, (const char*)data + size);
  check_texts(file);
  if (file->header.n_tensors < WRITTEN_MOST && file->header.n_metadata < WRITTEN_MOST) {
    write_again(file);
    check_written(file);
  }
  pz_file_close(file);
  return true;
}

const fuzz_harness fuzz = {
    .open = st_open,
    .seed = fuzz_tensors_seed,
    .mutate = fuzz_tensors_mutate,
    .run = st_run,
    .seeds_are_good = true,
};
