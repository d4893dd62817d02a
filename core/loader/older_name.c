/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The grammar of older_names: words TENSOR=ENDING between single spaces, an original first. */

#include "older_name.h"

#include <string.h>

bool
pzi_older_next(pzi_older_name* const name)
{
  const char* const at = name->rest + (name->tensor && *name->rest == ' ' ? 1 : 0);
  const size_t n_tensor = strcspn(at, "= ");
  const char* const ending = at + n_tensor + 1;
  const bool known = name->tensor || strncmp(at, "original", 8) == 0;
  if (!known || n_tensor == 0 || at[n_tensor] != '=' || strcspn(ending, " =.") == 0) {
    return false;
  }
  *name = (pzi_older_name){at, n_tensor, ending, strcspn(ending, " =."), NULL};
  name->rest = ending + name->n_ending;
  return true;
}
