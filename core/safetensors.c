/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Reading safetensors files. The file is mapped; only its header is copied, once, so that
   what was checked is what is used. Beyond that copy memory grows with the header alone. */

#include "safetensors.h"

#include "safetensors_header.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PREFIX = 8, NAMES_SHOWN = 5 };

struct pzi_safetensors {
  void* map;
  size_t size;
  pzi_header header;
};

/* The length in the first eight bytes, little endian. */
static uint64_t
read_length(const unsigned char* const bytes)
{
  uint64_t length = 0;
  for (int k = PREFIX; k-- > 0;) {
    length = length << 8 | bytes[k];
  }
  return length;
}

static pz_status
map_file(const char* const path, pzi_safetensors* const file)
{
  char text[128];
  /* Not blocking: a FIFO is refused below instead of waited for. */
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return pzi_fail(errno == ENOENT ? PZ_NOT_FOUND : PZ_IO, "%s",
                    strerror_r(errno, text, sizeof(text)));
  }
  pz_status status = PZ_OK;
  struct stat there;
  if (fstat(fd, &there) != 0) {
    status = pzi_fail(PZ_IO, "%s", strerror_r(errno, text, sizeof(text)));
  } else if (!S_ISREG(there.st_mode)) {
    status = pzi_fail(PZ_IO, "not a regular file");
  } else if (there.st_size < PREFIX) {
    status = pzi_fail(PZ_IO, "%lld bytes, a header's length alone takes %d",
                      (long long)there.st_size, PREFIX);
  } else {
    file->size = (size_t)there.st_size;
    file->map = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file->map == MAP_FAILED) {
      file->map = NULL;
      status = pzi_fail(errno == ENOMEM ? PZ_NO_MEMORY : PZ_IO, "%s",
                        strerror_r(errno, text, sizeof(text)));
    }
  }
  close(fd);
  return status;
}

static pz_status
read_header(pzi_safetensors* const file)
{
  const uint64_t length = read_length(file->map);
  const uint64_t rest = file->size - PREFIX;
  if (length > rest) {
    return pzi_fail(PZ_IO, "the header takes %llu bytes, the file has %llu after its length",
                    (unsigned long long)length, (unsigned long long)rest);
  }
  if (length > PZI_HEADER_MAX) {
    return pzi_fail(PZ_IO, "the header takes %llu bytes, expected at most %d",
                    (unsigned long long)length, PZI_HEADER_MAX);
  }
  char* const copy = malloc((size_t)length + 1);
  if (!copy) {
    return pzi_no_memory((size_t)length + 1);
  }
  memcpy(copy, (const char*)file->map + PREFIX, (size_t)length);
  copy[length] = '\0';
  const pz_status status = pzi_header_parse(copy, (size_t)length, rest - length, &file->header);
  free(copy);
  for (size_t k = 0; k < file->header.n_tensors; ++k) {
    pzi_safetensor* const tensor = &file->header.tensors[k];
    tensor->data = (const char*)file->map + PREFIX + length + tensor->begin;
  }
  return status;
}

pz_status
pzi_safetensors_open(const char* const path, pzi_safetensors** const out)
{
  pzi_safetensors* const file = calloc(1, sizeof(*file));
  if (!file) {
    return pzi_no_memory(sizeof(*file));
  }
  pz_status status = map_file(path, file);
  if (status == PZ_OK) {
    status = read_header(file);
  }
  if (status != PZ_OK) {
    pzi_safetensors_close(file);
    return pzi_fail_prefix(status, "%s", path);
  }
  *out = file;
  return PZ_OK;
}

void
pzi_safetensors_close(pzi_safetensors* const file)
{
  if (!file) {
    return;
  }
  pzi_header_cleanup(&file->header);
  if (file->map) {
    munmap(file->map, file->size);
  }
  free(file);
}

const pzi_safetensor*
pzi_safetensors_list(const pzi_safetensors* const file, size_t* const n)
{
  *n = file->header.n_tensors;
  return file->header.tensors;
}

static int
compare_name(const void* const key, const void* const tensor)
{
  return strcmp(key, ((const pzi_safetensor*)tensor)->name);
}

const pzi_safetensor*
pzi_safetensors_find(const pzi_safetensors* const file, const char* const name)
{
  return bsearch(name, file->header.tensors, file->header.n_tensors, sizeof(*file->header.tensors),
                 compare_name);
}

const char*
pzi_safetensors_metadata(const pzi_safetensors* const file, const char* const key)
{
  return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(file->header.metadata, key));
}

/* ---- loading --------------------------------------------------------------- */

/* A list of names for a message, the first few, cut where the message ends. */
typedef struct names {
  char text[512];
  size_t length;
  size_t n;
} names;

