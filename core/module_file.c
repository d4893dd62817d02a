/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* libltdl, held so that only its portable part is used and none of its habits.

   Its stock loader binds functions lazily, so a missing one is found at its first call,
   and its preopen loader runs last and overwrites the message of whoever failed before.
   A loader of our own therefore stands behind both. It opens what is asked for under
   names that nobody else can open: "/dev/null/" and a number, a path through something
   that is not a folder. The name carries no path of the file, because libltdl rewrites
   paths (doubled colons and slashes go). The path waits in a request instead, and the
   dynamic linker's words come back in it.

   Nothing in libltdl is thread-safe: one mutex is held around every call. It is recursive,
   since constructors run under it and may come back here on their own thread; libltdl
   looks at nothing of its own across the call of a loader that the inner call changes. */

#include "module_file.h"

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
  char name[32];
  const char* path;
  void* handle; /* what dlopen gave, NULL until then */
  char error[512];
  struct request* outer; /* of the constructor that made this request */
} request;

/* All under the mutex. */
static pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static request* innermost;
static unsigned long serial;
static bool ready;

static lt_module
open_now(const lt_user_data data, const char* const name, const lt_dladvise advise)
{
  (void)data;
  (void)advise;
  request* r = innermost;
  while (r && strcmp(r->name, name) != 0) {
    r = r->outer;
  }
  if (!r) {
    return NULL; /* a name of somebody else's */
  }
  (void)dlerror();
  r->handle = dlopen(r->path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!r->handle) {
    const char* const text = dlerror();
    (void)snprintf(r->error, sizeof(r->error), "%s", text ? text : "no reason given");
  }
  return r->handle;
}

static int
close_never_unmaps(const lt_user_data data, const lt_module module)
{
  (void)data;
  return dlclose(module);
}

static void*
find_symbol(const lt_user_data data, const lt_module module, const char* const name)
{
  (void)data;
  return dlsym(module, name);
}

/* Starts libltdl and puts our loader behind its own, once. */
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

/* A symbol that dlsym found may be that of a library the file is linked to. */
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

/* PZ_PLUGIN: the descriptor of another major, or none. */
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

static pz_status
open_held(request* const r, const pz_plugin** const descriptor, size_t* const bytes)
{
  PZ_TRY(start());
  (void)snprintf(r->name, sizeof(r->name), PREFIX "%lu", ++serial);
  const lt_dlhandle module = lt_dlopen(r->name);
  if (!module) {
    /* The linker begins with the path, which the caller knows. */
    const size_t n = strlen(r->path);
    const bool repeats = strncmp(r->error, r->path, n) == 0 && strncmp(r->error + n, ": ", 2) == 0;
    return r->error[0] == '\0' ? pzi_fail(PZ_NO_MEMORY, "libltdl: %s", lt_dlerror())
                               : pzi_fail(PZ_IO, "%s", r->error + (repeats ? n + 2 : 0));
  }
  const void* const symbol = lt_dlsym(module, PZ_PLUGIN_SYMBOL);
  if (!symbol || !is_own(r->handle, symbol, bytes)) {
    return no_descriptor(r->handle);
  }
  *descriptor = symbol;
  return PZ_OK;
}

pz_status
pzi_module_file_open(const char* const path, const pz_plugin** const descriptor,
                     size_t* const bytes)
{
  request r = {.path = path};
  pthread_mutex_lock(&mutex);
  r.outer = innermost;
  innermost = &r;
  const pz_status status = open_held(&r, descriptor, bytes);
  innermost = r.outer;
  pthread_mutex_unlock(&mutex);
  return status;
}
