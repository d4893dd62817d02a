/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Results are written where the caller wants them, if the stages can do so, or stay pending and are
   written or added there together at the end. */

#include "eval_back.h"

#include "check_tensor.h"
#include "overlap.h"
#include "pending.h"
#include "queue_copy.h"
#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

uint32_t
pzi_back_trained(const pz_chain* const chain)
{
  return chain->n_role[PZ_ORIGINAL] + chain->n_role[PZ_OWN_PARAMETER];
}

static bool
wanted(const uint64_t want, const uint32_t place)
{
  return (want >> place & 1U) != 0;
}

/* ---- checks ------------------------------------------------------------------------- */

pz_status
pzi_back_check_saved(pz_eval* const eval, const pz_state* const state, const char* const what)
{
  if (!eval || !state) {
    return pzi_fail(PZ_INVALID, "%s: found a NULL argument", what);
  }
  if (eval->version == 0) {
    return pzi_fail(PZ_INVALID, "%s: found no evaluation, expected a successful forward before",
                    what);
  }
  if (eval->version != pz_state_version(state)) {
    return pzi_fail(PZ_STALE, "%s: the state changed since forward", what);
  }
  if ((eval->flags & PZ_CALL_SAVING) == 0) {
    return pzi_fail(PZ_INVALID, "%s: forward did not save, expected it with PZ_CALL_SAVING", what);
  }
  return eval->queue->async ? PZ_OK : pzi_eval_fault(eval, &eval->fault);
}

pz_status
pzi_back_check_want(const pz_eval* const eval, const uint64_t want,
                    const pz_tensor* const gradients, const char* const what)
{
  if (!eval) {
    return pzi_fail(PZ_INVALID, "%s: found a NULL argument", what);
  }
  const uint32_t n = pzi_back_trained(eval->chain);
  return (n < 64 && want >> n != 0) || (want != 0 && !gradients)
             ? pzi_fail(PZ_INVALID, "%s: found want 0x%" PRIx64 "%s, expected %" PRIu32 " bit%s",
                        what, want, gradients ? "" : " without gradients", n, PZI_S(n))
             : PZ_OK;
}

pz_status
pzi_back_check_gradients(const pz_eval* const eval, const uint64_t want,
                         const pz_tensor* const gradients)
{
  for (uint32_t k = 0; k < pzi_back_trained(eval->chain); ++k) {
    if (wanted(want, k)) {
      const pzi_chain_tensor* const known = &eval->chain->tensors[k];
      if (pzi_check_tensor(eval->queue, &gradients[k], &known->spec, "gradient") != PZ_OK) {
        char what[128]; /* formatted after a failure only: it takes time */
        snprintf(what, sizeof(what), "gradient of %.80s", known->name);
        return pzi_check_tensor(eval->queue, &gradients[k], &known->spec, what);
      }
      if (pzi_overlap_self(&gradients[k])) {
        return pzi_fail(PZ_INVALID, "gradient of %s: found strides that address an element twice",
                        known->name);
      }
    }
  }
  return PZ_OK;
}

uint32_t
pzi_back_first(const pz_chain* const chain, const uint64_t want)
{
  uint32_t first = chain->n_maps;
  for (uint32_t k = 0; k < pzi_back_trained(chain); ++k) {
    const uint32_t map = chain->stages[chain->tensors[k].stage].map;
    first = wanted(want, k) && map < first ? map : first;
  }
  return first;
}

/* ---- results in place ------------------------------------------------------------------ */

static bool
shares(const pz_eval* const eval, const pz_tensor* const t, const pz_tensor* const with,
       const size_t n)
{
  for (size_t k = 0; k < n; ++k) {
    if (&with[k] != t && with[k].data && pzi_overlap(eval->queue->addresses, t, &with[k])) {
      return true;
    }
  }
  return false;
}

bool
pzi_back_writable(const pz_eval* const eval, const pz_tensor* const result,
                  const pz_tensor* const given, const size_t n)
{
  return !eval->checks && pzi_eval_ready(eval, result) && !shares(eval, result, given, n) &&
         !shares(eval, result, eval->loaded, eval->chain->n_tensors) &&
         !shares(eval, result, &eval->value, 1);
}

