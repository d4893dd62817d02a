/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* apply    x, b -> y = P(x; b)
   vjp      x, b, gy -> gx = (dy/dx)^T gy
   invert   y -> x, b with P(x; b) = y
   sample   -> y in the set of P, b

   x are the originals, read from files. b are the buffers and own parameters (a mask, signs), read
   from --state or initialized by the parametrizations. */

#include "commands.h"
#include "npy.h"
#include "outputs.h"
#include "say.h"

#include <parametrize/parametrize.h>

#include <stdlib.h>
#include <string.h>

/* One run of the command. All zero bytes: nothing is open. */
typedef struct job {
  const arguments* a;
  pz_context* context;
  pz_queue* queue;
  pz_chain* chain;
  pz_state* state;
  pz_eval* eval;
  npy_array* inputs; /* one for each operand */
  npy_array gradient;
  npy_array* results; /* one for each output */
} job;

/* Did a library call succeed? Prints its error after the chain. */
static bool
good(const job* const j, const pz_status status)
{
  return status == PZ_OK || (say_library(j->a->chain, status), false);
}

static void
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

/* Checks the output files, then reads the arrays of the operands and --grad. */
static bool
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

/* Opens everything from the context to the evaluation. */
static bool
job_open(job* const j, const pz_direction direction, const pz_spec* const given,
         const size_t n_given)
{
  const arguments* const a = j->a;
  const pz_context_settings settings = {.size = sizeof(settings), .seed = a->seed};
  if (!good(j, pz_context_new(&settings, &j->context))) {
    return false;
  }
  const pz_status status = pz_queue_open(j->context, a->device, NULL, &j->queue);
  if (status != PZ_OK) {
    say_library(a->device ? a->device : "device", status);
    return false;
  }
  return good(j, pz_chain_new(j->context, a->chain, NULL, 0, direction, given, (uint32_t)n_given,
                              &j->chain)) &&
         good(j, pz_state_new(j->chain, j->queue, &j->state)) &&
         good(j, pz_eval_new(j->chain, j->queue, &j->eval));
}

/* The same for operands that are the originals. */
static bool
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

/* Fills in the originals from the files; buffers and own parameters from --state, or
   initialized. */
