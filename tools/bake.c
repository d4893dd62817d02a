/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Every value is opened twice. The first time, nothing is computed: this gives its shape and checks
   its tensors (bake_plan.c), so that writing starts only after all checks have passed. The second
   time, the value is computed and written at once, so that memory holds one value at a time. Plain
   tensors are copied from the mapped file. */

#include "bake.h"

#include "commands.h"
#include "floats.h"
#include "model_writer.h"
#include "outputs.h"
#include "say.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1U << 24 }; /* bytes written between two checks for interrupts */

typedef struct job {
  bake_plan plan;
  model_output output;
  void* piece;         /* converted, PIECE bytes; allocated when needed */
  model_writer writer; /* guarded by the watch's lock */
} job;

/* ---- writing ----------------------------------------------------------------- */

static bool
open_writer(job* const j, watch* const w)
{
  const bake_plan* const p = &j->plan;
  j->output = (model_output){
      .path = p->a->outputs[0],
      .limit = p->a->shard_size,
      .force = p->a->force,
      .tensors = p->tensors,
      .n = (uint32_t)p->n,
      .metadata = p->metadata,
      .n_metadata = (uint32_t)p->n_metadata,
  };
  watch_enter(w);
  const bool good = model_writer_open(&j->writer, &j->output);
  watch_leave(w);
  return good;
}

/* Writes a part of tensor k; `*done` counts the bytes written so far. */
static bool
put(job* const j, watch* const w, const size_t k, const void* const data, const size_t bytes,
    uint64_t* const done)
{
  watch_show(w, j->plan.tensors[k].name, k + 1, j->plan.n, *done, j->plan.bytes);
  watch_enter(w);
  const bool good = model_writer_put(&j->writer, (uint32_t)k, data, bytes);
  watch_leave(w);
  *done += bytes;
  return good;
}

/* Reports numbers that are not finite: those of a value, or those that a new dtype cannot hold. */
static bool
check_odd(const job* const j, const size_t k, const floats_odd* const odd)
{
  const bake_plan* const p = &j->plan;
  const pz_writer_tensor* const tensor = &p->tensors[k];
  const bool is_value = p->sources[k].chain != NULL;
  if (odd->beyond == 0 && (!is_value || odd->nan + odd->infinite == 0)) {
    return true;
  }
  say(p->model.path, "%s\"%s\": found %zu NaN, %zu infinite and %zu beyond %s%s",
      p->a->lenient ? "remark: " : "", tensor->name, odd->nan, odd->infinite, odd->beyond,
      tensor->dtype, p->a->lenient ? "" : ", expected finite numbers or --lenient");
  return p->a->lenient;
}

/* Writes tensor k in pieces, from data that are converted to its dtype. */
static bool
put_converted(job* const j, watch* const w, const size_t k, const void* const data,
              uint64_t* const done)
{
  const pz_writer_tensor* const tensor = &j->plan.tensors[k];
  const char* const dtype = j->plan.sources[k].dtype;
  const bool same = strcmp(dtype, tensor->dtype) == 0;
  const size_t to = floats_size(tensor->dtype);
  const size_t from = floats_size(dtype);
  const size_t n = (size_t)tensor->bytes / to;
  const size_t step = PIECE / (to > from ? to : from);
  floats_odd odd = {0};
  bool good = true;
  if (!same && j->piece == NULL && (j->piece = malloc(PIECE)) == NULL) {
    say_no_memory(j->plan.model.path);
    return false;
  }
  for (size_t i = 0; i < n && good; i += step) {
    const size_t some = n - i < step ? n - i : step;
    const char* const x = (const char*)data + i * from;
    if (same) {
      floats_count(dtype, x, some, &odd);
    } else {
      floats_convert(dtype, x, tensor->dtype, j->piece, some, &odd);
    }
    good = put(j, w, k, same ? x : j->piece, some * to, done);
  }
  return good && check_odd(j, k, &odd);
}

