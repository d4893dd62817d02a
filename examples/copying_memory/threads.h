/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A fixed list of jobs on any number of threads. Which thread does a job changes nothing in
   its result. */

#ifndef COPYING_MEMORY_THREADS_H
#define COPYING_MEMORY_THREADS_H

enum { THREADS_MAX = 64 };

/* Runs job(context, i) for i = 0 .. n_jobs - 1, on at most `n_threads` (1 .. THREADS_MAX)
   threads, the caller's among them. Where no thread can be started, the caller does it. */
void threads_run(int n_threads, int n_jobs, void (*job)(void* context, int i), void* context);

#endif /* COPYING_MEMORY_THREADS_H */
