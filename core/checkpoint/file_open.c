/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Opens a file, an index or a folder. An index is

     {"weight_map": {"name of a tensor": "name of a file", ...}, "metadata": ...}

   Its files lie in its folder: a name with a slash could leave it. Every tensor must be in the file
   that the index names, and in no other. */

#include "file.h"

#include "json.h"
#include "sorted_names.h"
#include "status.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INDEX ".safetensors.index.json"
#define FILE_NAME ".safetensors"

enum { DEPTH_MAX = 8 };

static bool
ends_with(const char* const text, const char* const end)
{
  const size_t a = strlen(text);
  const size_t b = strlen(end);
  return a > b && strcmp(text + a - b, end) == 0;
}

/* ---- folders ----------------------------------------------------------------------- */

/* The names of a folder with this ending: the first one, and how many there are. */
static pz_status
look_for(const char* const path, const char* const end, char** const first, size_t* const n)
{
  DIR* const folder = opendir(path);
  *first = NULL;
  *n = 0;
  if (!folder) {
    return pzi_fail_system(errno);
  }
  for (const struct dirent* entry = readdir(folder); entry; entry = readdir(folder)) {
    if (ends_with(entry->d_name, end) && entry->d_name[0] != '.') {
      *first = *first ? *first : strdup(entry->d_name);
      ++*n;
    }
  }
  closedir(folder);
  return *n == 0 || *first ? PZ_OK : pzi_no_memory(1);
}

/* The file or index that is meant by the path of a folder: its only index, or else its only safetensors
   file. `*out` is NULL where `path` is no folder. */
static pz_status
find_in_folder(const char* const path, char** const out)
{
  struct stat there;
  char* name = NULL;
  size_t n = 0;
  *out = NULL;
  if (stat(path, &there) != 0 || !S_ISDIR(there.st_mode)) {
    return PZ_OK;
  }
  PZ_TRY(look_for(path, INDEX, &name, &n));
  if (n == 0) {
    PZ_TRY(look_for(path, FILE_NAME, &name, &n));
  }
  if (n != 1) {
    free(name);
    return pzi_fail(PZ_IO,
                    "found a folder with %zu files *" FILE_NAME " and no single index *" INDEX
                    ", expected one of them",
                    n);
  }
  const size_t bytes = strlen(path) + strlen(name) + 2;
  *out = malloc(bytes);
  if (*out) {
    strcpy(stpcpy(stpcpy(*out, path), ends_with(path, "/") ? "" : "/"), name);
  }
  free(name);
  return *out ? PZ_OK : pzi_no_memory(bytes);
}

/* ---- files ------------------------------------------------------------------------- */

/* Reads a whole file, followed by a zero. */
static pz_status
read_text(const char* const path, char** const out, size_t* const length)
{
  struct stat there;
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return pzi_fail_system(errno);
  }
  pz_status status = PZ_OK;
  *out = NULL;
  *length = 0;
  if (fstat(fd, &there) != 0) {
    status = pzi_fail_system(errno);
  } else if (!S_ISREG(there.st_mode) || there.st_size > PZI_SAFETENSORS_MAX) {
    status = pzi_fail(PZ_IO, "expected a regular file of at most %d bytes", PZI_SAFETENSORS_MAX);
  } else if (!(*out = malloc((size_t)there.st_size + 1))) {
    status = pzi_no_memory((size_t)there.st_size + 1);
  }
  while (status == PZ_OK && *length < (size_t)there.st_size) {
    const ssize_t n = read(fd, *out + *length, (size_t)there.st_size - *length);
    if (n < 0 && errno != EINTR) {
      status = pzi_fail_system(errno);
    } else if (n == 0) {
      break;
    }
    *length += n > 0 ? (size_t)n : 0;
  }
  close(fd);
  if (status == PZ_OK) {
    (*out)[*length] = '\0';
  }
  return status;
}

/* The names of the files, sorted and each once. */
static pz_status
list_files(const cJSON* const map, const char*** const out, size_t* const n)
{
  const char** const names = malloc(((size_t)cJSON_GetArraySize(map) + 1) * sizeof(*names));
  if (!names) {
    return pzi_no_memory((size_t)cJSON_GetArraySize(map) * sizeof(*names));
  }
  *out = names;
  *n = 0;
  const cJSON* item;
  cJSON_ArrayForEach(item, map)
  {
    if (!cJSON_IsString(item)) {
      return pzi_fail(PZ_IO, "\"%.100s\": expected the name of a file", item->string);
    }
    const char* const name = item->valuestring;
    if (strchr(name, '/') || strcmp(name, "..") == 0 || strcmp(name, ".") == 0 || *name == '\0') {
      return pzi_fail(
          PZ_IO, "\"%.100s\": found file \"%.100s\", expected a name in the folder of the index",
          item->string, name);
    }
    names[(*n)++] = name;
  }
  (void)pzi_sorted_names_sort(names, *n);
  size_t kept = 0;
  for (size_t k = 0; k < *n; ++k) {
    if (kept == 0 || strcmp(names[kept - 1], names[k]) != 0) {
      names[kept++] = names[k];
    }
  }
  *n = kept;
  return PZ_OK;
}

