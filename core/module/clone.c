/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Elements are copied between two devices through host memory. Chains are immutable and shared,
   unless their dtype changes. */

#include "clone.h"

#include "check_tensor.h"
#include "engine.h"
#include "eval.h"
#include "float_convert.h"
#include "path.h"
#include "queue_copy.h"
#include "state.h"
#include "status.h"

#include <stdlib.h>

/* ---- tensors ----------------------------------------------------------------- */

/* `tensor` in host memory: the tensor itself, or a copy that the caller frees with `*owned`. */
static pz_status
to_host(pz_queue* const queue, const pz_tensor* const tensor, void** const owned,
        pz_tensor* const out)
{
  *owned = NULL;
  if (tensor->device.type == PZ_DEVICE_CPU) {
    PZ_TRY(pz_queue_synchronize(queue));
    *out = *tensor;
    return PZ_OK;
  }
  const size_t bytes = (size_t)pz_count(tensor) * pz_dtype_size(tensor->dtype);
  void* const data = malloc(bytes);
  if (!data) {
    return pzi_no_memory(bytes);
  }
  *out = pz_host_tensor(tensor->dtype, data, tensor->ndim, tensor->shape);
  const pz_status status = pzi_queue_copy(queue, tensor, out);
  if (status != PZ_OK) {
    free(data);
    return status;
  }
  *owned = data;
  return PZ_OK;
}

/* Converts host memory to the other float dtype and copies it to `to`. */
static pz_status
convert_to(const pz_tensor* const host, pz_queue* const queue, const pz_tensor* const to)
{
  const size_t n = (size_t)pz_count(to);
  const size_t bytes = n * pz_dtype_size(to->dtype);
  void* const data = malloc(bytes);
  if (!data) {
    return pzi_no_memory(bytes);
  }
  const void* const from = (const char*)host->data + host->byte_offset;
  if (to->dtype == PZ_F64) {
    pzi_float_convert_f32_to_f64(from, data, n);
  } else {
    pzi_float_convert_f64_to_f32(from, data, n);
  }
  const pz_tensor converted = pz_host_tensor(to->dtype, data, to->ndim, to->shape);
  const pz_status status = pzi_queue_copy(queue, &converted, to);
  free(data);
  return status;
}

/* Copies elements between two C-contiguous tensors of one shape, each on the device of its
   queue: through the host where the queues differ, with conversion where float dtypes do. */
static pz_status
copy_elements(pz_queue* const from_queue, const pz_tensor* const from, pz_queue* const to_queue,
              const pz_tensor* const to)
{
  if (pz_count(from) == 0) {
    return PZ_OK;
  }
  if (from_queue == to_queue && from->dtype == to->dtype) {
    return pzi_queue_copy(to_queue, from, to);
  }
  void* owned = NULL;
  pz_tensor host;
  PZ_TRY(to_host(from_queue, from, &owned, &host));
  const pz_status status = host.dtype == to->dtype ? pzi_queue_copy(to_queue, &host, to)
                                                   : convert_to(&host, to_queue, to);
  free(owned);
  return status;
}

pz_status
pzi_clone_storage(const pzi_storage* const from, pz_queue* const queue, const uint32_t dtype,
                  pzi_storage** const out)
{
  pz_spec spec = from->spec;
  spec.dtype = dtype ? dtype : spec.dtype;
  pzi_storage* storage = NULL;
  PZ_TRY(pzi_storage_new(queue, &spec, &storage));
  const pz_status status = copy_elements(from->queue, &from->tensor, queue, &storage->tensor);
  if (status != PZ_OK) {
    pzi_storage_release(storage);
    return status;
  }
  *out = storage;
  return PZ_OK;
}

/* ---- chains ------------------------------------------------------------- */

