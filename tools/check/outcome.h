/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* How a rule that runs in a child process tells its result. The memory is shared with the parent,
   which reads it after the child has ended, by itself or not. */

#ifndef TOOLS_CHECK_OUTCOME_H
#define TOOLS_CHECK_OUTCOME_H

#include "errors.h"

#include <parametrize/types.h>

#include <stdint.h>

typedef enum verdict {
  VERDICT_OK,
  VERDICT_SKIPPED, /* no trial applied */
  VERDICT_NOTE,
  VERDICT_WARNING,
  VERDICT_ERROR,
} verdict;

typedef struct outcome {
  verdict verdict;
  unsigned finished;   /* the child came to its end, and no plugin ended it */
  unsigned trials;     /* that the rule applied to */
  unsigned refused;    /* by the parametrization, with a reason */
  char at[256];        /* the trial under way: "skew,cayley, float64 3x3" */
  char text[512];      /* of a breach or a note */
  char ids[512];       /* of the file's parametrizations, from the child that loads it */
  char backends[512];  /* of its backends */
  error_curves curves; /* of a parametrization, from the child that measures them */
} outcome;

/* The outcome of this process. */
extern outcome* outcome_now;

/* Records a breach of the rule under way, "what was found, what was expected", and ends the
   process. */
_Noreturn void outcome_breach(const char* format, ...) PZ_PRINTF(1, 2);

/* Records a note or a warning; the rule goes on. The first of the worst stays. */
void outcome_remark(verdict v, const char* format, ...) PZ_PRINTF(2, 3);

/* Ends the process with a breach unless a call of the library succeeded. */
void outcome_expect_ok(pz_status status, const char* what);

#endif /* TOOLS_CHECK_OUTCOME_H */
