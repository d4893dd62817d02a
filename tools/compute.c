/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* apply    x, b -> y = P(x; b)
   invert   y -> x, b with P(x; b) = y
   sample   -> y in the set of P, b

   x are the originals, read from files. b are the buffers and own parameters (a mask, signs), read
   from --state or initialized by the parametrizations. */

#include "commands.h"
#include "job.h"
#include "outputs.h"
#include "say.h"

#include <parametrize/parametrize.h>

#include <stdlib.h>
#include <string.h>

/* Results <- the originals. */
static bool
fetch_originals(job* const j)
{
  for (size_t k = 0; k < j->a->n_outputs; ++k) {
    pz_tensor original;
    if (!job_good(j, pz_state_tensor(j->state, PZ_ORIGINAL, (uint32_t)k, &original)) ||
        !job_fetch(j, k, &original)) {
      return false;
    }
  }
  return true;
}

/* Says if an orthogonal value is further from the set than assignment accepts. */
static bool
check_rounding(job* const j, const pz_tensor* const value)
{
  const pz_spec* const spec = pz_chain_value(j->chain);
  if (spec->structure != PZ_ORTHOGONAL || spec->ndim < 2) {
    return true;
  }
  const int64_t rows = spec->shape[spec->ndim - 2];
  const int64_t cols = spec->shape[spec->ndim - 1];
  const double most = 100.0 * (double)(rows > cols ? rows : cols) * pz_dtype_epsilon(spec->dtype);
  double distance = 0.0;
  const pz_status status =
      pz_eval_residual(j->eval, j->state, pz_chain_length(j->chain) - 1, value, &distance);
  if (status == PZ_UNSUPPORTED) {
    return true;
  }
  if (!job_good(j, status)) {
    return false;
  }
  if (!(distance <= most)) {
    (void)say(j->a->chain,
              "found a value at distance %.3g from the orthogonal ones, expected at most 100 n eps "
              "= %.3g; its rounding error grows with the norm of the originals",
              distance, most);
  }
  return true;
}

int
run_apply(const arguments* const a)
{
  job j = {.a = a};
  pz_tensor value;
  return job_finish(&j, job_read(&j, a, NULL) && job_open_originals(&j) && job_fill_state(&j) &&
                            job_good(&j, pz_eval_forward(j.eval, j.state, 0, NULL, &value)) &&
                            job_good(&j, pz_eval_check(j.eval)) && job_fetch(&j, 0, &value) &&
                            job_write(&j, NULL) && check_rounding(&j, &value));
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
      if (!job_good(j, pz_state_tensor(j->state, roles[r], k, &tensor))) {
        return false;
      }
      const pz_spec spec = pz_spec_of(&tensor);
      if (!npy_new(&spec, j->a->chain, &out->arrays[out->n])) {
        return false;
      }
      const pz_tensor host = npy_tensor(&out->arrays[out->n++]);
      if (!job_good(j, pz_queue_download(j->queue, &tensor, &host))) {
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
  if (done && !job_outputs_match(&j)) {
    job_close(&j);
    return EXIT_USAGE;
  }
  if (done) {
    const pz_tensor value = npy_tensor(&j.inputs[0]);
    kept before = {.n = 0};
    done = job_good(&j, pz_eval_initialize(j.eval, j.state, 0, &value)) && kept_take(&j, &before) &&
           job_good(&j, pz_eval_assign(j.eval, j.state, PZ_ASSIGN, &value)) &&
           nothing_lost(&j, &before) && fetch_originals(&j) && job_write(&j, a->state);
    kept_free(&before);
  }
  return job_finish(&j, done);
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
           job_good(&j, pz_eval_initialize(j.eval, j.state, 0, &tensor)) &&
           job_good(&j, pz_eval_sample(j.eval, j.state)) &&
           job_good(&j, pz_eval_forward(j.eval, j.state, 0, NULL, &value)) &&
           job_good(&j, pz_eval_check(j.eval)) && job_fetch(&j, 0, &value) &&
           job_write(&j, a->state);
  }
  npy_free(&identity);
  return job_finish(&j, done);
}
