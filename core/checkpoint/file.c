/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Opens files. The file is mapped and its header copied once, so that what was checked is what
   is used. All other memory is proportional to the header. */

#include "file.h"

#include "file_chains.h"
#include "foreign_kind.h"
#include "sized_struct.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The length in the first eight bytes, little endian. */
static uint64_t
read_length(const unsigned char* const bytes)
{
  uint64_t length = 0;
  for (int k = PZI_SAFETENSORS_PREFIX; k-- > 0;) {
    length = length << 8 | bytes[k];
  }
  return length;
}

static pz_status
map_file(const char* const path, pz_file* const file)
{
  /* O_NONBLOCK: a FIFO must not block; it is refused below. */
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return pzi_fail_system(errno);
  }
  pz_status status = PZ_OK;
  struct stat there;
  if (fstat(fd, &there) != 0) {
    status = pzi_fail_system(errno);
  } else if (!S_ISREG(there.st_mode)) {
    status = pzi_fail(PZ_IO, "not a regular file");
  } else if (there.st_size > 0) {
    file->size = (size_t)there.st_size;
    file->map = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file->map == MAP_FAILED) {
      file->map = NULL;
      status = pzi_fail_system(errno);
    }
  }
  close(fd);
  return status;
}

static pz_status
read_header(const char* const bytes, const size_t size, pz_file* const file)
{
  if (size < PZI_SAFETENSORS_PREFIX) {
    return pzi_fail(PZ_IO, "found %zu byte%s, the length of the header alone takes %d", size,
                    PZI_S(size), PZI_SAFETENSORS_PREFIX);
  }
  const uint64_t length = read_length((const unsigned char*)bytes);
  const uint64_t rest = size - PZI_SAFETENSORS_PREFIX;
  const char* const kind = pzi_foreign_kind(bytes, size);
  if (kind && (rest == 0 || bytes[PZI_SAFETENSORS_PREFIX] != '{')) {
    return pzi_fail(PZ_IO, "found %s; expected a safetensors file", kind);
  }
  if (length > rest) {
    return pzi_fail(PZ_IO, "the header takes %llu byte%s, the file has %llu after its length",
                    (unsigned long long)length, PZI_S(length), (unsigned long long)rest);
  }
  if (length > PZI_SAFETENSORS_MAX) {
    return pzi_fail(PZ_IO, "the header takes %llu bytes, expected at most %d",
                    (unsigned long long)length, PZI_SAFETENSORS_MAX);
  }
  char* const copy = malloc((size_t)length + 1);
  if (!copy) {
    return pzi_no_memory((size_t)length + 1);
  }
  memcpy(copy, bytes + PZI_SAFETENSORS_PREFIX, (size_t)length);
  copy[length] = '\0';
  const pz_status status =
      pzi_safetensors_parse(copy, (size_t)length, rest - length, &file->header);
  free(copy);
  file->data = bytes + PZI_SAFETENSORS_PREFIX + length;
  return status;
}

pz_status
pzi_file_describe(pz_file* const file)
{
  const char* const text = pz_file_text(file, PZI_DESCRIPTION_KEY);
  if (text) {
    PZ_TRY(pzi_description_parse(text, &file->description));
  }
  return pzi_file_chains_find(file);
}

static pz_status
read_file(const char* const bytes, const size_t size, pz_file* const file)
{
  PZ_TRY(read_header(bytes, size, file));
  return pzi_file_describe(file);
}

pz_status
pzi_file_from_memory(const void* const bytes, const size_t size, pz_file** const out)
{
  pz_file* const file = calloc(1, sizeof(*file));
  if (!file) {
    return pzi_no_memory(sizeof(*file));
  }
  const pz_status status = read_file(bytes, size, file);
  if (status != PZ_OK) {
    pz_file_close(file);
    return status;
  }
  *out = file;
  return PZ_OK;
}

pz_status
pzi_file_open_one(const char* const path, pz_file** const out)
{
  pz_file* const file = calloc(1, sizeof(*file));
  if (!file) {
    return pzi_no_memory(sizeof(*file));
  }
  pz_status status = map_file(path, file);
  if (status == PZ_OK) {
    status = read_file(file->map, file->size, file);
  }
  if (status != PZ_OK) {
    pz_file_close(file);
    return pzi_fail_prefix(status, "%s", path);
  }
  *out = file;
  return PZ_OK;
}

