/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Services for plugins: messages, scratch, and what forward hands to vjp. Plugins are not
   trusted: a service asked for where the contract excludes it refuses, and the refusal
   sticks to the run, so that an entry which ignores it fails all the same. */

#include "services.h"

#include "map_plan.h"
#include "shape.h"
#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pzi_activity*
activity_of(const pz_call* const c)
{
  return (pzi_activity*)c->reserved;
}

/* ---- runs -------------------------------------------------------------------- */

void
pzi_activity_begin(pzi_activity* const run)
{
  run->n_marks = 0;
  run->breach[0] = '\0';
  run->failures = pzi_fail_count();
  if (run->spare) {
    run->spare_mark = pzi_arena_mark(run->spare);
    run->spare_host_mark = pzi_arena_mark(run->spare_host);
  }
}

pz_status
pzi_activity_end(pzi_activity* const run, const pz_status answer)
{
  if (run->spare) {
    pzi_arena_release(run->work, 0);
    pzi_arena_release(run->work_host, 0);
    pzi_arena_release(run->spare, run->spare_mark);
    pzi_arena_release(run->spare_host, run->spare_host_mark);
  }
  if (run->breach[0] != '\0') {
    return pzi_fail(run->breach_status, "%s: %s: %s", run->id, run->entry, run->breach);
  }
  if (answer == PZ_OK) {
    return PZ_OK;
  }
  if ((int)answer < 0 || answer > PZ_DEVICE) {
    return pzi_fail(PZ_PLUGIN, "%s: %s: returned status %d, which means nothing", run->id,
                    run->entry, (int)answer);
  }
  if (pzi_fail_count() == run->failures) {
    return pzi_fail(answer, "%s: %s: failed without a reason: %s", run->id, run->entry,
                    pz_status_text(answer));
  }
  return pzi_fail_prefix(answer, "%s", run->id);
}

pz_status
pzi_activity_breach(pzi_activity* const run, const char* const format, ...)
{
  char text[PZI_BREACH];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  if (run->breach[0] == '\0') {
    memcpy(run->breach, text, sizeof(text));
    run->breach_status = PZ_PLUGIN;
  }
  return pzi_fail(PZ_PLUGIN, "%s", text);
}

pz_status
pzi_spec_check(const pz_spec* const spec, const char* const what)
{
  char text[PZI_SPEC_TEXT];
  if (!spec) {
    return pzi_fail(PZ_INVALID, "%s: found no spec", what);
  }
  if (spec->dtype != PZ_F32 && spec->dtype != PZ_F64 && spec->dtype != PZ_I64) {
    return pzi_fail(PZ_MISMATCH, "%s: found %s, expected float32, float64 or int64", what,
                    pzi_dtype_text(spec->dtype, text));
  }
  if (spec->ndim < 0 || spec->ndim > PZ_MAX_DIMS) {
    return pzi_fail(PZ_MISMATCH, "%s: found %" PRId32 " dimensions, expected 0 to %d", what,
                    spec->ndim, PZ_MAX_DIMS);
  }
  for (int32_t i = 0; i < spec->ndim; ++i) {
    if (spec->shape[i] < 0) {
      return pzi_fail(PZ_MISMATCH, "%s: found extent %" PRId64 ", expected 0 or more", what,
                      spec->shape[i]);
    }
  }
  size_t bytes = 0;
  if (!pzi_shape_spec_bytes(spec, &bytes)) {
    return pzi_fail(PZ_MISMATCH, "%s: %s is beyond any memory", what, pzi_spec_text(spec, text));
  }
  return PZ_OK;
}

/* ---- messages and declarations ------------------------------------------------- */

PZ_PRINTF(3, 4)
static pz_status
service_fail(pz_call* const c, const pz_status status, const char* const format, ...)
{
  va_list args;
  (void)c;
  va_start(args, format);
  pzi_vfail(status, format, args);
  va_end(args);
  return status;
}

static pz_status
declare(pz_call* const c, const uint32_t role, const char* const name, const pz_spec* const spec)
{
  pzi_activity* const run = activity_of(c);
  if (!run->draft) {
    return pzi_activity_breach(run, "declared a tensor, which plan alone may");
  }
  return pzi_draft_tensor(run, role, name, spec);
}

