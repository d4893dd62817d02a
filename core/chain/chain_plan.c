/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A chain made from a tensor is planned backward first: from the last stage to the first,
   each plan tells the originals for a given value. Then every chain is planned forward: from
   the first stage to the last, each plan tells the value for a given input, whose structure
   is now known. Both passes must agree. The declarations of the forward pass become the
   chain's list of tensors.

   A view before the first map reads the originals of a tensor (opening.h). */

#include "chain.h"

#include "opening.h"
#include "spec_text.h"
#include "status.h"
#include "text.h"
#include "words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
is_word(const pzi_stage* const stage)
{
  return pzi_words_has(stage->instance->parametrization);
}

/* Is the first map in a view? */
static bool
begins_with_view(const pz_chain* const chain)
{
  return chain->stages[0].instance->view != NULL;
}

/* Lists the maps, and the view that each stage is in. */
static pz_status
find_views(pz_chain* const chain)
{
  const pzi_view* open = NULL;
  bool empty = false;
  chain->n_maps = 0;
  for (uint32_t i = 0; i < chain->n_stages; ++i) {
    pzi_stage* const stage = &chain->stages[i];
    const pzi_view* const begins = stage->instance->view;
    const bool ends = is_word(stage) && !begins;
    if (begins && open) {
      return pzi_fail(PZ_INVALID, "view: found a view in a view, expected back before it");
    }
    if (ends && (!open || empty)) {
      return pzi_fail(PZ_INVALID, "back: found no %s before it",
                      open ? "parametrization in the view" : "view");
    }
    open = begins ? begins : open;
    empty = begins != NULL;
    stage->view = open;
    stage->map = chain->n_maps;
    open = ends ? NULL : open;
    if (!is_word(stage)) {
      chain->maps[chain->n_maps++] = stage;
    }
  }
  chain->open = open;
  return empty ? pzi_fail(PZ_INVALID, "view: found no parametrization after it") : PZ_OK;
}

/* Enters a view from its end: the value becomes what is read. */
static pz_status
enter(const pzi_view* const view, pz_spec* const value, pz_spec* const tensor)
{
  pzi_turn turn;
  *tensor = *value;
  PZ_TRY(pzi_reading_begin(view, value, &turn));
  *value = turn.to;
  return PZ_OK;
}

/* The originals of the first map for a value of the given spec, the tensor that a view before it
   reads, and the value of every map. */
static pz_status
plan_backward(pz_chain* const chain, const pz_spec* const given, pz_spec* const values,
              pz_spec* const originals, uint32_t* const n_originals)
{
  pz_spec value = *given;
  pz_spec tensor = *given; /* of the view that stage i is in */
  if (chain->open) {
    PZ_TRY(enter(chain->open, &value, &tensor));
  }
  for (uint32_t i = chain->n_stages; i-- > 0;) {
    const pzi_stage* const stage = &chain->stages[i];
    pzi_plan plan = {0};
    if (!is_word(stage)) {
      values[stage->map] = value;
      PZ_TRY(
          pzi_plan_make(stage->instance, stage->map, PZ_FROM_TENSOR, PZ_GENERAL, &value, 1, &plan));
      value = plan.tensors[0].spec;
      *n_originals = plan.n_original;
      for (uint32_t k = 0; k < plan.n_original; ++k) {
        originals[k] = plan.tensors[k].spec;
      }
      pzi_plan_cleanup(&plan);
    } else if (!stage->instance->view) {
      PZ_TRY(enter(stage->view, &value, &tensor));
    } else if (i > 0) {
      pzi_turn turn;
      PZ_TRY(pzi_reading_end(stage->view, &value, &tensor, &turn));
      value = turn.to;
    }
  }
  if (begins_with_view(chain)) {
    chain->tensor = tensor;
    pzi_opening_lay_out(chain->stages[0].view, &tensor, originals, *n_originals, &chain->laid_out);
  }
  return PZ_OK;
}

/* Leaves a view; the text may give the shape of its tensor. */
static pz_status
leave(const pzi_view* const view, const pz_spec* const read, const pz_spec* const like,
      pzi_turn* const out)
{
  PZ_TRY(pzi_reading_end(view, read, like, out));
  const pz_spec given = pz_spec_make(out->to.dtype, view->ndim, view->shape);
  if (view->ndim > 0 && !pz_spec_equal(&given, &out->to)) {
    char found[PZI_SPEC_TEXT];
    char expected[PZI_SPEC_TEXT];
    return pzi_fail(PZ_MISMATCH, "view: found a tensor of %s, expected %s as the text gives it",
                    pzi_spec_text(&out->to, found), pzi_spec_text(&given, expected));
  }
  return PZ_OK;
}

