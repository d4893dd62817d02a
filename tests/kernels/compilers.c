/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "compilers.h"

#include <stdio.h>
#include <string.h>

bool
compiler_open(compiler* const c, const char* const target, char* const text, const size_t size)
{
  memset(c, 0, sizeof(*c));
  snprintf(c->target, sizeof(c->target), "%s", target);
  if (strncmp(target, "sm_", 3) == 0) {
    return compiler_open_nvrtc(c, text, size);
  }
#ifdef TEST_OPENCL
  return compiler_open_opencl(c, text, size);
#else
  snprintf(text, size, "built without OpenCL");
  return false;
#endif
}

void
compiler_close(compiler* const c)
{
  c->close(c);
}
