/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The way back from bake: right inverses make originals of plain tensors.

     x, b <- right_inverse(w),  moved = |P(x; b) - w| / |w|

   A tensor outside of the set of its chain is moved into it, as at registration. Originals have the
   dtype of the tensor, so the distance is that of the rounded ones. The first pass plans all chains,
   which gives the new tensors; the second one computes. */

#include "commands.h"
#include "floats.h"
#include "model_file.h"
#include "model_writer.h"
#include "outputs.h"
#include "say.h"
#include "table.h"
#include "texts.h"
#include "watch.h"

#include <parametrize/parametrize.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const pz_role roles[] = {PZ_ORIGINAL, PZ_OWN_PARAMETER, PZ_STATE_BUFFER};
enum { N_ROLES = sizeof(roles) / sizeof(roles[0]), PIECE = 1U << 24 };

typedef pz_file_tensor_info info;

typedef struct job {
  const arguments* a;
  model_file input;
  pz_context* context;
  pz_queue* queue;
  info* tensors;     /* of the file; a name is NULL where a tie is kept */
  pz_chain** chains; /* of tensor k; NULL: it is copied */
  uint32_t n;
  pz_writer_tensor* made; /* of the new file */
  uint32_t n_made;
  uint32_t room;
  pz_metadata* metadata; /* of the new file */
  uint32_t n_metadata;
  model_output output;
  model_writer writer; /* guarded by the watch's lock */
  texts texts;
  table table;
} job;

static bool
good(const job* const j, const char* const name, const pz_status status)
{
  return status == PZ_OK || (say_library(name ? name : j->a->operands[0], status), false);
}

/* ---- the plan ------------------------------------------------------------------ */

/* The chain text of the first rule for a name, and that rule is marked; NULL for none. */
static const char*
find_rule(const job* const j, const char* const name, bool* const used)
{
  for (size_t k = 0; k < j->a->n_rules; ++k) {
    const char* const rule = j->a->rules[k];
    char* const pattern = strndup(rule, (size_t)(rule_sign(rule) - rule));
    const bool matches = pattern && rule_matches(pattern, name);
    free(pattern);
    if (matches) {
      used[k] = true;
      return rule_sign(rule) + 1;
    }
  }
  return NULL;
}

static pz_spec
computed_spec(const info* const tensor)
{
  return pz_spec_make(strcmp(tensor->dtype, "F64") == 0 ? PZ_F64 : PZ_F32, tensor->spec.ndim,
                      tensor->spec.shape);
}

static const char*
name_of_dtype(const uint32_t dtype)
{
  return dtype == PZ_F64 ? "F64" : dtype == PZ_F32 ? "F32" : "I64";
}

/* Appends a tensor to the new file. */
static pz_writer_tensor*
append(job* const j)
{
  if (j->n_made == j->room) {
    j->room = j->room ? 2 * j->room : 64;
    void* const grown = realloc(j->made, j->room * sizeof(*j->made));
    if (grown == NULL) {
      return NULL;
    }
    j->made = grown;
  }
  return &j->made[j->n_made++];
}

/* Plans the tensors of a chain; or the copy of a tensor without one. */
static bool
plan_tensor(job* const j, const info* const tensor, const pz_chain* const chain)
{
  const char* const dot = strrchr(tensor->name, '.');
  const int folder = dot ? (int)(dot + 1 - tensor->name) : 0;
  pz_writer_tensor* out;
  if (chain == NULL) {
    out = append(j);
    if (out != NULL) {
      *out = (pz_writer_tensor){
          .name = tensor->name,
          .dtype = tensor->dtype,
          .spec = tensor->spec,
          .bytes = tensor->bytes,
          .extents = tensor->extents,
          .n_extents = tensor->n_extents,
      };
    }
    return out != NULL || (say_no_memory(NULL), false);
  }
  for (size_t r = 0; r < N_ROLES; ++r) {
    for (uint32_t k = 0; k < pz_chain_count(chain, roles[r]); ++k) {
      pz_chain_tensor_info one = {.size = sizeof(one)};
      if (!good(j, tensor->name, pz_chain_tensor(chain, roles[r], k, &one))) {
        return false;
      }
      out = append(j);
      if (out == NULL) {
        say_no_memory(NULL);
        return false;
      }
      const char* const dtype =
          one.spec.dtype == PZ_F32 || one.spec.dtype == PZ_F64 ? tensor->dtype : "I64";
      const size_t size = floats_known(dtype) ? floats_size(dtype) : 8;
      *out = (pz_writer_tensor){
          .name = texts_add(&j->texts, "%.*sparametrizations.%s.%s", folder, tensor->name,
                            tensor->name + folder, one.name),
          .dtype = dtype,
          .spec = one.spec,
          .bytes = (uint64_t)pz_spec_count(&one.spec) * size,
      };
    }
  }
  return true;
}

