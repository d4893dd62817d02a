/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The text of chains, with the maps and options of the build. What is accepted has a
   canonical text that makes the same chain again. The first byte chooses a tensor. */

#include "fuzz.h"

#include <parametrize/parametrize.h>
#include <string.h>

enum { WORDS = 400, TEXT = 1024 };

static pz_context* context;
static const char* words[WORDS + 1] = {
    "(",
    ")",
    "=",
    ",",
    " ",
    "\t",
    "true",
    "false",
    "0",
    "1",
    "0x7",
    "-1",
    "0.5",
    "1e9",
    "inf",
    "nan",
    "<tensor>",
    "skew,cayley",
    "pruning(p_drop=0.2,seed=7)",
    NULL,
};

static void
close_all(void)
{
  pz_context_free(context);
}

/* Ids, options and choices of every map there is: texts that live as long as the context. */
static void
collect_words(void)
{
  size_t n = 0;
  while (words[n]) {
    ++n;
  }
  pz_parametrization_info map = {.size = sizeof(map)};
  for (uint32_t k = 0; pz_context_parametrization(context, k, &map) == PZ_OK; ++k) {
    pz_option_info option = {.size = sizeof(option)};
    FUZZ_ENSURE(n < WORDS);
    words[n++] = map.id;
    for (uint32_t i = 0; pz_context_option(context, map.id, i, &option) == PZ_OK; ++i) {
      FUZZ_ENSURE(n + 2 < WORDS);
      words[n++] = option.name;
      words[n++] = option.fallback;
      words[n++] = option.range;
    }
  }
}

static void
chain_open(void)
{
  static const char* const folders[] = {TEST_PLUGIN_DIR};
  const pz_context_settings settings = {
      .size = sizeof(settings),
      .flags = PZ_ONLY_GIVEN_FOLDERS,
      .folders = folders,
      .n_folders = 1,
      .seed = 1,
  };
  FUZZ_ENSURE(pz_context_new(&settings, &context) == PZ_OK);
  atexit(close_all);
  collect_words();
}

static size_t
chain_seed(const size_t index, uint8_t* const out)
{
  static const char* const seeds[] = {
      "0skew",
      "0skew,cayley",
      "1 pruning ( p_drop = 0.25 , seed = 0x7 ) ",
      "2symmetric,matrix_exp",
      "3skew(part=upper),cayley(signs=1),pruning(p_drop=0.2)",
      "4pruning,pruning(seed=-3)",
  };
  if (index >= sizeof(seeds) / sizeof(seeds[0])) {
    return 0;
  }
  memcpy(out, seeds[index], strlen(seeds[index]));
  return strlen(seeds[index]);
}

static size_t
chain_mutate(uint8_t* const data, const size_t size, const size_t most, uint64_t* const random)
{
  if (size == 0 || fuzz_below(random, 16) == 0) {
    return fuzz_mutate_bytes(data, size, most, random);
  }
  const size_t room = most < TEXT ? most : TEXT;
  return size > room ? room : 1 + fuzz_mutate_text(data + 1, size - 1, room - 1, words, random);
}

static bool
make(const char* const text, const uint8_t choice, pz_chain** const out)
{
  static const pz_spec specs[] = {
      {.dtype = PZ_F32, .ndim = 2, .shape = {3, 3}},
      {.dtype = PZ_F64, .ndim = 2, .shape = {4, 2}},
      {.dtype = PZ_F64, .ndim = 3, .shape = {2, 3, 3}},
      {.dtype = PZ_F32, .ndim = 1, .shape = {5}},
      {.dtype = PZ_F32, .ndim = 0},
      {.dtype = PZ_F32, .ndim = 2, .shape = {0, 0}},
  };
  const pz_direction direction = choice % 2 == 0 ? PZ_FROM_TENSOR : PZ_FROM_INPUT;
  const pz_spec* const spec = &specs[choice / 2 % (sizeof(specs) / sizeof(specs[0]))];
  return pz_chain_new(context, text, NULL, 0, direction, spec, 1, out) == PZ_OK;
}

static bool
chain_run(const uint8_t* const data, const size_t size)
{
  pz_chain* chain = NULL;
  pz_chain* again = NULL;
  if (size == 0 || size > TEXT) {
    return false;
  }
  char* const text = strndup((const char*)data + 1, size - 1);
  FUZZ_ENSURE(text);
  const bool good = make(text, data[0], &chain);
  if (good) {
    FUZZ_ENSURE(make(pz_chain_text(chain), data[0], &again));
    FUZZ_ENSURE(strcmp(pz_chain_text(chain), pz_chain_text(again)) == 0);
    FUZZ_ENSURE(pz_chain_length(chain) == pz_chain_length(again));
    FUZZ_ENSURE(pz_spec_equal(pz_chain_value(chain), pz_chain_value(again)));
  } else {
    FUZZ_ENSURE(*pz_error_message() != '\0' && !strchr(pz_error_message(), '\n'));
  }
  pz_chain_free(again);
  pz_chain_free(chain);
  free(text);
  return good;
}

const fuzz_harness fuzz = {
    .open = chain_open,
    .seed = chain_seed,
    .mutate = chain_mutate,
    .run = chain_run,
};
