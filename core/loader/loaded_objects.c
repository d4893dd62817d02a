/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* One list for the process, keyed by device and inode: a file with two names is one object, and
   no object is ever unmapped. The list has a mutex of its own, which is held only to search it
   or to insert, so a thread that needs a loaded object never waits for constructors. */

#include "loaded_objects.h"

#include "shared_object.h"
#include "status.h"

#include <parametrize/context.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pzi_library* libraries;

/* Under the mutex. */
static pzi_library*
find(const struct stat* const file)
{
  pzi_library* l = libraries;
  while (l && (l->device != file->st_dev || l->inode != file->st_ino)) {
    l = l->next;
  }
  return l;
}

static void
library_free(pzi_library* const library)
{
  if (library) {
    pzi_tables_free(library->tables);
    free(library->refusal);
    free(library->path);
    free(library);
  }
}

/* Adds `fresh`, unless another thread added the same file meanwhile: then returns that one. */
static const pzi_library*
publish(pzi_library* const fresh, const struct stat* const file)
{
  pthread_mutex_lock(&mutex);
  pzi_library* const there = find(file);
  if (!there) {
    fresh->next = libraries;
    libraries = fresh;
  }
  pthread_mutex_unlock(&mutex);
  if (there) {
    library_free(fresh);
  }
  return there ? there : fresh;
}

/* The dynamic linker returns a mapped object again for the same path, even if the file there
   was replaced. A new file at a known path therefore gets another spelling: "./" before the last
   part, once for every earlier object of that path. Free it. */
static char*
fresh_spelling(const char* const path)
{
  size_t n = 0;
  pthread_mutex_lock(&mutex);
  for (const pzi_library* l = libraries; l; l = l->next) {
    n += strcmp(l->path, path) == 0;
  }
  pthread_mutex_unlock(&mutex);
  char* const spelling = malloc(strlen(path) + 2 * n + 1);
  if (spelling) {
    const size_t folder = (size_t)(strrchr(path, '/') + 1 - path);
    char* end = mempcpy(spelling, path, folder);
    for (; n > 0; --n) {
      end = mempcpy(end, "./", 2);
    }
    strcpy(end, path + folder);
  }
  return spelling;
}

/* Maps the file and copies its descriptor into `library`. */
static pz_status
fill(pzi_library* const library, const char* const path, const struct stat* const file)
{
  const pz_plugin* descriptor = NULL;
  size_t bytes = 0;
  char* const spelling = fresh_spelling(path);
  library->path = strdup(path);
  if (!spelling || !library->path) {
    free(spelling);
    return pzi_no_memory(strlen(path) + 1);
  }
  pz_status status = pzi_module_file_open(spelling, &descriptor, &bytes);
  free(spelling);
  struct stat now;
  if (status == PZ_OK &&
      (stat(path, &now) != 0 || now.st_dev != file->st_dev || now.st_ino != file->st_ino)) {
    return pzi_fail(PZ_IO, "replaced by another file while it was opened");
  }
  if (status == PZ_OK) {
    status = pzi_tables_new(descriptor, bytes, &library->tables);
  }
  if (status == PZ_PLUGIN) {
    library->refusal = strdup(pz_error_message());
    return library->refusal ? PZ_OK : pzi_no_memory(strlen(pz_error_message()));
  }
  return status;
}

pz_status
pzi_library_open(const char* const path, const struct stat* const file,
                 const pzi_library** const out)
{
  pthread_mutex_lock(&mutex);
  const pzi_library* const there = find(file);
  pthread_mutex_unlock(&mutex);
  if (there) {
    *out = there;
    return PZ_OK;
  }
  pzi_library* const fresh = calloc(1, sizeof(*fresh));
  if (!fresh) {
    return pzi_no_memory(sizeof(*fresh));
  }
  fresh->device = file->st_dev;
  fresh->inode = file->st_ino;
  const pz_status status = fill(fresh, path, file);
  if (status != PZ_OK) {
    library_free(fresh);
    return status;
  }
  *out = publish(fresh, file);
  return PZ_OK;
}
