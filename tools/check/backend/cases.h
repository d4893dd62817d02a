/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* How the trials of a backend are written: in the words of libcheck. The tests of the project run them
   under it (CASES_OF_LIBCHECK). The command has its own meaning of these words: a test that fails is a
   breach of the rule under way (outcome.h). */

#ifndef TOOLS_CHECK_CASES_H
#define TOOLS_CHECK_CASES_H

#ifdef CASES_OF_LIBCHECK

#include <check.h>

#else

#include "../outcome.h"

#include <inttypes.h>
#include <string.h>

typedef struct TTest {
  const char* name;
  void (*run)(int _i);
} TTest;

/* Tests of one kind; those that loop run with _i = first .. end - 1. */
typedef struct TCase {
  const char* name;
  unsigned n;
  struct {
    const TTest* test;
    int first;
    int end;
  } tests[32];
} TCase;

#define START_TEST(name_)                                  \
  static void name_##_run(int _i);                         \
  static const TTest name_##_test = {#name_, name_##_run}; \
  static const TTest* const name_ = &name_##_test;         \
  static void name_##_run(__attribute__((unused)) int _i)
#define END_TEST

TCase* tcase_create(const char* name);
void tcase_add_loop_test(TCase* t, const TTest* test, int first, int end);
#define tcase_add_test(t, test) tcase_add_loop_test(t, test, 0, 1)

#define ck_abort_msg(...) outcome_breach(__VA_ARGS__)
#define ck_assert_msg(holds, ...) ((holds) ? (void)0 : outcome_breach(__VA_ARGS__))
#define ck_assert(holds) ck_assert_msg(holds, "expected %s", #holds)
#define ck_assert_ptr_nonnull(p) ck_assert_msg((p) != NULL, "%s is NULL", #p)
#define ck_assert_ptr_null(p) ck_assert_msg((p) == NULL, "%s is not NULL", #p)
#define ck_assert_mem_eq(a, b, n) ck_assert_msg(memcmp(a, b, n) == 0, "%s is not %s", #a, #b)
#define CASES_COMPARE(type, format, a, op, b)                                            \
  do {                                                                                   \
    const type a_ = (type)(a);                                                           \
    const type b_ = (type)(b);                                                           \
    ck_assert_msg(a_ op b_, "%s is %" format ", expected " #op " %" format, #a, a_, b_); \
  } while (0)
#define ck_assert_int_eq(a, b) CASES_COMPARE(intmax_t, PRIdMAX, a, ==, b)
#define ck_assert_uint_eq(a, b) CASES_COMPARE(uintmax_t, PRIuMAX, a, ==, b)
#define ck_assert_uint_ge(a, b) CASES_COMPARE(uintmax_t, PRIuMAX, a, >=, b)
#define ck_assert_uint_lt(a, b) CASES_COMPARE(uintmax_t, PRIuMAX, a, <, b)
#define ck_assert_double_le(a, b) CASES_COMPARE(double, "g", a, <=, b)

#endif /* CASES_OF_LIBCHECK */

#endif /* TOOLS_CHECK_CASES_H */
