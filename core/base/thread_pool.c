/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Runs loops over independent parts. Helper threads are created on demand, belong to the process,
   and sleep between loops. They work on one loop at a time. A caller that finds them busy,
   including a part of the running loop, runs its own loop alone: threads that evaluate
   concurrently do not create more threads. The caller chooses the parts; if a result depends on
   them, their number must not depend on the number of threads. */

#include "thread_pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

static struct {
  pthread_mutex_t owner;  /* held while a loop uses the helpers */
  pthread_mutex_t mutex;  /* protects the fields below */
  pthread_cond_t called;  /* a loop wants `wanted` more helpers */
  pthread_cond_t retired; /* `working` became 0 */
  uint32_t helpers;
  uint32_t wanted;
  uint32_t working;
  uint32_t handed; /* thread indices assigned in this loop */
  pz_part* part;
  void* context;
  int64_t n;
  atomic_llong next;
} pool = {
    .owner = PTHREAD_MUTEX_INITIALIZER,
    .mutex = PTHREAD_MUTEX_INITIALIZER,
    .called = PTHREAD_COND_INITIALIZER,
    .retired = PTHREAD_COND_INITIALIZER,
};

static void
take_parts(pz_part* const part, void* const context, const int64_t n, const uint32_t thread)
{
  for (;;) {
    const int64_t k = atomic_fetch_add_explicit(&pool.next, 1, memory_order_relaxed);
    if (k >= n) {
      return;
    }
    part(context, k, thread);
  }
}

static void*
help(void* const unused)
{
  (void)unused;
  pthread_mutex_lock(&pool.mutex);
  for (;;) {
    while (pool.wanted == 0) {
      pthread_cond_wait(&pool.called, &pool.mutex);
    }
    pool.wanted -= 1;
    pool.working += 1;
    const uint32_t thread = ++pool.handed;
    pz_part* const part = pool.part;
    void* const context = pool.context;
    const int64_t n = pool.n;
    pthread_mutex_unlock(&pool.mutex);
    take_parts(part, context, n, thread);
    pthread_mutex_lock(&pool.mutex);
    if (--pool.working == 0) {
      pthread_cond_signal(&pool.retired);
    }
  }
  return NULL;
}

/* A forked child has no other threads: resets the locks and counts. */
static void
forget_helpers(void)
{
  pthread_mutex_init(&pool.owner, NULL);
  pthread_mutex_init(&pool.mutex, NULL);
  pthread_cond_init(&pool.called, NULL);
  pthread_cond_init(&pool.retired, NULL);
  pool.helpers = 0;
  pool.wanted = 0;
  pool.working = 0;
}

static void
watch_forks(void)
{
  (void)pthread_atfork(NULL, NULL, forget_helpers);
}

/* Creates helpers until there are `most`, or the system refuses. [mutex held] */
static void
create_helpers(const uint32_t most)
{
  static pthread_once_t watched = PTHREAD_ONCE_INIT;
  (void)pthread_once(&watched, watch_forks);
  sigset_t all;
  sigset_t before;
  pthread_attr_t attributes;
  if (pool.helpers >= most || pthread_attr_init(&attributes) != 0) {
    return;
  }
  // helpers block all signals, which are for the threads of the program
  sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);
  (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t id;
  while (pool.helpers < most && pthread_create(&id, &attributes, help, NULL) == 0) {
    pool.helpers += 1;
  }
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  (void)pthread_attr_destroy(&attributes);
}

void
pzi_thread_pool_run(const uint32_t threads, const int64_t n, pz_part* const part,
                    void* const context)
{
  const int64_t given = threads < PZI_THREAD_POOL_MAX ? threads : PZI_THREAD_POOL_MAX;
  const uint32_t most = n < 2 || given < 2 ? 0 : (uint32_t)(n < given ? n : given) - 1;
  if (most == 0 || pthread_mutex_trylock(&pool.owner) != 0) {
    for (int64_t k = 0; k < n; ++k) {
      part(context, k, 0);
    }
    return;
  }
  atomic_store_explicit(&pool.next, 0, memory_order_relaxed);
  pthread_mutex_lock(&pool.mutex);
  create_helpers(most);
  pool.part = part;
  pool.context = context;
  pool.n = n;
  pool.handed = 0;
  pool.wanted = most < pool.helpers ? most : pool.helpers;
  pthread_cond_broadcast(&pool.called);
  pthread_mutex_unlock(&pool.mutex);
  take_parts(part, context, n, 0);
  pthread_mutex_lock(&pool.mutex);
  pool.wanted = 0; /* no more helpers may join */
  while (pool.working > 0) {
    pthread_cond_wait(&pool.retired, &pool.mutex);
  }
  pthread_mutex_unlock(&pool.mutex);
  pthread_mutex_unlock(&pool.owner);
}

uint32_t
pzi_thread_pool_processors(void)
{
  cpu_set_t set;
  const int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
  return n > 1 ? (uint32_t)n : 1;
}
