/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A job takes at least milliseconds, so that the time to start a thread for each share (10 to 20
   us) is negligible. */

#include "threads.h"

#include <pthread.h>
#include <stdbool.h>

typedef struct share {
  void (*job)(void* context, int i);
  void* context;
  int first;
  int step;
  int n_jobs;
} share;

static void*
run_share(void* const argument)
{
  const share* const s = argument;
  for (int i = s->first; i < s->n_jobs; i += s->step) {
    s->job(s->context, i);
  }
  return NULL;
}

void
threads_run(const int n_threads, const int n_jobs, void (*const job)(void* context, int i),
            void* const context)
{
  share shares[THREADS_MAX];
  pthread_t threads[THREADS_MAX];
  bool started[THREADS_MAX] = {false};
  const int n = n_threads < n_jobs ? n_threads : n_jobs;
  for (int k = 0; k < n; ++k) {
    shares[k] = (share){.job = job, .context = context, .first = k, .step = n, .n_jobs = n_jobs};
    started[k] = k > 0 && pthread_create(&threads[k], NULL, run_share, &shares[k]) == 0;
  }
  for (int k = 0; k < n; ++k) {
    if (!started[k]) {
      run_share(&shares[k]);
    }
  }
  for (int k = 0; k < n; ++k) {
    if (started[k]) {
      pthread_join(threads[k], NULL);
    }
  }
}
