/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Samples a posterior of constrained parameters: see diet.h. */

#include "diet.h"
#include "nuts.h"
#include "summary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct settings {
  long chains;
  long draws;
  long seed;
} settings;

static const char usage[] =
    "usage: sampler [--chains N] [--draws N] [--seed N]\n"
    "\n"
    "Draws from the posterior of a diet by NUTS: proportions (simplex), scales (positive) and\n"
    "correlations. Half as many draws again warm up each chain. Draws are a multiple of 20.\n"
    "Defaults: 4 chains of 2000, seed 1.\n";

/* Whole number of at least 1 and at most a million. */
static bool
parse(const char* const name, const char* const text, long* const out)
{
  char* end = NULL;
  *out = text ? strtol(text, &end, 10) : 0;
  if (!text || *end || *out < 1 || *out > 1000000) {
    fprintf(stderr, "sampler: %s: found %s, expected a number from 1 to 1000000\n", name,
            text ? text : "nothing");
    return false;
  }
  return true;
}

static bool
parse_all(const int argc, char** const argv, settings* const out)
{
  for (int k = 1; k < argc; k += 2) {
    long* const into = strcmp(argv[k], "--chains") == 0  ? &out->chains
                       : strcmp(argv[k], "--draws") == 0 ? &out->draws
                       : strcmp(argv[k], "--seed") == 0  ? &out->seed
                                                         : NULL;
    if (!into) {
      fputs(usage, strcmp(argv[k], "--help") == 0 ? stdout : stderr);
      return false;
    }
    if (!parse(argv[k], argv[k + 1], into)) {
      return false;
    }
  }
  if (out->draws % SUMMARY_BATCHES != 0) {
    fprintf(stderr,
            "sampler: --draws: found %ld, expected a multiple of %d, the batches of a chain\n",
            out->draws, SUMMARY_BATCHES);
    return false;
  }
  return true;
}

/* A place where the density is finite. */
static bool
begin(nuts* const s, double* const q)
{
  double gradient[NUTS_MAX];
  for (int tries = 0; tries < 100; ++tries) {
    for (int k = 0; k < s->n; ++k) {
      q[k] = 4.0 * nuts_uniform(&s->random) - 2.0;
    }
    if (isfinite(s->density(s->user, q, gradient))) {
      return true;
    }
  }
  return false;
}

/* Runs one chain; draw k of quantity m goes to draws[m][k]. */
static pz_status
run_chain(diet* const d, const settings* const given, const long chain,
          double* const draws[DIET_MOMENTS])
{
  nuts s = {.density = diet_log_density, .user = d, .n = diet_dimensions(d)};
  double q[NUTS_MAX];
  double quantities[DIET_MOMENTS];
  s.random.state = (uint64_t)given->seed * 1000003U + (uint64_t)chain;
  if (!begin(&s, q)) {
    fputs("sampler: found no place where the density is finite\n", stderr);
    return PZ_INVALID;
  }
  nuts_warm_up(&s, q, (int)given->draws / 2);
  const int64_t warm = s.evaluations;
  for (long draw = 0; draw < given->draws; ++draw) {
    nuts_next(&s, q);
    PZ_TRY(diet_quantities(d, q, quantities));
    for (int m = 0; m < DIET_MOMENTS; ++m) {
      draws[m][chain * given->draws + draw] = quantities[m];
    }
  }
  fprintf(stderr, "chain %ld: step %.3f, %.1f gradients a draw, %d divergences\n", chain + 1,
          s.step, (double)(s.evaluations - warm) / (double)given->draws, s.divergences);
  return PZ_OK;
}

static void
print(const settings* const given, double* const draws[DIET_MOMENTS])
{
  printf("%-13s %9s %9s %9s %9s %6s\n", "quantity", "mean", "error", "variance", "error", "R-hat");
  for (int m = 0; m < DIET_MOMENTS; ++m) {
    const summary s = summarize(draws[m], given->chains, given->draws);
    printf("%-13s %9.5f %9.5f %9.6f %9.6f %6.3f\n", diet_names[m], s.mean, s.mean_error, s.variance,
           s.variance_error, s.r_hat);
  }
}

static pz_status
run(const settings* const given, pz_context* const context, diet* const d,
    double* const draws[DIET_MOMENTS])
{
  pz_queue* queue = NULL;
  PZ_TRY(pz_queue_open(context, NULL, NULL, &queue));
  pz_status status = diet_open(d, context, queue);
  for (long chain = 0; chain < given->chains && status == PZ_OK; ++chain) {
    status = run_chain(d, given, chain, draws);
  }
  diet_close(d);
  pz_queue_close(queue);
  if (status == PZ_OK) {
    print(given, draws);
  }
  return status;
}

int
main(const int argc, char** const argv)
{
  settings given = {.chains = 4, .draws = 2000, .seed = 1};
  double* draws[DIET_MOMENTS];
  pz_context* context = NULL;
  diet d = {.L = {.n = 0}};
  if (!parse_all(argc, argv, &given)) {
    return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
  }
  const size_t n = (size_t)(given.chains * given.draws);
  double* const memory = malloc(n * DIET_MOMENTS * sizeof(double));
  for (int m = 0; m < DIET_MOMENTS && memory; ++m) {
    draws[m] = memory + (size_t)m * n;
  }
  const bool done =
      memory && pz_context_new(NULL, &context) == PZ_OK && run(&given, context, &d, draws) == PZ_OK;
  const char* const why = memory ? pz_error_message() : "out of memory";
  if (!done && *why) {
    fprintf(stderr, "sampler: %s\n", why);
  }
  pz_context_free(context);
  free(memory);
  return done ? 0 : 1;
}
