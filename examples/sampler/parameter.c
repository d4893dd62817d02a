/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "parameter.h"

#include <stdio.h>

static bool
is_coordinate(const uint32_t kind, const pz_spec* const spec, const int64_t entry)
{
  const int64_t n = spec->ndim > 0 ? spec->shape[spec->ndim - 1] : 1;
  const int64_t row = entry / n;
  const int64_t column = entry % n;
  switch (kind) {
  case PZ_UPPER_TRIANGLE:
    return row <= column;
  case PZ_LOWER_TRIANGLE:
    return row >= column;
  case PZ_STRICT_UPPER:
    return row < column;
  case PZ_STRICT_LOWER:
    return row > column;
  default:
    return true;
  }
}

static pz_tensor
tensor_of(const pz_spec* const spec, double* const data)
{
  return pz_host_tensor(spec->dtype, data, spec->ndim, spec->shape);
}

static pz_status
too_large(const char* const chain)
{
  fprintf(stderr, "sampler: %s: expected at most %d entries\n", chain, (int)PARAMETER_MAX);
  return PZ_INVALID;
}

pz_status
parameter_open(parameter* const p, pz_context* const context, pz_queue* const queue,
               const char* const chain, const int32_t ndim, const int64_t* const shape)
{
  pz_chain_tensor_info original = {.size = sizeof(original)};
  pz_stage_info stage = {.size = sizeof(stage)};
  p->value = pz_spec_make(PZ_F64, ndim, shape);
  PZ_TRY(pz_chain_new(context, chain, NULL, 0, PZ_FROM_TENSOR, &p->value, 1, &p->chain));
  PZ_TRY(pz_chain_density(p->chain, &p->density)); /* refuses a chain without log |det| */
  PZ_TRY(pz_chain_stage(p->chain, 0, &stage));
  PZ_TRY(pz_chain_tensor(p->chain, PZ_ORIGINAL, 0, &original));
  PZ_TRY(pz_state_new(p->chain, queue, &p->state));
  PZ_TRY(pz_eval_new(p->chain, queue, &p->eval));
  p->original = original.spec;
  const int64_t entries = pz_spec_count(&p->original);
  if (entries > PARAMETER_MAX || pz_spec_count(&p->value) > PARAMETER_MAX) {
    return too_large(chain);
  }
  for (int64_t entry = 0; entry < entries; ++entry) {
    if (is_coordinate(stage.density_in, &p->original, entry)) {
      p->coordinates[p->n++] = entry;
    }
  }
  const pz_tensor x = tensor_of(&p->original, p->x);
  return pz_state_bind(p->state, PZ_ORIGINAL, 0, &x);
}

void
parameter_close(parameter* const p)
{
  pz_eval_free(p->eval);
  pz_state_free(p->state);
  pz_chain_free(p->chain);
  *p = (parameter){.n = 0};
}

pz_status
parameter_forward(parameter* const p, const double* const q, double* const log_density)
{
  const pz_tensor y = tensor_of(&p->value, p->y);
  const pz_tensor log_det = tensor_of(&p->density, p->log_det);
  for (int k = 0; k < p->n; ++k) {
    p->x[p->coordinates[k]] = q[k];
  }
  pz_state_touch(p->state);
  PZ_TRY(pz_eval_forward(p->eval, p->state, PZ_CALL_SAVING, &y, NULL));
  PZ_TRY(pz_eval_log_abs_det(p->eval, p->state, &log_det));
  for (int64_t k = 0; k < pz_spec_count(&p->density); ++k) {
    *log_density += p->log_det[k];
  }
  return PZ_OK;
}

pz_status
parameter_backward(parameter* const p, double* const gq)
{
  double ones[PARAMETER_MAX];
  for (int k = 0; k < PARAMETER_MAX; ++k) {
    ones[k] = 1.0;
  }
  const pz_tensor gy = tensor_of(&p->value, p->gy);
  const pz_tensor g_log_det = tensor_of(&p->density, ones);
  const pz_tensor gx = tensor_of(&p->original, p->gx);
  PZ_TRY(pz_eval_vjp(p->eval, p->state, &gy, 1, 1, false, &gx));
  PZ_TRY(pz_eval_log_abs_det_vjp(p->eval, p->state, &g_log_det, 1, true, &gx));
  for (int k = 0; k < p->n; ++k) {
    gq[k] = p->gx[p->coordinates[k]];
  }
  return PZ_OK;
}
