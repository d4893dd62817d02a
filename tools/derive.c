/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* vjp      x, b, gy -> gx = (dy/dx)^T gy
   jvp      x, b, dx -> dy = (dy/dx) dx
   logdet   x, b -> log |det dy/dx|, and its gradient at x

   x are the originals and b the buffers and own parameters, as in compute.c. */

#include "commands.h"
#include "job.h"
#include "say.h"

#include <stdlib.h>

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
  done = done && job_good(j, pz_eval_forward(j->eval, j->state, PZ_CALL_SAVING, NULL, &value)) &&
         job_good(j, pz_eval_vjp(j->eval, j->state, &gradient, 1, want, false, tensors));
  free(tensors);
  return done;
}

int
run_vjp(const arguments* const a)
{
  job j = {.a = a};
  bool done = job_read(&j, a, NULL) && job_open_originals(&j);
  if (done && !job_outputs_match(&j)) {
    job_close(&j);
    return EXIT_USAGE;
  }
  done = done && job_fill_state(&j) && differentiate(&j) && job_write(&j, NULL);
  return job_finish(&j, done);
}

/* Reads the directions; one for each original. */
static bool
read_tangents(const arguments* const a, npy_array* const out, pz_tensor* const tensors)
{
  for (size_t k = 0; k < a->n_tangents; ++k) {
    if (!npy_read(a->tangents[k], &out[k])) {
      return false;
    }
    tensors[k] = npy_tensor(&out[k]);
  }
  return true;
}

/* The derivative along the directions into the result; own parameters do not move. */
static bool
push_forward(job* const j, const pz_tensor* const tangents)
{
  pz_tensor value;
  if (!npy_new(pz_chain_value(j->chain), j->a->outputs[0], &j->results[0])) {
    return false;
  }
  const pz_tensor out = npy_tensor(&j->results[0]);
  return job_good(j, pz_eval_forward(j->eval, j->state, PZ_CALL_SAVING, NULL, &value)) &&
         job_good(j, pz_eval_jvp(j->eval, j->state, tangents, 1, &out));
}

int
run_jvp(const arguments* const a)
{
  job j = {.a = a};
  if (a->n_tangents != a->n_operands) {
    return say_usage("jvp", "--tangent",
                     "found %zu direction%s, expected %zu, one for each original", a->n_tangents,
                     PLURAL(a->n_tangents), a->n_operands);
  }
  bool done = job_read(&j, a, NULL) && job_open_originals(&j);
  const size_t n = done ? a->n_tangents + pz_chain_count(j.chain, PZ_OWN_PARAMETER) : 0;
  npy_array* const arrays = calloc(n + 1, sizeof(*arrays));
  pz_tensor* const tensors = calloc(n + 1, sizeof(*tensors));
  if (arrays == NULL || tensors == NULL) {
    say_no_memory(NULL);
    done = false;
  }
  done = done && read_tangents(a, arrays, tensors) && job_fill_state(&j) &&
         push_forward(&j, tensors) && job_write(&j, NULL);
  for (size_t k = 0; arrays != NULL && k < n; ++k) {
    npy_free(&arrays[k]);
  }
  free(arrays);
  free(tensors);
  return job_finish(&j, done);
}

/* log |det| into the first result, and with --grad the gradients of the originals into the others. */
static bool
measure_density(job* const j)
{
  const uint32_t n = (uint32_t)(j->a->n_outputs - 1);
  const uint32_t all = n + pz_chain_count(j->chain, PZ_OWN_PARAMETER);
  pz_tensor* const tensors = calloc((size_t)all + 1, sizeof(*tensors));
  pz_tensor value;
  pz_spec spec;
  uint64_t want = 0;
  if (tensors == NULL) {
    say_no_memory(NULL);
    return false;
  }
  bool done = job_good(j, pz_chain_density(j->chain, &spec)) &&
              npy_new(&spec, j->a->outputs[0], &j->results[0]);
  for (uint32_t k = 0; k < n && done; ++k) {
    done = npy_new(&j->inputs[k].spec, j->a->outputs[k + 1], &j->results[k + 1]);
    tensors[k] = npy_tensor(&j->results[k + 1]);
    want |= UINT64_C(1) << k;
  }
  done = done && job_good(j, pz_eval_forward(j->eval, j->state, PZ_CALL_SAVING, NULL, &value));
  if (done) {
    const pz_tensor out = npy_tensor(&j->results[0]);
    done = job_good(j, pz_eval_log_abs_det(j->eval, j->state, &out));
  }
  if (done && n > 0) {
    const pz_tensor g = npy_tensor(&j->gradient);
    done = job_good(j, pz_eval_log_abs_det_vjp(j->eval, j->state, &g, want, false, tensors));
  }
  free(tensors);
  return done;
}

int
run_logdet(const arguments* const a)
{
  job j = {.a = a};
  const size_t expected = a->gradient == NULL ? 1 : 1 + a->n_operands;
  if (a->n_outputs != expected) {
    return say_usage("logdet", "-o", "found %zu output%s, expected %zu%s", a->n_outputs,
                     PLURAL(a->n_outputs), expected,
                     a->gradient == NULL ? " without --grad"
                                         : ": of log |det|, then one for each original");
  }
  return job_finish(&j, job_read(&j, a, NULL) && job_open_originals(&j) && job_fill_state(&j) &&
                            measure_density(&j) && job_write(&j, NULL));
}
