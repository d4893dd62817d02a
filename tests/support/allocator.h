/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* An allocator in front of the C library's, for this program and all it opens: counts, and
   refuses one request. Not under sanitizers, which stand there themselves. */

#ifndef TEST_ALLOCATOR_H
#define TEST_ALLOCATOR_H

#include <stdbool.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TEST_NO_ALLOCATOR 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define TEST_NO_ALLOCATOR 1
#endif
#endif

/* Starts counting at 0; request number `refuse` from now on fails (0: none). */
void allocator_start(unsigned long refuse);
/* Stops, and returns the requests since. */
unsigned long allocator_stop(void);
/* Was the request to be refused reached? */
bool allocator_refused(void);
/* Blocks that are allocated now, of the whole program. */
long allocator_live(void);

#endif /* TEST_ALLOCATOR_H */