static pz_status
service_declare_original(pz_call* const c, const char* const name, const pz_spec* const spec)
{
  return declare(c, PZ_ORIGINAL, name, spec);
}

static pz_status
service_declare_parameter(pz_call* const c, const char* const name, const pz_spec* const spec)
{
  return declare(c, PZ_OWN_PARAMETER, name, spec);
}

static pz_status
service_declare_buffer(pz_call* const c, const char* const name, const pz_spec* const spec)
{
  return declare(c, PZ_STATE_BUFFER, name, spec);
}

static pz_status
service_declare_value(pz_call* const c, const pz_spec* const spec, const uint32_t structure)
{
  pzi_activity* const run = activity_of(c);
  if (!run->draft) {
    return pzi_activity_breach(run, "declared a value, which plan alone may");
  }
  return pzi_draft_value(run, spec, structure);
}

static pz_status
service_declare_fold(pz_call* const c, const uint32_t triangle)
{
  pzi_activity* const run = activity_of(c);
  if (!run->draft) {
    return pzi_activity_breach(run, "declared a fold, which plan alone may");
  }
  return pzi_draft_fold(run, triangle);
}

static pz_status
service_take_triangle(pz_call* const c)
{
  pzi_activity* const run = activity_of(c);
  if (!run->draft) {
    return pzi_activity_breach(run, "declared that it takes triangles, which plan alone may");
  }
  run->draft->takes_triangle = true;
  return PZ_OK;
}

/* ---- scratch --------------------------------------------------------------------- */

static pz_status
service_work(pz_call* const c, const pz_spec* const spec, pz_tensor* const out)
{
  pzi_activity* const run = activity_of(c);
  if (!run->work) {
    return pzi_activity_breach(run, "asked for scratch, which plan has none of");
  }
  PZ_TRY(pzi_spec_check(spec, "scratch"));
  return pzi_arena_tensor(run->work, run->work_host, spec, out);
}

static pz_status
take_host(pzi_arena* const arena, const size_t bytes, void** const out)
{
  uint64_t offset = 0; /* 0 for host memory */
  return pzi_arena_take(arena, bytes, out, &offset);
}

static pz_status
service_work_host(pz_call* const c, const size_t bytes, void** const out)
{
  pzi_activity* const run = activity_of(c);
  if (!run->work_host) {
    return pzi_activity_breach(run, "asked for scratch, which plan has none of");
  }
  return take_host(run->work_host, bytes, out);
}

static uint64_t
service_work_mark(pz_call* const c)
{
  pzi_activity* const run = activity_of(c);
  if (!run->work) {
    return UINT64_MAX;
  }
  const uint64_t device = pzi_arena_mark(run->work);
  const uint64_t host = pzi_arena_mark(run->work_host);
  const uint32_t top = run->n_marks;
  if (top > 0 && run->marks[top - 1][0] == device && run->marks[top - 1][1] == host) {
    return top - 1; /* nothing was taken since: a loop that marks anew each time */
  }
  if (top == PZI_MARKS) {
    return UINT64_MAX;
  }
  run->marks[top][0] = device;
  run->marks[top][1] = host;
  run->n_marks = top + 1;
  return top;
}

/* The mark stays good for the next round of a loop; marks set after it are gone. */
static void
service_work_release(pz_call* const c, const uint64_t mark)
{
  pzi_activity* const run = activity_of(c);
  if (mark < run->n_marks) {
    pzi_arena_release(run->work, run->marks[mark][0]);
    pzi_arena_release(run->work_host, run->marks[mark][1]);
    run->n_marks = (uint32_t)mark + 1;
  }
}

/* ---- from forward to vjp ---------------------------------------------------------- */

/* Makes room for one more of `size` bytes each. */
static pz_status
grow(pzi_saved* const saved, void** const array, uint32_t* const capacity, const uint32_t n,
     const size_t size)
{
  if (n < *capacity) {
    return PZ_OK;
  }
  const uint32_t larger = 2 * *capacity + 8;
  void* const data = realloc(*array, larger * size);
  if (!data) {
    return pzi_no_memory(larger * size);
  }
  *array = data;
  *capacity = larger;
  ++saved->allocations;
  return PZ_OK;
}

