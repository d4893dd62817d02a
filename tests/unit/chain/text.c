/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The grammar of chains: what is read, and what is said of everything else. */

#include "chain_text.h"

#include "support.h"

#include <stdlib.h>
#include <string.h>

/* Words put together again in one spelling, "a(b=1,c=x),d". */
static void
check_words(const char* const text, const char* const expected)
{
  pzi_chain_words* words = NULL;
  char shown[512] = "";
  ck_assert_ok(pzi_chain_text_parse(text, &words));
  for (uint32_t i = 0; i < words->n_stages; ++i) {
    const pzi_stage_words* const map = &words->stages[i];
    strcat(shown, i ? "," : "");
    strcat(shown, map->id);
    for (uint32_t k = 0; k < map->n_options; ++k) {
      strcat(shown, k ? "," : "(");
      strcat(shown, map->options[k].name);
      strcat(shown, "=");
      strcat(shown, map->options[k].value);
    }
    strcat(shown, map->n_options ? ")" : "");
  }
  ck_assert_str_eq(shown, expected);
  free(words);
}

static void
check_message(const char* const text, const char* const message)
{
  pzi_chain_words* words = NULL;
  ck_assert_int_eq(pzi_chain_text_parse(text, &words), PZ_INVALID);
  ck_assert_str_eq(pz_error_message(), message);
  ck_assert_ptr_null(words);
}

START_TEST(test_good)
{
  check_words("skew", "skew");
  check_words("skew,cayley", "skew,cayley");
  check_words("skew,cayley,pruning(p_drop=0.2,seed=7)", "skew,cayley,pruning(p_drop=0.2,seed=7)");
  check_words(" \tskew ,\n cayley ( signs = 1 ) ", "skew,cayley(signs=1)");
  check_words("a(b=-1e-3),a(c=0x1F)", "a(b=-1e-3),a(c=0x1F)");
  check_words("a(b=c=d)", "a(b=c=d)");
  check_words("A_1(_b=\"x\")", "A_1(_b=\"x\")");
}
END_TEST

START_TEST(test_bad)
{
  check_message("",
                "chain \"\": found the end at column 1, expected the name of a parametrization");
  check_message("  ",
                "chain \"  \": found the end at column 3, expected the name of a parametrization");
  check_message(
      "skew,,cayley",
      "chain \"skew,,cayley\": found \",\" at column 6, expected the name of a parametrization");
  check_message(",skew",
                "chain \",skew\": found \",\" at column 1, expected the name of a parametrization");
  check_message(
      "skew,",
      "chain \"skew,\": found the end at column 6, expected the name of a parametrization");
  check_message("skew cayley", "chain \"skew cayley\": found \"cayley\" at column 6, expected "
                               "\",\", \"(\" or the end");
  check_message("skew-cayley", "chain \"skew-cayley\": found \"-cayley\" at column 5, expected "
                               "\",\", \"(\" or the end");
  check_message("a()", "chain \"a()\": found \")\" at column 3, expected the name of an option");
  check_message("a(", "chain \"a(\": found the end at column 3, expected the name of an option");
  check_message("a(b)", "chain \"a(b)\": found \")\" at column 4, expected \"=\"");
  check_message("a(b", "chain \"a(b\": found the end at column 4, expected \"=\"");
  check_message("a(b=)", "chain \"a(b=)\": found \")\" at column 5, expected a value");
  check_message("a(b=1", "chain \"a(b=1\": found the end at column 6, expected \",\" or \")\"");
  check_message("a(b=1,)",
                "chain \"a(b=1,)\": found \")\" at column 7, expected the name of an option");
  check_message("a(b=1 2)", "chain \"a(b=1 2)\": found \"2\" at column 7, expected \",\" or \")\"");
  check_message("a(b=(1))", "chain \"a(b=(1))\": found \"(\" at column 5, expected a value");
  check_message("a(b=1)c", "chain \"a(b=1)c\": found \"c\" at column 7, expected \",\" or the end");
  check_message("a)", "chain \"a)\": found \")\" at column 2, expected \",\", \"(\" or the end");
  check_message(NULL, "chain: found no text, expected the name of a parametrization");
}
END_TEST

/* Every text cut short, and long ones: no crash, one line, and no more of it than fits. */
START_TEST(test_cut)
{
  static const char text[] = "skew,cayley,pruning(p_drop=0.2,seed=7),rows(of=3)";
  for (size_t n = 0; n <= sizeof(text) - 1; ++n) {
    char cut[sizeof(text)] = "";
    pzi_chain_words* words = NULL;
    memcpy(cut, text, n);
    if (pzi_chain_text_parse(cut, &words) == PZ_OK) {
      free(words);
    } else {
      ck_assert_ptr_nonnull(strstr(pz_error_message(), "found "));
    }
  }
  char* const deep = malloc(100001);
  memset(deep, '(', 100000);
  deep[100000] = '\0';
  pzi_chain_words* words = NULL;
  ck_assert_fails(pzi_chain_text_parse(deep, &words), PZ_INVALID,
                  "(...\": found \"(\" at column 1,");
  for (size_t i = 0; i < 100000; ++i) {
    deep[i] = i % 2 ? ',' : 'a';
  }
  deep[99999] = '\0';
  ck_assert_ok(pzi_chain_text_parse(deep, &words));
  ck_assert_uint_eq(words->n_stages, 50000);
  free(words);
  free(deep);
}
END_TEST

int
main(void)
{
  TCase* const tests = tcase_create("grammar");
  tcase_add_test(tests, test_good);
  tcase_add_test(tests, test_bad);
  tcase_add_test(tests, test_cut);
  return test_main_case(tests);
}
