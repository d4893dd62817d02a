/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A job reads its operands, opens everything from the context to the evaluation, and writes its
   results together. */

#include "job.h"

#include "outputs.h"
#include "say.h"

#include <stdlib.h>

bool
job_good(const job* const j, const pz_status status)
{
  return status == PZ_OK || (say_library(j->a->chain, status), false);
}

void
job_close(job* const j)
{
  for (size_t k = 0; j->inputs && k < j->a->n_operands; ++k) {
    npy_free(&j->inputs[k]);
  }
  for (size_t k = 0; j->results && k < j->a->n_outputs; ++k) {
    npy_free(&j->results[k]);
  }
  npy_free(&j->gradient);
  free(j->inputs);
  free(j->results);
  pz_eval_free(j->eval);
  pz_state_free(j->state);
  pz_chain_free(j->chain);
  pz_queue_close(j->queue);
  pz_context_free(j->context);
}

bool
job_read(job* const j, const arguments* const a, const char* const written_state)
{
  j->a = a;
  j->inputs = calloc(a->n_operands, sizeof(*j->inputs));
  j->results = calloc(a->n_outputs, sizeof(*j->results));
  if (j->inputs == NULL || j->results == NULL) {
    say_no_memory(NULL);
    return false;
  }
  if (!outputs_check(a->outputs, a->n_outputs, written_state, a->force)) {
    return false;
  }
  for (size_t k = 0; k < a->n_operands; ++k) {
    if (!npy_read(a->operands[k], &j->inputs[k])) {
      return false;
    }
  }
  return a->gradient == NULL || npy_read(a->gradient, &j->gradient);
}

bool
job_open(job* const j, const pz_direction direction, const pz_spec* const given,
         const size_t n_given)
{
  const arguments* const a = j->a;
  const pz_context_settings settings = {
      .size = sizeof(settings), .flags = PZ_DEVICE_TENSORS, .seed = a->seed};
  if (!job_good(j, pz_context_new(&settings, &j->context))) {
    return false;
  }
  const pz_status status = pz_queue_open(j->context, a->device, NULL, &j->queue);
  if (status != PZ_OK) {
    say_library(a->device ? a->device : "device", status);
    return false;
  }
  return job_good(j, pz_chain_new(j->context, a->chain, NULL, 0, direction, given,
                                  (uint32_t)n_given, &j->chain)) &&
         job_good(j, pz_state_new(j->chain, j->queue, &j->state)) &&
         job_good(j, pz_eval_new(j->chain, j->queue, &j->eval));
}

bool
job_open_originals(job* const j)
{
  const size_t n = j->a->n_operands;
  pz_spec* const specs = calloc(n, sizeof(*specs));
  if (specs == NULL) {
    say_no_memory(NULL);
    return false;
  }
  for (size_t k = 0; k < n; ++k) {
    specs[k] = j->inputs[k].spec;
  }
  const bool opened = job_open(j, PZ_FROM_INPUT, specs, n);
  free(specs);
  return opened;
}

/* Runs the updates that were asked for. */
static bool
update(job* const j)
{
  for (uint64_t k = 0; k < j->a->updates; ++k) {
    if (!job_good(j, pz_eval_update(j->eval, j->state))) {
      return false;
    }
  }
  return true;
}

bool
job_fill_state(job* const j)
{
  const arguments* const a = j->a;
  for (size_t k = 0; k < a->n_operands; ++k) {
    const pz_tensor host = npy_tensor(&j->inputs[k]);
    pz_tensor original;
    if (!job_good(j, pz_state_tensor(j->state, PZ_ORIGINAL, (uint32_t)k, &original)) ||
        !job_good(j, pz_queue_upload(j->queue, &host, &original))) {
      return false;
    }
  }
  pz_state_touch(j->state);
  if (a->state != NULL) {
    const pz_status status = pz_state_load(j->state, a->state);
    if (status != PZ_OK) {
      say_library(a->state, status);
      return false;
    }
    return update(j);
  }
  const pz_tensor first = npy_tensor(&j->inputs[0]);
  return job_good(j, pz_eval_initialize(j->eval, j->state, 0, &first)) && update(j);
}

bool
job_fetch(job* const j, const size_t k, const pz_tensor* const tensor)
{
  const pz_spec spec = pz_spec_of(tensor);
  if (!npy_new(&spec, j->a->outputs[k], &j->results[k])) {
    return false;
  }
  const pz_tensor host = npy_tensor(&j->results[k]);
  return job_good(j, pz_queue_download(j->queue, tensor, &host));
}

bool
job_write(job* const j, const char* const state_path)
{
  return outputs_write(j->a->outputs, j->results, j->a->n_outputs, state_path, j->state,
                       j->a->force);
}

int
job_finish(job* const j, const bool done)
{
  job_close(j);
  return done ? EXIT_GOOD : EXIT_ERROR;
}

bool
job_outputs_match(const job* const j)
{
  const uint32_t n = pz_chain_count(j->chain, PZ_ORIGINAL);
  if (n == j->a->n_outputs) {
    return true;
  }
  say_usage(j->a->command->name, "-o", "found %zu output%s, expected %u, one for each original",
            j->a->n_outputs, PLURAL(j->a->n_outputs), (unsigned)n);
  return false;
}
