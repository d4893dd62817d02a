/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Moves modules to another device or dtype. Slots stay. New tensors and engines are built for all
   slots, then exchanged with the old ones. */

#include "array.h"
#include "clone.h"
#include "engine.h"
#include "gate.h"
#include "path.h"
#include "slot.h"
#include "spec_text.h"
#include "state.h"
#include "status.h"
#include "walk.h"

#include <stdlib.h>
#include <string.h>

/* The new contents of a slot; NULL keeps the old. */
typedef struct replacement {
  pz_slot* slot;
  pzi_storage* storage;
  pzi_storage* gradient;
  pzi_engine engine;
} replacement;

typedef struct move {
  pz_queue* queue; /* NULL: each module's own */
  uint32_t dtype;  /* 0: as it is */
  replacement* all;
  size_t n;
} move;

static void
cleanup(move* const m)
{
  for (size_t k = 0; k < m->n; ++k) {
    pzi_storage_release(m->all[k].storage);
    pzi_storage_release(m->all[k].gradient);
    pzi_engine_cleanup(&m->all[k].engine);
  }
  free(m->all);
}

/* ---- building ----------------------------------------------------------- */

static pz_status
add_replacement(move* const m, pz_slot* const slot, size_t* const out)
{
  PZ_TRY(pzi_array_reserve(&m->all, m->n, 1, sizeof(*m->all)));
  *out = m->n++;
  m->all[*out] = (replacement){.slot = slot};
  return PZ_OK;
}

/* Must the engine of the chain be rebuilt? */
static bool
must_rebuild(const move* const m, const pz_slot* const slot)
{
  const pz_chain* const chain = slot->parametrized->engine.chain;
  bool rebuild = m->queue != NULL;
  for (uint32_t k = 0; k < chain->n_role[PZ_ORIGINAL]; ++k) {
    rebuild = rebuild || chain->tensors[k].spec.dtype != m->dtype;
  }
  return rebuild;
}

/* The new value of an inner chain must have the spec that the outer chain expects. */
static pz_status
check_value(const pz_slot* const slot, const pz_chain* const chain, const pz_chain* const around)
{
  char path[PZI_PATH_TEXT];
  char found[PZI_SPEC_TEXT];
  char expected[PZI_SPEC_TEXT];
  const pz_spec* const value = pz_chain_value(chain);
  const pz_spec* const taken = &around->tensors[slot->index].spec;
  return pz_spec_equal(value, taken)
             ? PZ_OK
             : pzi_fail(PZ_MISMATCH, "\"%s\": the chain would return %s, expected %s",
                        pzi_path_text(slot, path), pzi_spec_text(value, found),
                        pzi_spec_text(taken, expected));
}

/* Builds the new contents of a slot and of its chain's tensors. `held`: the new storage, in the new
   state of the outer chain `around`; or NULL. */
static pz_status
add_slot(move* const m, pz_slot* const slot, pzi_storage* held, const pz_chain* const around)
{
  char path[PZI_PATH_TEXT];
  size_t at = 0;
  pz_queue* const queue = m->queue ? m->queue : slot->module->queue;
  PZ_TRY(add_replacement(m, slot, &at));
  if (held) {
    m->all[at].storage = pzi_storage_retain(held);
  } else if (slot->storage && !slot->owner && (m->queue || slot->storage->spec.dtype != m->dtype)) {
    PZ_TRY(pzi_fail_prefix(pzi_clone_storage(slot->storage, queue, m->dtype, &m->all[at].storage),
                           "\"%s\"", pzi_path_text(slot, path)));
  }
  if (slot->gradient && m->all[at].storage) {
    PZ_TRY(pzi_fail_prefix(pzi_clone_storage(slot->gradient, queue, m->all[at].storage->spec.dtype,
                                             &m->all[at].gradient),
                           "\"%s\"", pzi_path_text(slot, path)));
  }
  if (!slot->parametrized) {
    return PZ_OK;
  }
  pzi_engine engine = {.chain = slot->parametrized->engine.chain};
  if (must_rebuild(m, slot)) {
    PZ_TRY(pzi_clone_engine(slot, queue, m->dtype, &engine));
    m->all[at].engine = engine;
  }
  if (around) {
    PZ_TRY(check_value(slot, engine.chain, around));
  }
  for (uint32_t k = 0; k < slot->parametrized->n_tensors; ++k) {
    PZ_TRY(add_slot(m, slot->parametrized->tensors[k],
                    engine.state ? engine.state->storages[k] : NULL, engine.chain));
  }
  return PZ_OK;
}

