/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Opening a plugin runs its constructors, which may crash, exit or hang. A guarded command runs in
   a child process, which tells this one the path of every file before it is opened. When the child
   ends early, the command is run again without the file that ended it. */

#ifndef TOOLS_GUARD_H
#define TOOLS_GUARD_H

#include "arguments.h"

#include <parametrize/parametrize.h>

typedef struct guard guard;

/* A command; it calls guard_opened after all files have been opened and before it prints. */
typedef int guarded(const arguments* a, guard* g);

/* Runs a command under guard and returns the exit status, in both processes. Each file gets
   `a->limit` seconds, 10 where it is 0. `fails`: files that ended the process are errors, printed
   at the end. */
int guard_run(const arguments* a, guarded* run, bool fails);

/* Settings of a context that opens its files under guard; with NULL, of any context. */
pz_context_settings guard_settings(guard* g);

void guard_opened(guard* g);

#endif /* TOOLS_GUARD_H */
