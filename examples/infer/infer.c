/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Runs a model that copying_memory has baked. Its kernel is a plain matrix, so that inference needs
   no parametrization, and the context searches no folder for plugins. The data are new: batch 0 of
   the stream, while training starts with batch 1. */

#include "../copying_memory/network.h"
#include "../copying_memory/options.h"

#include <parametrize/parametrize.h>

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

typedef struct program {
  pz_context* context;
  pz_file* file;
  pz_module* model;
  network* net;
  problem p;
  problem_batch batch;
  network_weights weights;
  int hidden;
} program;

static bool
fail(const char* const what, const char* const detail)
{
  fprintf(stderr, "infer: %s: %s\n", what, detail);
  return false;
}

/* The weight `name`, rows x cols (0: a vector). */
static bool
get(const program* const a, const char* const name, const int64_t rows, const int64_t cols,
    const real** const out)
{
  pz_tensor t;
  if (pz_module_get(a->model, name, &t) != PZ_OK) {
    return fail("the model", pz_error_message());
  }
  if (t.dtype != REAL_DTYPE || t.ndim != (cols ? 2 : 1) || t.shape[0] != rows ||
      (cols && t.shape[1] != cols)) {
    return fail(name, "found another dtype or shape than copying_memory writes");
  }
  *out = (const real*)((const char*)t.data + t.byte_offset);
  return true;
}

static bool
get_weights(program* const a)
{
  const int64_t n = a->hidden;
  network_weights* const w = &a->weights;
  return get(a, "kernel", n, n, &w->kernel) && get(a, "input", n, a->p.n_inputs, &w->input) &&
         get(a, "bias", n, 0, &w->bias) && get(a, "out.weight", a->p.n_outputs, n, &w->out) &&
         get(a, "out.bias", a->p.n_outputs, 0, &w->out_bias);
}

/* Opens a context without plugins; the backend is the built-in one. */
static bool
open_model(program* const a, const char* const path)
{
  const pz_context_settings nowhere = {.size = sizeof(nowhere), .flags = PZ_ONLY_GIVEN_FOLDERS};
  pz_tensor bias;
  if (pz_context_new(&nowhere, &a->context) != PZ_OK || pz_file_open(path, &a->file) != PZ_OK ||
      pz_module_from_file(a->context, NULL, a->file, NULL, NULL, &a->model) != PZ_OK ||
      pz_module_get(a->model, "bias", &bias) != PZ_OK) {
    return fail("the model", pz_error_message());
  }
  a->hidden = bias.ndim == 1 && bias.shape[0] <= OPTIONS_MAX_HIDDEN ? (int)bias.shape[0] : 0;
  return a->hidden > 0 || fail(path, "found a bias of another size than copying_memory writes");
}

/* Chooses the problem that the model was trained on, with the same or another length. */
static bool
choose_problem(program* const a, const char* const path, const char* const length)
{
  const char* const problem_text = pz_file_text(a->file, "problem");
  const char* const length_text = length ? length : pz_file_text(a->file, "length");
  problem_kind kind;
  if (!problem_text || !length_text || !options_problem(problem_text, &kind)) {
    return fail(path, "found no problem in its metadata, expected copying or adding");
  }
  char* end = NULL;
  const long value = strtol(length_text, &end, 10);
  const int least = kind == PROBLEM_ADDING ? 2 : 1;
  if (end == length_text || *end || value < least || value > OPTIONS_MAX_LENGTH) {
    fprintf(stderr, "infer: %s: expected a length from %d to %d\n", length_text, least,
            OPTIONS_MAX_LENGTH);
    return false;
  }
  a->p = problem_make(kind, (int)value, 128);
  return true;
}

static bool
judge(program* const a)
{
  a->net = network_new(&a->p, a->hidden, 2);
  if (!a->net || problem_batch_init(&a->p, &a->batch) != 0) {
    return fail("the network", "out of memory");
  }
  problem_draw(&a->p, 0, 0, &a->batch);
  const network_result result = network_run(a->net, &a->weights, &a->batch, NULL);
  if (a->p.kind == PROBLEM_COPYING) {
    printf("copying over %d blanks: loss %.6f, baseline %.6f, %.2f %% of the symbols right\n",
           a->p.length, result.loss, a->p.baseline, 100 * result.correct);
  } else {
    printf("adding from %d pairs: mean squared error %.6f, baseline %.6f\n", a->p.length,
           result.loss, a->p.baseline);
  }
  return true;
}

static void
cleanup(program* const a)
{
  network_free(a->net);
  problem_batch_cleanup(&a->batch);
  pz_module_free(a->model);
  pz_file_close(a->file);
  pz_context_free(a->context);
}

int
main(const int argc, char** const argv)
{
  program a = {0};
  pz_parametrization_info info = {.size = sizeof(info)};
  static const char usage[] = "usage: infer MODEL.safetensors [LENGTH]\n";
  if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
    printf(
        "%s\nRuns a model that copying_memory has baked, on new data with LENGTH blanks or pairs\n"
        "(default: as in training).\n",
        usage);
    return EXIT_SUCCESS;
  }
  if (argc < 2 || argc > 3 || argv[1][0] == '-') {
    fputs(usage, stderr);
    return EXIT_FAILURE;
  }
  openblas_set_num_threads(1);
  const bool good = open_model(&a, argv[1]) &&
                    choose_problem(&a, argv[1], argc == 3 ? argv[2] : NULL) && get_weights(&a) &&
                    judge(&a);
  if (good) {
    printf("parametrizations loaded: %s\n",
           pz_context_parametrization(a.context, 0, &info) == PZ_OK ? info.id : "none");
  }
  cleanup(&a);
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
