/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Registration. Each parametrization of the text is registered in turn, with the words before it, on
   an engine beside the module. The first on a plain tensor gets its originals through its right inverse. Each further
   one is appended and initialized with the value so far. The module changes only after the last
   forward. */

#include "chain_text.h"
#include "engine.h"
#include "eval.h"
#include "exclusive.h"
#include "path.h"
#include "prepared.h"
#include "queue_copy.h"
#include "sized_struct.h"
#include "slot.h"
#include "spec_text.h"
#include "state.h"
#include "status.h"
#include "value.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

/* The new chain so far; empty if the tensor is plain. */
typedef struct attempt {
  pzi_engine engine;
  pz_tensor value; /* of the last forward */
} attempt;

/* The arguments of the registration. */
typedef struct request {
  const char* text;
  pz_register_settings with;
} request;

/* ---- parsing ------------------------------------------------------------ */

/* The length of the first stage of a text: up to a comma outside parentheses. */
static size_t
stage_length(const char* const text)
{
  size_t n = 0;
  for (int depth = 0; text[n] != '\0' && !(text[n] == ',' && depth <= 0); ++n) {
    depth += text[n] == '(' ? 1 : text[n] == ')' ? -1 : 0;
  }
  return n;
}

/* The length of the first parametrization of a text with the words before it, or of the words at the
   end; and the number of these stages. */
static size_t
first_length(const char* const text, const pzi_stage_words* const stages, const uint32_t n,
             uint32_t* const count)
{
  size_t length = stage_length(text);
  *count = 1;
  while (*count < n && pzi_words_find(stages[*count - 1].id)) {
    length += 1 + stage_length(text + length + 1);
    ++*count;
  }
  return length;
}

/* Copies the settings of `count` stages, numbered as if there were no others; returns their number. */
static uint32_t
settings_of(const pz_option_setting* const settings, const uint32_t n, const uint32_t first,
            const uint32_t count, pz_option_setting* const out)
{
  uint32_t found = 0;
  for (uint32_t k = 0; k < n; ++k) {
    if (settings[k].stage >= first && settings[k].stage - first < count) {
      out[found] = settings[k];
      out[found++].stage -= first;
    }
  }
  return found;
}

/* ---- one stage ---------------------------------------------------------- */

/* The value must keep the tensor's spec, except with PZ_UNSAFE. Originals keep its dtype. */
static pz_status
check_specs(const pz_chain* const chain, const pz_spec* const spec, const uint32_t flags)
{
  char found[PZI_SPEC_TEXT];
  char expected[PZI_SPEC_TEXT];
  const pz_spec* const value = pz_chain_value(chain);
  if (!(flags & PZ_UNSAFE) && !pz_spec_equal(value, spec)) {
    return pzi_fail(PZ_MISMATCH, "forward returns %s, expected %s (PZ_UNSAFE allows it)",
                    pzi_spec_text(value, found), pzi_spec_text(spec, expected));
  }
  for (uint32_t k = 0; k < chain->n_role[PZ_ORIGINAL]; ++k) {
    if (chain->tensors[k].spec.dtype != spec->dtype) {
      return pzi_fail(PZ_MISMATCH, "%s is %s, expected the dtype of %s", chain->tensors[k].name,
                      pzi_spec_text(&chain->tensors[k].spec, found), pzi_spec_text(spec, expected));
    }
  }
  return PZ_OK;
}

/* Fills the state of `next`, whose stages from number `first` on are new, and runs forward. */
static pz_status
run_new_stages(const pz_slot* const slot, const uint32_t first, attempt* const next)
{
  const pz_tensor* const original = pzi_state_tensor(next->engine.state, PZ_ORIGINAL, 0);
  if (first > 0) {
    PZ_TRY(pz_eval_initialize(next->engine.eval, next->engine.state, first, original));
  } else {
    const pz_tensor* const tensor = &slot->storage->tensor;
    PZ_TRY(pz_eval_initialize(next->engine.eval, next->engine.state, 0, tensor));
    if (next->engine.chain->direction == PZ_FROM_TENSOR) {
      PZ_TRY(pz_eval_assign(next->engine.eval, next->engine.state, PZ_REGISTER, tensor));
    } else {
      PZ_TRY(pzi_queue_copy(slot->module->queue, tensor, original));
      pz_state_touch(next->engine.state);
    }
  }
  const uint32_t training = slot->module->training ? PZ_CALL_TRAINING : 0;
  PZ_TRY(pzi_eval_forward(next->engine.eval, next->engine.state, training, NULL, &next->value));
  return pz_eval_check(next->engine.eval);
}

