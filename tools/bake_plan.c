/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The new file has its tensors in the order of the old one. A value stands at the place of its first
   tensor. A value whose tensors are all tied to those of another one with the same chain is tied to
   that value, and not written again. */

#include "bake.h"

#include "floats.h"
#include "say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef pz_file_tensor_info info;

/* ---- values ------------------------------------------------------------------ */

/* Prints that a value has no chain; there are `more` of this kind. */
static bool
say_left(const model* const m, const char* const path, const finding* const found,
         const size_t more)
{
  char others[32] = "";
  const char* const why = found ? found->why : NULL;
  if (more > 0) {
    snprintf(others, sizeof(others), " and %zu more", more);
  }
  say(m->path,
      "found \"%s\"%s parametrized without a chain%s%s%s, expected --map '%s=CHAIN' or "
      "--partial",
      path, others, why ? " (" : "", why ? why : "", why ? ")" : "", path);
  return false;
}

/* Is this a finding on tensors that are of no chain? */
static bool
is_left(const model* const m, const finding* const found)
{
  return found->text == NULL && model_find(m, found->path) == NULL;
}

/* Counts the values whose chain is not known; without --partial they are an error. */
static bool
check_covered(bake_plan* const p)
{
  const model* const m = &p->model;
  const char* first = NULL;
  const finding* found = NULL;
  for (size_t k = 0; k < m->n_chains; ++k) {
    const model_chain* const chain = &m->chains[k];
    const model_chain* const outer = chain->nested ? model_owner(m, chain->path) : chain;
    p->n_parametrized += !chain->nested;
    if (model_text(chain) == NULL && outer != NULL && !p->values[outer - m->chains].left) {
      p->values[outer - m->chains].left = true;
      found = first ? found : chain->found;
      first = first ? first : chain->path;
      ++p->n_left;
    }
  }
  for (size_t k = 0; k < m->findings.n; ++k) {
    if (is_left(m, &m->findings.all[k])) {
      found = first ? found : &m->findings.all[k];
      first = first ? first : m->findings.all[k].path;
      ++p->n_left;
      ++p->n_parametrized;
    }
  }
  return first == NULL || p->a->partial || say_left(m, first, found, p->n_left - 1);
}

/* The value that owns a tensor; NULL for one that is copied. */
static const model_chain*
owner_of(const bake_plan* const p, const char* const name)
{
  const model_chain* const chain = model_owner(&p->model, name);
  return chain == NULL || p->values[chain - p->model.chains].left ? NULL : chain;
}

/* Counts a tensor of a value, and notes the dtype of originals. */
static void
count_tensor(bake_plan* const p, const model_chain* const chain, const info* const tensor,
             const info* const target)
{
  const model* const m = &p->model;
  bake_value* const v = &p->values[chain - m->chains];
  const model_chain* const other = target ? owner_of(p, target->name) : NULL;
  if (model_is_original(chain, tensor->name)) {
    const bool same = v->dtype == NULL || strcmp(v->dtype, tensor->dtype) == 0;
    v->dtype = same ? tensor->dtype : "";
  }
  ++v->n_tensors;
  if (other != NULL && other != chain && (v->tied_to == NULL || v->tied_to == other) &&
      strcmp(model_inner_name(chain, tensor->name), model_inner_name(other, target->name)) == 0 &&
      strcmp(model_text(chain), model_text(other)) == 0) {
    v->tied_to = other;
    ++v->n_tied;
  }
}

/* ---- places ------------------------------------------------------------------ */

static void
place_value(bake_plan* const p, bake_value* const v, const model_chain* const chain)
{
  v->placed = true;
  v->place = p->n;
  p->sources[p->n] = (bake_source){.chain = chain};
  p->tensors[p->n] = (pz_writer_tensor){.name = chain->path};
  ++p->n;
}

