/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "outcome.h"

#include <parametrize/parametrize.h>

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

outcome* outcome_now;

void
outcome_breach(const char* const format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(outcome_now->text, sizeof(outcome_now->text), format, arguments);
  va_end(arguments);
  outcome_now->verdict = VERDICT_ERROR;
  outcome_now->finished = 1;
  _exit(0);
}

void
outcome_remark(const verdict v, const char* const format, ...)
{
  if (outcome_now->verdict >= v) {
    return;
  }
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(outcome_now->text, sizeof(outcome_now->text), format, arguments);
  va_end(arguments);
  outcome_now->verdict = v;
}

void
outcome_expect_ok(const pz_status status, const char* const what)
{
  if (status != PZ_OK) {
    outcome_breach("%s: found \"%s\" (%s), expected success", what, pz_status_text(status),
                   pz_error_message());
  }
}