/* Replaces the originals that lie as in the tensor by what the first map reads. */
static pz_status
read_originals(pz_chain* const chain, pz_spec* const originals, const uint32_t n)
{
  const pzi_view* const view = chain->stages[0].view;
  pzi_turn turn;
  chain->read = calloc(n, sizeof(*chain->read));
  if (!chain->read) {
    return pzi_no_memory(n * sizeof(*chain->read));
  }
  for (uint32_t k = 0; k < n; ++k) {
    if ((chain->laid_out >> k & 1U) != 0) {
      PZ_TRY(pzi_reading_begin(view, &originals[k], &turn));
      pzi_way_add(&chain->read[k], &turn);
      originals[k] = turn.to;
    }
  }
  PZ_TRY(pzi_reading_begin(view, &chain->tensor, &turn));
  pzi_way_add(&chain->opening, &turn);
  chain->stages[0].plan.value = turn.to;
  return PZ_OK;
}

/* Plans a map for its input, or the first one for the originals. */
static pz_status
plan_map(pzi_stage* const stage, const pz_spec* const values, const pz_spec* const given,
         const uint32_t n_given)
{
  PZ_TRY(pzi_plan_make(stage->instance, stage->map, PZ_FROM_INPUT, given[0].structure, given,
                       n_given, &stage->plan));
  if (values && !pz_spec_equal(&stage->plan.value, &values[stage->map])) {
    char found[PZI_SPEC_TEXT];
    char expected[PZI_SPEC_TEXT];
    return pzi_fail(PZ_PLUGIN, "%s: plan: the originals for %s make %s",
                    stage->instance->parametrization->table.id,
                    pzi_spec_text(&values[stage->map], expected),
                    pzi_spec_text(&stage->plan.value, found));
  }
  return PZ_OK;
}

/* Plans all stages from the specs of the originals. `values`: those of plan_backward, or
   NULL. */
static pz_status
plan_forward(pz_chain* const chain, const pz_spec* const values, pz_spec* const originals,
             const uint32_t n_originals)
{
  pz_spec tensor = chain->tensor;
  pz_spec value = originals[0];
  pzi_way way = {0};
  pzi_turn turn;
  if (begins_with_view(chain)) {
    PZ_TRY(read_originals(chain, originals, n_originals));
  }
  for (uint32_t i = 0; i < chain->n_stages; ++i) {
    pzi_stage* const stage = &chain->stages[i];
    if (!is_word(stage)) {
      const bool first = stage->map == 0;
      stage->in = way;
      PZ_TRY(plan_map(stage, values, first ? originals : &value, first ? n_originals : 1));
      way = (pzi_way){0};
    } else if (stage->instance->view && i > 0) {
      PZ_TRY(pzi_reading_begin(stage->view, &value, &turn));
      pzi_way_add(&way, &turn);
      tensor = value;
      stage->plan.value = way.n > 0 ? turn.to : chain->maps[stage->map - 1]->plan.value;
    } else if (i > 0) {
      PZ_TRY(leave(stage->view, &value, &tensor, &turn));
      pzi_way_add(&way, &turn);
      way.n_ending = way.n;
      stage->plan.value = turn.to;
    }
    value = stage->plan.value;
  }
  if (chain->open) {
    PZ_TRY(leave(chain->open, &value, &tensor, &turn));
    pzi_way_add(&way, &turn);
    way.n_ending = way.n;
    value = turn.to;
  }
  chain->out = way;
  chain->value = value;
  return PZ_OK;
}

static pz_status
tensor_name(pzi_chain_tensor* const tensor, const char* const declared, const uint32_t n_original)
{
  char buffer[32];
  pzi_text text = {0};
  if (tensor->role != PZ_ORIGINAL) {
    snprintf(buffer, sizeof(buffer), "%" PRIu32 ".", tensor->stage);
    pzi_text_add(&text, buffer);
    pzi_text_add(&text, declared);
  } else if (declared) {
    pzi_text_add(&text, declared);
  } else if (n_original == 1) {
    pzi_text_add(&text, "original");
  } else {
    snprintf(buffer, sizeof(buffer), "original%" PRIu32, tensor->place);
    pzi_text_add(&text, buffer);
  }
  return pzi_text_finish(&text, &tensor->name);
}

