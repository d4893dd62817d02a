/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Where the system starts no thread (RLIMIT_NPROC), loops run on the caller's alone; when it does again,
   they have helpers. */

#include "thread_pool.h"

#include <support.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PARTS = 64, THREADS = 4 };

static atomic_int runs[PARTS];
static atomic_uint seen; /* bit k: thread k took a part */

static void
part(void* const context, const int64_t k, const uint32_t thread)
{
  atomic_fetch_add(&runs[k], 1);
  atomic_fetch_or(&seen, 1U << thread);
  if (context) { /* until a helper came */
    while (atomic_load(&seen) == 1U) {
      (void)usleep(1000);
    }
  }
}

static void*
nothing(void* const unused)
{
  return unused;
}

START_TEST(test_shortage)
{
  struct rlimit limit;
  pthread_t thread;
  ck_assert_int_eq(getrlimit(RLIMIT_NPROC, &limit), 0);
  const struct rlimit none = {.rlim_cur = 0, .rlim_max = limit.rlim_max};
  if (geteuid() == 0) { /* whom the limit does not bind */
    ck_assert_int_eq(setgid(65534), 0);
    ck_assert_int_eq(setuid(65534), 0);
  }
  ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &none), 0);
  ck_assert_int_ne(pthread_create(&thread, NULL, nothing, NULL), 0);
  pzi_thread_pool_run(THREADS, PARTS, part, NULL);
  for (int k = 0; k < PARTS; ++k) {
    ck_assert_int_eq(atomic_load(&runs[k]), 1);
  }
  ck_assert_uint_eq(atomic_load(&seen), 1U);
  ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &limit), 0);
  pzi_thread_pool_run(THREADS, PARTS, part, &limit);
  for (int k = 0; k < PARTS; ++k) {
    ck_assert_int_eq(atomic_load(&runs[k]), 2);
  }
  ck_assert_uint_ne(atomic_load(&seen), 1U);
}
END_TEST

int
main(void)
{
  TCase* const tests = tcase_create("thread_shortage");
  tcase_add_test(tests, test_shortage);
  return test_main_case(tests);
}
