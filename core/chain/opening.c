/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Originals tell the shape of the tensor that a view reads where only one tensor has them:

   - An original that is laid out like the tensor has the tensor's extents where a list joins several
     dimensions. The map's value has the others.
   - If no list has two dimensions that the cuts leave open, the value has them all.

   A tensor counts only if the map plans the given originals for it. Without such an original,
   and with a list of several dimensions, nothing tells how to divide it:

     view(cols=*),simplex    11 numbers    a tensor of 12, of 4 x 3, of 2 x 2 x 3 ... */

#include "opening.h"

#include "spec_text.h"
#include "status.h"

#include <inttypes.h>

/* The originals, and the tensors found so far. */
typedef struct finding {
  const pzi_view* view;
  const pzi_instance* map;
  const pz_spec* given;
  uint32_t n;
  pz_spec tensor;
  uint64_t laid_out;
  bool found;
  bool many; /* more than one, or any of a kind */
} finding;

void
pzi_opening_lay_out(const pzi_view* const view, const pz_spec* const tensor,
                    pz_spec* const originals, const uint32_t n, uint64_t* const laid_out)
{
  pzi_turn turn;
  *laid_out = 0;
  for (uint32_t k = 0; k < n; ++k) {
    if (pzi_reading_fits(view, &originals[k], tensor, &turn)) {
      originals[k] = turn.to;
      *laid_out |= UINT64_C(1) << k;
    }
  }
}

/* What the map reads of the originals if those that can be are laid out like a tensor. */
static uint64_t
read_like(const finding* const f, const pz_spec* const tensor, pz_spec* const read)
{
  pzi_turn turn;
  uint64_t laid_out = 0;
  for (uint32_t k = 0; k < f->n; ++k) {
    read[k] = f->given[k];
    if (pzi_reading_fits(f->view, &f->given[k], NULL, &turn)) {
      const pz_spec rows = turn.to;
      if (pzi_reading_fits(f->view, &rows, tensor, &turn) &&
          pz_spec_equal(&turn.to, &f->given[k])) {
        read[k] = rows;
        laid_out |= UINT64_C(1) << k;
      }
    }
  }
  return laid_out;
}

/* Plans the map, for originals or for a value: the originals, and the value. */
static pz_status
plan_map(const finding* const f, const pz_direction direction, const pz_spec* const given,
         const uint32_t n_given, pz_spec* const originals, uint32_t* const n, pz_spec* const value)
{
  pzi_plan plan = {0};
  PZ_TRY(pzi_plan_make(f->map, 0, direction, PZ_GENERAL, given, n_given, &plan));
  *n = plan.n_original;
  *value = plan.value;
  value->structure = PZ_GENERAL;
  for (uint32_t k = 0; k < plan.n_original; ++k) {
    originals[k] = plan.tensors[k].spec;
  }
  pzi_plan_cleanup(&plan);
  return PZ_OK;
}

/* Are these the given originals, of a tensor? */
static pz_status
compare(const finding* const f, const pz_spec* const originals, const uint32_t n,
        const pz_spec* const tensor)
{
  char text[3][PZI_SPEC_TEXT];
  (void)pzi_spec_text(tensor, text[2]);
  if (n != f->n) {
    return pzi_fail(PZ_MISMATCH,
                    "view: found %" PRIu32 " original%s, expected %" PRIu32 " for a tensor of %s",
                    f->n, PZI_S(f->n), n, text[2]);
  }
  for (uint32_t k = 0; k < n; ++k) {
    if (!pz_spec_equal(&originals[k], &f->given[k])) {
      return pzi_fail(
          PZ_MISMATCH, "view: original %" PRIu32 ": found %s, expected %s for a tensor of %s", k,
          pzi_spec_text(&f->given[k], text[0]), pzi_spec_text(&originals[k], text[1]), text[2]);
    }
  }
  return PZ_OK;
}

/* Notes a tensor if it has the originals. A map that plans none from its value was made on its
   originals: they are then laid out as `laid_out` says. */
static pz_status
consider(finding* const f, const pz_spec* const tensor, const uint64_t laid_out)
{
  pz_spec originals[PZI_MAX_TENSORS];
  pz_spec value;
  pzi_turn turn;
  uint64_t planned = laid_out;
  uint32_t n = 0;
  PZ_TRY(pzi_reading_begin(f->view, tensor, &turn));
  const pz_status status = plan_map(f, PZ_FROM_TENSOR, &turn.to, 1, originals, &n, &value);
  if (status == PZ_NO_MEMORY) {
    return status;
  }
  if (status == PZ_OK) {
    pzi_opening_lay_out(f->view, tensor, originals, n, &planned);
    PZ_TRY(compare(f, originals, n, tensor));
  }
  f->many = f->many || (f->found && !pz_spec_equal(tensor, &f->tensor));
  f->found = true;
  f->tensor = *tensor;
  f->laid_out = planned;
  return PZ_OK;
}

