/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Errors of the command: one line on the standard error, "parametrize: WHAT: WHY". Any
   thread may call these. */

#ifndef TOOLS_SAY_H
#define TOOLS_SAY_H

#include <parametrize/types.h>

#include <stdbool.h>

/* What main returns. */
enum {
  EXIT_GOOD = 0,
  EXIT_ERROR = 1, /* the world's fault: a file, a plugin, a value */
  EXIT_USAGE = 2, /* the command line's fault */
};

/* Says one line and returns EXIT_ERROR. `what` may be NULL. */
int say(const char* what, const char* format, ...) PZ_PRINTF(2, 3);

/* Says one line that ends in a hint at the help of `command` (NULL: of the program) and
   returns EXIT_USAGE. */
int say_usage(const char* command, const char* what, const char* format, ...) PZ_PRINTF(3, 4);

/* Says the library's last message, which may name `what` itself, and returns EXIT_ERROR. */
int say_library(const char* what, pz_status status);

/* Says what an errno value means and returns EXIT_ERROR. */
int say_system(const char* what, int error);

/* Says that a file is there that --force would overwrite, and returns EXIT_ERROR. */
int say_exists(const char* what);

/* Says that memory ran out and returns EXIT_ERROR. */
int say_no_memory(const char* what);

/* Shows a line in place of the last one shown so, until something else is said; NULL takes
   it away. Nothing but false where the standard error is no terminal. */
bool say_passing(const char* format, ...) PZ_PRINTF(1, 2);

#endif /* TOOLS_SAY_H */
