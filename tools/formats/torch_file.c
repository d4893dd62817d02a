/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The archive has a pickle NAME/data.pkl and the bytes of each storage, NAME/data/KEY. A tensor is a
   part of a storage; elements that lie in order are used where they are. The state dict is the
   outermost dict or its member, as in {"generator": {...}, "steps": 9}, whichever alone has tensors. */

#include "torch_file.h"

#include "../say.h"
#include "pickle.h"
#include "zip.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  ERROR_BYTES = 512,
  MOST_COPIED = 16, /* of the bytes of a file: tensors that are turned may share a storage */
};
static const char pickle_name[] = "/data.pkl";

typedef struct reader {
  torch_file* t;
  zip zip;
  bool* checked; /* of entry k: its checksum fits */
  pickle pickle;
  const char* folder; /* NAME, in the archive */
  size_t n_folder;
  uint64_t size;   /* of the file */
  uint64_t copied; /* for tensors that are turned */
  char* error;
} reader;

static bool
refuse(reader* const r, const char* const text)
{
  snprintf(r->error, ERROR_BYTES, "%s", text);
  return false;
}

static bool
refuse_tensor(reader* const r, const pickle_text* const name, const char* const text)
{
  snprintf(r->error, ERROR_BYTES, "\"%.*s\": %s", (int)(name->length < 200 ? name->length : 200),
           name->begin, text);
  return false;
}

/* ---- the archive --------------------------------------------------------------- */

/* An entry of the folder whose checksum fits; NULL if there is none. */
static const zip_entry*
find_entry(reader* const r, const char* const name, const size_t length)
{
  char path[1024];
  if (r->n_folder + length > sizeof(path)) {
    return NULL;
  }
  memcpy(path, r->folder, r->n_folder);
  memcpy(path + r->n_folder, name, length);
  const zip_entry* const entry = zip_find(&r->zip, path, r->n_folder + length);
  if (entry == NULL) {
    return NULL;
  }
  bool* const checked = &r->checked[entry - r->zip.entries];
  *checked = *checked || zip_check(entry);
  return *checked ? entry : NULL;
}

/* Finds the folder and reads the pickle. */
static bool
read_archive(reader* const r, const void* const bytes, const size_t size)
{
  const size_t n_name = sizeof(pickle_name) - 1;
  zip_error zip_text;
  pickle_error pickle_why;
  if (!zip_open(bytes, size, &r->zip, &zip_text)) {
    return refuse(r, zip_text.text);
  }
  r->checked = calloc(r->zip.n + 1, sizeof(*r->checked));
  if (r->checked == NULL) {
    return refuse(r, "out of memory");
  }
  for (size_t k = 0; k < r->zip.n && r->folder == NULL; ++k) {
    const zip_entry* const entry = &r->zip.entries[k];
    if (entry->n_name >= n_name &&
        memcmp(entry->name + entry->n_name - n_name, pickle_name, n_name) == 0) {
      r->folder = entry->name;
      r->n_folder = entry->n_name - n_name;
    }
  }
  if (r->folder == NULL) {
    return refuse(r, "a zip archive that is not of torch.save (of NumPy's .npz, perhaps)");
  }
  const zip_entry* const order = find_entry(r, "/byteorder", 10);
  if (order != NULL && (order->bytes != 6 || memcmp(order->data, "little", 6) != 0)) {
    return refuse(r, "a file of a big-endian machine");
  }
  const zip_entry* const entry = find_entry(r, pickle_name, n_name);
  if (entry == NULL) {
    return refuse(r, "data.pkl, whose checksum is wrong");
  }
  return pickle_read(entry->data, (size_t)entry->bytes, &r->pickle, &pickle_why) ||
         refuse(r, pickle_why.text);
}

/* ---- tensors ------------------------------------------------------------------- */

/* Memory that lives as long as the file. */
static void*
keep(reader* const r, const size_t bytes)
{
  torch_file* const t = r->t;
  void** const grown = realloc(t->copies, (t->n_copies + 1) * sizeof(*grown));
  if (grown == NULL) {
    return NULL;
  }
  t->copies = grown;
  t->copies[t->n_copies] = malloc(bytes + 1);
  return t->copies[t->n_copies] ? t->copies[t->n_copies++] : NULL;
}

/* Elements of a tensor. False if they reach beyond `n`, the elements of the storage. */
static bool
count_elements(const uint32_t ndim, const int64_t* const shape, const int64_t* const strides,
               const int64_t offset, const int64_t n, int64_t* const count, bool* const in_order)
{
  int64_t last = offset;
  *count = 1;
  *in_order = true;
  for (uint32_t d = ndim; d-- > 0;) {
    int64_t step;
    *in_order = *in_order && (shape[d] == 1 || strides[d] == *count);
    if (__builtin_mul_overflow(*count, shape[d], count) ||
        (shape[d] > 0 && (__builtin_mul_overflow(shape[d] - 1, strides[d], &step) ||
                          __builtin_add_overflow(last, step, &last)))) {
      return false;
    }
  }
  *in_order = *in_order || *count == 0;
  return *count == 0 || last < n;
}

