/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A folder is written under a temporary name beside its place, and renamed at the end, so that it
   appears whole. rename(2) replaces an empty folder and no other. A file takes tensors in their order
   until the next one would not fit; one that is larger than the limit has a file for itself. */

#include "model_writer.h"

#include "print.h"
#include "say.h"

#include <atomic_file.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME = 64 }; /* bytes of "model-4294967295-of-4294967295.safetensors" */
#define INDEX "model.safetensors.index.json"

/* ---- folders ------------------------------------------------------------------- */

bool
model_writer_check_folder(const char* const path)
{
  struct stat there;
  if (lstat(path, &there) != 0) {
    return errno == ENOENT || (say_system(path, errno), false);
  }
  DIR* const folder = S_ISDIR(there.st_mode) ? opendir(path) : NULL;
  size_t n = 0;
  while (folder != NULL && n <= 2 && readdir(folder) != NULL) {
    ++n;
  }
  if (folder != NULL) {
    closedir(folder);
  }
  return n == 2 || (say(path, "found %s, expected a new name or an empty folder",
                        S_ISDIR(there.st_mode) ? "a folder with files" : "no folder"),
                    false);
}

/* Makes a folder of a temporary name beside `path`. */
static bool
make_folder(model_writer* const w, const char* const path)
{
  size_t length = strlen(path);
  while (length > 1 && path[length - 1] == '/') {
    --length;
  }
  while (length > 0 && path[length - 1] != '/') {
    --length;
  }
  char* name = NULL;
  if (asprintf(&name, "%.*s.parametrize-XXXXXX", (int)length, path) < 0) {
    say_no_memory(path);
    return false;
  }
  if (mkdtemp(name) == NULL) {
    say_system(path, errno);
    free(name);
    return false;
  }
  const mode_t mask = umask(0);
  umask(mask);
  (void)chmod(name, 0777 & ~mask);
  w->folder = name;
  return true;
}

static void
file_name(const model_writer* const w, const uint32_t k, char out[NAME])
{
  snprintf(out, NAME, "model-%05" PRIu32 "-of-%05" PRIu32 ".safetensors", k + 1, w->n_files);
}

/* The path of a file in the folder; free() it. */
static char*
path_in(const model_writer* const w, const char* const name)
{
  char* path = NULL;
  if (asprintf(&path, "%s/%s", w->folder, name) < 0) {
    say_no_memory(w->output->path);
    return NULL;
  }
  return path;
}

/* ---- files --------------------------------------------------------------------- */

static bool
written(const model_writer* const w, const pz_status status)
{
  if (status == PZ_EXISTS) {
    say_exists(w->output->path);
  } else if (status != PZ_OK) {
    say_library(w->output->path, status);
  }
  return status == PZ_OK;
}

/* Begins the file `current`. */
static bool
open_file(model_writer* const w)
{
  const model_output* const o = w->output;
  char name[NAME];
  uint32_t first = 0;
  while (first < o->n && w->files[first] < w->current) {
    ++first;
  }
  uint32_t end = first;
  while (end < o->n && w->files[end] == w->current) {
    ++end;
  }
  file_name(w, w->current, name);
  char* const path = w->folder ? path_in(w, name) : strdup(o->path);
  if (path == NULL) {
    return false;
  }
  const pz_status status = pz_writer_open(path, o->force ? 0 : PZ_KEEP_EXISTING, o->tensors + first,
                                          end - first, o->metadata, o->n_metadata, &w->writer);
  free(path);
  return written(w, status);
}

/* Ends the file `current`. */
static bool
close_file(model_writer* const w)
{
  pz_writer* const writer = w->writer;
  w->writer = NULL;
  return written(w, pz_writer_commit(writer));
}

/* Divides the tensors among files. */
static void
divide(model_writer* const w)
{
  const model_output* const o = w->output;
  uint64_t bytes = 0;
  uint32_t place = 0;
  w->n_files = 1;
  for (uint32_t k = 0; k < o->n; ++k) {
    if (o->limit > 0 && place > 0 && o->tensors[k].bytes > o->limit - bytes) {
      ++w->n_files;
      bytes = 0;
      place = 0;
    }
    w->files[k] = w->n_files - 1;
    w->places[k] = place++;
    bytes += o->tensors[k].bytes;
    bytes = o->limit > 0 && bytes > o->limit ? o->limit : bytes;
  }
}

