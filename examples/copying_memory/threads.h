/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Runs jobs on any number of threads. The result of a job does not depend on its thread. */

#ifndef COPYING_MEMORY_THREADS_H
#define COPYING_MEMORY_THREADS_H

enum { THREADS_MAX = 64 };

/* Runs job(context, i) for i = 0 .. n_jobs - 1, on at most `n_threads` (1 .. THREADS_MAX)
   threads, including the caller's. If a thread cannot be started, the caller runs its jobs. */
void threads_run(int n_threads, int n_jobs, void (*job)(void* context, int i), void* context);

#endif /* COPYING_MEMORY_THREADS_H */