/* Makes the chain of a tensor for which there is a rule. */
static bool
plan_chain(job* const j, const uint32_t k, const char* const text)
{
  const info* const tensor = &j->tensors[k];
  if (!floats_known(tensor->dtype) || tensor->extents != NULL) {
    say(tensor->name,
        "found dtype %s and %d dimensions, expected a floating-point dtype and at most "
        "%d",
        tensor->dtype, tensor->extents ? (int)tensor->n_extents : (int)tensor->spec.ndim,
        PZ_MAX_DIMS);
    return false;
  }
  const pz_spec spec = computed_spec(tensor);
  if (!good(j, tensor->name,
            pz_chain_new(j->context, text, NULL, 0, PZ_FROM_TENSOR, &spec, 1, &j->chains[k]))) {
    return false;
  }
  return pz_spec_equal(pz_chain_value(j->chains[k]), &spec) ||
         (say(tensor->name, "%s gives a value of another shape than the tensor", text), false);
}

/* Keeps a tie as a text of the metadata, if neither of its names gets a chain. */
static void
keep_tie(job* const j, const uint32_t k)
{
  const model_tie* const tie = &j->input.ties[k - j->input.n_real];
  uint32_t target = 0;
  while (target < j->input.n_real && strcmp(j->tensors[target].name, tie->target) != 0) {
    ++target;
  }
  if (j->chains[k] == NULL && target < j->input.n_real && j->chains[target] == NULL) {
    j->metadata[j->n_metadata++] = (pz_metadata){.key = tie->name, .text = tie->target};
    j->tensors[k].name = NULL;
  }
}

static bool
plan(job* const j)
{
  const pz_file* const file = model_file_last(&j->input);
  j->n = j->input.n_real + j->input.n_ties;
  j->tensors = calloc((size_t)j->n + 1, sizeof(*j->tensors));
  j->chains = calloc((size_t)j->n + 1, sizeof(pz_chain*));
  bool* const used = calloc(j->a->n_rules + 1, sizeof(*used));
  j->metadata = calloc((size_t)j->input.n_metadata + j->input.n_ties + 1, sizeof(*j->metadata));
  bool fine = j->tensors != NULL && j->chains != NULL && j->metadata != NULL && used != NULL;
  if (!fine) {
    say_no_memory(NULL);
  }
  for (; fine && j->n_metadata < j->input.n_metadata; ++j->n_metadata) {
    j->metadata[j->n_metadata] = j->input.metadata[j->n_metadata];
  }
  for (uint32_t k = 0; k < j->n && fine; ++k) {
    j->tensors[k].size = sizeof(j->tensors[k]);
    (void)pz_file_tensor(file, k, &j->tensors[k]);
    const char* const name = j->tensors[k].name;
    const char* const text =
        model_file_segment(name, "parametrizations.") ? NULL : find_rule(j, name, used);
    fine = text == NULL || plan_chain(j, k, text);
    if (fine && k >= j->input.n_real) {
      keep_tie(j, k);
    }
    fine = fine && (j->tensors[k].name == NULL || plan_tensor(j, &j->tensors[k], j->chains[k]));
  }
  for (size_t k = 0; k < j->a->n_rules && fine; ++k) {
    if (!used[k]) {
      say("--map", "\"%s\" is the first to match no plain tensor", j->a->rules[k]);
      fine = false;
    }
  }
  free(used);
  return fine && (!j->texts.failed || (say_no_memory(NULL), false));
}

