/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What a plugin must leave alone in the process that loads it. */

#ifndef TOOLS_CHECK_PROCESS_STATE_H
#define TOOLS_CHECK_PROCESS_STATE_H

#include <signal.h>
#include <stdint.h>

enum { PROCESS_SIGNALS = 32 };

typedef struct process_state {
  int descriptors;
  int threads;
  uint64_t environment;
  char locale[256];
  void (*handler[PROCESS_SIGNALS])(int);
  int rounding;
  unsigned arithmetic; /* traps and flushing of small numbers */
} process_state;

void process_state_read(process_state* out);

/* Ends the process with a breach (outcome.h) if something differs from `before`. */
void process_state_compare(const process_state* before, const char* done);

#endif /* TOOLS_CHECK_PROCESS_STATE_H */
