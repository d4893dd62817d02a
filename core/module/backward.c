/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Gradients. The gradient G of a value goes through the vjp of the chain to its originals and own
   parameters; the gradient of a plain parameter is G itself. Gradients of log |det| come from the
   chain and from the inner chains of its originals. Gradients accumulate until they are zeroed.

   With inner chains, the gradient of an inner value continues through the inner chain. All
   gradients are collected in `pending` and added only after the last vjp has succeeded. */

#include "check_tensor.h"
#include "density.h"
#include "derivative.h"
#include "eval_density.h"
#include "exclusive.h"
#include "gate.h"
#include "log_abs_det.h"
#include "memory_owners.h"
#include "ops_table.h"
#include "path.h"
#include "queue_copy.h"
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
  pzi_ops_table_init_call(&call, &frame, queue, NULL);
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
  if (!pzi_check_owned(queue, gradient) || pzi_memory_owners_is_other(queue, gradient)) {
    PZ_TRY(pzi_storage_copy(queue, gradient, &copy));
  }
  const pz_status status = add(slot, copy ? &copy->tensor : gradient);
  pzi_storage_release(copy);
  return status;
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
  return pzi_derivative_evaluate(slot);
}

/* What goes backward: the gradient of a value, and that of its log |det|. Either may be NULL. */
typedef struct cotangent {
  const pz_tensor* value;
  const pz_tensor* log_abs_det;
  int32_t n_batch; /* of log_abs_det */
} cotangent;

/* Runs a cotangent through the chain, then through the inner chains. Adds to the gradients of the
   tensors, or (`wait`) writes to `pending`. */
static pz_status
run(const pz_slot* const slot, const cotangent* const g, const bool wait)
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
  if (want && g->value) {
    PZ_TRY(pz_eval_vjp(parametrized->engine.eval, parametrized->engine.state, g->value, 1, want,
                       !wait, gradients));
  }
  if (want && g->log_abs_det) {
    PZ_TRY(pzi_eval_density_vjp(parametrized->engine.eval, parametrized->engine.state, g->n_batch,
                                g->log_abs_det, want, !wait || g->value, gradients));
  }
  for (uint32_t k = 0; k < n; ++k) {
    const pz_slot* const tensor = parametrized->tensors[k];
    if (tensor->parametrized && (want >> k & 1U) != 0) {
      const bool original = k < parametrized->engine.chain->n_role[PZ_ORIGINAL];
      const cotangent inner = {
          .value = &gradients[k],
          .log_abs_det = original ? g->log_abs_det : NULL,
          .n_batch = g->n_batch,
      };
      PZ_TRY(pzi_fail_prefix(run(tensor, &inner, wait), "\"%s\"", pzi_path_text(tensor, path)));
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
add_to_chain(pz_slot* const slot, const cotangent* const g)
{
  const bool nested = pzi_slot_is_nested(slot);
  PZ_TRY(pzi_derivative_check_read(slot));
  PZ_TRY(prepare(slot, nested));
  PZ_TRY(run(slot, g, nested));
  return nested ? pzi_walk_stored_of(slot, add_pending, NULL) : PZ_OK;
}

static pz_status
add_parametrized(pz_slot* const slot, const pz_tensor* const gradient)
{
  const cotangent g = {.value = gradient};
  PZ_TRY(pzi_check_tensor(slot->module->queue, gradient,
                          pz_chain_value(slot->parametrized->engine.chain), "gradient"));
  return add_to_chain(slot, &g);
}

static pz_status
backward(pz_slot* const slot, void* const gradient)
{
  return slot->parametrized ? add_parametrized(slot, gradient) : add_plain(slot, gradient);
}

pz_status
pz_module_backward(pz_module* const module, const char* const name, const pz_tensor* const gradient)
{
  return pzi_exclusive_call(module, name, pzi_path_find_live, backward, (void*)gradient);
}

static pz_status
backward_log_abs_det(pz_slot* const slot, void* const g_out)
{
  cotangent g = {.log_abs_det = g_out};
  PZ_TRY(pzi_log_abs_det_batch(slot, &g.n_batch));
  const pz_spec spec = pzi_density_spec(slot->parametrized->engine.chain, g.n_batch);
  PZ_TRY(pzi_check_tensor(slot->module->queue, g_out, &spec, "gradient of log |det|"));
  return add_to_chain(slot, &g);
}

pz_status
pz_module_backward_log_abs_det(pz_module* const module, const char* const name,
                               const pz_tensor* const g_out)
{
  return pzi_exclusive_call(module, name, pzi_path_find_live_parametrized, backward_log_abs_det,
                            (void*)g_out);
}

/* ---- access ------------------------------------------------------------- */

static pz_status
check_has_gradient(const pz_slot* const slot)
{
  if (slot->parametrized || slot->kind != PZ_PARAMETER || !slot->requires_grad) {
    return pzi_fail(PZ_INVALID, "%s has no gradient",
                    slot->parametrized           ? "a value, unlike its originals,"
                    : slot->kind != PZ_PARAMETER ? "a buffer"
                                                 : "a frozen parameter");
  }
  return PZ_OK;
}

static pz_status
get_gradient(pz_slot* const slot, void* const out)
{
  PZ_TRY(check_has_gradient(slot));
  PZ_TRY(pzi_check_may_show(slot->module->queue));
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
read_gradient(pz_slot* const slot, void* const user)
{
  const pz_tensor* const host = user;
  PZ_TRY(check_has_gradient(slot));
  if (!slot->gradient) {
    return pzi_fail(PZ_INVALID, "found no gradient yet, expected a backward before");
  }
  PZ_TRY(pzi_check_tensor(slot->module->queue, host, &slot->storage->spec, "host tensor"));
  PZ_TRY(pzi_check_on_host(host, "host tensor"));
  return pzi_queue_copy(slot->module->queue, &slot->gradient->tensor, host);
}

pz_status
pz_module_read_gradient(pz_module* const module, const char* const name,
                        const pz_tensor* const host)
{
  return pzi_exclusive_call(module, name, pzi_path_find_live, read_gradient, (void*)host);
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