static bool
fill_state(job* const j)
{
  const arguments* const a = j->a;
  for (size_t k = 0; k < a->n_operands; ++k) {
    const pz_tensor host = npy_tensor(&j->inputs[k]);
    pz_tensor original;
    if (!good(j, pz_state_tensor(j->state, PZ_ORIGINAL, (uint32_t)k, &original)) ||
        !good(j, pz_queue_upload(j->queue, &host, &original))) {
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
    return true;
  }
  const pz_tensor first = npy_tensor(&j->inputs[0]);
  return good(j, pz_eval_initialize(j->eval, j->state, 0, &first));
}

/* Result k <- a tensor on the device. */
static bool
fetch(job* const j, const size_t k, const pz_tensor* const tensor)
{
  const pz_spec spec = pz_spec_of(tensor);
  if (!npy_new(&spec, j->a->outputs[k], &j->results[k])) {
    return false;
  }
  const pz_tensor host = npy_tensor(&j->results[k]);
  return good(j, pz_queue_download(j->queue, tensor, &host));
}

/* Results <- the originals. */
static bool
fetch_originals(job* const j)
{
  for (size_t k = 0; k < j->a->n_outputs; ++k) {
    pz_tensor original;
    if (!good(j, pz_state_tensor(j->state, PZ_ORIGINAL, (uint32_t)k, &original)) ||
        !fetch(j, k, &original)) {
      return false;
    }
  }
  return true;
}

static bool
write_results(job* const j, const char* const state_path)
{
  return outputs_write(j->a->outputs, j->results, j->a->n_outputs, state_path, j->state,
                       j->a->force);
}

/* Ends a command: `done`, or a failure that was printed. */
static int
finish(job* const j, const bool done)
{
  job_close(j);
  return done ? EXIT_GOOD : EXIT_ERROR;
}

/* Is there one output for each original? Otherwise prints an error and returns false. */
static bool
outputs_match(const job* const j)
{
  const uint32_t n = pz_chain_count(j->chain, PZ_ORIGINAL);
  if (n == j->a->n_outputs) {
    return true;
  }
  say_usage(j->a->command->name, "-o", "found %zu outputs, expected %u, one for each original",
            j->a->n_outputs, (unsigned)n);
  return false;
}

int
run_apply(const arguments* const a)
{
  job j = {.a = a};
  pz_tensor value;
  return finish(&j, job_read(&j, a, NULL) && job_open_originals(&j) && fill_state(&j) &&
                        good(&j, pz_eval_forward(j.eval, j.state, 0, NULL, &value)) &&
                        fetch(&j, 0, &value) && write_results(&j, NULL));
}

/* Results <- the gradients of the originals; those of own parameters are not computed. */
static bool
differentiate(job* const j)
{
  const uint32_t n = pz_chain_count(j->chain, PZ_ORIGINAL);
  const uint32_t all = n + pz_chain_count(j->chain, PZ_OWN_PARAMETER);
  const pz_tensor gradient = npy_tensor(&j->gradient);
  pz_tensor* const tensors = calloc(all, sizeof(*tensors));
  pz_tensor value;
  uint64_t want = 0;
  if (tensors == NULL) {
    say_no_memory(NULL);
    return false;
  }
  bool done = true;
  for (uint32_t k = 0; k < n && done; ++k) {
    done = npy_new(&j->inputs[k].spec, j->a->outputs[k], &j->results[k]);
    tensors[k] = npy_tensor(&j->results[k]);
    want |= UINT64_C(1) << k;
  }
  done = done && good(j, pz_eval_forward(j->eval, j->state, PZ_CALL_SAVING, NULL, &value)) &&
         good(j, pz_eval_vjp(j->eval, j->state, &gradient, 1, want, false, tensors));
  free(tensors);
  return done;
}

int
run_vjp(const arguments* const a)
{
  job j = {.a = a};
  bool done = job_read(&j, a, NULL) && job_open_originals(&j);
  if (done && !outputs_match(&j)) {
    job_close(&j);
    return EXIT_USAGE;
  }
  done = done && fill_state(&j) && differentiate(&j) && write_results(&j, NULL);
  return finish(&j, done);
}

/* Copies of own parameters and buffers on the host. */
typedef struct kept {
  npy_array* arrays;
  size_t n;
} kept;

static void
kept_free(kept* const k)
{
  for (size_t i = 0; i < k->n; ++i) {
    npy_free(&k->arrays[i]);
  }
  free(k->arrays);
}

static bool
kept_take(job* const j, kept* const out)
{
  static const pz_role roles[] = {PZ_OWN_PARAMETER, PZ_STATE_BUFFER};
  const size_t n = (size_t)pz_chain_count(j->chain, PZ_OWN_PARAMETER) +
                   pz_chain_count(j->chain, PZ_STATE_BUFFER);
  out->arrays = calloc(n + 1, sizeof(*out->arrays));
  if (out->arrays == NULL) {
    say_no_memory(NULL);
    return false;
  }
  for (size_t r = 0; r < sizeof(roles) / sizeof(roles[0]); ++r) {
    for (uint32_t k = 0; k < pz_chain_count(j->chain, roles[r]); ++k) {
      pz_tensor tensor;
      if (!good(j, pz_state_tensor(j->state, roles[r], k, &tensor))) {
        return false;
      }
      const pz_spec spec = pz_spec_of(&tensor);
      if (!npy_new(&spec, j->a->chain, &out->arrays[out->n])) {
        return false;
      }
      const pz_tensor host = npy_tensor(&out->arrays[out->n++]);
      if (!good(j, pz_queue_download(j->queue, &tensor, &host))) {
        return false;
      }
    }
  }
  return true;
}

/* Without --state, changes of buffers or own parameters by assignment would be lost. Prints an
   error and returns false if there are any. */
static bool
nothing_lost(job* const j, const kept* const before)
{
  kept after = {.n = 0};
  bool same = j->a->state != NULL || kept_take(j, &after);
  for (size_t k = 0; k < after.n && same; ++k) {
    const size_t bytes =
        (size_t)pz_spec_count(&after.arrays[k].spec) * pz_dtype_size(after.arrays[k].spec.dtype);
    same = bytes == 0 || memcmp(before->arrays[k].data, after.arrays[k].data, bytes) == 0;
    if (!same) {
      (void)say(j->a->chain, "found a value that changes buffers or own parameters, expected "
                             "--state FILE to write them to");
    }
  }
  kept_free(&after);
  return same;
}

int
run_invert(const arguments* const a)
{
  job j = {.a = a};
  bool done = job_read(&j, a, a->state) && job_open(&j, PZ_FROM_TENSOR, &j.inputs[0].spec, 1);
  if (done && !outputs_match(&j)) {
    job_close(&j);
    return EXIT_USAGE;
  }
  if (done) {
    const pz_tensor value = npy_tensor(&j.inputs[0]);
    kept before = {.n = 0};
    done = good(&j, pz_eval_initialize(j.eval, j.state, 0, &value)) && kept_take(&j, &before) &&
           good(&j, pz_eval_assign(j.eval, j.state, PZ_ASSIGN, &value)) &&
           nothing_lost(&j, &before) && fetch_originals(&j) && write_results(&j, a->state);
    kept_free(&before);
  }
  return finish(&j, done);
}

/* The tensor with which parametrizations initialize a new state: identity matrices, which lie in
   almost every set and are never singular; ones for tensors without matrices. */
static bool
make_identity(const pz_spec* const spec, npy_array* const out)
{
  if (!npy_new(spec, "sample", out)) {
    return false;
  }
  const int64_t count = pz_spec_count(spec);
  const int64_t cols = spec->ndim > 0 ? spec->shape[spec->ndim - 1] : 1;
  const int64_t rows = spec->ndim > 1 ? spec->shape[spec->ndim - 2] : 1;
  for (int64_t k = 0; k < count; ++k) {
    const int64_t column = k % cols;
    const double one = spec->ndim < 2 || k / cols % rows == column ? 1.0 : 0.0;
    if (spec->dtype == PZ_F32) {
      ((float*)out->data)[k] = (float)one;
    } else {
      ((double*)out->data)[k] = one;
    }
  }
  return true;
}

/* Reads the operands of sample as a spec. */
static int
read_extents(const arguments* const a, pz_spec* const out)
{
  const int64_t zeros[PZ_MAX_DIMS] = {0};
  size_t bytes = 0;
  *out = pz_spec_make(a->dtype ? a->dtype : PZ_F32, (int32_t)a->n_operands, zeros);
  for (size_t k = 0; k < a->n_operands; ++k) {
    uint64_t extent = 0;
    if (!read_number(a->operands[k], 0, INT64_MAX, &extent)) {
      return say_usage("sample", a->operands[k], "expected an extent, a whole number");
    }
    out->shape[k] = (int64_t)extent;
  }
  return npy_bytes(out, &bytes)
             ? EXIT_GOOD
             : say("sample", "found an array of 2^62 bytes or more, expected less");
}

int
run_sample(const arguments* const a)
{
  pz_spec spec;
  job j = {.a = a};
  pz_tensor value;
  const int status = read_extents(a, &spec);
  if (status != EXIT_GOOD) {
    return status;
  }
  npy_array identity = {.data = NULL};
  bool done = outputs_check(a->outputs, a->n_outputs, a->state, a->force) &&
              job_open(&j, PZ_FROM_TENSOR, &spec, 1) && make_identity(&spec, &identity);
  if (done) {
    const pz_tensor tensor = npy_tensor(&identity);
    j.results = calloc(a->n_outputs, sizeof(*j.results));
    done = (j.results != NULL || (say_no_memory(NULL), false)) &&
           good(&j, pz_eval_initialize(j.eval, j.state, 0, &tensor)) &&
           good(&j, pz_eval_sample(j.eval, j.state)) &&
           good(&j, pz_eval_forward(j.eval, j.state, 0, NULL, &value)) && fetch(&j, 0, &value) &&
           write_results(&j, a->state);
  }
  npy_free(&identity);
  return finish(&j, done);
}
