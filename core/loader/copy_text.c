/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A text of a plugin is copied before it is checked, so that it cannot change in between. */

#include "copy_text.h"

#include "checked_read.h"
#include "status.h"

bool
pzi_is_id(const char* const text)
{
  if (*text < 'a' || *text > 'z') {
    return false;
  }
  for (const char* c = text; *c != '\0'; ++c) {
    if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_')) {
      return false;
    }
  }
  return true;
}

pz_status
pzi_copy_text_line(pzi_alloc_list* const pool, const char* const from, const size_t limit,
                   const char* const what, const char** const out)
{
  PZ_TRY(pzi_checked_read_text(pool, from, limit, what, out));
  for (const char* c = *out; *c != '\0'; ++c) {
    if ((unsigned char)*c < 0x20 || *c == 0x7f) {
      return pzi_fail(PZ_PLUGIN, "%s has a control character in it, expected one line", what);
    }
  }
  return PZ_OK;
}