void
pzi_back_direct(const pz_eval* const eval, const pz_tensor* const given, const size_t n,
                const uint64_t want, const pz_tensor* const gradients, pz_tensor* const into)
{
  const uint32_t n_trained = pzi_back_trained(eval->chain);
  for (uint32_t k = 0; k < n_trained; ++k) {
    into[k] = wanted(want, k) ? gradients[k] : (pz_tensor){0};
  }
  for (uint32_t k = 0; k < n_trained; ++k) {
    const bool original = k < eval->chain->n_role[PZ_ORIGINAL];
    const pzi_way* const read = original && eval->chain->read ? &eval->chain->read[k] : NULL;
    if (into[k].data && (pzi_way_moves(read) || !pzi_back_writable(eval, &into[k], given, n) ||
                         shares(eval, &into[k], into, n_trained))) {
      into[k].data = NULL;
    }
  }
}

static bool
is_there(const pz_tensor* const result, const pz_tensor* const out)
{
  return result->data == out->data && result->byte_offset == out->byte_offset;
}

/* The number of tensor k of stage i among originals and own parameters; UINT32_MAX if its gradient goes
   on to the stage before. */
static uint32_t
place_of(const pz_eval* const eval, const uint32_t i, const uint32_t k)
{
  const pzi_eval_stage* const stage = &eval->stages[i];
  return k >= stage->plan->n_original ? stage->first_parameter + k - stage->plan->n_original
         : i == 0                     ? k
                                      : UINT32_MAX;
}

/* ---- one stage ------------------------------------------------------------------------ */

pz_call*
pzi_back_enter(pz_eval* const eval, const uint32_t i, const char* const callback,
               const pz_tensor* const given, const uint32_t n_given)
{
  const uint32_t flags = eval->flags & ~(uint32_t)PZ_CALL_SAVING;
  return pzi_eval_enter(eval, i, callback, flags, &eval->fault, &eval->stages[i].range, given,
                        n_given);
}

/* Memory for the gradients of stage i in `bits`, tensors without data for the others. */
static pz_status
place_gradients(pz_eval* const eval, const uint32_t i, const uint64_t bits,
                const pz_tensor* const into, pz_tensor* const gx)
{
  const pzi_eval_stage* const stage = &eval->stages[i];
  const uint32_t n_x = stage->plan->n_original + stage->plan->n_parameter;
  for (uint32_t k = 0; k < n_x; ++k) {
    const uint32_t place = place_of(eval, i, k);
    gx[k] = stage->x[k];
    gx[k].data = NULL;
    gx[k].byte_offset = 0;
    if (wanted(bits, k) && into && place != UINT32_MAX && into[place].data) {
      gx[k].data = into[place].data;
      gx[k].byte_offset = into[place].byte_offset;
    } else if (wanted(bits, k)) {
      const pz_spec spec = pz_spec_of(&stage->x[k]);
      PZ_TRY(pzi_pending_new(eval, &spec, &gx[k]));
    }
  }
  return pzi_eval_poison(eval, gx, n_x, &eval->fault);
}

static pz_status
run_back(pz_eval* const eval, const uint32_t i, const char* const callback,
         const pzi_back_function function, const uint64_t bits, const pz_tensor* const g,
         const pz_tensor* const into, pz_tensor* const gx)
{
  const pzi_eval_stage* const stage = &eval->stages[i];
  const uint32_t n_x = stage->plan->n_original + stage->plan->n_parameter;
  PZ_TRY(place_gradients(eval, i, bits, into, gx));
  pz_call* const c = pzi_back_enter(eval, i, callback, g, 1);
  c->want = bits;
  memcpy(eval->outputs, gx, n_x * sizeof(*gx));
  const pz_status answer = function(c, stage->x, &stage->y, g, eval->outputs);
  return pzi_eval_leave(eval, gx, n_x, memcmp(eval->outputs, gx, n_x * sizeof(*gx)) != 0, answer);
}

/* gx[k] <- gx[k] + more[k] for each bit k. */
static pz_status
add_gradients(pz_eval* const eval, const uint64_t bits, const pz_tensor* const more,
              pz_tensor* const gx)
{
  for (uint32_t k = 0; k < PZI_MAX_TENSORS; ++k) {
    if (wanted(bits, k)) {
      pz_call* const c = pzi_eval_core(eval, &eval->fault);
      PZ_TRY(c->ops->axpby(c, 1.0, &more[k], 1.0, &gx[k]));
    }
  }
  return PZ_OK;
}

