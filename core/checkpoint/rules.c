/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A pattern that is the path itself matches it, whatever its characters mean to fnmatch:
   "layers[0].weight" is a name too. */

#include "rules.h"

#include <fnmatch.h>
#include <string.h>

#define INNER "parametrizations"

static bool
matches(const char* const pattern, const char* const path)
{
  return strcmp(pattern, path) == 0 ||
         (strpbrk(pattern, "*?[\\") && fnmatch(pattern, path, 0) == 0);
}

uint32_t
pzi_rules_first(const pz_chain_rule* const rules, const uint32_t n_rules, const char* const path)
{
  const bool inner =
      strncmp(path, INNER ".", sizeof(INNER)) == 0 || strstr(path, "." INNER ".") != NULL;
  uint32_t k = 0;
  while (k < n_rules &&
         ((inner && !strstr(rules[k].pattern, INNER)) || !matches(rules[k].pattern, path))) {
    ++k;
  }
  return k;
}