/* The tensor whose joined dimensions are those of original k. */
static pz_status
find_like(finding* const f, const uint32_t k)
{
  pz_spec read[PZI_MAX_TENSORS];
  pz_spec originals[PZI_MAX_TENSORS];
  pz_spec value;
  pzi_turn turn;
  uint32_t n = 0;
  PZ_TRY(pzi_reading_begin(f->view, &f->given[k], &turn));
  const uint64_t laid_out = read_like(f, &f->given[k], read);
  PZ_TRY(plan_map(f, PZ_FROM_INPUT, read, f->n, originals, &n, &value));
  PZ_TRY(pzi_reading_end(f->view, &value, &f->given[k], &turn));
  turn.to.structure = PZ_GENERAL;
  return consider(f, &turn.to, laid_out);
}

/* Is an original, as it is, laid out like the tensors that are read as `value`? */
static bool
one_lies(const finding* const f, const pz_spec* const value, const uint32_t held)
{
  bool any = false;
  for (uint32_t k = 0; k < f->n; ++k) {
    const pz_spec* const x = &f->given[k];
    bool lies = x->ndim == value->ndim;
    for (int32_t d = 0; lies && d < x->ndim; ++d) {
      lies = (held >> d & 1U) == 0 || x->shape[d] == value->shape[d];
    }
    any = any || lies;
  }
  return any;
}

/* The tensors that none of the originals is laid out like. */
static pz_status
find_unlike(finding* const f)
{
  pz_spec originals[PZI_MAX_TENSORS];
  pz_spec value;
  pz_spec again;
  uint32_t n = 0;
  PZ_TRY(plan_map(f, PZ_FROM_INPUT, f->given, f->n, originals, &n, &value));
  PZ_TRY(plan_map(f, PZ_FROM_TENSOR, &value, 1, originals, &n, &again));
  PZ_TRY(compare(f, originals, n, &value));
  for (int32_t ndim = 1; ndim <= PZ_MAX_DIMS; ++ndim) {
    pz_spec tensor;
    uint32_t held = 0;
    const int ways = pzi_reading_tensors(f->view, &value, ndim, &tensor, &held);
    if (ways > 1) {
      f->many = f->many || !one_lies(f, &value, held);
    } else if (ways == 1) {
      const pz_status status = consider(f, &tensor, 0);
      PZ_TRY(status == PZ_NO_MEMORY ? status : PZ_OK);
    }
  }
  return PZ_OK;
}

/* The tensor whose shape the text gives. */
static pz_status
find_given(finding* const f)
{
  pz_spec read[PZI_MAX_TENSORS];
  const pz_spec tensor = pz_spec_make(f->given[0].dtype, f->view->ndim, f->view->shape);
  return consider(f, &tensor, read_like(f, &tensor, read));
}

static uint32_t
largest(const pz_spec* const originals, const uint32_t n)
{
  uint32_t found = 0;
  for (uint32_t k = 1; k < n; ++k) {
    const int64_t more = pz_spec_count(&originals[k]) - pz_spec_count(&originals[found]);
    found = more > 0 || (more == 0 && originals[k].ndim > originals[found].ndim) ? k : found;
  }
  return found;
}

/* Looks for the tensor where the text does not give it. */
static pz_status
search(finding* const f)
{
  pz_status failure = PZ_OK; // that of the largest original tells most
  pzi_message before;
  pzi_message message;
  pzi_message_save(&before);
  message = before;
  for (uint32_t k = 0; k < f->n; ++k) {
    const pz_status status = find_like(f, k);
    PZ_TRY(status == PZ_NO_MEMORY ? status : PZ_OK);
    if (k == largest(f->given, f->n)) {
      failure = status;
      pzi_message_save(&message);
    }
  }
  const pz_status status = find_unlike(f);
  PZ_TRY(status == PZ_NO_MEMORY ? status : PZ_OK);
  if (f->many) {
    return pzi_fail(PZ_MISMATCH,
                    "view: found originals of tensors of more than one shape, expected the "
                    "tensor's shape in the text, as in view(tensor=16x8x3x3)");
  }
  pzi_message_restore(f->found ? &before : &message);
  return f->found ? PZ_OK : failure;
}

pz_status
pzi_opening_find(const pzi_view* const view, const pzi_instance* const map,
                 const pz_spec* const originals, const uint32_t n, pz_spec* const tensor,
                 uint64_t* const laid_out)
{
  finding f = {.view = view, .map = map, .given = originals, .n = n};
  PZ_TRY(view->ndim > 0 ? find_given(&f) : search(&f));
  *tensor = f.tensor;
  *laid_out = f.laid_out;
  return PZ_OK;
}