static const char*
wanted_dtype(const arguments* const a)
{
  return a->dtype == PZ_F16    ? "F16"
         : a->dtype == PZ_BF16 ? "BF16"
         : a->dtype == PZ_F32  ? "F32"
         : a->dtype == PZ_F64  ? "F64"
                               : NULL;
}

static void
place_copy(bake_plan* const p, const info* const tensor)
{
  const char* const dtype = wanted_dtype(p->a);
  pz_writer_tensor* const out = &p->tensors[p->n];
  p->sources[p->n] = (bake_source){.data = tensor->data, .dtype = tensor->dtype};
  *out = (pz_writer_tensor){
      .name = tensor->name,
      .dtype = tensor->dtype,
      .spec = tensor->spec,
      .bytes = tensor->bytes,
      .extents = tensor->extents,
      .n_extents = tensor->n_extents,
  };
  if (dtype != NULL && floats_known(tensor->dtype)) {
    out->dtype = dtype;
    out->bytes = tensor->bytes / floats_size(tensor->dtype) * floats_size(dtype);
  }
  ++p->n;
}

static void
add_tie(bake_plan* const p, const char* const name, const char* const target)
{
  p->metadata[p->n_metadata++] = (pz_metadata){.key = name, .text = target};
  ++p->n_ties;
}

/* Adds a tensor of the old file to the plan. A tied one has a target, the tensor in the file. */
static bool
place_tensor(bake_plan* const p, const info* const tensor, const info* const target)
{
  model* const m = &p->model;
  const model_chain* const chain = owner_of(p, tensor->name);
  if (chain != NULL) {
    bake_value* const v = &p->values[chain - m->chains];
    if (!v->placed && v->n_tied == v->n_tensors) {
      v->placed = true;
      add_tie(p, chain->path, v->tied_to->path);
    } else if (!v->placed) {
      place_value(p, v, chain);
    }
    return true;
  }
  if (model_owner(m, tensor->name) == NULL && model_is_inner(tensor->name)) {
    return model_report_unknown(m, tensor->name);
  }
  if (model_find(m, tensor->name) != NULL && owner_of(p, tensor->name) == NULL &&
      !p->values[model_find(m, tensor->name) - m->chains].left) {
    say(m->path, "found \"%s\" both plain and parametrized", tensor->name);
    return false;
  }
  if (target != NULL && owner_of(p, target->name) == NULL) {
    add_tie(p, tensor->name, target->name);
  } else {
    place_copy(p, tensor);
  }
  return true;
}

/* Finds the tensor in the file to which tensor k is tied; NULL: it is itself in the file. */
static const info*
target_of(const model* const m, const info* const tensors, const uint32_t k)
{
  const model_file* const f = &m->input;
  for (uint32_t i = 0; k >= f->n_real && i < f->n_real; ++i) {
    if (tensors[i].data == tensors[k].data && tensors[i].bytes == tensors[k].bytes) {
      return &tensors[i];
    }
  }
  return NULL;
}

static bool
place_all(bake_plan* const p, const info* const tensors, const uint32_t n)
{
  const model* const m = &p->model;
  for (uint32_t k = 0; k < n; ++k) {
    const model_chain* const chain = owner_of(p, tensors[k].name);
    if (chain != NULL) {
      bake_value* const v = &p->values[chain - m->chains];
      count_tensor(p, chain, &tensors[k], target_of(m, tensors, k));
      p->inputs[k] = (bake_input){
          .name = model_inner_name(chain, tensors[k].name),
          .dtype = tensors[k].dtype,
          .spec = tensors[k].spec,
          .data = tensors[k].data,
          .bytes = tensors[k].bytes,
          .before = v->last,
      };
      v->last = k + 1;
    }
  }
  const char* description = NULL;
  for (uint32_t k = 0; k < m->input.n_metadata; ++k) {
    if (strcmp(m->input.metadata[k].key, "parametrize") != 0) {
      p->metadata[p->n_metadata++] = m->input.metadata[k];
    } else if (p->a->shard_size == 0) { /* which is of one file */
      description = m->input.metadata[k].text;
    }
  }
  for (uint32_t k = 0; k < n; ++k) {
    if (!place_tensor(p, &tensors[k], target_of(m, tensors, k))) {
      return false;
    }
  }
  for (size_t k = 0; k < m->n_chains; ++k) {
    if (!m->chains[k].nested && !p->values[k].placed && !p->values[k].left) {
      place_value(p, &p->values[k], &m->chains[k]);
    }
  }
  if (description != NULL && !bake_description_make(p, description)) {
    return false;
  }
  if (p->description != NULL) { /* then there are no ties, which stand last */
    p->metadata[p->n_metadata++] = (pz_metadata){.key = "parametrize", .text = p->description};
  }
  return true;
}

