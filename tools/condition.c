/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Only a parametrization can call the operations of a device. The one here has all matrices as its
   set, and its "distance" is the condition number, cond(Y) = sigma_1(Y) / sigma_k(Y). It has a
   context of its own, so that its id cannot collide with an installed one. */

#include "condition.h"

#include <parametrize/plugin.h>

#include <math.h>
#include <string.h>

#define ID "condition_number"

static pz_status
condition_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_copy(c, x, y);
}

/* sigma_1 / sigma_k, the largest over the batch */
static pz_status
condition_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  if (y->ndim < 2) {
    return pz_fail(c, PZ_UNSUPPORTED, "found no matrices");
  }
  const int64_t batch = pz_batch(y);
  const int64_t k = pz_rows(y) < pz_cols(y) ? pz_rows(y) : pz_cols(y);
  if (batch * k == 0) {
    return pz_fail(c, PZ_UNSUPPORTED, "found no elements");
  }
  pz_spec spec = pz_spec_of(y);
  spec.ndim = y->ndim - 1;
  spec.shape[spec.ndim - 1] = k;
  pz_tensor s;
  void* memory;
  PZ_TRY(pz_work(c, &spec, &s));
  PZ_TRY(pz_work_host(c, (size_t)(batch * k) * sizeof(double), &memory));
  PZ_TRY(pz_svd(c, y, NULL, &s, NULL));
  double* const sigma = memory;
  PZ_TRY(pz_read(c, &s, sigma));
  *distance = 0.0;
  for (int64_t i = 0; i < batch; ++i) {
    const double most = sigma[i * k];
    const double least = sigma[i * k + k - 1];
    if (!isfinite(most) || !isfinite(least)) {
      return pz_fail(c, PZ_UNSUPPORTED, "matrix %lld is not finite", (long long)i);
    }
    *distance = fmax(*distance, least > 0.0 ? most / least : (double)INFINITY);
  }
  return PZ_OK;
}

static const pz_parametrization condition_number = {
    .size = sizeof(condition_number),
    .option_size = sizeof(pz_option),
    .id = ID,
    .summary = "Any matrices, with their condition number as the distance",
    .forward = condition_forward,
    .residual = condition_residual,
};

pz_status
condition_open(condition* const c, const char* const device)
{
  const pz_item item = PZ_PARAMETRIZATION(&condition_number);
  const pz_plugin plugin = {
      .size = sizeof(plugin),
      .item_size = sizeof(item),
      .abi = PZ_ABI_INITIALIZER,
      .name = ID,
      .version = "1.0.0",
      .items = &item,
      .n_items = 1,
  };
  PZ_TRY(pz_context_new(NULL, &c->context));
  PZ_TRY(pz_context_add_plugin(c->context, &plugin));
  return pz_queue_open(c->context, device, NULL, &c->queue);
}

void
condition_close(condition* const c)
{
  pz_queue_close(c->queue);
  pz_context_free(c->context);
  memset(c, 0, sizeof(*c));
}

pz_status
condition_of(condition* const c, const pz_tensor* const matrices, double* const out)
{
  const pz_spec spec = pz_spec_of(matrices);
  pz_chain* chain = NULL;
  pz_state* state = NULL;
  pz_eval* eval = NULL;
  pz_status status = pz_chain_new(c->context, ID, NULL, 0, PZ_FROM_INPUT, &spec, 1, &chain);
  if (status == PZ_OK) {
    status = pz_state_new(chain, c->queue, &state);
  }
  if (status == PZ_OK) {
    status = pz_eval_new(chain, c->queue, &eval);
  }
  if (status == PZ_OK) {
    status = pz_eval_residual(eval, state, 0, matrices, out);
  }
  pz_eval_free(eval);
  pz_state_free(state);
  pz_chain_free(chain);
  return status;
}
