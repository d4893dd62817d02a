/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Random bits come from splitmix64 (Steele, Lea, Flood 2014) as a function of a counter: three
   rounds mix seed, number and index. */

#include "problem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MARKER = 9, CHOICES = 8 };

problem
problem_make(const problem_kind kind, const int length, const int batch)
{
  const int k = PROBLEM_SYMBOLS;
  problem p = {.kind = kind, .length = length, .batch = batch};
  if (kind == PROBLEM_COPYING) {
    p.steps = length + 2 * k;
    p.n_inputs = PROBLEM_SYMBOLS;
    p.n_outputs = CHOICES + 1;
    p.first_output = 0;
    p.baseline = k * log(CHOICES) / p.steps;
  } else {
    p.steps = length;
    p.n_inputs = 2;
    p.n_outputs = 1;
    p.first_output = length - 1;
    p.baseline = 1.0 / 6.0;
  }
  return p;
}

int
problem_batch_init(const problem* const p, problem_batch* const batch)
{
  const size_t n = (size_t)p->steps * (size_t)p->batch;
  batch->symbol = calloc(n, 1);
  batch->target = calloc(n, 1);
  batch->value = calloc(n, sizeof(real));
  batch->sum = calloc((size_t)p->batch, sizeof(real));
  if (!batch->symbol || !batch->target || !batch->value || !batch->sum) {
    problem_batch_cleanup(batch);
    return -1;
  }
  return 0;
}

void
problem_batch_cleanup(problem_batch* const batch)
{
  free(batch->symbol);
  free(batch->target);
  free(batch->value);
  free(batch->sum);
  *batch = (problem_batch){0};
}

static uint64_t
mix(uint64_t z)
{
  z += 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

double
problem_uniform(const uint64_t seed, const uint64_t number, const uint64_t index)
{
  const uint64_t bits = mix(mix(mix(seed) ^ number) ^ index);
  return ((double)(bits >> 11) + 0.5) * 0x1p-53;
}

static void
draw_copying(const problem* const p, const uint64_t seed, const uint64_t number,
             problem_batch* const b)
{
  const int k = PROBLEM_SYMBOLS;
  const size_t width = (size_t)p->batch;
  memset(b->symbol, 0, (size_t)p->steps * width);
  memset(b->target, 0, (size_t)p->steps * width);
  memset(b->symbol + (size_t)(k + p->length) * width, MARKER, width);
  for (int t = 0; t < k; ++t) {
    for (int s = 0; s < p->batch; ++s) {
      const double u = problem_uniform(seed, number, (uint64_t)s * PROBLEM_SYMBOLS + (uint64_t)t);
      const uint8_t symbol = (uint8_t)(1 + (int)(u * CHOICES));
      b->symbol[(size_t)t * width + (size_t)s] = symbol;
      b->target[(size_t)(k + p->length + t) * width + (size_t)s] = symbol;
    }
  }
}

static void
draw_adding(const problem* const p, const uint64_t seed, const uint64_t number,
            problem_batch* const b)
{
  const size_t width = (size_t)p->batch;
  const uint64_t per_sequence = (uint64_t)p->length + 2;
  const int half = p->length / 2;
  memset(b->symbol, 0, (size_t)p->steps * width);
  for (int s = 0; s < p->batch; ++s) {
    const uint64_t first = (uint64_t)s * per_sequence;
    for (int t = 0; t < p->length; ++t) {
      b->value[(size_t)t * width + (size_t)s] =
          (real)problem_uniform(seed, number, first + 2 + (uint64_t)t);
    }
    const int early = (int)(problem_uniform(seed, number, first) * half);
    const int late = half + (int)(problem_uniform(seed, number, first + 1) * (p->length - half));
    const size_t i = (size_t)early * width + (size_t)s;
    const size_t j = (size_t)late * width + (size_t)s;
    b->symbol[i] = 1;
    b->symbol[j] = 1;
    b->sum[s] = b->value[i] + b->value[j];
  }
}

void
problem_draw(const problem* const p, const uint64_t seed, const uint64_t number,
             problem_batch* const batch)
{
  if (p->kind == PROBLEM_COPYING) {
    draw_copying(p, seed, number, batch);
  } else {
    draw_adding(p, seed, number, batch);
  }
}