static bool
read_and_place(bake_plan* const p)
{
  const model* const m = &p->model;
  info one = {.size = sizeof(one)};
  uint32_t n = 0;
  while (pz_file_tensor(m->file, n, &one) == PZ_OK) {
    ++n;
  }
  info* const tensors = calloc((size_t)n + 1, sizeof(*tensors));
  p->tensors = calloc(n + m->n_chains + 1, sizeof(*p->tensors));
  p->sources = calloc(n + m->n_chains + 1, sizeof(*p->sources));
  p->metadata = calloc((size_t)m->input.n_metadata + n + 1, sizeof(*p->metadata));
  p->inputs = calloc((size_t)n + 1, sizeof(*p->inputs));
  bool good = tensors != NULL && p->tensors != NULL && p->sources != NULL && p->metadata != NULL &&
              p->inputs != NULL;
  if (!good) {
    say_no_memory(m->path);
  }
  for (uint32_t k = 0; good && k < n; ++k) {
    tensors[k].size = sizeof(one);
    (void)pz_file_tensor(m->file, k, &tensors[k]);
  }
  good = good && place_all(p, tensors, n);
  free(tensors);
  return good;
}

/* ---- the plan ---------------------------------------------------------------- */

void
bake_plan_forget(const bake_plan* const p, const void* const data, const uint64_t bytes)
{
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  const uintptr_t begin = ((uintptr_t)data + page - 1) / page * page;
  const uintptr_t end = ((uintptr_t)data + bytes) / page * page;
  if (begin < end && model_file_is_mapped(&p->model.input, data)) {
    (void)madvise((void*)begin, end - begin, MADV_DONTNEED);
  }
}

void
bake_plan_forget_value(const bake_plan* const p, const model_chain* const chain)
{
  for (uint32_t i = p->values[chain - p->model.chains].last; i > 0; i = p->inputs[i - 1].before) {
    bake_plan_forget(p, p->inputs[i - 1].data, p->inputs[i - 1].bytes);
  }
}

/* Are two values made alike: by one chain, of tensors with the same names, dtypes and shapes? The file
   describes neither. */
static bool
are_alike(const bake_plan* const p, const model_chain* const a, const model_chain* const b)
{
  uint32_t i = p->values[a - p->model.chains].last;
  uint32_t j = p->values[b - p->model.chains].last;
  bool same = strcmp(model_text(a), model_text(b)) == 0;
  while (same && i > 0 && j > 0) {
    const bake_input* const x = &p->inputs[i - 1];
    const bake_input* const y = &p->inputs[j - 1];
    same = strcmp(x->name, y->name) == 0 && strcmp(x->dtype, y->dtype) == 0 &&
           pz_spec_equal(&x->spec, &y->spec) && x->bytes == y->bytes;
    i = x->before;
    j = y->before;
  }
  return same && i == 0 && j == 0;
}

