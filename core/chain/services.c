/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Services for plugins: messages, declarations, scratch, and what forward saves for vjp. */

#include "services.h"

#include "activity.h"
#include "check_tensor.h"
#include "checks.h"
#include "draft.h"
#include "status.h"

#include <parametrize/chain.h>

#include <inttypes.h>
#include <string.h>

static pzi_activity*
activity_of(const pz_call* const c)
{
  return (pzi_activity*)c->reserved;
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
    return pzi_activity_breach(run, "declared a tensor outside plan");
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
    return pzi_activity_breach(run, "declared a value outside plan");
  }
  return pzi_draft_value(run, spec, structure);
}

static pz_status
service_declare_fold(pz_call* const c, const uint32_t triangle)
{
  pzi_activity* const run = activity_of(c);
  if (!run->draft) {
    return pzi_activity_breach(run, "declared a fold outside plan");
  }
  return pzi_draft_fold(run, triangle);
}

static pz_status
service_take_triangle(pz_call* const c)
{
  pzi_activity* const run = activity_of(c);
  if (!run->draft) {
    return pzi_activity_breach(run, "declared that it takes triangles outside plan");
  }
  run->draft->takes_triangle = true;
  return PZ_OK;
}

static pz_status
service_declare_density(pz_call* const c, const uint32_t dims, const uint32_t in,
                        const uint32_t out)
{
  pzi_activity* const run = activity_of(c);
  if (!run->draft) {
    return pzi_activity_breach(run, "declared a density outside plan");
  }
  return pzi_draft_density(run, dims, in, out);
}

/* ---- scratch --------------------------------------------------------------------- */

static pz_status
service_work(pz_call* const c, const pz_spec* const spec, pz_tensor* const out)
{
  pzi_activity* const run = activity_of(c);
  if (!run->work) {
    return pzi_activity_breach(run, "asked for scratch in plan");
  }
  PZ_TRY(pzi_check_spec(spec, true, "scratch"));
  return pzi_tensor_arena_take(run->work, spec, out);
}

static pz_status
service_work_host(pz_call* const c, const size_t bytes, void** const out)
{
  pzi_activity* const run = activity_of(c);
  if (!run->work) {
    return pzi_activity_breach(run, "asked for scratch in plan");
  }
  return pzi_tensor_arena_record(run->work, bytes, out);
}

static uint64_t
service_work_mark(pz_call* const c)
{
  pzi_activity* const run = activity_of(c);
  if (!run->work) {
    return UINT64_MAX;
  }
  const pzi_tensor_mark mark = pzi_tensor_arena_mark(run->work);
  const uint32_t top = run->n_marks;
  if (top > 0 && memcmp(&run->marks[top - 1], &mark, sizeof(mark)) == 0) {
    return top - 1; /* nothing was taken since: a loop that sets a mark in every round */
  }
  if (top == PZI_MARKS) {
    return UINT64_MAX;
  }
  run->marks[top] = mark;
  run->n_marks = top + 1;
  return top;
}

/* The mark stays valid for the next round of a loop; later marks do not. */
static void
service_work_release(pz_call* const c, const uint64_t mark)
{
  pzi_activity* const run = activity_of(c);
  if (mark < run->n_marks) {
    if (run->work->guards) {
      pzi_checks_release(run);
    }
    pzi_tensor_arena_release(run->work, run->marks[mark]);
    run->n_marks = (uint32_t)mark + 1;
  }
}

/* ---- from forward to vjp ---------------------------------------------------------- */

static pz_status
service_save(pz_call* const c, const pz_spec* const spec, pz_tensor* const out)
{
  pzi_activity* const run = activity_of(c);
  if (!run->temporary) {
    return pzi_activity_breach(run, "saved a tensor in plan");
  }
  PZ_TRY(pzi_check_spec(spec, true, "saved tensor"));
  return run->save ? pzi_tape_tensor(run->tape, run->save, spec, out)
                   : pzi_tensor_arena_take(run->temporary, spec, out);
}

static pz_status
service_save_host(pz_call* const c, const size_t bytes, void** const out)
{
  pzi_activity* const run = activity_of(c);
  if (!run->temporary) {
    return pzi_activity_breach(run, "saved a record in plan");
  }
  return run->save ? pzi_tape_record(run->tape, run->save, bytes, out)
                   : pzi_tensor_arena_record(run->temporary, bytes, out);
}

static pz_status
missing(pzi_activity* const run, const char* const what, const uint32_t k, const uint32_t n)
{
  if (!run->range) {
    return pzi_activity_breach(run, "asked for a saved %s outside vjp", what);
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
  *out = run->tape->tensors[run->range->first_tensor + k];
  return PZ_OK;
}

static pz_status
service_saved_host(pz_call* const c, const uint32_t k, const void** const out)
{
  pzi_activity* const run = activity_of(c);
  if (!run->range || k >= run->range->n_records) {
    return missing(run, "record", k, run->range ? run->range->n_records : 0);
  }
  *out = run->tape->records[run->range->first_record + k];
  return PZ_OK;
}

/* ---- from update to originals ------------------------------------------------------ */

static pz_status
service_new_original(pz_call* const c, const uint32_t k, pz_tensor* const out)
{
  pzi_activity* const run = activity_of(c);
  if (!run->updating) {
    return pzi_activity_breach(run, "asked for a new original outside update");
  }
  if (!run->new_originals) {
    return service_fail(
        c, PZ_UNSUPPORTED,
        "found a parametrization before this one, expected none: update changes originals");
  }
  if (k >= run->n_new_originals) {
    return pzi_activity_breach(run, "asked for original %" PRIu32 " of %" PRIu32, k,
                               run->n_new_originals);
  }
  if (((run->requested >> k) & 1U) == 0) {
    PZ_TRY(c->ops->copy(c, &run->originals[k], &run->new_originals[k]));
    run->requested |= (uint64_t)1 << k;
  }
  *out = run->new_originals[k];
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
    .declare_density = service_declare_density,
};