/* Copies elements of `size` bytes in their order. */
static void
gather(const uint32_t ndim, const int64_t* const shape, const int64_t* const strides,
       const char* const from, const size_t size, const int64_t count, char* to)
{
  int64_t at[PICKLE_DIMS] = {0};
  int64_t place = 0;
  for (int64_t k = 0; k < count; ++k, to += size) {
    memcpy(to, from + (size_t)place * size, size);
    for (uint32_t d = ndim; d-- > 0;) {
      place += strides[d];
      if (++at[d] < shape[d]) {
        break;
      }
      place -= shape[d] * strides[d];
      at[d] = 0;
    }
  }
}

static bool
set_shape(reader* const r, pz_file_tensor_info* const out, const uint32_t ndim,
          const int64_t* const shape)
{
  if (ndim <= PZ_MAX_DIMS) {
    out->spec = pz_spec_make(0, (int32_t)ndim, shape);
    return true;
  }
  int64_t* const extents = keep(r, ndim * sizeof(*extents));
  if (extents == NULL) {
    return refuse(r, "out of memory");
  }
  memcpy(extents, shape, ndim * sizeof(*extents));
  out->spec = (pz_spec){.ndim = -1};
  out->extents = extents;
  out->n_extents = ndim;
  return true;
}

static bool
add_tensor(reader* const r, const pickle_text* const name, const pickle_value* const tensor)
{
  const pickle_value* const storage = &r->pickle.values[tensor->storage];
  pz_file_tensor_info* const out = &r->t->tensors[r->t->n];
  int64_t shape[PICKLE_DIMS];
  int64_t strides[PICKLE_DIMS];
  int64_t count = 0;
  bool in_order = false;
  uint32_t size = 0;
  char path[512] = "/data/";
  if (storage->text.length > sizeof(path) - 6 || memchr(name->begin, 0, name->length) != NULL) {
    return refuse_tensor(r, name, "a name that is too long or has a zero byte");
  }
  memcpy(path + 6, storage->text.begin, storage->text.length);
  const zip_entry* const entry = find_entry(r, path, 6 + storage->text.length);
  *out = (pz_file_tensor_info){.size = sizeof(*out), .dtype = pickle_dtype(storage, &size)};
  if (entry == NULL) {
    return refuse_tensor(r, name, "its bytes are missing, or their checksum is wrong");
  }
  if (storage->integer > INT64_MAX / 8 || entry->bytes != (uint64_t)storage->integer * size) {
    return refuse_tensor(r, name, "its storage has another number of bytes");
  }
  const uint32_t ndim = pickle_shape(&r->pickle, tensor, shape, strides);
  if (!count_elements(ndim, shape, strides, tensor->integer, storage->integer, &count, &in_order)) {
    return refuse_tensor(r, name, "its shape and strides reach beyond its storage");
  }
  if (count > storage->integer) {
    return refuse_tensor(r, name, "it repeats elements of its storage (expand), expected a copy");
  }
  const char* const from =
      (const char*)entry->data + (count > 0 ? (uint64_t)tensor->integer * size : 0);
  out->name = texts_add(&r->t->texts, "%.*s", (int)name->length, name->begin);
  out->bytes = (uint64_t)count * size;
  out->data = from;
  if (!in_order) {
    r->copied += out->bytes;
    if (r->copied / MOST_COPIED > r->size) {
      return refuse_tensor(r, name,
                           "it is turned, and the copies of all such tensors take more than "
                           "16 times the bytes of the file");
    }
    char* const copy = keep(r, (size_t)out->bytes);
    if (copy == NULL) {
      return refuse(r, "out of memory");
    }
    gather(ndim, shape, strides, from, size, count, copy);
    out->data = copy;
  }
  return set_shape(r, out, ndim, shape) && ++r->t->n > 0;
}

/* ---- the state dict ------------------------------------------------------------ */

/* The number of tensors among the members of a dict. */
static uint32_t
count_tensors(const pickle* const p, const pickle_value* const dict)
{
  uint32_t n = 0;
  for (uint32_t k = dict->first; dict->kind == PICKLE_DICT && k > 0; k = p->links[k].next) {
    n += p->values[p->links[k].value].kind == PICKLE_TENSOR;
  }
  return n;
}

