/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* One table for each thing an option can have wrong. */

#include "broken.h"

#include <math.h>

static const char* const words[] = {"one", "two"};
static const char* const none[] = {NULL};
static const char* const blank[] = {"two words"};
static const char* const twice[] = {"one", "one"};

#define OPTIONS(name_, ...) static const pz_option name_[] = {__VA_ARGS__}

OPTIONS(unnamed, PZ_OPTION_FLAG(NULL, 0, "doc"));
OPTIONS(misnamed, PZ_OPTION_FLAG("a-b", 0, "doc"));
OPTIONS(undocumented, PZ_OPTION_FLAG("x", 0, NULL));
OPTIONS(repeated, PZ_OPTION_FLAG("x", 0, "doc"), PZ_OPTION_FLAG("x", 1, "doc"));
OPTIONS(too_small, PZ_OPTION_REAL("x", -1.0, 0.0, 1.0, "doc"));
OPTIONS(not_a_number, PZ_OPTION_REAL("x", NAN, 0.0, 1.0, "doc"));
OPTIONS(too_large, PZ_OPTION_INTEGER("x", 9, 0, 8, "doc"));
OPTIONS(no_flag, PZ_OPTION_FLAG("x", 2, "doc"));
OPTIONS(no_choice, PZ_OPTION_CHOICE("x", 2, words, "doc"));
OPTIONS(null_choice, PZ_OPTION_CHOICE("x", 0, none, "doc"));
OPTIONS(blank_choice, PZ_OPTION_CHOICE("x", 0, blank, "doc"));
OPTIONS(same_choice, PZ_OPTION_CHOICE("x", 0, twice, "doc"));
OPTIONS(unchosen, {.name = "x", .doc = "doc", .type = PZ_CHOICE});
OPTIONS(untyped, {.name = "x", .doc = "doc", .type = 17});
OPTIONS(fractional, PZ_OPTION_INTEGER("x", 0.5, 0, 8, "doc"));

#define TABLE(name_)                                                                         \
  static const pz_parametrization name_##_table = {BROKEN_TABLE(#name_), .options = (name_), \
                                                   .n_options = sizeof(name_) / sizeof(pz_option)}

TABLE(unnamed);
TABLE(misnamed);
TABLE(undocumented);
TABLE(repeated);
TABLE(too_small);
TABLE(not_a_number);
TABLE(too_large);
TABLE(no_flag);
TABLE(no_choice);
TABLE(null_choice);
TABLE(blank_choice);
TABLE(same_choice);
TABLE(unchosen);
TABLE(untyped);
TABLE(fractional);

static const pz_parametrization unsized_table = {
    .size = sizeof(pz_parametrization),
    .option_size = 0,
    .id = "unsized",
    .summary = "A map for tests",
    .options = too_small,
    .n_options = 1,
    .forward = broken_forward,
};
static const pz_parametrization nowhere_table = {BROKEN_TABLE("nowhere"), .n_options = 3};

PZ_PLUGIN(bad_options, "1.0.0", PZ_PARAMETRIZATION(&unnamed_table),
          PZ_PARAMETRIZATION(&misnamed_table), PZ_PARAMETRIZATION(&undocumented_table),
          PZ_PARAMETRIZATION(&repeated_table), PZ_PARAMETRIZATION(&too_small_table),
          PZ_PARAMETRIZATION(&not_a_number_table), PZ_PARAMETRIZATION(&too_large_table),
          PZ_PARAMETRIZATION(&no_flag_table), PZ_PARAMETRIZATION(&no_choice_table),
          PZ_PARAMETRIZATION(&null_choice_table), PZ_PARAMETRIZATION(&blank_choice_table),
          PZ_PARAMETRIZATION(&same_choice_table), PZ_PARAMETRIZATION(&unchosen_table),
          PZ_PARAMETRIZATION(&untyped_table), PZ_PARAMETRIZATION(&fractional_table),
          PZ_PARAMETRIZATION(&unsized_table), PZ_PARAMETRIZATION(&nowhere_table));
