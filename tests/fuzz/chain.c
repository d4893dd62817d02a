/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The text of chains, with the maps and options of the build. What is accepted has a
   canonical text that makes the same chain again, unless the shape of a view's tensor is left out,
   and can be evaluated. The first byte chooses a tensor. */

#include "fuzz.h"

#include <parametrize/parametrize.h>
#include <string.h>

enum { WORDS = 400, TEXT = 1024 };

static pz_context* context;
static pz_queue* queue;
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
    "view",
    ",back,",
    "view(rows=1,cols=*),",
    "split",
    "rows",
    "cols",
    "*",
    "+",
    "-",
    ":2",
    "tensor",
    "4x3x2x2",
    NULL,
};

static void
close_all(void)
{
  pz_queue_close(queue);
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
  FUZZ_ENSURE(pz_queue_open(context, "reference", NULL, &queue) == PZ_OK);
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
      "<view(rows=1,cols=0+2-3),orthogonal",
      "=view(split=0:2,rows=-1,cols=1),pruning,back,pruning",
      "<weight_norm,view(cols=*),spectral_norm",
      ">view(split=0:8+-1:3,rows=2),orthogonal",
      "0view(rows=1,cols=0),skew,cayley",
      "=view(cols=*,tensor=5x3x2x2),simplex",
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
      {.dtype = PZ_F64, .ndim = 4, .shape = {4, 3, 2, 2}},
      {.dtype = PZ_F32, .ndim = 3, .shape = {0, 2, 6}},
  };
  const pz_direction direction = choice % 2 == 0 ? PZ_FROM_TENSOR : PZ_FROM_INPUT;
  const pz_spec* const spec = &specs[choice / 2 % (sizeof(specs) / sizeof(specs[0]))];
  return pz_chain_new(context, text, NULL, 0, direction, spec, 1, out) == PZ_OK;
}

/* Value, gradients and originals of zeros; a map may refuse them. */
static void
evaluate(const pz_chain* const chain)
{
  pz_state* state = NULL;
  pz_eval* eval = NULL;
  pz_tensor value;
  pz_chain_tensor_info x = {.size = sizeof(x)};
  FUZZ_ENSURE(pz_chain_tensor(chain, PZ_ORIGINAL, 0, &x) == PZ_OK);
  void* const memory = calloc((size_t)pz_spec_count(&x.spec) + 1, pz_dtype_size(x.spec.dtype));
  FUZZ_ENSURE(memory);
  const pz_tensor gradient = pz_host_tensor(x.spec.dtype, memory, x.spec.ndim, x.spec.shape);
  FUZZ_ENSURE(pz_state_new(chain, queue, &state) == PZ_OK);
  FUZZ_ENSURE(pz_eval_new(chain, queue, &eval) == PZ_OK);
  if (pz_eval_forward(eval, state, PZ_CALL_SAVING, NULL, &value) == PZ_OK) {
    const pz_spec spec = pz_spec_of(&value);
    FUZZ_ENSURE(pz_spec_equal(&spec, pz_chain_value(chain)));
    (void)pz_eval_vjp(eval, state, &value, 1, 1, false, &gradient);
    (void)pz_eval_assign(eval, state, PZ_REGISTER, &value);
    (void)pz_eval_forward(eval, state, PZ_CALL_TRAINING, NULL, NULL);
  }
  pz_eval_free(eval);
  pz_state_free(state);
  free(memory);
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
    FUZZ_ENSURE(make(pz_chain_text(chain), data[0], &again) || strstr(text, "tensor"));
  }
  if (again) {
    FUZZ_ENSURE(strcmp(pz_chain_text(chain), pz_chain_text(again)) == 0);
    FUZZ_ENSURE(pz_chain_length(chain) == pz_chain_length(again));
    FUZZ_ENSURE(pz_spec_equal(pz_chain_value(chain), pz_chain_value(again)));
  }
  if (good) {
    evaluate(chain);
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