static pz_status
service_save(pz_call* const c, const pz_spec* const spec, pz_tensor* const out)
{
  pzi_activity* const run = activity_of(c);
  pzi_saved* const saved = run->saved;
  if (!run->spare) {
    return pzi_activity_breach(run, "saved a tensor, which plan may not");
  }
  PZ_TRY(pzi_spec_check(spec, "saved tensor"));
  if (!run->save) {
    return pzi_arena_tensor(run->spare, run->spare_host, spec, out);
  }
  void* tensors = saved->tensors;
  PZ_TRY(grow(saved, &tensors, &saved->tensor_capacity, saved->n_tensors, sizeof(*saved->tensors)));
  saved->tensors = tensors;
  PZ_TRY(pzi_arena_tensor(run->save, run->save_host, spec, out));
  saved->tensors[saved->n_tensors++] = *out;
  return PZ_OK;
}

static pz_status
service_save_host(pz_call* const c, const size_t bytes, void** const out)
{
  pzi_activity* const run = activity_of(c);
  pzi_saved* const saved = run->saved;
  if (!run->spare) {
    return pzi_activity_breach(run, "saved a record, which plan may not");
  }
  if (!run->save) {
    return take_host(run->spare_host, bytes, out);
  }
  void* records = saved->records;
  PZ_TRY(grow(saved, &records, &saved->record_capacity, saved->n_records, sizeof(*saved->records)));
  saved->records = records;
  PZ_TRY(take_host(run->save_host, bytes, out));
  saved->records[saved->n_records++] = *out;
  return PZ_OK;
}

static pz_status
missing(pzi_activity* const run, const char* const what, const uint32_t k, const uint32_t n)
{
  if (!run->range) {
    return pzi_activity_breach(run, "asked for a saved %s, which vjp alone may", what);
  }
  return pzi_activity_breach(run, "asked for saved %s %" PRIu32 ", forward saved %" PRIu32, what, k,
                             n);
}

static pz_status
service_saved(pz_call* const c, const uint32_t k, pz_tensor* const out)
{
  pzi_activity* const run = activity_of(c);
  if (!run->range || k >= run->range->n_tensors) {
    return missing(run, "tensor", k, run->range ? run->range->n_tensors : 0);
  }
  *out = run->saved->tensors[run->range->first_tensor + k];
  return PZ_OK;
}

static pz_status
service_saved_host(pz_call* const c, const uint32_t k, const void** const out)
{
  pzi_activity* const run = activity_of(c);
  if (!run->range || k >= run->range->n_records) {
    return missing(run, "record", k, run->range ? run->range->n_records : 0);
  }
  *out = run->saved->records[run->range->first_record + k];
  return PZ_OK;
}

/* ---- from update to originals ------------------------------------------------------ */

static pz_status
service_new_original(pz_call* const c, const uint32_t k, pz_tensor* const out)
{
  pzi_activity* const run = activity_of(c);
  if (!run->updating) {
    return pzi_activity_breach(run, "asked for a new original, which update alone may");
  }
  if (!run->rooms) {
    return service_fail(c, PZ_UNSUPPORTED,
                        "found a map before this one, expected none: its update moves originals");
  }
  if (k >= run->n_rooms) {
    return pzi_activity_breach(run, "asked for original %" PRIu32 " of %" PRIu32, k, run->n_rooms);
  }
  if (((run->restaged >> k) & 1U) == 0) {
    PZ_TRY(c->ops->copy(c, &run->originals[k], &run->rooms[k]));
    run->restaged |= (uint64_t)1 << k;
  }
  *out = run->rooms[k];
  return PZ_OK;
}

const pz_services pzi_services = {
    .size = sizeof(pz_services),
    .fail = service_fail,
    .declare_original = service_declare_original,
    .declare_parameter = service_declare_parameter,
    .declare_buffer = service_declare_buffer,
    .declare_value = service_declare_value,
    .work = service_work,
    .work_host = service_work_host,
    .save = service_save,
    .save_host = service_save_host,
    .saved = service_saved,
    .saved_host = service_saved_host,
    .work_mark = service_work_mark,
    .work_release = service_work_release,
    .new_original = service_new_original,
    .declare_fold = service_declare_fold,
    .take_triangle = service_take_triangle,
};