bool
model_writer_open(model_writer* const w, const model_output* const output)
{
  *w = (model_writer){.output = output};
  w->files = calloc((size_t)output->n + 1, sizeof(*w->files));
  w->places = calloc((size_t)output->n + 1, sizeof(*w->places));
  if (w->files == NULL || w->places == NULL) {
    say_no_memory(output->path);
    return false;
  }
  divide(w);
  return (output->limit == 0 || make_folder(w, output->path)) && open_file(w);
}

/* Ends files until `file` is the current one. */
static bool
advance(model_writer* const w, const uint32_t file)
{
  while (w->current < file) {
    if (!close_file(w)) {
      return false;
    }
    ++w->current;
    if (!open_file(w)) {
      return false;
    }
  }
  return true;
}

bool
model_writer_put(model_writer* const w, const uint32_t k, const void* const data,
                 const uint64_t bytes)
{
  return advance(w, w->files[k]) && written(w, pz_writer_put(w->writer, w->places[k], data, bytes));
}

/* ---- the index ----------------------------------------------------------------- */

static void
print_index(const model_writer* const w, FILE* const to)
{
  const model_output* const o = w->output;
  char name[NAME];
  uint64_t bytes = 0;
  for (uint32_t k = 0; k < o->n; ++k) {
    bytes += o->tensors[k].bytes;
  }
  fprintf(to, "{\"metadata\": {\"total_size\": %" PRIu64 "},\n \"weight_map\": {", bytes);
  for (uint32_t k = 0; k < o->n; ++k) {
    fprintf(to, k > 0 ? ",\n  " : "\n  ");
    print_quoted_to(to, o->tensors[k].name);
    file_name(w, w->files[k], name);
    fprintf(to, ": \"%s\"", name);
  }
  fprintf(to, "\n }}\n");
}

static bool
write_index(const model_writer* const w)
{
  char* text = NULL;
  size_t length = 0;
  pzi_atomic_file file = {0};
  FILE* const memory = open_memstream(&text, &length);
  if (memory == NULL) {
    say_no_memory(w->output->path);
    return false;
  }
  print_index(w, memory);
  char* const path = path_in(w, INDEX);
  int error = fclose(memory) != 0 || path == NULL ? ENOMEM : 0;
  error = error ? error : pzi_atomic_file_open(&file, path, true);
  error = error ? error : pzi_atomic_file_write(&file, text, length);
  error = error ? error : pzi_atomic_file_commit(&file, true);
  pzi_atomic_file_abandon(&file);
  free(path);
  free(text);
  if (error) {
    say_system(w->output->path, error);
  }
  return error == 0;
}

/* Forces the names in the folder of a path to the disk. */
static void
synchronize_parent(const char* const path)
{
  char* const copy = strdup(path);
  char* const slash = copy ? strrchr(copy, '/') : NULL;
  if (slash != NULL) {
    slash[1] = '\0';
  }
  const int fd = copy ? open(slash ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  if (fd >= 0) {
    (void)fsync(fd);
    close(fd);
  }
  free(copy);
}

bool
model_writer_commit(model_writer* const w)
{
  if (!advance(w, w->n_files - 1) || !close_file(w)) {
    return false;
  }
  if (w->folder == NULL) {
    return true;
  }
  if (!write_index(w)) {
    return false;
  }
  if (rename(w->folder, w->output->path) != 0) {
    say_system(w->output->path, errno);
    return false;
  }
  synchronize_parent(w->folder);
  free(w->folder);
  w->folder = NULL;
  return true;
}

void
model_writer_abandon(model_writer* const w)
{
  pz_writer_abandon(w->writer);
  w->writer = NULL;
  for (uint32_t k = 0; w->folder != NULL && k <= w->n_files; ++k) {
    char name[NAME] = INDEX;
    if (k < w->n_files) {
      file_name(w, k, name);
    }
    char* const path = path_in(w, name);
    if (path != NULL) {
      (void)unlink(path);
    }
    free(path);
  }
  if (w->folder != NULL) {
    (void)rmdir(w->folder);
  }
  free(w->folder);
  free(w->files);
  free(w->places);
  memset(w, 0, sizeof(*w));
}
