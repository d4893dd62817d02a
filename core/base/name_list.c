/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "name_list.h"

#include "status.h"

#include <string.h>

enum { SHOWN = 5 };

void
pzi_name_list_add(pzi_name_list* const names, const char* const name)
{
  if (names->n++ >= SHOWN) {
    return;
  }
  const char* const parts[] = {names->n > 1 ? ", \"" : "\"", name, "\""};
  for (size_t k = 0; k < 3; ++k) {
    const size_t left = sizeof(names->text) - 1 - names->length;
    const size_t length = strlen(parts[k]) < left ? strlen(parts[k]) : left;
    memcpy(names->text + names->length, parts[k], length);
    names->length += length;
    names->text[names->length] = '\0';
  }
}

pz_status
pzi_name_list_check(const pzi_name_list* const missing, const size_t n,
                    const pzi_name_list* const unknown)
{
  if (missing->n > 0) {
    return pzi_fail(PZ_MISMATCH, "%zu of %zu expected tensor%s %s not in the file: %s%s",
                    missing->n, n, PZI_S(n), missing->n == 1 ? "is" : "are", missing->text,
                    missing->n > SHOWN ? " ..." : "");
  }
  if (unknown->n > 0) {
    return pzi_fail(PZ_MISMATCH, "%zu tensor%s of the file %s unknown: %s%s", unknown->n,
                    PZI_S(unknown->n), unknown->n == 1 ? "is" : "are", unknown->text,
                    unknown->n > SHOWN ? " ..." : "");
  }
  return PZ_OK;
}
