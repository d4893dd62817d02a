/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "checks.h"

#include "digest.h"
#include "guards.h"
#include "queue_copy.h"
#include "spec_text.h"
#include "status.h"
#include "structure.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a callback only reads. */
typedef enum input {
  INPUT_X,
  INPUT_BUFFER,
  INPUT_GIVEN,
  INPUT_Y, /* this and the next: callbacks that read what forward saved */
  INPUT_SAVED,
  INPUTS,
} input;

static const char* const input_names[INPUTS] = {
    [INPUT_X] = "an original, own parameter or input",
    [INPUT_BUFFER] = "a buffer",
    [INPUT_GIVEN] = "the gradient, tangent or value that it was given",
    [INPUT_Y] = "the value",
    [INPUT_SAVED] = "a saved tensor",
};

struct pzi_checks {
  const pzi_eval_stage* stage;
  const pz_tensor* given;
  uint32_t n_given;
  const pzi_tape_range* range;
  uint64_t digest[INPUTS];
  pz_status status; /* of what had to be read before */
  void* bytes;      /* of the host, for tensors of the device */
  size_t n_bytes;
};

pz_status
pzi_checks_new(pz_eval* const eval)
{
  if (!pzi_context_check_plugins(eval->chain->context)) {
    return PZ_OK;
  }
  eval->checks = calloc(1, sizeof(*eval->checks));
  if (!eval->checks) {
    return pzi_no_memory(sizeof(*eval->checks));
  }
  PZ_TRY(pzi_guards_add(&eval->values, eval->queue, "a value"));
  PZ_TRY(pzi_guards_add(&eval->saved, eval->queue, "a saved tensor"));
  PZ_TRY(pzi_guards_add(&eval->work, eval->queue, "scratch"));
  return pzi_guards_add(&eval->temporary, eval->queue, "a result");
}

void
pzi_checks_free(pz_eval* const eval)
{
  if (eval->checks) {
    free(eval->checks->bytes);
    free(eval->checks);
  }
}

/* ---- reading ------------------------------------------------------------------------------ */

/* A tensor of the host with these numbers, valid until the next call. */
static pz_status
read_tensor(pz_eval* const eval, const pz_tensor* const tensor, pz_tensor* const out)
{
  struct pzi_checks* const checks = eval->checks;
  const size_t bytes = (size_t)pz_count(tensor) * pz_dtype_size(tensor->dtype);
  if (eval->queue->host_memory) {
    *out = *tensor;
    return PZ_OK;
  }
  if (bytes > checks->n_bytes) {
    free(checks->bytes);
    checks->n_bytes = 0;
    checks->bytes = malloc(bytes);
    if (!checks->bytes) {
      return pzi_no_memory(bytes);
    }
    checks->n_bytes = bytes;
  }
  *out = pz_host_tensor(tensor->dtype, checks->bytes, tensor->ndim, tensor->shape);
  return pzi_queue_copy(eval->queue, tensor, out);
}

static pz_status
add_digest(pz_eval* const eval, const pz_tensor* const tensors, const uint32_t n,
           uint64_t* const digest)
{
  for (uint32_t k = 0; k < n; ++k) {
    pz_tensor host;
    if (tensors[k].data && pz_count(&tensors[k]) > 0) {
      PZ_TRY(read_tensor(eval, &tensors[k], &host));
      *digest = *digest * 3 + pzi_digest((const char*)host.data + host.byte_offset,
                                         (size_t)pz_count(&host) * pz_dtype_size(host.dtype));
    }
  }
  return PZ_OK;
}

static pz_status
digest_inputs(pz_eval* const eval, uint64_t digest[INPUTS])
{
  const struct pzi_checks* const checks = eval->checks;
  const pzi_eval_stage* const stage = checks->stage;
  const pzi_plan* const plan = stage->plan;
  const pzi_tape_range* const range = checks->range;
  memset(digest, 0, INPUTS * sizeof(*digest));
  PZ_TRY(add_digest(eval, stage->x, plan->n_original + plan->n_parameter, &digest[INPUT_X]));
  PZ_TRY(
      add_digest(eval, eval->loaded + stage->first_buffer, plan->n_buffer, &digest[INPUT_BUFFER]));
  PZ_TRY(add_digest(eval, checks->given, checks->n_given, &digest[INPUT_GIVEN]));
  if (!range) {
    return PZ_OK;
  }
  PZ_TRY(add_digest(eval, &stage->y, 1, &digest[INPUT_Y]));
  return range->n_tensors == 0 ? PZ_OK
                               : add_digest(eval, eval->tape.tensors + range->first_tensor,
                                            range->n_tensors, &digest[INPUT_SAVED]);
}

/* ---- around a callback --------------------------------------------------------------------- */

void
pzi_checks_begin(pz_eval* const eval, const uint32_t i, const pz_tensor* const given,
                 const uint32_t n_given)
{
  struct pzi_checks* const checks = eval->checks;
  checks->stage = &eval->stages[i];
  checks->given = given;
  checks->n_given = n_given;
  checks->range = eval->activity.range;
  checks->status = digest_inputs(eval, checks->digest);
}

static pz_status
check_inputs(pz_eval* const eval)
{
  uint64_t digest[INPUTS];
  PZ_TRY(eval->checks->status);
  PZ_TRY(digest_inputs(eval, digest));
  for (input k = 0; k < INPUTS; ++k) {
    if (digest[k] != eval->checks->digest[k]) {
      return pzi_activity_breach(&eval->activity, "changed %s, expected that it is only read",
                                 input_names[k]);
    }
  }
  return PZ_OK;
}

