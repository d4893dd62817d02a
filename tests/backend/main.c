/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* usage: backend-contract [--routed] reference|FILE.so[:ID] [OPERATION ...]: the operations
   that must be offered, "all" and "-OPERATION" for all but one. With --routed, what the
   backend lacks is composed or run on the host, as for a program that uses it. */

#include <pair.h>
#include <support.h>

#include <stdio.h>
#include <string.h>

int
main(const int argc, char* const* const argv)
{
#define CASE(name, summary) name##_case,
  TCase* (*const cases[])(void) = {PAIR_CASES(CASE)};
#undef CASE
  const bool routed = argc > 1 && strcmp(argv[1], "--routed") == 0;
  const int first = routed ? 2 : 1;
  if (argc <= first) {
    fprintf(stderr, "usage: backend-contract [--routed] reference|FILE.so[:ID] [OPERATION ...]\n");
    return 2;
  }
  const char* const reason =
      pair_subject(argv[first], routed ? routed_backend : NULL, argc - first - 1, argv + first + 1);
  if (reason) {
    printf("1..0 # SKIP %s\n", reason);
    return 0;
  }
  if (!oracle_available()) {
    fprintf(stderr, "built without LAPACKE: spectra are held against the reference alone\n");
  }
  Suite* const suite = suite_create("backend");
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); ++k) {
    TCase* const t = cases[k]();
    suite_add_tcase(suite, t);
  }
  const int status = test_main(suite);
  pair_report();
  return status;
}