/* ---- values -------------------------------------------------------------------- */

/* Writes a tensor of the state in the dtype of the new file, and gives the state the rounded
   numbers. */
static bool
put_state(job* const j, watch* const w, const uint32_t place, const pz_tensor* const tensor,
          floats_odd* const odd)
{
  const pz_writer_tensor* const to = &j->made[place];
  const char* const dtype = name_of_dtype(tensor->dtype);
  const size_t n = (size_t)pz_count(tensor);
  void* const data = malloc(n * 8 + 1);
  void* const file = malloc(n * 8 + 1);
  const pz_tensor host = pz_host_tensor(tensor->dtype, data, tensor->ndim, tensor->shape);
  bool fine = data != NULL && file != NULL;
  if (!fine) {
    say_no_memory(to->name);
  }
  fine = fine && good(j, to->name, pz_queue_download(j->queue, tensor, &host));
  if (fine && strcmp(dtype, "I64") == 0) {
    memcpy(file, data, n * 8);
  } else if (fine) {
    floats_odd back = {0};
    floats_convert(dtype, data, to->dtype, file, n, odd);
    floats_convert(to->dtype, file, dtype, data, n, &back);
    fine = good(j, to->name, pz_queue_upload(j->queue, &host, tensor));
  }
  if (fine) {
    watch_enter(w);
    fine = model_writer_put(&j->writer, place, file, to->bytes);
    watch_leave(w);
  }
  free(data);
  free(file);
  return fine;
}

/* |value - w| / |w| */
static double
distance_of(const double* const w, const double* const value, const size_t n)
{
  double off = 0.0;
  double size = 0.0;
  for (size_t i = 0; i < n; ++i) {
    off += (value[i] - w[i]) * (value[i] - w[i]);
    size += w[i] * w[i];
  }
  return off == 0.0 ? 0.0 : sqrt(off / size);
}

/* Computes originals of a tensor and writes them; `*place` is that of the first one. */
static bool
put_originals(job* const j, watch* const w, const uint32_t k, uint32_t* const place,
              pz_state* const state, pz_eval* const eval)
{
  const info* const tensor = &j->tensors[k];
  const pz_spec spec = computed_spec(tensor);
  const char* const dtype = name_of_dtype(spec.dtype);
  const size_t n = (size_t)pz_spec_count(&spec);
  floats_odd odd = {0};
  double* const before = malloc((n + 1) * sizeof(*before));
  double* const after = malloc((n + 1) * sizeof(*after));
  void* const data = malloc(n * 8 + 1);
  pz_tensor value;
  bool fine = before != NULL && after != NULL && data != NULL;
  if (fine) {
    const pz_tensor host = pz_host_tensor(spec.dtype, data, spec.ndim, spec.shape);
    floats_read(tensor->dtype, tensor->data, n, before);
    floats_convert(tensor->dtype, tensor->data, dtype, data, n, &odd);
    fine = good(j, tensor->name, pz_eval_initialize(eval, state, 0, &host)) &&
           good(j, tensor->name, pz_eval_assign(eval, state, PZ_REGISTER, &host));
    for (size_t r = 0; r < N_ROLES && fine; ++r) {
      for (uint32_t i = 0; i < pz_chain_count(j->chains[k], roles[r]) && fine; ++i, ++*place) {
        fine = good(j, tensor->name, pz_state_tensor(state, roles[r], i, &value)) &&
               put_state(j, w, *place, &value, &odd);
      }
    }
    pz_state_touch(state);
    fine = fine && good(j, tensor->name, pz_eval_forward(eval, state, 0, NULL, &value)) &&
           good(j, tensor->name, pz_queue_download(j->queue, &value, &host)) &&
           good(j, tensor->name, pz_eval_check(eval));
    if (fine) {
      floats_read(dtype, data, n, after);
    }
  } else {
    say_no_memory(tensor->name);
  }
  if (fine && odd.nan + odd.infinite + odd.beyond > 0) {
    say(tensor->name, "found %zu NaN, %zu infinite and %zu beyond %s", odd.nan, odd.infinite,
        odd.beyond, tensor->dtype);
    fine = false;
  }
  if (fine) {
    table_row(&j->table,
              (const char*[]){tensor->name, pz_chain_text(j->chains[k]),
                              texts_add(&j->texts, "moved %.2g", distance_of(before, after, n))});
  }
  free(before);
  free(after);
  free(data);
  return fine;
}

