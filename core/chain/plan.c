/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A plan is a pure function from options and specs to specs. The declarations are checked
   one by one (draft.c) and then together against the given specs:

     from a tensor   the value has the spec of given[0]
     from the input  the originals have the given specs, one for one

   Only the first stage of a chain may have several originals. */

#include "plan.h"

#include "activity.h"
#include "services.h"
#include "spec_text.h"
#include "status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The plan of a table without plan. */
static pz_status
default_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_declare_original(c, NULL, given));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static pz_status
check_original(const char* const id, const pz_spec* const declared, const pz_spec* const given)
{
  char found[PZI_SPEC_TEXT];
  char expected[PZI_SPEC_TEXT];
  if (!pz_spec_equal(declared, given)) {
    return pzi_fail(PZ_MISMATCH, "%s: found input %s, expected %s", id, pzi_spec_text(given, found),
                    pzi_spec_text(declared, expected));
  }
  return PZ_OK;
}

static uint32_t
expected_originals(const pz_parametrization* const table)
{
  return table->n_originals > 0 ? table->n_originals : 1;
}

/* What holds whatever plan does. */
static pz_status
check_given(const pz_parametrization* const table, const uint32_t index,
            const pz_direction direction, const uint32_t n_given)
{
  const uint32_t n = expected_originals(table);
  if (index > 0 && n != 1) {
    return pzi_fail(PZ_MISMATCH,
                    "%s: found %" PRIu32 " originals at place %" PRIu32
                    " of a chain, expected one: only the first parametrization may have several",
                    table->id, n, index);
  }
  if (direction == PZ_FROM_INPUT && n_given != n) {
    return pzi_fail(PZ_MISMATCH, "%s: found %" PRIu32 " original%s, expected %" PRIu32, table->id,
                    n_given, PZI_S(n_given), n);
  }
  return PZ_OK;
}

static pz_status
check_draft(const pz_parametrization* const table, const pzi_draft* const draft,
            const pz_direction direction, const pz_spec* const given)
{
  const char* const id = table->id;
  char found[PZI_SPEC_TEXT];
  char expected[PZI_SPEC_TEXT];
  const uint32_t n_original = draft->n[PZ_ORIGINAL - 1];
  if (!draft->has_value) {
    return pzi_fail(PZ_PLUGIN, "%s: plan: declared no value", id);
  }
  if (n_original + draft->n[PZ_OWN_PARAMETER - 1] > PZI_MAX_TENSORS) {
    return pzi_fail(PZ_PLUGIN, "%s: plan: declared more than %d originals and own parameters", id,
                    PZI_MAX_TENSORS);
  }
  if (n_original != expected_originals(table)) {
    return pzi_fail(PZ_PLUGIN, "%s: plan: declared %" PRIu32 " original%s, expected %" PRIu32, id,
                    n_original, PZI_S(n_original), expected_originals(table));
  }
  if (direction == PZ_FROM_TENSOR) {
    if (!pz_spec_equal(&draft->value, given)) {
      return pzi_fail(PZ_MISMATCH, "%s: found value %s, expected %s", id,
                      pzi_spec_text(&draft->value, found), pzi_spec_text(given, expected));
    }
    return PZ_OK;
  }
  for (uint32_t i = 0; i < n_original; ++i) {
    PZ_TRY(check_original(id, &draft->tensors[0][i].spec, &given[i]));
  }
  return PZ_OK;
}

/* A fold has one original with the spec of its value, and no other tensors. */
static pz_status
check_fold(const char* const id, const pzi_draft* const draft)
{
  char text[PZI_SPEC_TEXT];
  const uint32_t structure = draft->value.structure;
  if (draft->fold == 0) {
    return PZ_OK;
  }
  if (structure != PZ_SYMMETRIC && structure != PZ_SKEW) {
    return pzi_fail(PZ_PLUGIN,
                    "%s: plan: declared a fold and a value that is %s, expected "
                    "symmetric or skew",
                    id, pzi_spec_text_structure(structure));
  }
  if (draft->n[PZ_ORIGINAL - 1] != 1 || draft->n[PZ_OWN_PARAMETER - 1] != 0 ||
      draft->n[PZ_STATE_BUFFER - 1] != 0 ||
      !pz_spec_equal(&draft->tensors[0][0].spec, &draft->value)) {
    return pzi_fail(PZ_PLUGIN,
                    "%s: plan: declared a fold, expected one original of %s and no other tensor",
                    id, pzi_spec_text(&draft->value, text));
  }
  return PZ_OK;
}

