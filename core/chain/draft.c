/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Declarations are checked one by one as a plan makes them. */

#include "draft.h"

#include "check_tensor.h"
#include "spec_text.h"

#include <parametrize/chain.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char* const role_names[] = {"original", "own parameter", "buffer"};

static bool
is_name(const char* const name)
{
  for (size_t i = 0; name[i] != '\0'; ++i) {
    const char c = name[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && (i == 0 || c < '0' || c > '9')) {
      return false;
    }
  }
  return name[0] != '\0';
}

/* Own parameters and buffers of a stage share a namespace. */
static bool
is_taken(const pzi_draft* const draft, const uint32_t role, const char* const name)
{
  for (uint32_t r = 0; r < 3; ++r) {
    if ((r == 0) == (role == PZ_ORIGINAL)) {
      for (uint32_t i = 0; i < draft->n[r]; ++i) {
        if (draft->tensors[r][i].name && strcmp(draft->tensors[r][i].name, name) == 0) {
          return true;
        }
      }
    }
  }
  return false;
}

/* A size that no memory has is not the plugin's fault. */
static pz_status
check_spec(pzi_activity* const run, const pz_spec* const spec, const bool integers,
           const char* const what)
{
  const pz_status status = pzi_check_spec(spec, integers, what);
  if (status != PZ_OK) {
    const bool first = run->breach[0] == '\0';
    (void)pzi_activity_breach(run, "%s", pz_error_message());
    run->breach_status = first && status == PZ_UNSUPPORTED ? status : run->breach_status;
  }
  return status;
}

pz_status
pzi_draft_tensor(pzi_activity* const run, const uint32_t role, const char* const name,
                 const pz_spec* const spec)
{
  pzi_draft* const draft = run->draft;
  const char* const what = role_names[role - 1];
  uint32_t* const n = &draft->n[role - 1];
  PZ_TRY(check_spec(run, spec, role == PZ_STATE_BUFFER, what));
  if (role != PZ_ORIGINAL && !name) {
    return pzi_activity_breach(run, "%s: found no name", what);
  }
  if (name && !is_name(name)) {
    return pzi_activity_breach(run, "%s: found name \"%.60s\", expected letters, digits and _",
                               what, name);
  }
  if (name && is_taken(draft, role, name)) {
    return pzi_activity_breach(run, "%s: found name \"%.60s\" twice", what, name);
  }
  if (*n == PZI_MAX_TENSORS) {
    return pzi_activity_breach(run, "%s: found more than %d", what, PZI_MAX_TENSORS);
  }
  pzi_declared* const declared = &draft->tensors[role - 1][*n];
  if (name) {
    declared->name = strdup(name);
    if (!declared->name) {
      pzi_activity_breach(run, "out of memory");
      run->breach_status = PZ_NO_MEMORY;
      return PZ_NO_MEMORY;
    }
  }
  declared->spec = *spec;
  declared->spec.structure = PZ_GENERAL;
  ++*n;
  return PZ_OK;
}

pz_status
pzi_draft_value(pzi_activity* const run, const pz_spec* const spec, const uint32_t declared)
{
  const uint32_t structure = declared > PZ_DIAGONAL ? (uint32_t)PZ_GENERAL : declared;
  pzi_draft* const draft = run->draft;
  char text[PZI_SPEC_TEXT];
  PZ_TRY(check_spec(run, spec, false, "value"));
  if (draft->has_value) {
    return pzi_activity_breach(run, "value: found a second one");
  }
  const bool square = spec->ndim >= 2 && spec->shape[spec->ndim - 1] == spec->shape[spec->ndim - 2];
  const bool any_shape = structure == PZ_ORTHOGONAL || structure >= PZ_UPPER_TRIANGULAR;
  if (structure != PZ_GENERAL && (spec->ndim < 2 || (!any_shape && !square))) {
    return pzi_activity_breach(run, "value: found %s, which cannot be %s",
                               pzi_spec_text(spec, text), pzi_spec_text_structure(structure));
  }
  draft->value = *spec;
  draft->value.structure = structure;
  draft->has_value = true;
  return PZ_OK;
}

pz_status
pzi_draft_fold(pzi_activity* const run, const uint32_t triangle)
{
  if (triangle != PZ_UPPER && triangle != PZ_LOWER) {
    return pzi_activity_breach(
        run, "fold: found triangle %" PRIu32 ", expected PZ_UPPER or PZ_LOWER", triangle);
  }
  run->draft->fold = triangle == PZ_UPPER ? PZ_BY_UPPER : PZ_BY_LOWER;
  return PZ_OK;
}

pz_status
pzi_draft_density(pzi_activity* const run, const uint32_t dims, const uint32_t in,
                  const uint32_t out)
{
  if (dims > 2) {
    return pzi_activity_breach(run, "density: found %" PRIu32 " dimensions, expected at most 2",
                               dims);
  }
  if (run->draft->density.declared) {
    return pzi_activity_breach(run, "density: found a second one");
  }
  run->draft->density = (pzi_density){.declared = true, .dims = dims, .in = in, .out = out};
  return PZ_OK;
}

void
pzi_draft_free(pzi_draft* const draft)
{
  for (uint32_t r = 0; r < 3; ++r) {
    for (uint32_t i = 0; i < draft->n[r]; ++i) {
      free(draft->tensors[r][i].name);
    }
  }
  free(draft);
}
