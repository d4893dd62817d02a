/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* An original that is itself parametrized, x = f(z), makes the value a function of z: the log |det|
   of f is added to that of the chain. Inner chains of own parameters do not count, because the
   determinant takes own parameters as constants. */

#include "log_abs_det.h"

#include "check_tensor.h"
#include "density.h"
#include "derivative.h"
#include "eval_density.h"
#include "exclusive.h"
#include "ops_table.h"
#include "overlap.h"
#include "path.h"
#include "queue_copy.h"
#include "status.h"
#include "storage.h"
#include "value.h"

pz_status
pzi_log_abs_det_batch(const pz_slot* const slot, int32_t* const n_batch)
{
  const pzi_parametrized* const parametrized = slot->parametrized;
  const pz_chain* const chain = parametrized->engine.chain;
  char path[PZI_PATH_TEXT];
  PZ_TRY(pzi_density_batch(chain, n_batch));
  for (uint32_t k = 0; k < chain->n_role[PZ_ORIGINAL]; ++k) {
    const pz_slot* const original = parametrized->tensors[k];
    int32_t inner = 0;
    if (original->parametrized) {
      PZ_TRY(pzi_fail_prefix(pzi_log_abs_det_batch(original, &inner), "\"%s\"",
                             pzi_path_text(original, path)));
      *n_batch = inner < *n_batch ? inner : *n_batch;
      PZ_TRY(pzi_density_check_meeting(original->parametrized->engine.chain, chain, k, *n_batch));
    }
  }
  return PZ_OK;
}

/* sum <- sum + the log |det| of the chain and its inner chains. */
static pz_status
add(const pz_slot* const slot, const int32_t n_batch, pz_tensor* const sum)
{
  const pzi_parametrized* const parametrized = slot->parametrized;
  pz_queue* const queue = slot->module->queue;
  pzi_frame frame;
  pz_call call;
  pz_tensor own;
  for (uint32_t k = 0; k < parametrized->engine.chain->n_role[PZ_ORIGINAL]; ++k) {
    const pz_slot* const original = parametrized->tensors[k];
    PZ_TRY(original->parametrized ? add(original, n_batch, sum) : PZ_OK);
  }
  PZ_TRY(pzi_derivative_evaluate(slot));
  PZ_TRY(pzi_eval_density(parametrized->engine.eval, n_batch, &own));
  pzi_ops_table_init_call(&call, &frame, queue, NULL);
  return call.ops->axpby(&call, 1.0, &own, 1.0, sum);
}

static pz_status
log_abs_det(pz_slot* const slot, void* const user)
{
  const pz_tensor* const out = user;
  pz_queue* const queue = slot->module->queue;
  pzi_storage* sum = NULL;
  int32_t n_batch = 0;
  PZ_TRY(pzi_log_abs_det_batch(slot, &n_batch));
  const pz_spec spec = pzi_density_spec(slot->parametrized->engine.chain, n_batch);
  PZ_TRY(pzi_check_tensor(queue, out, &spec, "log |det|"));
  if (pzi_overlap_self(out)) {
    return pzi_fail(PZ_INVALID, "log |det|: found strides that address an element twice");
  }
  PZ_TRY(pzi_derivative_check_read(slot));
  PZ_TRY(pzi_storage_new(queue, &spec, &sum));
  pz_status status = add(slot, n_batch, &sum->tensor);
  if (status == PZ_OK && !pzi_check_owned(queue, out)) {
    status = pzi_value_check_device(slot);
  }
  if (status == PZ_OK) {
    status = pzi_queue_copy(queue, &sum->tensor, out);
  }
  pzi_storage_release(sum);
  return status;
}

pz_status
pz_module_log_abs_det(pz_module* const module, const char* const name, const pz_tensor* const out)
{
  return pzi_exclusive_call(module, name, pzi_path_find_live_parametrized, log_abs_det, (void*)out);
}
