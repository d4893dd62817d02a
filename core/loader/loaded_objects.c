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
static pzi_loaded_object* objects;

/* Under the mutex. */
static pzi_loaded_object*
find(const struct stat* const file)
{
  pzi_loaded_object* o = objects;
  while (o && (o->device != file->st_dev || o->inode != file->st_ino)) {
    o = o->next;
  }
  return o;
}

static void
object_free(pzi_loaded_object* const object)
{
  if (object) {
    pzi_descriptor_free(object->descriptor);
    free(object->refusal);
    free(object->path);
    free(object);
  }
}

/* Adds `fresh`, unless it is of `file` and another thread added the same file meanwhile: then returns that one. */
static const pzi_loaded_object*
publish(pzi_loaded_object* const fresh, const struct stat* const file)
{
  pthread_mutex_lock(&mutex);
  pzi_loaded_object* const there = file ? find(file) : NULL;
  if (!there) {
    fresh->next = objects;
    objects = fresh;
  }
  pthread_mutex_unlock(&mutex);
  if (there) {
    object_free(fresh);
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
  for (const pzi_loaded_object* o = objects; o; o = o->next) {
    n += strcmp(o->path, path) == 0;
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

/* Maps the file and copies its descriptor into `object`. */
static pz_status
fill(pzi_loaded_object* const object, const char* const path, const int fd)
{
  const pz_plugin* plugin = NULL;
  size_t bytes = 0;
  char* const spelling = fresh_spelling(path);
  object->path = strdup(path);
  if (!spelling || !object->path) {
    free(spelling);
    return pzi_no_memory(strlen(path) + 1);
  }
  pz_status status = pzi_shared_object_open(spelling, fd, &plugin, &bytes);
  free(spelling);
  if (status == PZ_OK) {
    status = pzi_descriptor_new(plugin, bytes, &object->descriptor);
  }
  if (status == PZ_PLUGIN) {
    object->refusal = strdup(pz_error_message());
    return object->refusal ? PZ_OK : pzi_no_memory(strlen(pz_error_message()));
  }
  return status;
}

pz_status
pzi_loaded_object_open(const char* const path, const pzi_trusted_file* const file,
                       const pzi_loaded_object** const out)
{
  pthread_mutex_lock(&mutex);
  const pzi_loaded_object* const there = find(&file->status);
  pthread_mutex_unlock(&mutex);
  if (there) {
    *out = there;
    return PZ_OK;
  }
  pzi_loaded_object* const fresh = calloc(1, sizeof(*fresh));
  if (!fresh) {
    return pzi_no_memory(sizeof(*fresh));
  }
  fresh->device = file->status.st_dev;
  fresh->inode = file->status.st_ino;
  const pz_status status = fill(fresh, path, file->fd);
  if (status == PZ_STALE) { /* kept for its path alone, see fresh_spelling */
    fresh->inode = 0;
    (void)publish(fresh, NULL);
    return PZ_IO;
  }
  if (status != PZ_OK) {
    object_free(fresh);
    return status;
  }
  *out = publish(fresh, &file->status);
  return PZ_OK;
}