/* Writes tensor k as it is in the file. */
static bool
put_copy(job* const j, watch* const w, const size_t k, uint64_t* const done)
{
  const pz_writer_tensor* const tensor = &j->plan.tensors[k];
  const bake_source* const source = &j->plan.sources[k];
  if (strcmp(source->dtype, tensor->dtype) != 0) {
    return put_converted(j, w, k, source->data, done);
  }
  for (uint64_t i = 0; i < tensor->bytes; i += PIECE) {
    const size_t some = (size_t)(tensor->bytes - i < PIECE ? tensor->bytes - i : PIECE);
    const char* const data = (const char*)source->data + i;
    if (!put(j, w, k, data, some, done)) {
      return false;
    }
    bake_plan_forget(&j->plan, data, some);
  }
  return true;
}

/* Reads a value: where it is in host memory, or into `*copy`, which the caller frees. */
static pz_status
read_value(pz_module* const module, const pz_writer_tensor* const tensor, const void** const out,
           void** const copy)
{
  const pz_spec* const spec = &tensor->spec;
  pz_tensor value;
  PZ_TRY(pz_module_get(module, tensor->name, &value));
  if (value.device.type == PZ_DEVICE_CPU) {
    *out = (const char*)value.data + value.byte_offset;
    return pz_module_check(module);
  }
  *copy = malloc((size_t)pz_spec_count(spec) * pz_dtype_size(spec->dtype) + 1);
  *out = *copy;
  if (*copy == NULL) {
    return PZ_NO_MEMORY;
  }
  const pz_tensor host = pz_host_tensor(spec->dtype, *copy, spec->ndim, spec->shape);
  return pz_module_read(module, tensor->name, &host);
}

/* Computes the value that is tensor k and writes it. */
static bool
put_value(job* const j, watch* const w, const size_t k, uint64_t* const done)
{
  bake_plan* const p = &j->plan;
  const model_chain* const chain = p->sources[k].chain;
  const void* data = NULL;
  void* copy = NULL;
  pz_module* module = NULL;
  watch_show(w, p->tensors[k].name, k + 1, p->n, *done, p->bytes);
  pz_status status = model_value(&p->model, chain, false, &module);
  bake_plan_forget_value(p, chain);
  if (status == PZ_OK) {
    status = read_value(module, &p->tensors[k], &data, &copy);
  }
  if (status != PZ_OK) {
    say_library(p->model.path, status);
  }
  const bool good = status == PZ_OK && put_converted(j, w, k, data, done);
  pz_module_free(module);
  free(copy);
  return good;
}

static void
give_up(void* const user)
{
  job* const j = user;
  model_writer_abandon(&j->writer);
}

static bool
work(watch* const w, void* const user)
{
  job* const j = user;
  bake_plan* const p = &j->plan;
  uint64_t done = 0;
  bool good = model_open(p->a, &p->model) && bake_plan_make(p, w);
  if (!good || p->a->dry_run) {
    return good;
  }
  good = open_writer(j, w);
  for (size_t k = 0; k < p->n && good; ++k) {
    good = p->sources[k].chain != NULL ? put_value(j, w, k, &done) : put_copy(j, w, k, &done);
  }
  watch_enter(w);
  good = good && model_writer_commit(&j->writer);
  model_writer_abandon(&j->writer);
  watch_leave(w);
  return good;
}

static bool
check_output(const arguments* const a)
{
  return a->dry_run || (a->shard_size > 0 ? model_writer_check_folder(a->outputs[0])
                                          : outputs_check(a->outputs, 1, NULL, a->force));
}

int
run_bake(const arguments* const a)
{
  job j = {.plan = {.a = a}};
  /* Memory that one tensor has left serves the next; new memory costs a fault for each page. */
  (void)mallopt(M_MMAP_MAX, 0);
  (void)mallopt(M_TRIM_THRESHOLD, -1);
  if (a->n_outputs == 0 && !a->dry_run) {
    return say_usage(a->command->name, a->command->name, "expected -o FILE or --dry-run");
  }
  const bool good = check_output(a) && watch_run(work, give_up, &j);
  if (good) {
    bake_report(&j.plan);
  }
  free(j.piece);
  bake_plan_cleanup(&j.plan);
  model_close(&j.plan.model);
  return good ? EXIT_GOOD : EXIT_ERROR;
}
