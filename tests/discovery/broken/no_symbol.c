/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A shared object, but no plugin. */

#include <parametrize/types.h>

PZ_EXPORT int no_symbol(void);

int
no_symbol(void)
{
  return 0;
}
