/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What the instructions of reads are counted on: values, and their gradients, that take no LAPACK.

   usage: instruction-cases               prints the names of the cases
          instruction-cases NAME TIMES    does one of them TIMES times, after one time more

   Callgrind counts what runs inside `measured` only, so that neither starting nor the first read, which
   allocates, belong to the number. */

#include <parametrize/parametrize.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char* name;
  const char* chain;
  uint32_t dtype;
  bool changed;  /* before every read */
  bool gradient; /* after every read */
  int32_t ndim;
  int64_t shape[3];
} cases[] = {
    {"unchanged 3x3", "skew,cayley", PZ_F32, false, false, 2, {3, 3}},
    {"cayley 3x3 value", "skew,cayley", PZ_F32, true, false, 2, {3, 3}},
    {"cayley 3x3", "skew,cayley", PZ_F32, true, true, 2, {3, 3}},
    {"cayley 256 of 3x3", "skew,cayley", PZ_F32, true, true, 3, {256, 3, 3}},
    {"cayley 64 of 8x8", "skew,cayley", PZ_F32, true, true, 3, {64, 8, 8}},
    {"cayley 64 of 8x8 f64", "skew,cayley", PZ_F64, true, true, 3, {64, 8, 8}},
    {"cayley 16 of 16x16", "skew,cayley", PZ_F32, true, true, 3, {16, 16, 16}},
    {"cayley 16 of 32x32", "skew,cayley", PZ_F32, true, true, 3, {16, 32, 32}},
    {"cayley 64x64", "skew,cayley", PZ_F32, true, true, 2, {64, 64}},
    {"skew 128x128", "skew", PZ_F32, true, true, 2, {128, 128}},
    {"matrix_exp 256 of 3x3", "skew,matrix_exp", PZ_F32, true, true, 3, {256, 3, 3}},
    {"matrix_exp 64 of 8x8", "skew,matrix_exp", PZ_F32, true, true, 3, {64, 8, 8}},
    {"matrix_exp 64x64", "skew,matrix_exp", PZ_F32, true, true, 2, {64, 64}},
    {"weight_norm 64x48", "weight_norm(dim=0)", PZ_F32, true, true, 2, {64, 48}},
    {"pruning 64x48", "pruning", PZ_F32, true, true, 2, {64, 48}},
};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static void
ensure(const pz_status status)
{
  if (status != PZ_OK) {
    fprintf(stderr, "instruction-cases: %s\n", pz_error_message());
    exit(EXIT_FAILURE);
  }
}

/* A module with one tensor, "w", of entries that no algorithm finds hard: at most 1 over its columns. */
static pz_module*
new_module(pz_context* const context, const int k, pz_tensor* const gradient)
{
  pz_module* module = NULL;
  const int64_t* const shape = cases[k].shape;
  const int64_t count = pz_shape_count(cases[k].ndim, shape);
  const bool single = cases[k].dtype == PZ_F32;
  void* const data = calloc((size_t)count, single ? sizeof(float) : sizeof(double));
  if (!data) {
    exit(EXIT_FAILURE);
  }
  for (int64_t i = 0; i < count; ++i) {
    const double entry =
        ((double)(i * 7919 % 2003) / 1001.0 - 1.0) / (double)shape[cases[k].ndim - 1];
    if (single) {
      ((float*)data)[i] = (float)entry;
    } else {
      ((double*)data)[i] = entry;
    }
  }
  *gradient = pz_host_tensor(cases[k].dtype, data, cases[k].ndim, shape);
  ensure(pz_module_new(context, NULL, "Cases", &module));
  ensure(pz_module_add(module, "w", PZ_PARAMETER, gradient));
  ensure(pz_register_parametrization(module, "w", cases[k].chain, NULL));
  return module;
}

/* The first of the originals, whatever the chain calls it. */
static const char*
original_of(const char* const chain)
{
  return strncmp(chain, "weight_norm", 11) == 0 ? "parametrizations.w.original1"
                                                : "parametrizations.w.original";
}

__attribute__((noinline)) void measured(pz_module* module, int k, const pz_tensor* gradient,
                                        int times);

void
measured(pz_module* const module, const int k, const pz_tensor* const gradient, const int times)
{
  const char* const original = original_of(cases[k].chain);
  pz_tensor value;
  for (int i = 0; i < times; ++i) {
    if (cases[k].changed) {
      ensure(pz_module_touch(module, original));
    }
    ensure(pz_module_get(module, "w", &value));
    if (cases[k].gradient) {
      ensure(pz_module_backward(module, "w", gradient));
    }
  }
}

/* Not `measured`, so not counted. */
static void
warm(pz_module* const module, const pz_tensor* const gradient)
{
  pz_tensor value;
  ensure(pz_module_get(module, "w", &value));
  ensure(pz_module_backward(module, "w", gradient));
}

int
main(const int argc, char** const argv)
{
  pz_context* context = NULL;
  if (argc == 1) {
    for (int k = 0; k < CASES; ++k) {
      puts(cases[k].name);
    }
    return EXIT_SUCCESS;
  }
  ensure(pz_context_new(NULL, &context));
  for (int k = 0; k < CASES && argc == 3; ++k) {
    if (strcmp(cases[k].name, argv[1]) == 0) {
      pz_tensor gradient;
      pz_module* const module = new_module(context, k, &gradient);
      warm(module, &gradient);
      measured(module, k, &gradient, (int)strtol(argv[2], NULL, 10));
      pz_module_free(module);
      free(gradient.data);
      pz_context_free(context);
      return EXIT_SUCCESS;
    }
  }
  fprintf(stderr, "usage: instruction-cases [NAME TIMES]\n");
  return EXIT_FAILURE;
}