static pz_status
add_one(pz_slot* const slot, void* const user)
{
  PZ_TRY(pzi_slot_check_closed(slot));
  return add_slot(user, slot, NULL, NULL);
}

/* ---- exchanging -------------------------------------------------------------- */

static void
put_engine(pzi_parametrized* const parametrized, pzi_engine* const engine)
{
  pzi_engine_cleanup(&parametrized->engine);
  parametrized->engine = *engine;
  *engine = (pzi_engine){0};
  parametrized->value = (pz_tensor){0};
  parametrized->dropped = false;
  parametrized->read_version = 0;
  parametrized->failed_version = 0;
  parametrized->copied_version = 0;
}

static void
put_replacement(replacement* const one)
{
  pz_slot* const slot = one->slot;
  if (one->storage) {
    pzi_storage_release(slot->pending); /* allocated again when needed */
    slot->pending = NULL;
    pzi_storage_release(slot->storage);
    slot->storage = one->storage;
    one->storage = NULL;
  }
  if (one->gradient) {
    pzi_storage_release(slot->gradient);
    slot->gradient = one->gradient;
    one->gradient = NULL;
  }
  if (one->engine.chain) {
    put_engine(slot->parametrized, &one->engine);
    for (const pz_slot* around = slot; around; around = around->owner) {
      pzi_parametrized_changed(around->parametrized, true);
    }
  }
}

static void
put_all(move* const m)
{
  for (size_t k = 0; k < m->n; ++k) {
    put_replacement(&m->all[k]);
  }
}

static pz_status
replace_all(pz_module* const module, move* const m)
{
  const pz_status status = pzi_walk_slots(module, add_one, m);
  if (status == PZ_OK) {
    put_all(m);
  }
  cleanup(m);
  return status;
}

/* ---- to another device ------------------------------------------------------- */

/* Whether a module and its children are there already: on this queue, or on another one of the
   library's own on the same device. */
static bool
is_on(const pz_module* const module, const pz_queue* const queue)
{
  const pz_queue* const own = module->queue;
  bool on = own == queue || (!own->native && !queue->native && strcmp(own->name, queue->name) == 0);
  for (uint32_t k = 0; on && k < module->n_children; ++k) {
    on = is_on(module->children[k], queue);
  }
  return on;
}

static void
put_queue(pz_module* const module, pz_queue* const queue)
{
  pz_queue* const before = module->queue;
  module->queue = pzi_queue_retain(queue);
  pzi_queue_release(before);
  for (uint32_t k = 0; k < module->n_children; ++k) {
    put_queue(module->children[k], queue);
  }
}

static pz_status
move_to(pz_module* const module, pz_queue* const queue)
{
  if (!queue || queue->context != module->context) {
    return pzi_fail(PZ_INVALID, "found %s", queue ? "a queue of another context" : "no queue");
  }
  if (is_on(module, queue)) {
    return PZ_OK;
  }
  move m = {.queue = queue};
  PZ_TRY(replace_all(module, &m));
  put_queue(module, queue);
  return PZ_OK;
}

pz_status
pz_module_to(pz_module* const module, pz_queue* const queue)
{
  PZ_TRY(pzi_gate_exclusive_begin_live(module));
  const pz_status status = move_to(module, queue);
  pzi_gate_exclusive_end(module);
  return status;
}

/* ---- to another dtype -------------------------------------------------------- */

pz_status
pz_module_to_dtype(pz_module* const module, const uint32_t dtype)
{
  if (dtype != PZ_F32 && dtype != PZ_F64) {
    char text[PZI_SPEC_TEXT];
    return pzi_fail(PZ_INVALID, "found %s, expected float32 or float64",
                    pzi_spec_text_dtype(dtype, text));
  }
  PZ_TRY(pzi_gate_exclusive_begin_live(module));
  move m = {.dtype = dtype};
  const pz_status status = replace_all(module, &m);
  pzi_gate_exclusive_end(module);
  return status;
}
