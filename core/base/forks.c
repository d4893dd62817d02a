/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Counts forks on the way from the first process that asked. Comparing counts is cheaper than asking
   the kernel for the process id. */

#include "forks.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_uint forks;

static void
count_fork(void)
{
  atomic_fetch_add_explicit(&forks, 1, memory_order_relaxed);
}

static void
watch_forks(void)
{
  (void)pthread_atfork(NULL, NULL, count_fork);
}

uint32_t
pzi_forks_count(void)
{
  static pthread_once_t watched = PTHREAD_ONCE_INIT;
  (void)pthread_once(&watched, watch_forks);
  return atomic_load_explicit(&forks, memory_order_relaxed);
}