/* The value and every original begin with the extents of the batch. */
static pz_status
check_density(const char* const id, const pzi_draft* const draft)
{
  const pzi_density* const density = &draft->density;
  const int32_t batch = draft->value.ndim - (int32_t)density->dims;
  char text[PZI_SPEC_TEXT];
  if (!density->declared) {
    return PZ_OK;
  }
  if (batch < 0) {
    return pzi_fail(PZ_PLUGIN, "%s: plan: declared a density over %" PRIu32 " dimension%s of %s",
                    id, density->dims, PZI_S(density->dims), pzi_spec_text(&draft->value, text));
  }
  for (uint32_t k = 0; k < draft->n[PZ_ORIGINAL - 1]; ++k) {
    const pz_spec* const original = &draft->tensors[PZ_ORIGINAL - 1][k].spec;
    if (original->ndim < batch || memcmp(original->shape, draft->value.shape,
                                         (size_t)batch * sizeof(*original->shape)) != 0) {
      return pzi_fail(PZ_PLUGIN,
                      "%s: plan: declared a density and an original of %s, expected the batch of "
                      "its value",
                      id, pzi_spec_text(original, text));
    }
  }
  return PZ_OK;
}

/* Moves the draft's tensors, names included, into a plan. */
static pz_status
plan_from_draft(pzi_draft* const draft, const uint32_t in, pzi_plan* const out)
{
  const size_t n = (size_t)draft->n[0] + draft->n[1] + draft->n[2];
  pzi_declared* const tensors = calloc(n, sizeof(*tensors));
  if (!tensors) {
    return pzi_no_memory(n * sizeof(*tensors));
  }
  *out = (pzi_plan){
      .n_original = draft->n[0],
      .n_parameter = draft->n[1],
      .n_buffer = draft->n[2],
      .in = in,
      .tensors = tensors,
      .value = draft->value,
      .fold = draft->fold,
      .takes_triangle = draft->takes_triangle,
      .density = draft->density,
  };
  pzi_declared* to = tensors;
  for (uint32_t r = 0; r < 3; ++r) {
    memcpy(to, draft->tensors[r], draft->n[r] * sizeof(*to));
    to += draft->n[r];
    draft->n[r] = 0;
  }
  return PZ_OK;
}

pz_status
pzi_plan_make(const pzi_instance* const instance, const uint32_t index,
              const pz_direction direction, const uint32_t in, const pz_spec* const given,
              const uint32_t n_given, pzi_plan* const out)
{
  const pz_parametrization* const table = &instance->parametrization->table;
  PZ_TRY(check_given(table, index, direction, n_given));
  pzi_draft* const draft = calloc(1, sizeof(*draft));
  if (!draft) {
    return pzi_no_memory(sizeof(*draft));
  }
  pzi_activity run = {.id = table->id, .callback = "plan", .draft = draft};
  pz_call call;
  pzi_fault none = {.status = PZ_OK};
  pzi_ops_table_init_call(&call, &run.frame, NULL, &none); /* no queue: operations fail */
  call.host = &pzi_services;
  call.options = instance->options;
  call.in = in;
  call.direction = (uint32_t)direction;
  call.n_original = expected_originals(table);
  call.dtype = given[0].dtype;
  call.reserved = &run;

  pzi_activity_begin(&run);
  const pz_status answer = (table->plan ? table->plan : default_plan)(&call, given);
  pz_status status = pzi_activity_end(&run, answer);
  if (status == PZ_OK) {
    status = check_draft(table, draft, direction, given);
  }
  if (status == PZ_OK) {
    status = check_fold(table->id, draft);
  }
  if (status == PZ_OK) {
    status = check_density(table->id, draft);
  }
  if (status == PZ_OK) {
    status = plan_from_draft(draft, in, out);
  }
  pzi_draft_free(draft);
  return status;
}

void
pzi_plan_cleanup(pzi_plan* const plan)
{
  const uint32_t n = plan->n_original + plan->n_parameter + plan->n_buffer;
  for (uint32_t i = 0; plan->tensors && i < n; ++i) {
    free(plan->tensors[i].name);
  }
  free(plan->tensors);
  *plan = (pzi_plan){0};
}
