/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The process that kills.py kills. Every number of a file follows from its version, so a
   file that is made of two versions, or of half of one, shows.

     writer save PATH         goes on from the version that is there, saving for ever
     writer once PATH         saves the next version
     writer check PATH        prints the version of a whole file
     writer train PATH STEPS  trains, from the step that is there, saving at every step

   A line is printed behind every save. TEST_NAMED=1: no files without a name. */

#include "failing.h"

#include <support.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 160, EXTRA = 20000, N = 12 };

static void
need(const bool good, const char* const what)
{
  if (!good) {
    fprintf(stderr, "%s: %s\n", what, pz_error_message());
    exit(EXIT_FAILURE);
  }
}

static void
say_number(const long long number)
{
  char line[32];
  const int n = snprintf(line, sizeof(line), "%lld\n", number);
  need(write(STDOUT_FILENO, line, (size_t)n) == n, "standard output");
}

static void
add(pz_module* const module, const char* const name, const pz_tensor_kind kind,
    const uint32_t dtype, const int64_t rows, const int64_t cols)
{
  const int64_t shape[] = {rows, cols};
  void* const zeros = calloc((size_t)(rows * cols), sizeof(double));
  const pz_tensor tensor = pz_host_tensor(dtype, zeros, 2, shape);
  need(zeros && pz_module_add(module, name, kind, &tensor) == PZ_OK, name);
  free(zeros);
}

static pz_module*
make_module(pz_context* const context, const bool trains)
{
  pz_module* module = NULL;
  need(test_module_new(context, "reference", "Linear", &module) == PZ_OK, "module");
  const int64_t rows = trains ? N : ROWS;
  add(module, "weight", PZ_PARAMETER, trains ? PZ_F64 : PZ_F32, rows, rows);
  need(pz_register_parametrization(module, "weight", "skew,cayley", NULL) == PZ_OK, "register");
  add(module, "version", PZ_BUFFER, PZ_F64, 1, 1);
  if (trains) {
    add(module, "momentum", PZ_BUFFER, PZ_F64, N, N);
  } else {
    add(module, "extra", PZ_PARAMETER, PZ_F64, 1, EXTRA);
  }
  return module;
}

/* ---- files that follow from a version ---------------------------------------- */

/* Element k of tensor `t` in a version: a whole number below 2^20, exact in both dtypes. */
static double
element(const long long version, const uint32_t t, const int64_t k)
{
  uint64_t state = (uint64_t)version * 1000003U + t * 257U + (uint64_t)k;
  return t == 1 && k == 0 ? (double)version : (double)(test_bits(&state) >> 44);
}

/* The stored tensors in their order: original, version, extra. */
static pz_tensor_info
entry_at(pz_module* const module, const uint32_t t)
{
  pz_tensor_info entry = {.size = sizeof(entry)};
  need(pz_module_tensor(module, t, &entry) == PZ_OK, "tensor");
  return entry;
}

static void
set_version(pz_module* const module, const long long version)
{
  for (uint32_t t = 0; t < 3; ++t) {
    pz_tensor tensor;
    const char* const name = entry_at(module, t).name;
    need(pz_module_edit(module, name, &tensor) == PZ_OK, name);
    for (int64_t k = 0; k < pz_count(&tensor); ++k) {
      test_put(tensor.dtype, tensor.data, k, element(version, t, k));
    }
    need(pz_module_commit(module, name) == PZ_OK, name);
  }
}

/* The version of the file, which must be that in every element; 0 where there is none. */
static long long
load_version(pz_module* const module, const char* const path)
{
  const pz_status status = test_module_load(module, path);
  pz_tensor tensor;
  if (status == PZ_NOT_FOUND) {
    return 0;
  }
  need(status == PZ_OK, "load");
  need(pz_module_get(module, "version", &tensor) == PZ_OK, "version");
  const long long version = (long long)test_at(PZ_F64, tensor.data, 0);
  for (uint32_t t = 0; t < 3; ++t) {
    const char* const name = entry_at(module, t).name;
    need(pz_module_get(module, name, &tensor) == PZ_OK, name);
    for (int64_t k = 0; k < pz_count(&tensor); ++k) {
      if (test_at(tensor.dtype, tensor.data, k) != element(version, t, k)) {
        fprintf(stderr, "version %lld: \"%s\" differs at %lld\n", version, name, (long long)k);
        exit(EXIT_FAILURE);
      }
    }
  }
  return version;
}