static void
add_name(names* const list, const char* const name)
{
  if (list->n++ < NAMES_SHOWN) {
    const char* const parts[] = {list->n > 1 ? ", \"" : "\"", name, "\""};
    for (size_t k = 0; k < 3; ++k) {
      const size_t left = sizeof(list->text) - 1 - list->length;
      const size_t length = strlen(parts[k]) < left ? strlen(parts[k]) : left;
      memcpy(list->text + list->length, parts[k], length);
      list->length += length;
      list->text[list->length] = '\0';
    }
  }
}

static pz_status
check_names(const pzi_safetensors* const file, const pzi_target* const targets, const size_t n)
{
  const pzi_safetensor* const tensors = file->header.tensors;
  const size_t n_tensors = file->header.n_tensors;
  bool* const known = calloc(n_tensors + 1, sizeof(*known));
  if (!known) {
    return pzi_no_memory(n_tensors + 1);
  }
  names missing = {.n = 0};
  for (size_t k = 0; k < n; ++k) {
    const pzi_safetensor* const found = pzi_safetensors_find(file, targets[k].name);
    if (found) {
      known[found - tensors] = true;
    } else {
      add_name(&missing, targets[k].name);
    }
  }
  names unknown = {.n = 0};
  for (size_t k = 0; k < n_tensors; ++k) {
    if (!known[k]) {
      add_name(&unknown, tensors[k].name);
    }
  }
  free(known);
  if (missing.n > 0) {
    return pzi_fail(PZ_MISMATCH, "%zu of %zu tensors expected are not in the file: %s%s", missing.n,
                    n, missing.text, missing.n > NAMES_SHOWN ? " ..." : "");
  }
  if (unknown.n > 0) {
    return pzi_fail(PZ_MISMATCH, "%zu tensors of the file have no place here: %s%s", unknown.n,
                    unknown.text, unknown.n > NAMES_SHOWN ? " ..." : "");
  }
  return PZ_OK;
}

static pz_status
check_specs(const pzi_safetensors* const file, const pzi_target* const targets, const size_t n)
{
  for (size_t k = 0; k < n; ++k) {
    const pzi_safetensor* const found = pzi_safetensors_find(file, targets[k].name);
    const pz_spec expected = pz_spec_of(targets[k].tensor);
    char a[PZI_SPEC_TEXT];
    char b[PZI_SPEC_TEXT];
    if (found->spec.dtype == 0) {
      return pzi_fail(PZ_MISMATCH, "\"%s\": found dtype %s, expected %s", found->name, found->dtype,
                      pzi_spec_text(&expected, b));
    }
    if (!pz_spec_equal(&found->spec, &expected)) {
      return pzi_fail(PZ_MISMATCH, "\"%s\": found %s, expected %s", found->name,
                      pzi_spec_text(&found->spec, a), pzi_spec_text(&expected, b));
    }
  }
  return PZ_OK;
}

/* The file's data may lie at any byte: they pass through aligned memory. */
static pz_status
copy_all(const pzi_safetensors* const file, const pzi_target* const targets, const size_t n)
{
  uint64_t most = 1;
  for (size_t k = 0; k < n; ++k) {
    const pzi_safetensor* const found = pzi_safetensors_find(file, targets[k].name);
    most = found->end - found->begin > most ? found->end - found->begin : most;
  }
  void* const aligned = malloc((size_t)most);
  if (!aligned) {
    return pzi_no_memory((size_t)most);
  }
  pz_status status = PZ_OK;
  for (size_t k = 0; k < n && status == PZ_OK; ++k) {
    const pzi_safetensor* const found = pzi_safetensors_find(file, targets[k].name);
    memcpy(aligned, found->data, (size_t)(found->end - found->begin));
    const pz_tensor from =
        pz_host_tensor(found->spec.dtype, aligned, found->spec.ndim, found->spec.shape);
    status = pzi_fail_prefix(pzi_queue_copy(targets[k].queue, &from, targets[k].tensor), "\"%s\"",
                             found->name);
  }
  free(aligned);
  return status;
}

pz_status
pzi_safetensors_load(const char* const path, const pzi_target* const targets, const size_t n)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  return pzi_fail(PZ_UNSUPPORTED, "%s: little endian, this machine is not", path);
#else
  pzi_safetensors* file = NULL;
  PZ_TRY(pzi_safetensors_open(path, &file));
  pz_status status = check_names(file, targets, n);
  if (status == PZ_OK) {
    status = check_specs(file, targets, n);
  }
  if (status == PZ_OK) {
    status = copy_all(file, targets, n);
  }
  pzi_safetensors_close(file);
  return pzi_fail_prefix(status, "%s", path);
#endif
}