void
pz_file_close(pz_file* const file)
{
  if (!file) {
    return;
  }
  pzi_file_chains_free(file);
  if (!file->origin) {
    pzi_description_cleanup(&file->description);
  }
  pzi_safetensors_cleanup(&file->header);
  if (file->map) {
    munmap(file->map, file->size);
  }
  for (size_t k = 0; k < file->n_shards; ++k) {
    pz_file_close(file->shards[k]);
  }
  free(file->shards);
  free(file);
}

const char*
pzi_file_data(const pz_file* const file, const pzi_file_tensor* const tensor)
{
  return tensor->data ? tensor->data : file->data + tensor->begin;
}

/* ---- tensors and texts ---------------------------------------------------------- */

static pz_status
check_output(const pz_file* const file, const void* const out)
{
  return file ? pzi_struct_check(out, "output") : pzi_fail(PZ_INVALID, "found no file");
}

static void
describe(const pz_file* const file, const pzi_file_tensor* const tensor,
         pz_file_tensor_info* const out)
{
  const pz_file_tensor_info info = {
      .name = tensor->name,
      .dtype = tensor->dtype,
      .spec = tensor->spec,
      .data = pzi_file_data(file, tensor),
      .bytes = tensor->end - tensor->begin,
      .extents = tensor->extents,
      .n_extents = tensor->n_extents,
  };
  pzi_struct_write(out, &info, sizeof(info));
}

pz_status
pz_file_tensor(const pz_file* const file, const uint32_t index, pz_file_tensor_info* const out)
{
  PZ_TRY(check_output(file, out));
  if (index >= file->header.n_tensors) {
    return pzi_fail(PZ_NOT_FOUND, "found no tensor %" PRIu32 ", expected less than %zu", index,
                    file->header.n_tensors);
  }
  describe(file, &file->header.tensors[index], out);
  return PZ_OK;
}

pz_status
pz_file_find(const pz_file* const file, const char* const name, pz_file_tensor_info* const out)
{
  PZ_TRY(check_output(file, out));
  const pzi_file_tensor* const tensor = name ? pzi_safetensors_find(&file->header, name) : NULL;
  if (!tensor) {
    return pzi_fail(PZ_NOT_FOUND, "no tensor \"%s\" in the file", name ? name : "");
  }
  describe(file, tensor, out);
  return PZ_OK;
}

pz_status
pz_file_metadata(const pz_file* const file, const uint32_t index, pz_metadata* const out)
{
  if (!file || !out) {
    return pzi_fail(PZ_INVALID, "expected a file and an output pointer");
  }
  if (index >= file->header.n_metadata) {
    return pzi_fail(PZ_NOT_FOUND, "found no text %" PRIu32 ", expected less than %zu", index,
                    file->header.n_metadata);
  }
  *out = file->header.metadata[index];
  return PZ_OK;
}

const char*
pz_file_text(const pz_file* const file, const char* const key)
{
  for (size_t k = 0; file && key && k < file->header.n_metadata; ++k) {
    if (strcmp(file->header.metadata[k].key, key) == 0) {
      return file->header.metadata[k].text;
    }
  }
  return NULL;
}

pz_status
pz_file_chain(const pz_file* const file, const uint32_t index, pz_file_chain_info* const out)
{
  PZ_TRY(check_output(file, out));
  if (index >= file->n_chains) {
    return pzi_fail(PZ_NOT_FOUND, "found no chain %" PRIu32 ", expected less than %zu", index,
                    file->n_chains);
  }
  const pzi_file_chain* const chain = &file->chains[index];
  const pz_file_chain_info info = {
      .n_tensors = chain->n_tensors,
      .path = chain->path,
      .text = chain->text,
      .plugins = chain->plugins,
      .prefix = chain->prefix,
  };
  pzi_struct_write(out, &info, sizeof(info));
  return PZ_OK;
}
