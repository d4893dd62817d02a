/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Plugins are not trusted. A service called where the contract excludes it fails, and the
   activity records the failure: a callback that ignores it fails all the same. */

#include "activity.h"

#include "status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
pzi_activity_begin(pzi_activity* const run)
{
  run->n_marks = 0;
  run->breach[0] = '\0';
  run->failures = pzi_fail_count();
  if (run->temporary) {
    run->temporary_mark = pzi_tensor_arena_mark(run->temporary);
  }
}

pz_status
pzi_activity_end(pzi_activity* const run, const pz_status answer)
{
  if (run->temporary) {
    pzi_tensor_arena_clear(run->work);
    pzi_tensor_arena_release(run->temporary, run->temporary_mark);
  }
  if (run->breach[0] != '\0') {
    return pzi_fail(run->breach_status, "%s: %s: %s", run->id, run->callback, run->breach);
  }
  if (answer == PZ_OK) {
    return PZ_OK;
  }
  if ((int)answer < 0 || answer > PZ_DEVICE) {
    return pzi_fail(PZ_PLUGIN, "%s: %s: returned unknown status %d", run->id, run->callback,
                    (int)answer);
  }
  if (pzi_fail_count() == run->failures) {
    return pzi_fail(answer, "%s: %s: failed without a reason: %s", run->id, run->callback,
                    pz_status_text(answer));
  }
  return pzi_fail_prefix(answer, "%s", run->id);
}

pz_status
pzi_activity_breach(pzi_activity* const run, const char* const format, ...)
{
  char text[PZI_BREACH];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  if (run->breach[0] == '\0') {
    memcpy(run->breach, text, sizeof(text));
    run->breach_status = PZ_PLUGIN;
  }
  return pzi_fail(PZ_PLUGIN, "%s", text);
}