static pz_status
carry_tensors(const pzi_parametrized* const parametrized, const pzi_engine* const engine)
{
  char path[PZI_PATH_TEXT];
  pz_queue* const queue = engine->state->queue;
  for (uint32_t k = 0; k < parametrized->n_tensors; ++k) {
    const pz_slot* const slot = parametrized->tensors[k];
    const pzi_storage* const from = parametrized->engine.state->storages[k];
    if (!slot->parametrized) {
      PZ_TRY(pzi_fail_prefix(
          copy_elements(from->queue, &from->tensor, queue, &engine->state->storages[k]->tensor),
          "\"%s\"", pzi_path_text(slot, path)));
    }
  }
  return PZ_OK;
}

/* Checks the dtypes before allocating tensors. */
static pz_status
check_tensors(const pzi_parametrized* const parametrized, const pz_chain* const chain,
              const pz_queue* const queue)
{
  char path[PZI_PATH_TEXT];
  for (uint32_t k = 0; k < parametrized->n_tensors; ++k) {
    PZ_TRY(pzi_fail_prefix(pzi_check_dtype(queue, chain->tensors[k].spec.dtype), "\"%s\"",
                           pzi_path_text(parametrized->tensors[k], path)));
  }
  return PZ_OK;
}

pz_status
pzi_clone_engine(const pz_slot* const slot, pz_queue* const queue, const uint32_t dtype,
                 pzi_engine* const out)
{
  char path[PZI_PATH_TEXT];
  const pzi_parametrized* const parametrized = slot->parametrized;
  pzi_engine engine = {0};
  pz_status status = PZ_OK;
  if (dtype) {
    status = pzi_chain_with_dtype(parametrized->engine.chain, dtype, &engine.chain);
  } else {
    engine.chain = pzi_chain_retain(parametrized->engine.chain);
  }
  if (status == PZ_OK) {
    status = pzi_check_dtype(queue, pz_chain_value(engine.chain)->dtype);
  }
  (void)pzi_fail_prefix(status, "\"%s\"", pzi_path_text(slot, path));
  if (status == PZ_OK) {
    status = check_tensors(parametrized, engine.chain, queue);
  }
  if (status == PZ_OK) {
    status = pzi_state_like(engine.chain, queue, parametrized->engine.state, &engine.state);
  }
  if (status == PZ_OK) {
    status = carry_tensors(parametrized, &engine);
  }
  if (status == PZ_OK) {
    status = pz_eval_new(engine.chain, queue, &engine.eval);
  }
  if (status != PZ_OK) {
    pzi_engine_cleanup(&engine);
    return status;
  }
  pzi_eval_set_check_writes(engine.eval, slot->module->check_writes);
  *out = engine;
  return PZ_OK;
}

/* Copies the flags of the tensors, and the inner chains. */
static pz_status
copy_inside(const pzi_parametrized* const from, const pzi_parametrized* const to)
{
  for (uint32_t k = 0; k < from->n_tensors; ++k) {
    to->tensors[k]->kind = from->tensors[k]->kind;
    to->tensors[k]->requires_grad = from->tensors[k]->requires_grad;
    if (from->tensors[k]->parametrized) {
      pzi_prepared inner = {0};
      PZ_TRY(pzi_clone_parametrized(from->tensors[k], to->tensors[k], &inner));
      pzi_prepared_install(to->tensors[k], &inner); /* not yet visible to others */
    }
  }
  return PZ_OK;
}

pz_status
pzi_clone_parametrized(const pz_slot* const from, pz_slot* const to, pzi_prepared* const out)
{
  pzi_engine engine = {0};
  PZ_TRY(pzi_clone_engine(from, to->module->queue, 0, &engine));
  pz_status status = pzi_prepared_init(to, &engine, out);
  if (status != PZ_OK) {
    pzi_engine_cleanup(&engine);
    return status;
  }
  status = copy_inside(from->parametrized, out->parametrized);
  if (status != PZ_OK) {
    pzi_prepared_cleanup(out);
  }
  return status;
}