static pz_status
check_guards(pzi_activity* const run, pzi_tensor_arena* const arena)
{
  char text[PZI_GUARD_TEXT];
  PZ_TRY(pzi_guards_check(arena, text));
  return text[0] != '\0' ? pzi_activity_breach(run, "%s", text) : PZ_OK;
}

/* The first entry of a real tensor that is still blank, or -1. */
static int64_t
first_blank(const pz_tensor* const host)
{
  const int64_t n = pz_count(host);
  const int64_t words = (int64_t)pz_dtype_size(host->dtype) / (int64_t)sizeof(uint32_t);
  const char* const data = (const char*)host->data + host->byte_offset;
  for (int64_t k = 0; k < n && host->dtype != PZ_I64; ++k) {
    uint32_t word[2] = {PZI_BLANK, PZI_BLANK};
    memcpy(word, data + k * words * (int64_t)sizeof(uint32_t), (size_t)words * sizeof(uint32_t));
    if (word[0] == PZI_BLANK && word[1] == PZI_BLANK) {
      return k;
    }
  }
  return -1;
}

static pz_status
check_written(pz_eval* const eval, const pz_tensor* const out, const uint32_t n_out)
{
  for (uint32_t k = 0; k < n_out; ++k) {
    pz_tensor host;
    if (!out[k].data || pz_count(&out[k]) == 0) {
      continue;
    }
    PZ_TRY(read_tensor(eval, &out[k], &host));
    const int64_t entry = first_blank(&host);
    if (entry >= 0) {
      char text[PZI_SPEC_TEXT];
      const pz_spec spec = pz_spec_of(&out[k]);
      return pzi_activity_breach(&eval->activity,
                                 "left entry %" PRId64 " of output %" PRIu32
                                 " unwritten, or read what nobody wrote (%.48s)",
                                 entry, k, pzi_spec_text(&spec, text));
    }
  }
  return PZ_OK;
}

pz_status
pzi_checks_end(pz_eval* const eval, const pz_tensor* const out, const uint32_t n_out,
               const pz_status answer)
{
  pzi_activity* const run = &eval->activity;
  pzi_tensor_arena* const arenas[] = {&eval->values, &eval->saved, &eval->work, &eval->temporary};
  for (int k = 0; k < 4; ++k) {
    PZ_TRY(check_guards(run, arenas[k]));
  }
  PZ_TRY(check_inputs(eval));
  if (answer == PZ_OK) {
    PZ_TRY(check_written(eval, out, n_out));
  }
  return answer;
}

pz_status
pzi_checks_blank(pz_eval* const eval, const pz_tensor* const out)
{
  const size_t bytes = (size_t)pz_count(out) * pz_dtype_size(out->dtype);
  return bytes == 0 ? PZ_OK
                    : pzi_queue_fill(eval->queue, out->data, out->byte_offset, bytes, PZI_BLANK);
}

void
pzi_checks_release(pzi_activity* const run)
{
  (void)check_guards(run, run->work);
}

/* ---- values ---------------------------------------------------------------------------------- */

/* Is y what plan declared, the mirrored triangle of x? */
static pz_status
check_fold(pz_eval* const eval, const pzi_eval_stage* const stage)
{
  const pzi_plan* const plan = stage->plan;
  const bool upper = plan->fold == PZ_BY_UPPER;
  const int sign = plan->value.structure == PZ_SYMMETRIC ? 1 : -1;
  pz_tensor difference;
  pz_tensor host;
  PZ_TRY(pzi_tensor_arena_take(&eval->temporary, &plan->value, &difference));
  pz_call* c = pzi_eval_core(eval, &eval->fault);
  PZ_TRY(c->ops->fold(c, upper ? PZ_UPPER : PZ_LOWER, sign, &stage->x[0], &difference));
  c = pzi_eval_core(eval, &eval->fault);
  PZ_TRY(c->ops->axpby(c, 1.0, &stage->y, -1.0, &difference));
  PZ_TRY(read_tensor(eval, &difference, &host));
  const char* const data = (const char*)host.data + host.byte_offset;
  for (int64_t k = 0; k < pz_count(&host); ++k) {
    const double off =
        host.dtype == PZ_F32 ? (double)((const float*)data)[k] : ((const double*)data)[k];
    if (isfinite(off) && off != 0.0) {
      return pzi_fail(PZ_PLUGIN,
                      "%s: forward: plan declared a fold of the %s triangle, and entry %" PRId64
                      " is off by %.9g",
                      stage->table->id, upper ? "upper" : "lower", k, off);
    }
  }
  return PZ_OK;
}

pz_status
pzi_checks_value(pz_eval* const eval, const uint32_t i)
{
  const pzi_eval_stage* const stage = &eval->stages[i];
  const uint32_t promised = stage->plan->value.structure;
  char text[PZI_STRUCTURE_TEXT];
  pz_tensor host;
  if (promised == PZ_GENERAL || pz_count(&stage->y) == 0) {
    return PZ_OK;
  }
  PZ_TRY(read_tensor(eval, &stage->y, &host));
  pzi_structure_check(promised, &host, text);
  if (text[0] != '\0') {
    return pzi_fail(PZ_PLUGIN, "%s: forward: plan promised that values are %s, and %s",
                    stage->table->id, pzi_spec_text_structure(promised), text);
  }
  return stage->plan->fold != 0 && stage->by == 0 ? check_fold(eval, stage) : PZ_OK;
}