static bool
put_constrained(job* const j, watch* const w, const uint32_t k, uint32_t* const place)
{
  pz_state* state = NULL;
  pz_eval* eval = NULL;
  const bool fine = good(j, j->tensors[k].name, pz_state_new(j->chains[k], j->queue, &state)) &&
                    good(j, j->tensors[k].name, pz_eval_new(j->chains[k], j->queue, &eval)) &&
                    put_originals(j, w, k, place, state, eval);
  pz_eval_free(eval);
  pz_state_free(state);
  return fine;
}

static bool
put_copy(job* const j, watch* const w, const uint32_t k, const uint32_t place)
{
  const info* const tensor = &j->tensors[k];
  bool fine = true;
  for (uint64_t i = 0; i < tensor->bytes && fine; i += PIECE) {
    const uint64_t left = tensor->bytes - i;
    watch_enter(w);
    fine = model_writer_put(&j->writer, place, (const char*)tensor->data + i,
                            left < PIECE ? left : PIECE);
    watch_leave(w);
  }
  return fine;
}

/* ---- the command ---------------------------------------------------------------- */

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
  const arguments* const a = j->a;
  const pz_context_settings settings = {.size = sizeof(settings), .seed = a->seed};
  uint32_t place = 0;
  if (!model_file_open(&j->input, a->operands[0], a->key, false) ||
      !good(j, NULL, pz_context_new(&settings, &j->context)) ||
      !good(j, a->device, pz_queue_open(j->context, a->device, NULL, &j->queue)) || !plan(j)) {
    return false;
  }
  table_init(&j->table, 3);
  j->output = (model_output){
      .path = a->outputs[0],
      .limit = a->shard_size,
      .force = a->force,
      .tensors = j->made,
      .n = j->n_made,
      .metadata = j->metadata,
      .n_metadata = j->n_metadata,
  };
  watch_enter(w);
  bool fine = model_writer_open(&j->writer, &j->output);
  watch_leave(w);
  for (uint32_t k = 0; k < j->n && fine; ++k) {
    if (j->tensors[k].name == NULL) {
      continue;
    }
    watch_show(w, j->tensors[k].name, k + 1, j->n, 0, 0);
    fine = j->chains[k] ? put_constrained(j, w, k, &place) : put_copy(j, w, k, place++);
  }
  watch_enter(w);
  fine = fine && model_writer_commit(&j->writer);
  model_writer_abandon(&j->writer);
  watch_leave(w);
  return fine;
}

int
run_constrain(const arguments* const a)
{
  job j = {.a = a};
  const bool fine = (a->shard_size > 0 ? model_writer_check_folder(a->outputs[0])
                                       : outputs_check(a->outputs, 1, NULL, a->force)) &&
                    watch_run(work, give_up, &j);
  if (fine) {
    const size_t n = j.table.n_rows;
    (void)table_print(&j.table, 0);
    printf("constrained %zu tensor%s, %zu copied\n", n, PLURAL(n),
           j.n - n - (j.n_metadata - j.input.n_metadata));
  }
  for (uint32_t k = 0; j.chains != NULL && k < j.n; ++k) {
    pz_chain_free(j.chains[k]);
  }
  free(j.chains);
  free(j.tensors);
  free(j.made);
  free(j.metadata);
  table_cleanup(&j.table);
  texts_cleanup(&j.texts);
  pz_queue_close(j.queue);
  pz_context_free(j.context);
  model_file_close(&j.input);
  return fine ? EXIT_GOOD : EXIT_ERROR;
}
