/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A module before a call that is to fail, and after it. */

#ifndef TEST_MODULE_SNAPSHOT_H
#define TEST_MODULE_SNAPSHOT_H

#include "fixture.h"

typedef struct snapshot {
  char text[1 << 16]; /* the picture; addresses and elements of the named tensors and values */
  int on_device;      /* allocations of the test doubles */
  long blocks;        /* of the program; 0 without the allocator of the tests */
} snapshot;

/* `names` ends with NULL. Takes no memory that it keeps. */
void snapshot_take(snapshot* s, pz_module* of, const char* const* names);

/* Asserts that failure `n` of a call changed nothing; that it left no memory behind. */
void snapshot_assert_same(const snapshot* before, const snapshot* now, const char* call,
                          unsigned long n);
void snapshot_assert_no_leak(const snapshot* before, const snapshot* now, const char* call,
                             unsigned long n);

#endif /* TEST_MODULE_SNAPSHOT_H */
