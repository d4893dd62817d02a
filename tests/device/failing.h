/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What stands between a backend and its device in tests where every call fails once: one file
   for each backend answers to this. */

#ifndef TEST_FAILING_H
#define TEST_FAILING_H

#include <support.h>

extern const char* const failing_device; /* "opencl:0" */

/* Before anything else: why it cannot be, or NULL. */
const char* failing_open(void);

/* The n-th call from now on that can fail does, once (1: the next; 0: none). */
void failing_at(long n);
/* Calls that could fail since then. */
long failing_calls(void);
/* What the backend has made of the device and not released. */
long failing_alive(void);

/* A queue of a context of the device's that nothing has been compiled in; and its end, whether
   it was opened or not. */
pz_status failing_queue(pz_context* context, pz_queue** out);
void failing_queue_close(pz_queue* queue);

/* Queues opened from now on are on a device without float64; false where all have it. */
bool failing_single(bool single);

#endif /* TEST_FAILING_H */
