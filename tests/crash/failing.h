/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* System calls that fail when a test says so. They stand before the C library's in a
   program that links failing.c. */

#ifndef TEST_FAILING_H
#define TEST_FAILING_H

#include <stdbool.h>

typedef enum failing_call {
  FAILING_OPENAT = 1,
  FAILING_PWRITE,
  FAILING_FSYNC,
  FAILING_LINKAT,
  FAILING_RENAMEAT,
  FAILING_CALLS, /* their number plus 1 */
} failing_call;

/* From now on call `number` (the first is 1) of its kind fails with `error`; 0: none does. */
void failing_set(failing_call call, int number, int error);

/* Was that call made since? */
bool failing_happened(void);

/* Are there files without a name? True at first, where the file system has them. */
void failing_allow_unnamed(bool allow);

#endif /* TEST_FAILING_H */
