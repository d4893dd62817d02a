/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Gradients: G at a value goes through the vjp of the list to its originals and own
   parameters, G at a plain parameter is its own. They add up until they are zeroed. */

#include "module.h"

#include "ops.h"
#include "status.h"

#include <string.h>

static pz_status
need_gradient(pz_slot* const slot)
{
  return slot->gradient
             ? PZ_OK
             : pzi_storage_new(slot->module->queue, &slot->storage->spec, &slot->gradient);
}

/* ---- backward -------------------------------------------------------------- */

/* gradient <- gradient + G */
static pz_status
add_plain(pz_slot* const slot, const pz_tensor* const gradient)
{
  pz_queue* const queue = slot->module->queue;
  if (slot->kind != PZ_PARAMETER) {
    return pzi_fail(PZ_INVALID, "a buffer, which has no gradient");
  }
  PZ_TRY(pzi_check_closed(slot));
  PZ_TRY(pzi_check_tensor(queue, gradient, &slot->storage->spec, "gradient"));
  if (!slot->requires_grad) {
    return PZ_OK;
  }
  PZ_TRY(need_gradient(slot));
  pzi_storage* copy = NULL;
  if (!pzi_queue_owns(queue, gradient)) {
    PZ_TRY(pzi_copy_of(queue, gradient, &copy));
  }
  pzi_frame frame;
  pz_call call;
  pzi_call_init(&call, &frame, queue, &queue->fault);
  const pz_status status =
      call.ops->axpby(&call, 1.0, copy ? &copy->tensor : gradient, 1.0, &slot->gradient->tensor);
  pzi_storage_release(copy);
  return status;
}

/* The value that was read last must still be the value; then the evaluation is made to
   hold it with what vjp needs. */
static pz_status
need_evaluation(pz_slot* const slot)
{
  pzi_list* const list = slot->list;
  const uint64_t version = pz_state_version(list->state);
  uint32_t flags = 0;
  PZ_TRY(pzi_check_closed(slot));
  if (list->read_version == 0) {
    return pzi_fail(PZ_STALE, "the value was not read yet");
  }
  if (list->read_version != version) {
    return pzi_fail(PZ_STALE, "something changed since the value was read");
  }
  PZ_TRY(pzi_check_digests(slot));
  if (pzi_eval_version(list->eval, &flags) == version && (flags & PZ_CALL_SAVING)) {
    return PZ_OK;
  }
  const uint32_t training = slot->module->training ? PZ_CALL_TRAINING : 0;
  pz_tensor value;
  pzi_list_changed(list, false); /* until it is there again */
  return pz_eval_forward(list->eval, list->state, training | PZ_CALL_SAVING, &value);
}

static pz_status
add_list(pz_slot* const slot, const pz_tensor* const gradient)
{
  const pzi_list* const list = slot->list;
  const uint32_t n = list->chain->n_role[PZ_ORIGINAL] + list->chain->n_role[PZ_OWN_PARAMETER];
  pz_tensor gradients[64];
  uint64_t want = 0;
  if (n > 64) {
    return pzi_fail(PZ_UNSUPPORTED, "%u trained tensors, expected at most 64", n);
  }
  PZ_TRY(pzi_check_tensor(slot->module->queue, gradient, pz_chain_value(list->chain), "gradient"));
  memset(gradients, 0, sizeof(gradients));
  for (uint32_t k = 0; k < n; ++k) {
    if (list->tensors[k]->requires_grad) {
      PZ_TRY(need_gradient(list->tensors[k]));
      gradients[k] = list->tensors[k]->gradient->tensor;
      want |= UINT64_C(1) << k;
    }
  }
  PZ_TRY(need_evaluation(slot));
  return want ? pz_eval_vjp(list->eval, list->state, gradient, want, true, gradients) : PZ_OK;
}

pz_status
pz_module_backward(pz_module* const module, const char* const name, const pz_tensor* const gradient)
{
  PZ_TRY(pzi_exclusive_begin(module));
  pz_slot* slot = NULL;
  pz_status status = pzi_find(module, name, &slot);
  if (status == PZ_OK) {
    status = pzi_fail_prefix(slot->list ? add_list(slot, gradient) : add_plain(slot, gradient),
                             "\"%s\"", name);
  }
  pzi_exclusive_end(module);
  return status;
}

/* ---- the gradients themselves ---------------------------------------------- */

static pz_status
find_gradient(pz_module* const module, const char* const name, pz_tensor* const out)
{
  pz_slot* slot = NULL;
  PZ_TRY(pzi_find(module, name, &slot));
  if (slot->list || slot->kind != PZ_PARAMETER || !slot->requires_grad) {
    return pzi_fail(PZ_INVALID, "\"%s\": %s has no gradient", name,
                    slot->list                   ? "a value, unlike its originals,"
                    : slot->kind != PZ_PARAMETER ? "a buffer"
                                                 : "a frozen parameter");
  }
  PZ_TRY(need_gradient(slot));
  *out = slot->gradient->tensor;
  return PZ_OK;
}

pz_status
pz_module_gradient(pz_module* const module, const char* const name, pz_tensor* const out)
{
  if (!out) {
    return pzi_fail(PZ_INVALID, "found no place for the tensor");
  }
  PZ_TRY(pzi_exclusive_begin(module));
  const pz_status status = find_gradient(module, name, out);
  pzi_exclusive_end(module);
  return status;
}

static pz_status
zero_slot(const pz_slot* const slot)
{
  return slot->gradient ? pzi_queue_zero(slot->module->queue, &slot->gradient->tensor) : PZ_OK;
}

static pz_status
zero(pz_slot* const slot, void* const user)
{
  (void)user;
  PZ_TRY(zero_slot(slot));
  for (uint32_t k = 0; slot->list && k < slot->list->n_tensors; ++k) {
    PZ_TRY(zero_slot(slot->list->tensors[k]));
  }
  return PZ_OK;
}

pz_status
pz_module_zero_gradients(pz_module* const module)
{
  PZ_TRY(pzi_exclusive_begin(module));
  const pz_status status = pzi_each_slot(module, zero, NULL);
  pzi_exclusive_end(module);
  return status;
}
