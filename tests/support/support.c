/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t
test_seed(void)
{
  static uint64_t seed;
  if (seed == 0) {
    const char* const given = getenv("TEST_SEED");
    seed = given ? strtoull(given, NULL, 0) : 1;
    seed = seed ? seed : 1;
    fprintf(stderr, "TEST_SEED=%llu\n", (unsigned long long)seed);
  }
  return seed;
}

bool
test_thorough(void)
{
  const char* const given = getenv("TEST_THOROUGH");
  return given && strcmp(given, "1") == 0;
}

static void
skipped(const int turn)
{
  (void)turn;
}

/* check knows no skips, but prints names as they are: "ok 3 - FILE:CASE:NAME # SKIP REASON: Passed"
   is a skip in TAP. */
void
test_add_or_skip(TCase* const tcase, const TTest* const test, const char* const reason)
{
  static char names[8][256]; /* check keeps pointers to them */
  static TTest skips[8];
  static size_t n;
  if (!reason) {
    tcase_add_test(tcase, test);
    return;
  }
  if (n == sizeof(skips) / sizeof(skips[0])) {
    fprintf(stderr, "test_add_or_skip: too many skips\n");
    abort();
  }
  snprintf(names[n], sizeof(names[n]), "%s # SKIP %s", test->name, reason);
  skips[n] = (TTest){.name = names[n], .fn = skipped, .file = test->file, .line = test->line};
  tcase_add_test(tcase, &skips[n]);
  ++n;
}

/* Check ends a case after 4 seconds, and a sanitizer or a loaded machine may need more. With 120 only
   what hangs is ended, and Check can name it. */
__attribute__((constructor)) static void
set_time_limit(void)
{
  (void)setenv("CK_DEFAULT_TIMEOUT", "120", 0);
}

int
test_main(Suite* const suite)
{
  (void)test_seed(); /* before check forks: one seed for all */
  SRunner* const runner = srunner_create(suite);
  srunner_set_tap(runner, "-");
  srunner_run_all(runner, CK_SILENT);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
test_main_case(TCase* const tcase)
{
  Suite* const suite = suite_create("");
  suite_add_tcase(suite, tcase);
  return test_main(suite);
}
