/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Chains, states and evaluations: for hosts that keep their tensors themselves. */

#include "tour.h"

#include <stdio.h>

typedef struct objects {
  pz_queue* queue;
  pz_chain* chain;
  pz_chain* longer;
  pz_chain* shorter;
  pz_state* state;
  pz_eval* eval;
} objects;

/* The names of a chain's tensors. */
static void
show_tensors(const pz_chain* const chain)
{
  static const pz_role roles[] = {PZ_ORIGINAL, PZ_OWN_PARAMETER, PZ_STATE_BUFFER};
  printf("%s works on", pz_chain_text(chain));
  for (int r = 0; r < 3; ++r) {
    pz_chain_tensor_info info = {.size = sizeof(info)};
    for (uint32_t k = 0; pz_chain_tensor(chain, roles[r], k, &info) == PZ_OK; ++k) {
      printf(" %s", info.name);
    }
  }
  printf("\n");
}

static pz_status
evaluate(objects* const o, double* const numbers, double* const gradient)
{
  const int64_t shape[] = {3, 3};
  const pz_tensor original = pz_host_tensor(PZ_F64, numbers, 2, shape);
  double out[9];
  const pz_tensor into = pz_host_tensor(PZ_F64, out, 2, shape);
  const pz_tensor cotangent = pz_host_tensor(PZ_F64, numbers, 2, shape);
  const pz_tensor gradients[] = {pz_host_tensor(PZ_F64, gradient, 2, shape)};
  pz_eval_usage usage = {.size = sizeof(usage)};

  /* The state uses the host's memory. After a write the host says so. */
  PZ_TRY(pz_state_bind(o->state, PZ_ORIGINAL, 0, &original));
  const uint64_t before = pz_state_version(o->state);
  numbers[1] = 0.5;
  pz_state_touch(o->state);
  printf("a write gives a new version: %s\n", pz_state_version(o->state) != before ? "yes" : "no");

  PZ_TRY(pz_eval_forward(o->eval, o->state, PZ_CALL_SAVING, &into, NULL));
  PZ_TRY(pz_eval_check(o->eval)); /* waits for an asynchronous device */
  printf("value: %.3f %.3f %.3f ...\n", out[0], out[1], out[2]);
  PZ_TRY(pz_eval_vjp(o->eval, o->state, &cotangent, 1, 1, false, gradients));
  PZ_TRY(pz_eval_memory(o->eval, &usage));
  printf("the evaluation holds memory: %s\n", usage.value_bytes > 0 ? "yes" : "no");
  return PZ_OK;
}

static pz_status
run(pz_context* const context, objects* const o)
{
  const int64_t shape[] = {3, 3};
  const pz_spec spec = pz_spec_make(PZ_F64, 2, shape);
  double numbers[9] = {0.0, 0.25, -1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0};
  double gradient[9];
  PZ_TRY(pz_queue_open(context, NULL, NULL, &o->queue));
  PZ_TRY(pz_chain_new(context, "skew,cayley", NULL, 0, PZ_FROM_TENSOR, &spec, 1, &o->chain));
  PZ_TRY(pz_chain_append(o->chain, "pruning(seed=3)", NULL, 0, &o->longer));
  PZ_TRY(pz_chain_without(o->longer, 1, &o->shorter));
  show_tensors(o->chain);
  show_tensors(o->longer);
  show_tensors(o->shorter);
  PZ_TRY(pz_state_new(o->chain, o->queue, &o->state));
  PZ_TRY(pz_eval_new(o->chain, o->queue, &o->eval));
  return evaluate(o, numbers, gradient);
}

pz_status
tour_chains(pz_context* const context)
{
  objects o = {0};
  const pz_status status = run(context, &o);
  pz_eval_free(o.eval);
  pz_state_free(o.state);
  pz_chain_free(o.shorter);
  pz_chain_free(o.longer);
  pz_chain_free(o.chain);
  pz_queue_close(o.queue);
  return status;
}
