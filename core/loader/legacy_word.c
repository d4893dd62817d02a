/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The grammar of legacy_names: words TENSOR=ENDING between single spaces, an original first. */

#include "legacy_word.h"

#include <string.h>

bool
pzi_legacy_word_next(pzi_legacy_word* const word)
{
  const char* const at = word->rest + (word->tensor && *word->rest == ' ' ? 1 : 0);
  const size_t n_tensor = strcspn(at, "= ");
  const char* const ending = at + n_tensor + 1;
  const bool known = word->tensor || strncmp(at, "original", 8) == 0;
  if (!known || n_tensor == 0 || at[n_tensor] != '=' || strcspn(ending, " =.") == 0) {
    return false;
  }
  *word = (pzi_legacy_word){at, n_tensor, ending, strcspn(ending, " =."), NULL};
  word->rest = ending + word->n_ending;
  return true;
}
