/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The dynamic linker maps a file, then libltdl gets the handle to keep.

   libltdl's own loader binds functions lazily, so a missing one would be found only when it is
   called, and libltdl answers a name that it knows with the handle it has, though the file may
   have been replaced. Hence we call the linker ourselves, and hand its result to libltdl through a
   loader of our own, under a name that nothing else has: "/dev/null/", a path through something
   that is not a folder, the address of a variable of ours, and a number. Our loader is the first in
   libltdl's list, so no other one is asked about such a name.

   libltdl is one for the process and not thread-safe, while this library may be there more than
   once (a copy inside another library, static beside shared, two versions). All copies take
   the same lock around its calls: that of the copy which started first, found at its loader. The
   address in the names tells the copies' names and requests apart. Copies start in a constructor,
   of which the linker runs one at a time.

   No thread waits for the linker while it holds that lock. The linker has a lock of its own, under
   which it runs constructors, and these may wait for another thread that takes ours. */

#include "shared_object.h"

#include "mappings.h"
#include "status.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <ltdl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOADER "parametrize"

/* What our loader is asked for: all under the lock. */
typedef struct request {
  char name[64];
  void* handle;
} request;

static pthread_mutex_t own_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t* lock = &own_lock; /* of all copies */
static const request* current;            /* under way */
static unsigned long serial;

/* ---- the loader in libltdl ------------------------------------------------------ */

static bool
is_current(const char* const name)
{
  char prefix[64];
  const int n = snprintf(prefix, sizeof(prefix), "/dev/null/%p/", (void*)&current);
  /* Another name may be anybody's, on any thread. */
  return name && strncmp(name, prefix, (size_t)n) == 0 && current &&
         strcmp(name, current->name) == 0;
}

static lt_module
hand_over(const lt_user_data data, const char* const name, const lt_dladvise advise)
{
  (void)data;
  (void)advise;
  return is_current(name) ? current->handle : NULL;
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

/* Starts libltdl, finds the lock of all copies, and puts our loader before all others. */
static pz_status
start(void)
{
  if (lt_dlinit() != 0) {
    return pzi_fail(PZ_NO_MEMORY, "libltdl does not start: %s", lt_dlerror());
  }
  const lt_dlvtable* const other = lt_dlloader_find(LOADER);
  lt_dlvtable* const loader = calloc(1, sizeof(*loader)); /* libltdl frees it at its exit */
  if (!loader) {
    (void)lt_dlexit();
    return pzi_no_memory(sizeof(*loader));
  }
  pthread_mutex_t* const shared = other && other->dlloader_data ? other->dlloader_data : lock;
  *loader = (lt_dlvtable){
      .name = LOADER,
      .module_open = hand_over,
      .module_close = close_never_unmaps,
      .find_sym = find_symbol,
      .dlloader_data = shared,
      .priority = LT_DLLOADER_PREPEND,
  };
  pthread_mutex_lock(shared);
  const bool added = lt_dlloader_add(loader) == 0;
  pthread_mutex_unlock(shared);
  if (!added) {
    free(loader);
    (void)lt_dlexit();
    return pzi_fail(PZ_NO_MEMORY, "libltdl takes no loader: %s", lt_dlerror());
  }
  lock = shared;
  return PZ_OK;
}

static pz_status
start_once(void)
{
  static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;
  static bool started;
  pthread_mutex_lock(&starting);
  const pz_status status = started ? PZ_OK : start();
  started = status == PZ_OK;
  pthread_mutex_unlock(&starting);
  return status;
}

__attribute__((constructor)) static void
start_early(void)
{
  (void)start_once(); /* without memory, the first open tries again */
}

/* Gives a handle of the linker to libltdl. */
static pz_status
hand_to_libltdl(void* const handle)
{
  request r = {.handle = handle};
  PZ_TRY(start_once());
  pthread_mutex_lock(lock);
  (void)snprintf(r.name, sizeof(r.name), "/dev/null/%p/%lu", (void*)&current, ++serial);
  current = &r;
  const bool taken = lt_dlopen(r.name) != NULL;
  current = NULL;
  pthread_mutex_unlock(lock);
  return taken ? PZ_OK : pzi_fail(PZ_NO_MEMORY, "libltdl takes no handle: %s", lt_dlerror());
}

/* ---- the file -------------------------------------------------------------------- */

/* The linker's message ends in the text of an errno value where a system call failed, and begins
   with the path, which the caller's message has already. `error` is errno, which malloc has set
   where memory ran out. */
static pz_status
not_mapped(const char* const path, const char* const text, const int error)
{
  static const int shortages[] = {ENOMEM, EMFILE, ENFILE};
  const size_t n = strlen(path);
  const size_t length = strlen(text);
  pz_status status = pzi_is_shortage(error) ? PZ_NO_MEMORY : PZ_IO;
  for (size_t k = 0; k < sizeof(shortages) / sizeof(shortages[0]); ++k) {
    char end[128];
    const char* const why = strerror_r(shortages[k], end, sizeof(end));
    const size_t m = strlen(why);
    if (length >= m && strcmp(text + length - m, why) == 0) {
      status = PZ_NO_MEMORY;
    }
  }
  const bool repeats = strncmp(text, path, n) == 0 && strncmp(text + n, ": ", 2) == 0;
  return pzi_fail(status, "%s", text + (repeats ? n + 2 : 0));
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

pz_status
pzi_shared_object_open(const char* const path, const int fd, const pz_plugin** const descriptor,
                       size_t* const bytes)
{
  struct link_map* map = NULL;
  bool same = false;
  (void)dlerror();
  errno = 0;
  void* const handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!handle) {
    const int error = errno;
    const char* const text = dlerror();
    return not_mapped(path, text ? text : "no reason given", error);
  }
  if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) {
    return pzi_fail(PZ_IO, "%s", dlerror());
  }
  PZ_TRY(pzi_mappings_is_of_file(map->l_ld, fd, path, &same));
  if (!same) {
    return pzi_fail(PZ_STALE, "replaced while it was opened: the constructors of the new file have "
                              "run, but it is not used");
  }
  PZ_TRY(hand_to_libltdl(handle));
  const void* const symbol = dlsym(handle, PZ_PLUGIN_SYMBOL);
  if (!symbol || !is_own(handle, symbol, bytes)) {
    return no_descriptor(handle);
  }
  *descriptor = symbol;
  return PZ_OK;
}