static uint64_t
hash_of(const bake_plan* const p, const model_chain* const chain)
{
  uint64_t hash = 0;
  for (uint32_t i = p->values[chain - p->model.chains].last; i > 0; i = p->inputs[i - 1].before) {
    const bake_input* const x = &p->inputs[i - 1];
    for (int32_t d = 0; d < x->spec.ndim; ++d) {
      hash = (hash ^ (uint64_t)x->spec.shape[d]) * UINT64_C(0x9e3779b97f4a7c15);
    }
    hash = (hash ^ hash >> 29 ^ x->bytes) * UINT64_C(0x9e3779b97f4a7c15);
  }
  return hash ^ hash >> 32;
}

/* Completes tensor k by one before it that is made alike; otherwise notes it for those behind it. A
   lenient load says what it ignores, so it is not left out. */
static bool
preview_alike(bake_plan* const p, const size_t k)
{
  const model_chain* const chain = p->sources[k].chain;
  size_t place = hash_of(p, chain) & (p->n_alike - 1);
  if (chain->rule == NULL && chain->text != NULL) {
    return false;
  }
  for (; p->alike[place] > 0; place = (place + 1) & (p->n_alike - 1)) {
    const size_t other = p->alike[place] - 1;
    if (!p->model.lenient && are_alike(p, chain, p->sources[other].chain)) {
      const char* const name = p->tensors[k].name;
      p->tensors[k] = p->tensors[other];
      p->tensors[k].name = name;
      p->sources[k].dtype = p->sources[other].dtype;
      return true;
    }
  }
  p->alike[place] = k + 1;
  return false;
}

/* Completes tensor k, a value that is not computed yet. Its dtype is that of its originals if these
   have one, otherwise that of the value. */
static bool
preview(bake_plan* const p, const size_t k)
{
  model* const m = &p->model;
  const model_chain* const chain = p->sources[k].chain;
  const char* const dtype = p->values[chain - m->chains].dtype;
  pz_writer_tensor* const tensor = &p->tensors[k];
  const pz_chain* built = NULL;
  pz_module* module = NULL;
  if (dtype == NULL) {
    say(m->path, "\"%s\": the file has no original", chain->path);
    return false;
  }
  if (preview_alike(p, k)) {
    return true;
  }
  pz_status status = model_value(m, chain, true, &module);
  if (status == PZ_OK) {
    status = pz_module_chain(module, chain->path, &built);
  }
  if (status == PZ_OK) {
    tensor->spec = *pz_chain_value(built);
    p->sources[k].dtype = tensor->spec.dtype == PZ_F32 ? "F32" : "F64";
    tensor->dtype = wanted_dtype(p->a)    ? wanted_dtype(p->a)
                    : floats_known(dtype) ? dtype
                                          : p->sources[k].dtype;
    tensor->bytes = (uint64_t)pz_spec_count(&tensor->spec) * floats_size(tensor->dtype);
  } else {
    say_library(m->path, status);
  }
  pz_module_free(module);
  bake_plan_forget_value(p, chain);
  return status == PZ_OK;
}

bool
bake_plan_make(bake_plan* const p, watch* const w)
{
  p->values = calloc(p->model.n_chains + 1, sizeof(*p->values));
  if (p->values == NULL) {
    say_no_memory(p->model.path);
    return false;
  }
  if (!check_covered(p) || !read_and_place(p)) {
    return false;
  }
  p->n_alike = 16;
  while (p->n_alike < 2 * p->n) {
    p->n_alike *= 2;
  }
  p->alike = calloc(p->n_alike, sizeof(*p->alike));
  if (p->alike == NULL) {
    say_no_memory(p->model.path);
    return false;
  }
  for (size_t k = 0; k < p->n; ++k) {
    watch_show(w, p->tensors[k].name, k + 1, p->n, 0, 0);
    if (p->sources[k].chain != NULL && !preview(p, k)) {
      return false;
    }
    p->bytes += p->tensors[k].bytes;
  }
  return true;
}

void
bake_plan_cleanup(bake_plan* const p)
{
  free(p->values);
  free(p->inputs);
  free(p->alike);
  free(p->tensors);
  free(p->sources);
  free(p->metadata);
  free(p->description);
}