static pz_status
open_files(const char* const path, const char* const* const names, const size_t n,
           pz_file** const files)
{
  const char* const slash = strrchr(path, '/');
  const size_t folder = slash ? (size_t)(slash + 1 - path) : 0;
  for (size_t k = 0; k < n; ++k) {
    char* const full = malloc(folder + strlen(names[k]) + 1);
    if (!full) {
      return pzi_no_memory(folder + strlen(names[k]) + 1);
    }
    memcpy(full, path, folder);
    strcpy(full + folder, names[k]);
    const pz_status status = pzi_file_open_one(full, &files[k]);
    free(full);
    PZ_TRY(status);
  }
  return PZ_OK;
}

/* Checks that every tensor is in its file, of `names`. */
static pz_status
check_map(const cJSON* const map, const char* const* const names, pz_file* const* const files,
          const size_t n)
{
  const cJSON* item;
  cJSON_ArrayForEach(item, map)
  {
    size_t low = 0;
    size_t high = n - 1;
    while (low < high) {
      const size_t middle = low + (high - low) / 2;
      const bool before = strcmp(names[middle], item->valuestring) < 0;
      low = before ? middle + 1 : low;
      high = before ? high : middle;
    }
    if (!pzi_safetensors_find(&files[low]->header, item->string)) {
      return pzi_fail(PZ_IO, "\"%.100s\" is not in \"%.100s\", where the index has it",
                      item->string, item->valuestring);
    }
  }
  return PZ_OK;
}

/* Joins the tensors of all files, and their metadata: the first text of each key. */
static pz_status
join(pz_file* const* const files, const size_t n, pz_file** const out)
{
  size_t n_tensors = 0;
  size_t n_texts = 0;
  for (size_t k = 0; k < n; ++k) {
    n_tensors += files[k]->header.n_tensors;
    n_texts += files[k]->header.n_metadata;
  }
  pz_file_tensor_info* const tensors = calloc(n_tensors + 1, sizeof(*tensors));
  pz_metadata* const texts = calloc(n_texts + 1, sizeof(*texts));
  pz_status status = tensors && texts && n_tensors <= UINT32_MAX
                         ? PZ_OK
                         : pzi_no_memory(n_tensors * sizeof(*tensors));
  size_t t = 0;
  size_t m = 0;
  for (size_t k = 0; status == PZ_OK && k < n; ++k) {
    for (uint32_t i = 0; i < files[k]->header.n_tensors; ++i, ++t) {
      tensors[t].size = sizeof(*tensors);
      (void)pz_file_tensor(files[k], i, &tensors[t]);
    }
    for (size_t i = 0; i < files[k]->header.n_metadata; ++i) {
      bool known = false;
      for (size_t j = 0; j < k && !known; ++j) {
        known = pz_file_text(files[j], files[k]->header.metadata[i].key) != NULL;
      }
      if (!known) {
        texts[m++] = files[k]->header.metadata[i];
      }
    }
  }
  if (status == PZ_OK) {
    status = pz_file_from_tensors(tensors, (uint32_t)t, texts, (uint32_t)m, out);
  }
  free(tensors);
  free(texts);
  return status;
}

static pz_status
open_all(const char* const path, const cJSON* const document, pz_file** const out)
{
  const cJSON* const map = cJSON_GetObjectItemCaseSensitive(document, "weight_map");
  const char** names = NULL;
  size_t n = 0;
  if (!cJSON_IsObject(map) || !map->child) {
    return pzi_fail(PZ_IO, "found no \"weight_map\", expected an index of safetensors files");
  }
  PZ_TRY(pzi_json_unique(map));
  pz_status status = list_files(map, &names, &n);
  pz_file** const files = calloc(n + 1, sizeof(pz_file*));
  if (status == PZ_OK && !files) {
    status = pzi_no_memory(n * sizeof(pz_file*));
  }
  if (status == PZ_OK) {
    status = open_files(path, names, n, files);
  }
  if (status == PZ_OK) {
    status = check_map(map, names, files, n);
  }
  if (status == PZ_OK) {
    status = join(files, n, out);
  }
  free(names);
  if (status == PZ_OK) {
    (*out)->shards = files;
    (*out)->n_shards = n;
    return PZ_OK;
  }
  for (size_t k = 0; files && k < n; ++k) {
    pz_file_close(files[k]);
  }
  free(files);
  return status;
}

/* Opens an index and its files as one. */
static pz_status
open_index(const char* const path, pz_file** const out)
{
  char* text = NULL;
  size_t length = 0;
  cJSON* document = NULL;
  pz_status status = read_text(path, &text, &length);
  if (status == PZ_OK) {
    status = pzi_json_parse(text, length, DEPTH_MAX, PZI_JSON_ANY_NUMBERS, "the index", &document);
  }
  free(text);
  if (status == PZ_OK) {
    status = open_all(path, document, out);
  }
  cJSON_Delete(document);
  return status;
}

pz_status
pz_file_open(const char* const path, pz_file** const out)
{
  char* inside = NULL;
  if (!path || !out) {
    return pzi_fail(PZ_INVALID, "expected a path and an output pointer");
  }
  PZ_TRY(pzi_fail_prefix(find_in_folder(path, &inside), "%s", path));
  const char* const name = inside ? inside : path;
  const pz_status status = ends_with(name, ".json")
                               ? pzi_fail_prefix(open_index(name, out), "%s", name)
                               : pzi_file_open_one(name, out);
  free(inside);
  return status;
}
