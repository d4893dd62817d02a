/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A chain made from a tensor is planned backward first: from the last stage to the first,
   each plan tells the originals for a given value. Then every chain is planned forward: from
   the first stage to the last, each plan tells the value for a given input, whose structure
   is now known. Both passes must agree. The declarations of the forward pass become the
   chain's list of tensors. */

#include "chain.h"

#include "spec_text.h"
#include "status.h"
#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The originals of the first stage for a value of the given spec, and the value of every
   stage. */
static pz_status
plan_backward(const pz_chain* const chain, const pz_spec* const given, pz_spec* const values,
              pz_spec* const originals, uint32_t* const n_originals)
{
  pz_spec value = *given;
  for (uint32_t i = chain->n_stages; i-- > 0;) {
    pzi_plan plan = {0};
    values[i] = value;
    PZ_TRY(
        pzi_plan_make(chain->stages[i].instance, i, PZ_FROM_TENSOR, PZ_GENERAL, &value, 1, &plan));
    value = plan.tensors[0].spec;
    *n_originals = plan.n_original;
    for (uint32_t k = 0; k < plan.n_original; ++k) {
      originals[k] = plan.tensors[k].spec;
    }
    pzi_plan_cleanup(&plan);
  }
  return PZ_OK;
}

/* Plans all stages from the specs of the originals. `values`: those of plan_backward, or
   NULL. */
static pz_status
plan_forward(pz_chain* const chain, const pz_spec* const values, const pz_spec* const originals,
             const uint32_t n_originals)
{
  pz_spec input = originals[0];
  for (uint32_t i = 0; i < chain->n_stages; ++i) {
    pzi_stage* const stage = &chain->stages[i];
    const pz_spec* const given = i == 0 ? originals : &input;
    PZ_TRY(pzi_plan_make(stage->instance, i, PZ_FROM_INPUT, given[0].structure, given,
                         i == 0 ? n_originals : 1, &stage->plan));
    input = stage->plan.value;
    if (values && !pz_spec_equal(&input, &values[i])) {
      char found[PZI_SPEC_TEXT];
      char expected[PZI_SPEC_TEXT];
      return pzi_fail(PZ_PLUGIN, "%s: plan: the originals for %s make %s",
                      stage->instance->parametrization->table.id,
                      pzi_spec_text(&values[i], expected), pzi_spec_text(&input, found));
    }
  }
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
    pzi_chain_tensor* const tensor = &chain->tensors[chain->n_tensors];
    *tensor = (pzi_chain_tensor){
        .role = role, .stage = index, .place = k, .spec = stage->plan.tensors[k].spec};
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
  size_t n = chain->stages[0].plan.n_original;
  for (uint32_t i = 0; i < chain->n_stages; ++i) {
    n += chain->stages[i].plan.n_parameter + chain->stages[i].plan.n_buffer;
  }
  chain->tensors = calloc(n, sizeof(*chain->tensors));
  if (!chain->tensors) {
    return pzi_no_memory(n * sizeof(*chain->tensors));
  }
  PZ_TRY(list_tensors(chain, PZ_ORIGINAL, 0, 0, chain->stages[0].plan.n_original));
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
               const uint32_t n_given)
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
  if (direction == PZ_FROM_TENSOR) {
    const pz_spec value = originals[0];
    values = calloc(chain->n_stages, sizeof(*values));
    if (!values) {
      return pzi_no_memory(chain->n_stages * sizeof(*values));
    }
    status = plan_backward(chain, &value, values, originals, &n);
  }
  if (status == PZ_OK) {
    status = plan_forward(chain, values, originals, n);
  }
  free(values);
  PZ_TRY(status);
  PZ_TRY(list_all(chain));
  return write_text(chain);
}
