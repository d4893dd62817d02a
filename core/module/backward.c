/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Gradients. The gradient G of a value goes through the vjp of the chain to its originals and own
   parameters; the gradient of a plain parameter is G itself. Gradients accumulate until they are
   zeroed.

   With inner chains, the gradient of an inner value continues through the inner chain. All
   gradients are collected in `pending` and added only after the last vjp has succeeded. */

#include "check_tensor.h"
#include "eval.h"
#include "exclusive.h"
#include "gate.h"
#include "ops_table.h"
#include "path.h"
#include "slot.h"
#include "status.h"
#include "storage_copy.h"
#include "value.h"
#include "walk.h"

#include <string.h>

static pz_status
need(const pz_slot* const slot, pzi_storage** const room)
{
  return *room ? PZ_OK : pzi_storage_new(slot->module->queue, &slot->storage->spec, room);
}

static pz_status
need_gradient(pz_slot* const slot)
{
  return need(slot, &slot->gradient);
}

/* ---- backward -------------------------------------------------------------- */

/* gradient <- gradient + G, G on the device */
static pz_status
add(const pz_slot* const slot, const pz_tensor* const gradient)
{
  pz_queue* const queue = slot->module->queue;
  pzi_frame frame;
  pz_call call;
  pzi_ops_table_init_call(&call, &frame, queue, &queue->fault);
  return call.ops->axpby(&call, 1.0, gradient, 1.0, &slot->gradient->tensor);
}

static pz_status
add_plain(pz_slot* const slot, const pz_tensor* const gradient)
{
  pz_queue* const queue = slot->module->queue;
  if (slot->kind != PZ_PARAMETER) {
    return pzi_fail(PZ_INVALID, "a buffer, which has no gradient");
  }
  PZ_TRY(pzi_slot_check_closed(slot));
  PZ_TRY(pzi_check_tensor(queue, gradient, &slot->storage->spec, "gradient"));
  if (!slot->requires_grad) {
    return PZ_OK;
  }
  PZ_TRY(need_gradient(slot));
  pzi_storage* copy = NULL;
  if (!pzi_check_owned(queue, gradient)) {
    PZ_TRY(pzi_storage_copy(queue, gradient, &copy));
  }
  const pz_status status = add(slot, copy ? &copy->tensor : gradient);
  pzi_storage_release(copy);
  return status;
}

/* PZ_STALE unless the value of the last read is still current. */
static pz_status
check_read(const pz_slot* const slot)
{
  PZ_TRY(pzi_slot_check_closed(slot));
  if (slot->parametrized->read_version == 0) {
    return pzi_fail(PZ_STALE, "the value was not read yet");
  }
  return slot->parametrized->read_version == pz_state_version(slot->parametrized->engine.state)
             ? PZ_OK
             : pzi_fail(PZ_STALE, "something changed since the value was read");
}

static pz_status
check_contents(pz_slot* const slot, void* const user)
{
  (void)user;
  return pzi_value_check_digests(slot);
}

/* Runs forward again unless the evaluation holds the current value with its residuals. */
static pz_status
need_evaluation(const pz_slot* const slot)
{
  pzi_parametrized* const parametrized = slot->parametrized;
  const uint64_t version = pz_state_version(parametrized->engine.state);
  uint32_t flags = 0;
  if (pzi_eval_version(parametrized->engine.eval, &flags) == version && (flags & PZ_CALL_SAVING)) {
    return PZ_OK;
  }
  const uint32_t training = slot->module->training ? PZ_CALL_TRAINING : 0;
  pz_tensor value;
  PZ_TRY(pzi_value_refresh_inner(slot));
  pzi_parametrized_changed(parametrized, false); /* forward overwrites it */
  return pz_eval_forward(parametrized->engine.eval, parametrized->engine.state,
                         training | PZ_CALL_SAVING, NULL, &value);
}

/* Originals and own parameters come first among the tensors. */
static uint32_t
count_trained(const pzi_parametrized* const parametrized)
{
  return parametrized->engine.chain->n_role[PZ_ORIGINAL] +
         parametrized->engine.chain->n_role[PZ_OWN_PARAMETER];
}

/* Allocates the gradients of the chain and its inner chains, and runs forward for vjp. */
static pz_status
prepare(const pz_slot* const slot, const bool wait)
{
  const pzi_parametrized* const parametrized = slot->parametrized;
  const uint32_t n = count_trained(parametrized);
  for (uint32_t k = 0; k < n; ++k) {
    pz_slot* const tensor = parametrized->tensors[k];
    if (!pzi_slot_wants_gradient(tensor)) {
      continue;
    }
    if (wait) {
      PZ_TRY(need(tensor, &tensor->pending));
    }
    PZ_TRY(tensor->parametrized ? prepare(tensor, wait) : need_gradient(tensor));
  }
  return need_evaluation(slot);
}

