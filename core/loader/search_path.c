/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Search order, first wins:

     what the host gave           descriptors, files, folders (registry.c)
     PARAMETRIZE_PLUGIN_PATH      folders between colons
     user                         $XDG_DATA_HOME/parametrize-1/{plugins,backends}
     installed                    parametrize-1/{plugins,backends} beside libparametrize; of a
                                  program that it is linked into, beside that program, then where
                                  it was configured to be installed

   The current folder is never searched, so every path must be absolute; an empty element of the
   variable, which means the current folder in a shell, is refused like a relative one. Where
   the process has privileges that its caller lacks (AT_SECURE), the environment is not read.

   "Beside libparametrize" is found from the address of an object in this library, so a moved
   installation and a build tree work in place. A library that was moved never takes what is in the
   configured folder: that belongs to another build. The dynamic linker knows the library's path if it
   got it in full; otherwise (a relative LD_LIBRARY_PATH, or the program itself, whose name
   anybody may choose) /proc/self/maps has it. */

#include "search_path.h"

#include "mappings.h"
#include "status.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char* const kinds[] = {"plugins", "backends"};

/* ---- our own file ----------------------------------------------------------- */

/* The absolute path of libparametrize's own file without links, NULL where it is unknown; free
   it. */
static pz_status
look_for_own_path(char** const out)
{
  static const char here = 0; /* in this library, or the program that it is linked into */
  struct link_map* map = NULL;
  void* found = NULL;
  Dl_info info;
  if (dladdr1(&here, &info, &found, RTLD_DL_LINKMAP) != 0) {
    map = found;
  }
  const bool linker_knows = map && map->l_name && map->l_name[0] == '/';
  const void* const address = &here;
  pzi_mapping mapping = {0};
  if (!linker_knows) {
    PZ_TRY(pzi_mappings_find(1, &address, &mapping));
  }
  const char* const path = linker_knows ? map->l_name : mapping.path;
  *out = path ? realpath(path, NULL) : NULL;
  const bool failed = path && !*out && pzi_is_shortage(errno);
  pzi_mappings_cleanup(1, &mapping);
  return failed ? pzi_no_memory(PATH_MAX) : PZ_OK;
}

/* The same, searched once; "" where it is unknown. dladdr1 takes the linker's lock, which is held
   while constructors run: a context made by another thread then must not call it again. For the
   same reason, no lock of ours is held during the call. */
static pz_status
own_path(const char** const out)
{
  static _Atomic(char*) known;
  char* path = atomic_load(&known);
  if (!path) {
    PZ_TRY(look_for_own_path(&path));
    path = path ? path : strdup("");
    if (!path) {
      return pzi_no_memory(1);
    }
    char* before = NULL;
    if (!atomic_compare_exchange_strong(&known, &before, path)) {
      free(path);
      path = before;
    }
  }
  *out = path;
  return PZ_OK;
}

pz_status
pzi_search_path_find_trust(pzi_file_trust* const out)
{
  const char* path = NULL;
  struct stat s;
  *out = (pzi_file_trust){0};
  PZ_TRY(own_path(&path));
  if (*path != '\0' && stat(path, &s) == 0) {
    out->owner = s.st_uid;
    out->known = true;
  }
  return PZ_OK;
}

/* ---- folders ---------------------------------------------------------------- */

/* Takes "BASE/parametrize-1/plugins" and ".../backends". */
static pz_status
take_both(const pzi_search_path_take take, void* const data, const char* const base,
          const int length, const char* const origin)
{
  for (size_t k = 0; k < 2; ++k) {
    char* path = NULL;
    if (asprintf(&path, "%.*s/" PZI_VERSIONED_NAME "/%s", length, base, kinds[k]) < 0) {
      return pzi_no_memory(strlen(base));
    }
    const char* const refusal = base[0] == '/' ? "" : "a relative path, expected an absolute one";
    const pz_status status = take(data, path, origin, false, refusal);
    free(path);
    PZ_TRY(status);
  }
  return PZ_OK;
}

