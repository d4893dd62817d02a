/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* NVRTC, opened where it is installed; it needs no GPU. Its handful of functions are
   declared here, so that the toolkit's headers are not needed. */

#include "compilers.h"

#include <gpu.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct nvrtc {
  void* library;
  int (*version)(int* major, int* minor);
  int (*create)(void** program, const char* source, const char* name, int n_headers,
                const char* const* headers, const char* const* names);
  int (*compile)(void* program, int n_options, const char* const* options);
  int (*log_size)(void* program, size_t* size);
  int (*log)(void* program, char* text);
  int (*destroy)(void** program);
} nvrtc;

static char*
compile(const compiler* const c, const char* const text, const int bits)
{
  const nvrtc* const n = (const nvrtc*)c->state;
  char architecture[64];
  char real[32];
  char* source = NULL;
  char* error = NULL;
  void* program = NULL;
  size_t size = 0;
  snprintf(architecture, sizeof(architecture), "--gpu-architecture=%s", c->target);
  snprintf(real, sizeof(real), "-DGPU_REAL_BITS=%d", bits);
  const char* const options[] = {architecture, real};
  if (asprintf(&source, "%s%s", gpu_text_prelude, text) < 0) {
    return strdup("out of memory");
  }
  if (n->create(&program, source, "kernel.cu", 0, NULL, NULL) != 0) {
    free(source);
    return strdup("nvrtcCreateProgram failed");
  }
  if (n->compile(program, 2, options) != 0) {
    (void)n->log_size(program, &size);
    error = (char*)calloc(1, size + 2);
    if (error) {
      (void)n->log(program, error);
      error[0] = error[0] ? error[0] : '?';
    }
  }
  (void)n->destroy(&program);
  free(source);
  return error;
}

static void
close_nvrtc(compiler* const c)
{
  /* left open: the library does not like to be unmapped */
  free(c->state);
}

static void*
open_library(void)
{
  static const char* const names[] = {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2",
                                      "libnvrtc.so"};
  const char* const given = getenv("CUDA_PATH");
  const char* const folders[] = {given ? given : "", "/usr/local/cuda"};
  void* library = NULL;
  char path[1024];
  for (size_t k = 0; k < 2 && !library; ++k) {
    if (folders[k][0] != '\0') {
      snprintf(path, sizeof(path), "%s/lib64/libnvrtc.so", folders[k]);
      library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
  }
  for (size_t k = 0; k < sizeof(names) / sizeof(names[0]) && !library; ++k) {
    library = dlopen(names[k], RTLD_NOW | RTLD_LOCAL);
  }
  return library;
}

static bool
resolve(void* const library, const char* const name, void* const function)
{
  void* const symbol = dlsym(library, name);
  memcpy(function, &symbol, sizeof(symbol));
  return symbol != NULL;
}

bool
compiler_open_nvrtc(compiler* const c, char* const text, const size_t size)
{
  void* const library = open_library();
  nvrtc* const n = (nvrtc*)calloc(1, sizeof(*n));
  int major = 0;
  int minor = 0;
  if (!library || !n) {
    snprintf(text, size, "NVRTC is not installed");
    free(n);
    return false;
  }
  if (!resolve(library, "nvrtcVersion", &n->version) ||
      !resolve(library, "nvrtcCreateProgram", &n->create) ||
      !resolve(library, "nvrtcCompileProgram", &n->compile) ||
      !resolve(library, "nvrtcGetProgramLogSize", &n->log_size) ||
      !resolve(library, "nvrtcGetProgramLog", &n->log) ||
      !resolve(library, "nvrtcDestroyProgram", &n->destroy)) {
    snprintf(text, size, "NVRTC lacks a function");
    free(n);
    return false;
  }
  (void)n->version(&major, &minor);
  snprintf(text, size, "NVRTC %d.%d, %s", major, minor, c->target);
  c->f64 = true;
  c->state = n;
  c->compile = compile;
  c->close = close_nvrtc;
  return true;
}