pz_status
pzi_back_stage(pz_eval* const eval, const uint32_t i, const uint64_t want, const bool want_inner,
               const pz_tensor* const gy, const pz_tensor* const g_out, const pz_tensor* const into,
               pz_tensor* const inner)
{
  const pzi_eval_stage* const stage = &eval->stages[i];
  const pzi_plan* const plan = stage->plan;
  const uint32_t n_x = plan->n_original + plan->n_parameter;
  pz_tensor gx[PZI_MAX_TENSORS];
  pz_tensor more[PZI_MAX_TENSORS];
  uint64_t bits = 0;
  for (uint32_t k = 0; k < n_x; ++k) {
    const uint32_t place = place_of(eval, i, k);
    const bool want_this = place == UINT32_MAX ? want_inner : wanted(want, place);
    bits |= want_this ? UINT64_C(1) << k : 0;
  }
  if (gy) {
    PZ_TRY(run_back(eval, i, "vjp", stage->table->vjp, bits, gy, into, gx));
  }
  if (g_out) {
    PZ_TRY(run_back(eval, i, "log_abs_det_vjp", stage->table->log_abs_det_vjp, bits, g_out,
                    gy ? NULL : into, gy ? more : gx));
    PZ_TRY(add_gradients(eval, gy ? bits : 0, more, gx));
  }
  for (uint32_t k = 0; k < n_x; ++k) {
    if (!wanted(bits, k)) {
      continue;
    }
    if (k >= plan->n_original) {
      eval->pending[stage->first_parameter + k - plan->n_original] = gx[k];
    } else if (i > 0) {
      PZ_TRY(pzi_eval_lead(eval, stage->in, true, NULL, &gx[k], inner));
    } else {
      PZ_TRY(pzi_eval_unread(eval, k, &gx[k], &eval->pending[k]));
    }
  }
  return PZ_OK;
}

/* ---- results -------------------------------------------------------------------------- */

/* A sum that cannot be computed in place is computed before anything is written. */
static pz_status
add_pending(pz_eval* const eval, const uint32_t k, const pz_tensor* const to)
{
  pz_tensor before;
  PZ_TRY(pzi_pending_input(eval, &eval->chain->tensors[k].spec, to, &before));
  pz_call* const c = pzi_eval_core(eval, &eval->fault);
  return c->ops->axpby(c, 1.0, &before, 1.0, &eval->pending[k]);
}

pz_status
pzi_back_hand_over(pz_eval* const eval, const uint64_t want, const bool accumulate,
                   const pz_tensor* const gradients)
{
  const uint32_t n = pzi_back_trained(eval->chain);
  bool to_host = false;
  for (uint32_t k = 0; k < n; ++k) {
    if (wanted(want, k)) {
      to_host = to_host || pzi_eval_for_host(eval, &gradients[k]);
      if (accumulate && !pzi_eval_ready(eval, &gradients[k])) {
        PZ_TRY(add_pending(eval, k, &gradients[k]));
      }
    }
  }
  if (to_host) {
    PZ_TRY(pzi_eval_fault(eval, &eval->fault));
  }
  for (uint32_t k = 0; k < n; ++k) {
    if (wanted(want, k)) {
      if (accumulate && pzi_eval_ready(eval, &gradients[k])) {
        pz_tensor sum = gradients[k];
        pz_call* const c = pzi_eval_core(eval, &eval->fault);
        PZ_TRY(c->ops->axpby(c, 1.0, &eval->pending[k], 1.0, &sum));
      } else if (!is_there(&eval->pending[k], &gradients[k])) {
        PZ_TRY(pzi_queue_copy(eval->queue, &eval->pending[k], &gradients[k]));
      }
    }
  }
  return PZ_OK;
}

pz_status
pzi_back_copy_out(pz_eval* const eval, const pz_tensor* const result, const pz_tensor* const out)
{
  if (pzi_eval_for_host(eval, out)) {
    PZ_TRY(pzi_eval_fault(eval, &eval->fault));
  }
  return is_there(result, out) ? PZ_OK : pzi_queue_copy(eval->queue, result, out);
}
