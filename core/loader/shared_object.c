/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* libltdl opens the files, through a loader of our own.

   Its standard loader binds functions lazily, so a missing one is found only when it is called,
   and its preopen loader runs last and overwrites the message of the loader that failed. Our
   loader comes after both. It opens names that the others cannot open: "/dev/null/" and a number,
   a path through something that is not a folder. The name is not that of the file, because
   libltdl returns the old handle for a known name, though the file may have been replaced. A
   request holds the path instead, and the dynamic linker's message.

   libltdl is not thread-safe: it is called with one mutex held. Our loader releases the mutex
   while it calls the dynamic linker. The linker has a lock of its own, under which it runs
   constructors, and these may wait for another thread that calls libltdl; so no thread may hold
   the mutex while it waits for the linker. Across that call, libltdl keeps its own handle, which
   is in no list yet, and its list of loaders, which does not change. */

#include "shared_object.h"

#include "status.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <ltdl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "/dev/null/"

typedef struct request {
  struct request* next;
  char name[32];
  const char* path;
  void* handle; /* from dlopen, NULL before */
  char error[512];
} request;

/* All under the mutex. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static request* requests; /* under way */
static unsigned long serial;
static bool ready;

/* ---- the loader: entered and left with the mutex ------------------------------ */

static lt_module
open_now(const lt_user_data data, const char* const name, const lt_dladvise advise)
{
  (void)data;
  (void)advise;
  request* r = requests;
  while (r && strcmp(r->name, name) != 0) {
    r = r->next;
  }
  if (!r) {
    return NULL; /* not a name of ours */
  }
  pthread_mutex_unlock(&mutex);
  (void)dlerror();
  r->handle = dlopen(r->path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!r->handle) {
    const char* const text = dlerror();
    (void)snprintf(r->error, sizeof(r->error), "%s", text ? text : "no reason given");
  }
  pthread_mutex_lock(&mutex);
  return r->handle;
}

static int
close_never_unmaps(const lt_user_data data, const lt_module module)
{
  (void)data;
  pthread_mutex_unlock(&mutex);
  const int result = dlclose(module);
  pthread_mutex_lock(&mutex);
  return result;
}

static void*
find_symbol(const lt_user_data data, const lt_module module, const char* const name)
{
  (void)data;
  pthread_mutex_unlock(&mutex);
  void* const symbol = dlsym(module, name);
  pthread_mutex_lock(&mutex);
  return symbol;
}

/* Starts libltdl and appends our loader to its own, once. */
static pz_status
start(void)
{
  if (ready) {
    return PZ_OK;
  }
  if (lt_dlinit() != 0) {
    return pzi_fail(PZ_IO, "libltdl does not start: %s", lt_dlerror());
  }
  lt_dlvtable* const loader = calloc(1, sizeof(*loader)); /* libltdl frees it at its exit */
  if (!loader) {
    (void)lt_dlexit();
    return pzi_no_memory(sizeof(*loader));
  }
  loader->name = "parametrize";
  loader->module_open = open_now;
  loader->module_close = close_never_unmaps;
  loader->find_sym = find_symbol;
  loader->priority = LT_DLLOADER_APPEND;
  if (lt_dlloader_add(loader) != 0) {
    free(loader);
    (void)lt_dlexit();
    return pzi_fail(PZ_IO, "libltdl takes no loader: %s", lt_dlerror());
  }
  ready = true;
  return PZ_OK;
}

/* Is the symbol the file's own? dlsym also finds those of libraries that the file needs. */
static bool
is_own(void* const handle, const void* const symbol, size_t* const bytes)
{
  struct link_map* file = NULL;
  void* owner = NULL;
  void* entry = NULL;
  Dl_info info;
  if (dlinfo(handle, RTLD_DI_LINKMAP, &file) != 0 ||
      dladdr1(symbol, &info, &owner, RTLD_DL_LINKMAP) == 0) {
    return false;
  }
  *bytes = 0;
  if (dladdr1(symbol, &info, &entry, RTLD_DL_SYMENT) != 0 && entry && info.dli_saddr == symbol) {
    *bytes = (size_t)((const ElfW(Sym)*)entry)->st_size;
  }
  return owner == (void*)file;
}

/* PZ_PLUGIN: the file exports the descriptor of another major version, or none. */
static pz_status
no_descriptor(void* const handle)
{
  for (unsigned major = 0; major < 10; ++major) {
    char name[32];
    (void)snprintf(name, sizeof(name), "pz_plugin_v%u", major);
    size_t bytes;
    const void* const symbol = major == PZ_VERSION_MAJOR ? NULL : dlsym(handle, name);
    if (symbol && is_own(handle, symbol, &bytes)) {
      return pzi_fail(PZ_PLUGIN, "found symbol %s, expected " PZ_PLUGIN_SYMBOL, name);
    }
  }
  return pzi_fail(PZ_PLUGIN, "exports no symbol " PZ_PLUGIN_SYMBOL);
}

/* Opens the file of a request. Mutex held. */
static pz_status
open_held(request* const r, const void** const symbol)
{
  PZ_TRY(start());
  (void)snprintf(r->name, sizeof(r->name), PREFIX "%lu", ++serial);
  r->next = requests;
  requests = r;
  const lt_dlhandle module = lt_dlopen(r->name);
  request** at = &requests;
  while (*at != r) {
    at = &(*at)->next;
  }
  *at = r->next;
  if (!module) {
    /* The linker's message begins with the path, which the caller's message has already. */
    const size_t n = strlen(r->path);
    const bool repeats = strncmp(r->error, r->path, n) == 0 && strncmp(r->error + n, ": ", 2) == 0;
    return r->error[0] == '\0' ? pzi_fail(PZ_NO_MEMORY, "libltdl: %s", lt_dlerror())
                               : pzi_fail(PZ_IO, "%s", r->error + (repeats ? n + 2 : 0));
  }
  *symbol = lt_dlsym(module, PZ_PLUGIN_SYMBOL);
  return PZ_OK;
}

pz_status
pzi_shared_object_open(const char* const path, const pz_plugin** const descriptor,
                       size_t* const bytes)
{
  request r = {.path = path};
  const void* symbol = NULL;
  pthread_mutex_lock(&mutex);
  const pz_status status = open_held(&r, &symbol);
  pthread_mutex_unlock(&mutex);
  PZ_TRY(status);
  if (!symbol || !is_own(r.handle, symbol, bytes)) {
    return no_descriptor(r.handle);
  }
  *descriptor = symbol;
  return PZ_OK;
}