/* Appends a stage. A first stage is planned from the tensor, as its value, or from the input: the
   tensor is then its original. */
static pz_status
make_next(const pz_slot* const slot, const attempt* const a, const pz_direction direction,
          const request* const asked, attempt* const next)
{
  const pz_module* const module = slot->module;
  const pz_spec spec = a->engine.chain ? *pz_chain_value(a->engine.chain) : slot->storage->spec;
  if (a->engine.chain) {
    PZ_TRY(pz_chain_append(a->engine.chain, asked->text, asked->with.options, asked->with.n_options,
                           &next->engine.chain));
  } else {
    PZ_TRY(pz_chain_new(module->context, asked->text, asked->with.options, asked->with.n_options,
                        direction, &spec, 1, &next->engine.chain));
  }
  PZ_TRY(check_specs(next->engine.chain, &spec, asked->with.flags));
  PZ_TRY(pzi_engine_adopt(&next->engine, module->queue, a->engine.state, module->check_writes));
  return run_new_stages(slot, a->engine.chain ? a->engine.chain->n_stages : 0, next);
}

static pz_status
add_one(const pz_slot* const slot, const request* const asked, attempt* const a)
{
  attempt next = {0};
  pz_status status = make_next(slot, a, PZ_FROM_TENSOR, asked, &next);
  if (!a->engine.chain && (asked->with.flags & PZ_UNSAFE) &&
      (status == PZ_MISMATCH || status == PZ_UNSUPPORTED)) {
    /* no right inverse for this spec: plan with the tensor as the original */
    pzi_engine_cleanup(&next.engine);
    status = make_next(slot, a, PZ_FROM_INPUT, asked, &next);
  }
  if (status != PZ_OK) {
    pzi_engine_cleanup(&next.engine);
    return status;
  }
  pzi_engine_cleanup(&a->engine);
  *a = next;
  return PZ_OK;
}

static pz_status
add_stages(const pz_slot* const slot, const request* const asked, attempt* const a)
{
  const char* text = asked->text;
  const pz_option_setting* const settings = asked->with.options;
  const uint32_t n_settings = asked->with.n_options;
  char* const one_text = malloc(strlen(text) + 1);
  pz_option_setting* const own = calloc((size_t)n_settings + 1, sizeof(*own));
  pzi_chain_words* words = NULL; /* parsed as a whole, for messages with the whole text */
  pz_status status =
      one_text && own ? pzi_chain_text_parse(text, &words) : pzi_no_memory(strlen(text) + 1);
  uint32_t n_stages_added = 0;
  while (status == PZ_OK && n_stages_added < words->n_stages) {
    uint32_t n = 0;
    const size_t length =
        first_length(text, words->stages + n_stages_added, words->n_stages - n_stages_added, &n);
    memcpy(one_text, text, length);
    one_text[length] = '\0';
    text += length + (text[length] == ',' ? 1 : 0);
    const request one = {
        .text = one_text,
        .with = {.flags = asked->with.flags,
                 .options = own,
                 .n_options = settings_of(settings, n_settings, n_stages_added, n, own)},
    };
    status = add_one(slot, &one, a);
    n_stages_added += n;
  }
  for (uint32_t k = 0; k < n_settings && status == PZ_OK; ++k) {
    if (settings[k].stage >= n_stages_added) {
      status = pzi_fail(PZ_INVALID, "option \"%s\" is for stage %u of a text of %u",
                        settings[k].name ? settings[k].name : "", (unsigned)settings[k].stage,
                        (unsigned)n_stages_added);
    }
  }
  free(words);
  free(own);
  free(one_text);
  return status;
}

/* ---- registration ------------------------------------------------------- */

