/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A library that is not there when missing_dependency.c is opened. */

#include <parametrize/types.h>

PZ_EXPORT int absent(void);

int
absent(void)
{
  return 1;
}