static pz_status
take_environment(const pzi_search_path_take take, void* const data)
{
  const char* const variable = secure_getenv("PARAMETRIZE_PLUGIN_PATH");
  if (!variable || *variable == '\0') {
    return PZ_OK;
  }
  for (const char* element = variable;;) {
    const size_t length = strcspn(element, ":");
    char* const path = strndup(element, length);
    if (!path) {
      return pzi_no_memory(length + 1);
    }
    const char* const refusal = length == 0      ? "an empty element, expected an absolute path"
                                : path[0] != '/' ? "a relative path, expected an absolute one"
                                                 : "";
    const pz_status status = take(data, path, "PARAMETRIZE_PLUGIN_PATH", true, refusal);
    free(path);
    PZ_TRY(status);
    if (element[length] == '\0') {
      return PZ_OK;
    }
    element += length + 1;
  }
}

static pz_status
take_user(const pzi_search_path_take take, void* const data)
{
  const char* const xdg = secure_getenv("XDG_DATA_HOME");
  if (xdg && *xdg != '\0') {
    return take_both(take, data, xdg, (int)strlen(xdg), "user (XDG_DATA_HOME)");
  }
  const char* const home = secure_getenv("HOME");
  if (!home || *home == '\0') {
    return PZ_OK;
  }
  char* base = NULL;
  if (asprintf(&base, "%s/.local/share", home) < 0) {
    return pzi_no_memory(strlen(home));
  }
  const pz_status status = take_both(take, data, base, (int)strlen(base), "user");
  free(base);
  return status;
}

static pz_status
take_installed(const pzi_search_path_take take, void* const data)
{
  const char* own = "";
  PZ_TRY(own_path(&own));
  if (*own != '\0') {
    const char* const name = strrchr(own, '/') + 1;
    static const char library[] = "lib" PZI_VERSIONED_NAME ".so";
    PZ_TRY(take_both(take, data, own, (int)(name - 1 - own), "installed"));
    if (strncmp(name, library, sizeof(library) - 1) == 0) {
      return PZ_OK;
    }
  }
  PZ_TRY(take(data, PZI_PLUGIN_DIR, "installed", false, ""));
  return take(data, PZI_BACKEND_DIR, "installed", false, "");
}

pz_status
pzi_search_path_default_folders(const pzi_search_path_take take, void* const data)
{
  PZ_TRY(take_environment(take, data));
  PZ_TRY(take_user(take, data));
  return take_installed(take, data);
}

/* ---- reading a folder ------------------------------------------------------- */

static int
is_module(const struct dirent* const entry)
{
  const size_t n = strlen(entry->d_name);
  return n > 3 && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 3, ".so") == 0;
}

static int
by_bytes(const struct dirent** const a, const struct dirent** const b)
{
  return strcmp((*a)->d_name, (*b)->d_name);
}

pz_status
pzi_search_path_list_folder(const char* const path, char*** const names, size_t* const n)
{
  struct dirent** entries = NULL;
  const int count = scandir(path, &entries, is_module, by_bytes);
  if (count < 0) {
    return pzi_fail_system(errno);
  }
  char** const list = calloc((size_t)count + 1, sizeof(*list));
  bool failed = !list;
  for (int i = 0; i < count; ++i) {
    if (!failed) {
      list[i] = strdup(entries[i]->d_name);
      failed = !list[i];
    }
    free(entries[i]);
  }
  free(entries);
  if (failed) {
    pzi_search_path_free_names(list, (size_t)count);
    return pzi_no_memory((size_t)count * sizeof(*list));
  }
  *names = list;
  *n = (size_t)count;
  return PZ_OK;
}

void
pzi_search_path_free_names(char** const names, const size_t n)
{
  for (size_t i = 0; names && i < n; ++i) {
    free(names[i]);
  }
  free(names);
}