static bool
is_text(const pickle_value* const value, const char* const text)
{
  return value->kind == PICKLE_TEXT && value->text.length == strlen(text) &&
         memcmp(value->text.begin, text, value->text.length) == 0;
}

/* Finds the dict of tensors: the outermost one, whose key is "", or a member of it. */
static const pickle_value*
find_dict(reader* const r, const char* const key)
{
  const pickle* const p = &r->pickle;
  const pickle_value* const root = &p->values[p->root];
  const pickle_value* found = NULL;
  size_t length = 0;
  uint32_t n = 0;
  length = (size_t)snprintf(r->error, ERROR_BYTES, "several dicts of tensors:");
  if (count_tensors(p, root) > 0 && (key == NULL || *key == '\0')) {
    found = root;
    ++n;
    length += (size_t)snprintf(r->error + length, ERROR_BYTES - length, " \"\", the outermost,");
  }
  for (uint32_t k = root->first; root->kind == PICKLE_DICT && k > 0; k = p->links[k].next) {
    const pickle_value* const name = &p->values[p->links[k].key];
    const pickle_value* const value = &p->values[p->links[k].value];
    if (name->kind != PICKLE_TEXT || count_tensors(p, value) == 0 ||
        (key != NULL && !is_text(name, key))) {
      continue;
    }
    found = value;
    ++n;
    if (length < ERROR_BYTES) {
      length += (size_t)snprintf(r->error + length, ERROR_BYTES - length, " \"%.*s\"",
                                 (int)(name->text.length < 60 ? name->text.length : 60),
                                 name->text.begin);
    }
  }
  if (n == 1) {
    return found;
  }
  if (n == 0) {
    refuse(r, key ? "no dict of tensors with the name of --key" : "no dict of tensors");
  } else if (length < ERROR_BYTES) {
    snprintf(r->error + length, ERROR_BYTES - length, "; --key NAME chooses one");
  }
  return NULL;
}

static bool
read_dict(reader* const r, const pickle_value* const dict)
{
  const pickle* const p = &r->pickle;
  r->t->tensors = calloc((size_t)count_tensors(p, dict) + 1, sizeof(*r->t->tensors));
  if (r->t->tensors == NULL) {
    return refuse(r, "out of memory");
  }
  for (uint32_t k = dict->first; k > 0; k = p->links[k].next) {
    const pickle_value* const name = &p->values[p->links[k].key];
    const pickle_value* const value = &p->values[p->links[k].value];
    if (value->kind == PICKLE_TENSOR) {
      if (name->kind != PICKLE_TEXT) {
        return refuse(r, "a tensor without a name");
      }
      if (!add_tensor(r, &name->text, value)) {
        return false;
      }
    }
  }
  return !r->t->texts.failed || refuse(r, "out of memory");
}

bool
torch_file_read(torch_file* const t, const void* const bytes, const size_t size,
                const char* const key, char text[ERROR_BYTES])
{
  reader r = {.t = t, .size = size, .error = text};
  const pickle_value* dict = NULL;
  bool good = read_archive(&r, bytes, size);
  if (good) {
    dict = find_dict(&r, key);
    good = dict != NULL && read_dict(&r, dict);
  }
  pickle_cleanup(&r.pickle);
  zip_close(&r.zip);
  free(r.checked);
  return good;
}

/* ---- files ----------------------------------------------------------------------- */

bool
torch_file_is(const char* const path)
{
  char begin[4] = "";
  FILE* const file = fopen(path, "rb");
  const bool is = file != NULL && fread(begin, 1, 4, file) == 4 && memcmp(begin, "PK\3\4", 4) == 0;
  if (file != NULL) {
    (void)fclose(file);
  }
  return is;
}

bool
torch_file_open(torch_file* const t, const char* const path, const char* const key)
{
  char error[ERROR_BYTES] = "";
  struct stat there;
  *t = (torch_file){0};
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &there) != 0) {
    say_system(path, errno);
    if (fd >= 0) {
      close(fd);
    }
    return false;
  }
  t->size = (size_t)there.st_size;
  t->map = mmap(NULL, t->size, PROT_READ, MAP_PRIVATE, fd, 0);
  close(fd);
  if (t->map == MAP_FAILED) {
    t->map = NULL;
    say_system(path, errno);
    return false;
  }
  if (!torch_file_read(t, t->map, t->size, key, error)) {
    say(path, "found %s", error);
    return false;
  }
  return true;
}

void
torch_file_close(torch_file* const t)
{
  for (size_t k = 0; k < t->n_copies; ++k) {
    free(t->copies[k]);
  }
  free(t->copies);
  free(t->tensors);
  texts_cleanup(&t->texts);
  if (t->map != NULL) {
    munmap(t->map, t->size);
  }
  *t = (torch_file){0};
}
