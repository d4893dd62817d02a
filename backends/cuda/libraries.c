/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Opening NVIDIA's libraries: by name, as the dynamic linker finds them or the host program
   has loaded them already; then in the toolkit of CUDA_PATH; then in the one of the build.
   They stay open: their threads and destructors do not like to be unmapped. */

#include "libraries.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

cuda_driver_api cu;
cuda_nvrtc_api nvrtc;
cuda_blas_api blas;
cuda_solver_api solver;

typedef struct symbol {
  const char* name;
  size_t place;
  bool optional;
} symbol;

#define REQUIRED_IN_(api, function) {TEXT(function), offsetof(api, function), false},
#define OPTIONAL_IN_(api, function) {TEXT(function), offsetof(api, function), true},
#define DRIVER_(function) REQUIRED_IN_(cuda_driver_api, function)
#define DRIVER_OPTIONAL_(function) OPTIONAL_IN_(cuda_driver_api, function)
#define NVRTC_(function) REQUIRED_IN_(cuda_nvrtc_api, function)
#define BLAS_(function) REQUIRED_IN_(cuda_blas_api, function)
#define SOLVER_(function) REQUIRED_IN_(cuda_solver_api, function)

static const symbol driver_symbols[] = {
    CUDA_DRIVER_LIST(DRIVER_) CUDA_DRIVER_OPTIONAL_LIST(DRIVER_OPTIONAL_){NULL, 0, false}};
static const symbol nvrtc_symbols[] = {CUDA_NVRTC_LIST(NVRTC_){NULL, 0, false}};
static const symbol blas_symbols[] = {CUDA_BLAS_LIST(BLAS_){NULL, 0, false}};
static const symbol solver_symbols[] = {CUDA_SOLVER_LIST(SOLVER_){NULL, 0, false}};

/* The major version that the headers of the build belong to comes first: that of NVRTC is
   the toolkit's. */
static const char* const driver_names[] = {"libcuda.so.1", NULL};
static const char* const nvrtc_names[] = {
#if CUDA_VERSION >= 13000
    "libnvrtc.so.13",
#elif CUDA_VERSION >= 12000
    "libnvrtc.so.12",
#endif
    "libnvrtc.so", "libnvrtc.so.11.2", NULL};
static const char* const blas_names[] = {"libcublas.so." TEXT(CUBLAS_VER_MAJOR), "libcublas.so",
                                         NULL};
static const char* const solver_names[] = {"libcusolver.so." TEXT(CUSOLVER_VER_MAJOR),
                                           "libcusolver.so", NULL};

typedef enum outcome { UNTRIED, OPEN, FAILED } outcome;

typedef struct library {
  const char* const* names;
  const symbol* symbols;
  void* api;
  outcome state;
  bool shortage; /* of memory or descriptors: to be tried again */
  char reason[256];
} library;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static library driver_library = {.names = driver_names, .symbols = driver_symbols, .api = &cu};
static library nvrtc_library = {.names = nvrtc_names, .symbols = nvrtc_symbols, .api = &nvrtc};
static library blas_library = {.names = blas_names, .symbols = blas_symbols, .api = &blas};
static library solver_library = {.names = solver_names, .symbols = solver_symbols, .api = &solver};

static void*
open_in(const char* const folder, const char* const* const names)
{
  void* handle = NULL;
  for (size_t k = 0; names[k] && folder[0] == '/' && !handle; ++k) {
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", folder, names[k]);
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  }
  return handle;
}

/* Keeps why the first name did not open. The linker's message ends in the system's text. */
static void
keep_reason(library* const l, const char* const text)
{
  static const int shortages[] = {ENOMEM, EMFILE, ENFILE};
  const size_t length = strlen(text);
  for (size_t k = 0; k < sizeof(shortages) / sizeof(shortages[0]); ++k) {
    char end[128];
    const char* const why = strerror_r(shortages[k], end, sizeof(end));
    const size_t n = strlen(why);
    l->shortage = l->shortage || (n <= length && strcmp(text + length - n, why) == 0);
  }
  snprintf(l->reason, sizeof(l->reason), "%s", text);
}

static void*
open_any(library* const l)
{
  void* handle = NULL;
  l->shortage = false;
  for (size_t k = 0; l->names[k] && !handle; ++k) {
    handle = dlopen(l->names[k], RTLD_NOW | RTLD_LOCAL);
    if (!handle && k == 0) {
      keep_reason(l, dlerror());
    }
  }
  if (handle || l == &driver_library) {
    return handle; /* the driver belongs to the system, not to a toolkit */
  }
  const char* const given = secure_getenv("CUDA_PATH");
  if (given) {
    char folder[1000];
    snprintf(folder, sizeof(folder), "%s/lib64", given);
    handle = open_in(folder, l->names);
  }
  return handle ? handle : open_in(CUDA_LIBRARY_FOLDER, l->names);
}

static outcome
resolve(library* const l)
{
  void* const handle = open_any(l);
  if (!handle) {
    return FAILED;
  }
  for (const symbol* s = l->symbols; s->name; ++s) {
    void* const function = dlsym(handle, s->name);
    if (!function && !s->optional) {
      snprintf(l->reason, sizeof(l->reason), "%s has no %s", l->names[0], s->name);
      return FAILED;
    }
    memcpy((char*)l->api + s->place, &function, sizeof(function));
  }
  return OPEN;
}

static bool
open_once(library* const l, char* const reason)
{
  pthread_mutex_lock(&mutex);
  if (l->state == UNTRIED) {
    l->state = resolve(l);
  }
  const bool open = l->state == OPEN;
  if (!open && l->shortage) {
    l->state = UNTRIED;
  }
  if (!open && reason) {
    snprintf(reason, sizeof(l->reason), "%s", l->reason);
  }
  pthread_mutex_unlock(&mutex);
  return open;
}

bool
cuda_driver_open(char* const reason)
{
  return open_once(&driver_library, reason);
}

bool
cuda_nvrtc_open(char* const reason)
{
  return open_once(&nvrtc_library, reason);
}

bool
cuda_blas_open(char* const reason)
{
  return open_once(&blas_library, reason);
}

bool
cuda_solver_open(char* const reason)
{
  return open_once(&solver_library, reason);
}