/* Runs vjp for G at the value of the chain, then through the inner chains. Adds to the gradients of
   the tensors, or (`wait`) writes to `pending`. */
static pz_status
run(const pz_slot* const slot, const pz_tensor* const gradient, const bool wait)
{
  char path[PZI_PATH_TEXT];
  const pzi_parametrized* const parametrized = slot->parametrized;
  pz_tensor gradients[PZI_MAX_TENSORS]; /* no chain has more trained ones */
  uint64_t want = 0;
  const uint32_t n = count_trained(parametrized);
  memset(gradients, 0, n * sizeof(*gradients));
  for (uint32_t k = 0; k < n; ++k) {
    const pz_slot* const tensor = parametrized->tensors[k];
    if (pzi_slot_wants_gradient(tensor)) {
      gradients[k] = wait ? tensor->pending->tensor : tensor->gradient->tensor;
      want |= UINT64_C(1) << k;
    }
  }
  if (want) {
    PZ_TRY(pz_eval_vjp(parametrized->engine.eval, parametrized->engine.state, gradient, 1, want,
                       !wait, gradients));
  }
  for (uint32_t k = 0; k < n; ++k) {
    const pz_slot* const tensor = parametrized->tensors[k];
    if (tensor->parametrized && (want >> k & 1U) != 0) {
      PZ_TRY(
          pzi_fail_prefix(run(tensor, &gradients[k], wait), "\"%s\"", pzi_path_text(tensor, path)));
    }
  }
  return PZ_OK;
}

static pz_status
add_pending(pz_slot* const slot, void* const user)
{
  (void)user;
  return slot->requires_grad ? add(slot, &slot->pending->tensor) : PZ_OK;
}

static pz_status
add_to_chain(pz_slot* const slot, const pz_tensor* const gradient)
{
  const pzi_parametrized* const parametrized = slot->parametrized;
  const bool nested = pzi_slot_is_nested(slot);
  PZ_TRY(pzi_check_tensor(slot->module->queue, gradient, pz_chain_value(parametrized->engine.chain),
                          "gradient"));
  PZ_TRY(check_read(slot));
  PZ_TRY(pzi_walk_parametrized_of(slot, check_contents, NULL));
  PZ_TRY(prepare(slot, nested));
  PZ_TRY(run(slot, gradient, nested));
  return nested ? pzi_walk_stored_of(slot, add_pending, NULL) : PZ_OK;
}

static pz_status
backward(pz_slot* const slot, void* const gradient)
{
  return slot->parametrized ? add_to_chain(slot, gradient) : add_plain(slot, gradient);
}

pz_status
pz_module_backward(pz_module* const module, const char* const name, const pz_tensor* const gradient)
{
  return pzi_exclusive_call(module, name, pzi_path_find_live, backward, (void*)gradient);
}

/* ---- access ------------------------------------------------------------- */

static pz_status
get_gradient(pz_slot* const slot, void* const out)
{
  if (slot->parametrized || slot->kind != PZ_PARAMETER || !slot->requires_grad) {
    return pzi_fail(PZ_INVALID, "%s has no gradient",
                    slot->parametrized           ? "a value, unlike its originals,"
                    : slot->kind != PZ_PARAMETER ? "a buffer"
                                                 : "a frozen parameter");
  }
  PZ_TRY(need_gradient(slot));
  *(pz_tensor*)out = slot->gradient->tensor;
  return PZ_OK;
}

pz_status
pz_module_gradient(pz_module* const module, const char* const name, pz_tensor* const out)
{
  return out ? pzi_exclusive_call(module, name, pzi_path_find_live, get_gradient, out)
             : pzi_fail(PZ_INVALID, "found no place for the tensor");
}

static pz_status
zero(pz_slot* const slot, void* const user)
{
  (void)user;
  return slot->gradient && !slot->module->baked
             ? pzi_queue_zero(slot->module->queue, &slot->gradient->tensor)
             : PZ_OK;
}

pz_status
pz_module_zero_gradients(pz_module* const module)
{
  PZ_TRY(pzi_gate_exclusive_begin(module));
  pz_status status = pzi_gate_check_live(module);
  if (status == PZ_OK) {
    status = pzi_walk_stored(module, zero, NULL);
  }
  pzi_gate_exclusive_end(module);
  return status;
}