/* Adds tensors of one role of one stage to the chain's list. */
static pz_status
list_tensors(pz_chain* const chain, const uint32_t role, const uint32_t index, const uint32_t place,
             const uint32_t n)
{
  const pzi_stage* const stage = &chain->stages[index];
  for (uint32_t k = place; k < place + n; ++k) {
    const bool turned = role == PZ_ORIGINAL && chain->read && chain->read[k].n > 0;
    pzi_chain_tensor* const tensor = &chain->tensors[chain->n_tensors];
    *tensor = (pzi_chain_tensor){.role = role,
                                 .stage = index,
                                 .place = k,
                                 .spec = turned ? chain->read[k].turns[0].from
                                                : stage->plan.tensors[k].spec};
    PZ_TRY(tensor_name(tensor, stage->plan.tensors[k].name, stage->plan.n_original));
    for (uint32_t i = 0; role == PZ_ORIGINAL && i < chain->n_tensors; ++i) {
      if (strcmp(chain->tensors[i].name, tensor->name) == 0) {
        free(tensor->name);
        return pzi_fail(PZ_PLUGIN, "%s: plan: original: found name \"%s\" twice",
                        stage->instance->parametrization->table.id, chain->tensors[i].name);
      }
    }
    ++chain->n_tensors;
    ++chain->n_role[role];
  }
  return PZ_OK;
}

static pz_status
list_all(pz_chain* const chain)
{
  const pzi_stage* const first = chain->maps[0];
  size_t n = first->plan.n_original;
  for (uint32_t i = 0; i < chain->n_stages; ++i) {
    n += chain->stages[i].plan.n_parameter + chain->stages[i].plan.n_buffer;
  }
  chain->tensors = calloc(n, sizeof(*chain->tensors));
  if (!chain->tensors) {
    return pzi_no_memory(n * sizeof(*chain->tensors));
  }
  PZ_TRY(list_tensors(chain, PZ_ORIGINAL, (uint32_t)(first - chain->stages), 0,
                      first->plan.n_original));
  for (uint32_t i = 0; i < chain->n_stages; ++i) {
    pzi_stage* const stage = &chain->stages[i];
    stage->first_parameter = chain->n_tensors;
    PZ_TRY(
        list_tensors(chain, PZ_OWN_PARAMETER, i, stage->plan.n_original, stage->plan.n_parameter));
  }
  for (uint32_t i = 0; i < chain->n_stages; ++i) {
    pzi_stage* const stage = &chain->stages[i];
    stage->first_buffer = chain->n_tensors;
    PZ_TRY(list_tensors(chain, PZ_STATE_BUFFER, i, stage->plan.n_original + stage->plan.n_parameter,
                        stage->plan.n_buffer));
  }
  const uint32_t trained = chain->n_role[PZ_ORIGINAL] + chain->n_role[PZ_OWN_PARAMETER];
  if (trained > PZI_MAX_TENSORS) {
    return pzi_fail(PZ_UNSUPPORTED,
                    "chain: found %" PRIu32 " originals and own parameters, expected at most %d",
                    trained, PZI_MAX_TENSORS);
  }
  return PZ_OK;
}

static pz_status
write_text(pz_chain* const chain)
{
  pzi_text text = {0};
  for (uint32_t i = 0; i < chain->n_stages; ++i) {
    pzi_text_add(&text, i ? "," : "");
    pzi_text_add(&text, chain->stages[i].instance->text);
  }
  return pzi_text_finish(&text, &chain->text);
}

pz_status
pzi_chain_plan(pz_chain* const chain, const pz_direction direction, const pz_spec* const given,
               const uint32_t n_given, const pz_chain* const before)
{
  pz_spec originals[PZI_MAX_TENSORS];
  pz_spec* values = NULL;
  uint32_t n = n_given;
  pz_status status = PZ_OK;
  for (uint32_t i = 0; i < n_given; ++i) {
    originals[i] = given[i];
    originals[i].structure = PZ_GENERAL;
    originals[i].reserved = 0;
  }
  PZ_TRY(find_views(chain));
  if (direction == PZ_FROM_TENSOR) {
    const pz_spec value = originals[0];
    values = calloc(chain->n_maps, sizeof(*values));
    if (!values) {
      return pzi_no_memory(chain->n_maps * sizeof(*values));
    }
    status = plan_backward(chain, &value, values, originals, &n);
  } else if (begins_with_view(chain) && before &&
             before->stages[0].instance == chain->stages[0].instance) {
    const uint32_t dtype = originals[0].dtype;
    chain->tensor = before->tensor;
    chain->tensor.dtype = dtype == before->tensors[0].spec.dtype ? chain->tensor.dtype : dtype;
    chain->laid_out = before->laid_out;
  } else if (begins_with_view(chain)) {
    status = pzi_opening_find(chain->stages[0].view, chain->maps[0]->instance, originals, n,
                              &chain->tensor, &chain->laid_out);
  }
  if (status == PZ_OK) {
    status = plan_forward(chain, values, originals, n);
  }
  free(values);
  PZ_TRY(status);
  PZ_TRY(list_all(chain));
  return write_text(chain);
}