/* Lets the only original take over the memory of the plain tensor if the specs are equal. A host
   that kept the pointer then holds the original. A tensor of another chain needs new memory for its
   value: `*value`. */
static pz_status
keep_storage(const pz_slot* const slot, pzi_parametrized* const parametrized,
             pzi_storage** const value)
{
  if (slot->parametrized || parametrized->engine.chain->n_role[PZ_ORIGINAL] != 1 ||
      !pz_spec_equal(&slot->storage->spec, &parametrized->engine.chain->tensors[0].spec)) {
    return PZ_OK;
  }
  pz_queue* const queue = slot->module->queue;
  pzi_storage* room = NULL;
  if (slot->owner) {
    PZ_TRY(pzi_storage_new(queue, &slot->storage->spec, &room));
  }
  const pz_status status =
      pzi_queue_copy(queue, &parametrized->tensors[0]->storage->tensor, &slot->storage->tensor);
  if (status != PZ_OK) {
    pzi_storage_release(room);
    return status;
  }
  pzi_prepared_keep_memory(parametrized, slot->storage);
  *value = room;
  return PZ_OK;
}

/* The outer chain was planned for the tensor's spec. */
static pz_status
check_fits(const pz_slot* const slot, const pz_chain* const chain)
{
  char found[PZI_SPEC_TEXT];
  char expected[PZI_SPEC_TEXT];
  return !slot->owner || pz_spec_equal(pz_chain_value(chain), &slot->storage->spec)
             ? PZ_OK
             : pzi_fail(PZ_MISMATCH, "forward returns %s, expected %s for the chain around it",
                        pzi_spec_text(pz_chain_value(chain), found),
                        pzi_spec_text(&slot->storage->spec, expected));
}

static pz_status
register_text(pz_slot* const slot, void* const user)
{
  const request* const asked = user;
  if (slot->role == PZ_STATE_BUFFER) {
    return pzi_fail(PZ_UNSUPPORTED, "a buffer of a stage, expected an original or own parameter");
  }
  if (!asked->text || (asked->with.n_options > 0 && !asked->with.options) ||
      (asked->with.flags & ~(uint32_t)PZ_UNSAFE) != 0) {
    return pzi_fail(PZ_INVALID, "expected a text, settings where there are some, and no flag but "
                                "PZ_UNSAFE");
  }
  PZ_TRY(pzi_slot_check_closed(slot));

  attempt a = {0};
  pz_status status = PZ_OK;
  if (slot->parametrized) {
    PZ_TRY(pzi_value_refresh_inner(slot));
    PZ_TRY(pzi_value_check_device(slot));
    a.engine.chain = pzi_chain_retain(slot->parametrized->engine.chain);
    status = pzi_state_adopt(a.engine.chain, slot->parametrized->engine.state, &a.engine.state);
  }
  if (status == PZ_OK) {
    status = add_stages(slot, asked, &a);
  }
  if (status == PZ_OK) {
    status = check_fits(slot, a.engine.chain);
  }
  pzi_prepared prepared = {0};
  if (status == PZ_OK) {
    status = pzi_prepared_init(slot, &a.engine, &prepared);
  }
  if (status != PZ_OK) {
    pzi_engine_cleanup(&a.engine);
    return status;
  }
  prepared.parametrized->value = a.value; /* in the evaluation's memory */
  pzi_storage* value = NULL;
  status = keep_storage(slot, prepared.parametrized, &value);
  if (status != PZ_OK) {
    pzi_prepared_cleanup(&prepared);
    return status;
  }
  pzi_prepared_install(slot, &prepared);
  if (value) {
    pzi_slot_put(slot, value);
  }
  return PZ_OK;
}

pz_status
pz_register_parametrization(pz_module* const module, const char* const name, const char* const text,
                            const pz_register_settings* const settings)
{
  request asked = {.text = text};
  if (settings) {
    PZ_TRY(pzi_struct_read(&asked.with, sizeof(asked.with),
                           offsetof(pz_register_settings, reserved), settings, "settings"));
  }
  return pzi_exclusive_call(module, name, pzi_path_find_live, register_text, &asked);
}
