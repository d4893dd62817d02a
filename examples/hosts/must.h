/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* In main: ends the program with the message of a call that failed. */

#ifndef MUST_H
#define MUST_H

#define MUST(call)                                           \
  do {                                                       \
    if (call) {                                              \
      return fprintf(stderr, "%s\n", pz_error_message()), 1; \
    }                                                        \
  } while (0)

#endif /* MUST_H */
