/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The threads that a backend under test is offered: as many as it asks for, made anew for
   every loop, which take its parts from the last to the first. */

#include "pair.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { MOST = 64 };

typedef struct loop {
  pz_part* part;
  void* context;
  atomic_llong left;
} loop;

typedef struct taker {
  loop* loop;
  uint32_t thread;
} taker;

static void*
take(void* const user)
{
  const taker* const t = user;
  for (;;) {
    const long long k = atomic_fetch_sub(&t->loop->left, 1) - 1;
    if (k < 0) {
      return NULL;
    }
    t->loop->part(t->loop->context, k, t->thread);
  }
}

void
loop_parallel(const uint32_t threads, const int64_t n, pz_part* const part, void* const context)
{
  pthread_t ids[MOST];
  taker takers[MOST];
  loop l = {.part = part, .context = context};
  uint32_t started = 0;
  atomic_init(&l.left, n);
  for (uint32_t k = 0; k < threads && k < MOST; ++k) {
    takers[k] = (taker){&l, k};
  }
  for (uint32_t k = 1; k < threads && k < MOST; ++k) {
    if (pthread_create(&ids[k], NULL, take, &takers[k]) != 0) {
      break;
    }
    started = k;
  }
  (void)take(&takers[0]);
  for (uint32_t k = 1; k <= started; ++k) {
    pthread_join(ids[k], NULL);
  }
}

void
loop_use_threads(const int n)
{
  void* const address = dlsym(RTLD_DEFAULT, "openblas_set_num_threads");
  void (*function)(int);
  if (address) {
    memcpy(&function, &address, sizeof(function));
    function(n);
  }
}
