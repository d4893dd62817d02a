/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Compilers of kernels. */

#ifndef TEST_KERNELS_COMPILERS_H
#define TEST_KERNELS_COMPILERS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct compiler compiler;
struct compiler {
  bool f64;
  char target[32];
  void* state;
  /* The prelude and `text`: NULL, or the compiler's complaint for the caller to free. */
  char* (*compile)(const compiler* c, const char* text, int bits);
  void (*close)(compiler* c);
};

/* "opencl": the first device there is; "sm_80" ...: NVRTC, where it is installed. Says in
   `text` which compiler it is, or why there is none. */
bool compiler_open(compiler* c, const char* target, char* text, size_t size);
void compiler_close(compiler* c);

bool compiler_open_opencl(compiler* c, char* text, size_t size);
bool compiler_open_nvrtc(compiler* c, char* text, size_t size);

#endif /* TEST_KERNELS_COMPILERS_H */
