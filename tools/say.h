/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Messages on standard error, one line each: "parametrize: WHAT: WHY". Any thread may call these
   functions. */

#ifndef TOOLS_SAY_H
#define TOOLS_SAY_H

#include <parametrize/types.h>

#include <stdbool.h>

/* Exit statuses. */
enum {
  EXIT_GOOD = 0,
  EXIT_ERROR = 1, /* of a file, a plugin or a value */
  EXIT_USAGE = 2, /* of the command line */
};

/* The ending of a plural behind a count. */
#define PLURAL(n) ((n) == 1 ? "" : "s")

/* Prints an error and returns EXIT_ERROR. `what` may be NULL. */
int say(const char* what, const char* format, ...) PZ_PRINTF(2, 3);

/* Prints an error that ends with a reference to the help of `command` (NULL: of the program), and
   returns EXIT_USAGE. */
int say_usage(const char* command, const char* what, const char* format, ...) PZ_PRINTF(3, 4);

/* Prints the library's last message, after `what` unless it begins with that; returns
   EXIT_ERROR. */
int say_library(const char* what, pz_status status);

/* Prints the meaning of an errno value and returns EXIT_ERROR. */
int say_system(const char* what, int error);

/* Prints that a file exists and needs --force, and returns EXIT_ERROR. */
int say_exists(const char* what);

/* Prints that there is not enough memory, and returns EXIT_ERROR. */
int say_no_memory(const char* what);

/* Shows a progress line in place of the previous one, until the next message; NULL erases it. Does
   nothing and returns false if standard error is not a terminal. */
bool say_progress(const char* format, ...) PZ_PRINTF(1, 2);

#endif /* TOOLS_SAY_H */
