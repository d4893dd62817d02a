/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Chains are immutable. Appending or leaving out stages makes another chain, which shares
   the instances of the other stages and plans all stages again from the same originals. */

#include "chain.h"

#include "check_tensor.h"
#include "context.h"
#include "sized_struct.h"
#include "status.h"
#include "words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- making ------------------------------------------------------------------------ */

static void
chain_destroy(pz_chain* const chain)
{
  for (uint32_t i = 0; i < chain->n_stages; ++i) {
    pzi_plan_cleanup(&chain->stages[i].plan);
    pzi_instance_release(chain->stages[i].instance);
  }
  for (uint32_t i = 0; chain->tensors && i < chain->n_tensors; ++i) {
    free(chain->tensors[i].name);
  }
  free(chain->tensors);
  free(chain->maps);
  free(chain->read);
  free(chain->stages);
  free(chain->text);
  pzi_context_release(chain->context);
  free(chain);
}

/* An unplanned chain of n stages, instances NULL. */
static pz_status
chain_alloc(pz_context* const context, const pz_direction direction, const uint32_t n,
            pz_chain** const out)
{
  pz_chain* const chain = calloc(1, sizeof(*chain));
  pzi_stage* const stages = calloc(n, sizeof(*stages));
  pzi_stage** const maps = calloc(n, sizeof(*maps));
  if (!chain || !stages || !maps) {
    free(chain);
    free(stages);
    free(maps);
    return pzi_no_memory(sizeof(*chain) + n * (sizeof(*stages) + sizeof(*maps)));
  }
  atomic_init(&chain->references, 1);
  chain->context = pzi_context_retain(context);
  chain->direction = (uint32_t)direction;
  chain->stages = stages;
  chain->maps = maps;
  chain->n_stages = n;
  *out = chain;
  return PZ_OK;
}

/* An unplanned chain with the instances of another except number `without` (UINT32_MAX: all),
   followed by `n_more` that are NULL. */
static pz_status
chain_derive(const pz_chain* const from, const uint32_t without, const uint32_t n_more,
             pz_chain** const out)
{
  pz_chain* chain = NULL;
  const uint32_t n = from->n_stages - (without < from->n_stages);
  PZ_TRY(chain_alloc(from->context, (pz_direction)from->direction, n + n_more, &chain));
  for (uint32_t i = 0; i < n; ++i) {
    chain->stages[i].instance = pzi_instance_retain(from->stages[i + (i >= without)].instance);
  }
  *out = chain;
  return PZ_OK;
}

/* Hands out a chain, or frees it after a failure. */
static pz_status
chain_finish(pz_chain* const chain, const pz_status status, pz_chain** const out)
{
  if (status != PZ_OK) {
    pz_chain_free(chain);
    return status;
  }
  *out = chain;
  return PZ_OK;
}

/* Instances for the stages of a text. */
static pz_status
make_instances(pz_context* const context, const pzi_chain_words* const words,
               const pz_option_setting* const settings, const uint32_t n_settings,
               pzi_stage* const stages)
{
  for (uint32_t i = 0; i < n_settings; ++i) {
    if (settings[i].stage >= words->n_stages) {
      return pzi_fail(PZ_INVALID,
                      "setting %" PRIu32 ": found stage %" PRIu32 ", expected less than %" PRIu32,
                      i, settings[i].stage, words->n_stages);
    }
    PZ_TRY(pzi_struct_check_reserved(settings[i].reserved, sizeof(settings[i].reserved), "setting",
                                     i));
  }
  for (uint32_t i = 0; i < words->n_stages; ++i) {
    const pzi_parametrization* found = NULL;
    PZ_TRY(pzi_lookup_parametrization(context, words->stages[i].id, &found));
    PZ_TRY(
        pzi_instance_new(found, &words->stages[i], i, settings, n_settings, &stages[i].instance));
  }
  return PZ_OK;
}

static pz_status
check_given(const pz_direction direction, const pz_spec* const given, const uint32_t n_given)
{
  char what[32];
  if (direction != PZ_FROM_TENSOR && direction != PZ_FROM_INPUT) {
    return pzi_fail(PZ_INVALID,
                    "chain: found direction %d, expected PZ_FROM_TENSOR or "
                    "PZ_FROM_INPUT",
                    (int)direction);
  }
  const uint32_t most = direction == PZ_FROM_TENSOR ? 1 : PZI_MAX_TENSORS;
  if (!given || n_given == 0 || n_given > most) {
    return pzi_fail(PZ_INVALID,
                    most == 1 ? "chain: found %" PRIu32 " specs, expected %" PRIu32
                              : "chain: found %" PRIu32 " specs, expected 1 to %" PRIu32,
                    given ? n_given : 0, most);
  }
  for (uint32_t i = 0; i < n_given; ++i) {
    snprintf(what, sizeof(what), direction == PZ_FROM_TENSOR ? "value" : "original %" PRIu32, i);
    PZ_TRY(pzi_check_spec(&given[i], false, what));
  }
  return PZ_OK;
}

