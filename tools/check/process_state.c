/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "process_state.h"

#include "outcome.h"

#include <dirent.h>
#include <fenv.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#ifdef __SSE__
#include <xmmintrin.h>
#endif

extern char** environ;

/* Entries of a folder of /proc; the folder's own descriptor does not count. */
static int
entries(const char* const path)
{
  int n = 0;
  DIR* const folder = opendir(path);
  while (folder && readdir(folder)) {
    n += 1;
  }
  if (folder) {
    (void)closedir(folder);
  }
  return n;
}

void
process_state_read(process_state* const out)
{
  *out = (process_state){
      .descriptors = entries("/proc/self/fd"),
      .threads = entries("/proc/self/task"),
      .environment = UINT64_C(0xcbf29ce484222325),
      .rounding = fegetround(),
  };
  for (char** variable = environ; variable && *variable; ++variable) {
    for (const char* at = *variable; *at != '\0'; ++at) {
      out->environment = (out->environment ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    }
  }
  const char* const locale = setlocale(LC_ALL, NULL);
  (void)snprintf(out->locale, sizeof(out->locale), "%s", locale ? locale : "");
  for (int k = 1; k < PROCESS_SIGNALS; ++k) {
    struct sigaction action;
    out->handler[k] = sigaction(k, NULL, &action) == 0 ? action.sa_handler : SIG_DFL;
  }
#ifdef __SSE__
  out->arithmetic = _mm_getcsr() & ~0x3fU; /* without the flags of past exceptions */
#endif
}

void
process_state_compare(const process_state* const before, const char* const done)
{
  process_state now;
  process_state_read(&now);
  if (now.rounding != before->rounding || now.arithmetic != before->arithmetic) {
    outcome_breach("%s changed the floating-point mode", done);
  }
  if (strcmp(now.locale, before->locale) != 0) {
    outcome_breach("%s changed the locale from %s to %s", done, before->locale, now.locale);
  }
  if (now.environment != before->environment) {
    outcome_breach("%s changed the environment", done);
  }
  for (int k = 1; k < PROCESS_SIGNALS; ++k) {
    if (now.handler[k] != before->handler[k]) {
      outcome_breach("%s replaced the handler of signal %d", done, k);
    }
  }
  if (now.threads != before->threads) {
    outcome_breach("%s started %d thread%s", done, now.threads - before->threads,
                   now.threads - before->threads == 1 ? "" : "s");
  }
  if (now.descriptors != before->descriptors) {
    outcome_breach("%s left %d more file descriptor%s open", done,
                   now.descriptors - before->descriptors,
                   now.descriptors - before->descriptors == 1 ? "" : "s");
  }
}