static void
save_versions(pz_module* const module, const char* const path, const bool once)
{
  for (long long version = load_version(module, path) + 1;; ++version) {
    set_version(module, version);
    need(pz_module_save(module, path, NULL) == PZ_OK, "save");
    say_number(version);
    if (once) {
      return;
    }
  }
}

/* ---- training ---------------------------------------------------------------- */

/* One step of descent with momentum on |W - T|^2 / 2, T a rotation of every other plane. */
static void
step(pz_module* const module)
{
  double gradient[N * N];
  const int64_t shape[] = {N, N};
  const pz_tensor slope = pz_host_tensor(PZ_F64, gradient, 2, shape);
  static const char original_name[] = "parametrizations.weight.original";
  pz_tensor w;
  pz_tensor g;
  pz_tensor original;
  pz_tensor momentum;
  pz_tensor version;
  need(pz_module_get(module, "weight", &w) == PZ_OK, "weight");
  for (int k = 0; k < N * N; ++k) {
    const int i = k / N;
    const int j = k % N;
    const double target = i == j ? 0.6 : (i ^ 1) == j ? (i < j ? 0.8 : -0.8) : 0.0;
    gradient[k] = ((const double*)w.data)[k] - target;
  }
  need(pz_module_zero_gradients(module) == PZ_OK, "gradients");
  need(pz_module_backward(module, "weight", &slope) == PZ_OK, "backward");
  need(pz_module_gradient(module, original_name, &g) == PZ_OK, "gradient");
  need(pz_module_edit(module, original_name, &original) == PZ_OK, "edit");
  need(pz_module_edit(module, "momentum", &momentum) == PZ_OK, "edit");
  need(pz_module_edit(module, "version", &version) == PZ_OK, "edit");
  for (int k = 0; k < N * N; ++k) {
    double* const m = (double*)momentum.data + k;
    *m = 0.9 * *m + ((const double*)g.data)[k];
    ((double*)original.data)[k] -= 0.03 * *m;
  }
  *(double*)version.data += 1.0;
  need(pz_module_commit(module, original_name) == PZ_OK, "commit");
  need(pz_module_commit(module, "momentum") == PZ_OK, "commit");
  need(pz_module_commit(module, "version") == PZ_OK, "commit");
}

static void
train(pz_module* const module, const char* const path, const long steps)
{
  const pz_status status = test_module_load(module, path);
  pz_tensor version;
  need(status == PZ_OK || status == PZ_NOT_FOUND, "load");
  need(pz_module_get(module, "version", &version) == PZ_OK, "version");
  for (long done = (long)test_at(PZ_F64, version.data, 0); done < steps;) {
    step(module);
    need(pz_module_save(module, path, NULL) == PZ_OK, "save");
    say_number(++done);
  }
}

int
main(const int argc, char** const argv)
{
  static const char* const folders[] = {TEST_PLUGIN_DIR};
  const pz_context_settings settings = {
      .size = sizeof(settings),
      .flags = PZ_ONLY_GIVEN_FOLDERS,
      .folders = folders,
      .n_folders = 1,
      .seed = 1,
  };
  if (argc < 3) {
    return EXIT_FAILURE;
  }
  const char* const what = argv[1];
  const bool trains = strcmp(what, "train") == 0 && argc > 3;
  failing_allow_unnamed(getenv("TEST_NAMED") == NULL);
  pz_context* context = NULL;
  need(pz_context_new(&settings, &context) == PZ_OK, "context");
  pz_module* const module = make_module(context, trains);
  if (trains) {
    train(module, argv[2], atol(argv[3]));
  } else if (strcmp(what, "check") == 0) {
    say_number(load_version(module, argv[2]));
  } else {
    save_versions(module, argv[2], strcmp(what, "once") == 0);
  }
  pz_module_free(module);
  pz_context_free(context);
  return EXIT_SUCCESS;
}