/* ---- the public calls ------------------------------------------------------------- */

pz_status
pz_chain_new(pz_context* const context, const char* const text,
             const pz_option_setting* const settings, const uint32_t n_settings,
             const pz_direction direction, const pz_spec* const given, const uint32_t n_given,
             pz_chain** const out)
{
  pzi_chain_words* words = NULL;
  pz_chain* chain = NULL;
  if (!context || !out || (n_settings > 0 && !settings)) {
    return pzi_fail(PZ_INVALID, "chain: found a NULL argument");
  }
  PZ_TRY(check_given(direction, given, n_given));
  PZ_TRY(pzi_chain_text_parse(text, &words));
  pz_status status = chain_alloc(context, direction, words->n_stages, &chain);
  if (status == PZ_OK) {
    status = make_instances(context, words, settings, n_settings, chain->stages);
  }
  if (status == PZ_OK) {
    status = pzi_chain_plan(chain, direction, given, n_given, NULL);
  }
  free(words);
  return chain_finish(chain, status, out);
}

/* Plans a chain whose instances are set, from the originals of another chain; `dtype`, unless
   0, replaces theirs. */
static pz_status
plan_as(pz_chain* const chain, const pz_chain* const before, const uint32_t dtype)
{
  pz_spec originals[PZI_MAX_TENSORS];
  const uint32_t n = before->n_role[PZ_ORIGINAL];
  for (uint32_t i = 0; i < n; ++i) {
    originals[i] = before->tensors[i].spec;
    originals[i].dtype = dtype ? dtype : originals[i].dtype;
  }
  return pzi_chain_plan(chain, PZ_FROM_INPUT, originals, n, before);
}

pz_status
pz_chain_append(const pz_chain* const chain, const char* const text,
                const pz_option_setting* const settings, const uint32_t n_settings,
                pz_chain** const out)
{
  pzi_chain_words* words = NULL;
  pz_chain* longer = NULL;
  if (!chain || !out || (n_settings > 0 && !settings)) {
    return pzi_fail(PZ_INVALID, "chain: found a NULL argument");
  }
  PZ_TRY(pzi_chain_text_parse(text, &words));
  pz_status status = chain_derive(chain, UINT32_MAX, words->n_stages, &longer);
  if (status == PZ_OK) {
    status = make_instances(chain->context, words, settings, n_settings,
                            longer->stages + chain->n_stages);
  }
  if (status == PZ_OK) {
    status = plan_as(longer, chain, 0);
  }
  free(words);
  return chain_finish(longer, status, out);
}

/* A kept stage must keep its own tensors: their contents cannot be carried to a new shape. */
static pz_status
check_kept(const pzi_stage* const before, const pzi_stage* const after)
{
  const pzi_plan* const a = &before->plan;
  const pzi_plan* const b = &after->plan;
  bool same = a->n_parameter == b->n_parameter && a->n_buffer == b->n_buffer;
  const uint32_t n = a->n_parameter + a->n_buffer;
  for (uint32_t i = 0; same && i < n; ++i) {
    const pzi_declared* const s = &a->tensors[a->n_original + i];
    const pzi_declared* const t = &b->tensors[b->n_original + i];
    same = strcmp(s->name, t->name) == 0 && pz_spec_equal(&s->spec, &t->spec);
  }
  if (!same) {
    return pzi_fail(PZ_MISMATCH,
                    "%s: its buffers and own parameters would change with the new input",
                    before->instance->parametrization->table.id);
  }
  return PZ_OK;
}

pz_status
pz_chain_without(const pz_chain* const chain, const uint32_t index, pz_chain** const out)
{
  pz_chain* shorter = NULL;
  if (!chain || !out) {
    return pzi_fail(PZ_INVALID, "chain: found a NULL argument");
  }
  if (index >= chain->n_stages) {
    return pzi_fail(PZ_NOT_FOUND, "chain: found index %" PRIu32 ", expected less than %" PRIu32,
                    index, chain->n_stages);
  }
  if (chain->n_stages == 1) {
    return pzi_fail(PZ_INVALID, "chain: cannot leave out %s, its only stage",
                    chain->stages[0].instance->parametrization->table.id);
  }
  PZ_TRY(chain_derive(chain, index, 0, &shorter));
  pz_status status = plan_as(shorter, chain, 0);
  for (uint32_t i = 0; status == PZ_OK && i < shorter->n_stages; ++i) {
    status = check_kept(&chain->stages[i + (i >= index)], &shorter->stages[i]);
  }
  return chain_finish(shorter, status, out);
}

/* Tensors can be converted to another dtype if they have the same roles, names and shapes, and
   int64 ones stay int64. */
static pz_status
check_followed(const pz_chain* const before, const pz_chain* const after)
{
  bool same = before->n_tensors == after->n_tensors;
  for (uint32_t i = 0; same && i < before->n_tensors; ++i) {
    const pzi_chain_tensor* const a = &before->tensors[i];
    const pzi_chain_tensor* const b = &after->tensors[i];
    pz_spec spec = a->spec;
    spec.dtype = b->spec.dtype;
    same = a->role == b->role && strcmp(a->name, b->name) == 0 && pz_spec_equal(&spec, &b->spec) &&
           (a->spec.dtype == PZ_I64) == (b->spec.dtype == PZ_I64);
  }
  return same ? PZ_OK
              : pzi_fail(PZ_MISMATCH, "\"%s\": other tensors would be planned for the new dtype",
                         before->text);
}

pz_status
pzi_chain_with_dtype(const pz_chain* const chain, const uint32_t dtype, pz_chain** const out)
{
  pz_chain* other = NULL;
  PZ_TRY(chain_derive(chain, UINT32_MAX, 0, &other));
  pz_status status = plan_as(other, chain, dtype);
  if (status == PZ_OK) {
    status = check_followed(chain, other);
  }
  return chain_finish(other, status, out);
}

pz_chain*
pzi_chain_retain(const pz_chain* const shared)
{
  pz_chain* const chain = (pz_chain*)shared; // its count of references may change
  atomic_fetch_add_explicit(&chain->references, 1, memory_order_relaxed);
  return chain;
}

void
pz_chain_free(pz_chain* const chain)
{
  if (chain && atomic_fetch_sub_explicit(&chain->references, 1, memory_order_acq_rel) == 1) {
    chain_destroy(chain);
  }
}

static pz_status
check_chain(const pz_chain* const chain)
{
  return chain ? PZ_OK : pzi_fail(PZ_INVALID, "found no chain");
}

uint32_t
pz_chain_length(const pz_chain* const chain)
{
  return check_chain(chain) == PZ_OK ? chain->n_stages : 0;
}

const char*
pz_chain_text(const pz_chain* const chain)
{
  return check_chain(chain) == PZ_OK ? chain->text : "";
}

pz_status
pz_chain_stage(const pz_chain* const chain, const uint32_t index, pz_stage_info* const out)
{
  PZ_TRY(check_chain(chain));
  PZ_TRY(pzi_struct_check(out, "output"));
  if (index >= chain->n_stages) {
    return pzi_fail(PZ_NOT_FOUND, "chain: found index %" PRIu32 ", expected less than %" PRIu32,
                    index, chain->n_stages);
  }
  const pzi_stage* const stage = &chain->stages[index];
  const pzi_density* const density = &stage->plan.density;
  const pz_parametrization* const table = &stage->instance->parametrization->table;
  const bool has_density = density->declared && table->log_abs_det;
  const bool is_word = pzi_words_has(stage->instance->parametrization);
  const pz_stage_info info = {
      .text = stage->instance->text,
      .id = table->id,
      .value = stage->plan.value,
      .has_density = has_density || is_word, // a word moves entries
      .density_dims = has_density ? density->dims : 0,
      .density_in = has_density ? density->in : 0,
      .density_out = has_density ? density->out : 0,
  };
  pzi_struct_write(out, &info, sizeof(info));
  return PZ_OK;
}

uint32_t
pzi_chain_place(const pz_chain* const chain, const uint32_t role, const uint32_t index)
{
  if (role < PZ_ORIGINAL || role > PZ_STATE_BUFFER || index >= chain->n_role[role]) {
    return UINT32_MAX;
  }
  uint32_t place = index;
  for (uint32_t r = PZ_ORIGINAL; r < role; ++r) {
    place += chain->n_role[r];
  }
  return place;
}

pz_status
pz_chain_tensor(const pz_chain* const chain, const pz_role role, const uint32_t index,
                pz_chain_tensor_info* const out)
{
  PZ_TRY(check_chain(chain));
  PZ_TRY(pzi_struct_check(out, "output"));
  const uint32_t place = pzi_chain_place(chain, (uint32_t)role, index);
  if (place == UINT32_MAX) {
    return pzi_fail(PZ_NOT_FOUND, "chain: found no tensor %" PRIu32 " of role %d", index,
                    (int)role);
  }
  const pzi_chain_tensor* const tensor = &chain->tensors[place];
  const pz_chain_tensor_info info = {
      .role = tensor->role,
      .stage = tensor->stage,
      .name = tensor->name,
      .spec = tensor->spec,
  };
  pzi_struct_write(out, &info, sizeof(info));
  return PZ_OK;
}

uint32_t
pz_chain_count(const pz_chain* const chain, const pz_role role)
{
  const bool known = role >= PZ_ORIGINAL && role <= PZ_STATE_BUFFER;
  return check_chain(chain) == PZ_OK && known ? chain->n_role[role] : 0;
}

const pz_spec*
pz_chain_value(const pz_chain* const chain)
{
  return check_chain(chain) == PZ_OK ? &chain->value : NULL;
}
