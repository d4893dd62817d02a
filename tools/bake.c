/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The new file has its tensors in the order of the old one. A value stands at the place of its
   first tensor; plain tensors are copied from the mapped file.

   Every value is opened twice. The first time, nothing is computed: this gives its shape and checks
   its tensors, so that writing starts only after all checks have passed. The second time, the value
   is computed and written at once, so that memory holds one value at a time. */

#include "commands.h"
#include "half.h"
#include "model.h"
#include "outputs.h"
#include "say.h"
#include "watch.h"

#include <parametrize/parametrize.h>

#include <stdlib.h>
#include <string.h>

enum { PIECE = 1U << 24 }; /* bytes written between two checks for interrupts */

/* Where a tensor of the new file comes from. */
typedef struct source {
  const model_chain* chain; /* its value; NULL: copied from `data` */
  const void* data;
} source;

/* The value of a chain in the plan; unused for nested chains. */
typedef struct value {
  bool placed;
  size_t place;      /* index in the new file */
  const char* dtype; /* of its originals, "" if they differ; NULL: none found yet */
} value;

typedef struct job {
  const arguments* a;
  model model;
  value* values;             /* of chain k */
  pz_writer_tensor* tensors; /* of the new file */
  source* sources;           /* of tensor k */
  size_t n;
  uint64_t bytes;    /* of all tensors */
  pz_writer* writer; /* guarded by the watch's lock */
} job;

/* ---- the plan ---------------------------------------------------------------- */

static bool
check_covered(const model* const m)
{
  for (size_t k = 0; k < m->n_chains; ++k) {
    const char* const path = m->chains[k].path;
    if (model_text(&m->chains[k]) == NULL) {
      say(m->path, "found \"%s\" parametrized without a chain, expected --map '%s=CHAIN'", path,
          path);
      return false;
    }
  }
  return true;
}

static void
place_value(job* const j, value* const v, const model_chain* const chain)
{
  v->placed = true;
  v->place = j->n;
  j->sources[j->n] = (source){.chain = chain};
  j->tensors[j->n] = (pz_writer_tensor){.name = chain->path};
  ++j->n;
}

/* Adds a tensor of the old file to the plan. */
static bool
place_tensor(job* const j, const pz_file_tensor_info* const tensor)
{
  model* const m = &j->model;
  const model_chain* const chain = model_owner(m, tensor->name);
  if (chain == NULL && model_is_inner(tensor->name)) {
    return model_report_unknown(m, tensor->name);
  }
  if (chain != NULL) {
    value* const v = &j->values[chain - m->chains];
    if (!v->placed) {
      place_value(j, v, chain);
    }
    if (model_is_original(chain, tensor->name)) {
      const bool same = v->dtype == NULL || strcmp(v->dtype, tensor->dtype) == 0;
      v->dtype = same ? tensor->dtype : "";
    }
    return true;
  }
  if (model_find(m, tensor->name) != NULL) {
    say(m->path, "found \"%s\" both plain and parametrized", tensor->name);
    return false;
  }
  j->sources[j->n] = (source){.data = tensor->data};
  j->tensors[j->n] = (pz_writer_tensor){
      .name = tensor->name,
      .dtype = tensor->dtype,
      .spec = tensor->spec,
      .bytes = tensor->bytes,
  };
  ++j->n;
  return true;
}

static bool
place_all(job* const j)
{
  const model* const m = &j->model;
  pz_file_tensor_info tensor = {.size = sizeof(tensor)};
  size_t n = 0;
  pz_status status;
  while ((status = pz_file_tensor(m->file, n, &tensor)) == PZ_OK) {
    ++n;
  }
  if (status != PZ_NOT_FOUND) {
    say_library(m->path, status);
    return false;
  }
  j->values = calloc(m->n_chains + 1, sizeof(*j->values));
  j->tensors = calloc(n + m->n_chains + 1, sizeof(*j->tensors));
  j->sources = calloc(n + m->n_chains + 1, sizeof(*j->sources));
  if (j->values == NULL || j->tensors == NULL || j->sources == NULL) {
    say_no_memory(m->path);
    return false;
  }
  for (size_t k = 0; k < n; ++k) {
    if (pz_file_tensor(m->file, k, &tensor) == PZ_OK && !place_tensor(j, &tensor)) {
      return false;
    }
  }
  for (size_t k = 0; k < m->n_chains; ++k) {
    if (!m->chains[k].nested && !j->values[k].placed) {
      place_value(j, &j->values[k], &m->chains[k]);
    }
  }
  return true;
}

/* Completes tensor k, a value that is not computed yet. Its dtype is that of its originals if these
   have one half-precision dtype, otherwise that of the value. */
static bool
preview(job* const j, const size_t k)
{
  model* const m = &j->model;
  const model_chain* const chain = j->sources[k].chain;
  const char* const dtype = j->values[chain - m->chains].dtype;
  pz_writer_tensor* const tensor = &j->tensors[k];
  const pz_chain* built = NULL;
  pz_module* module = NULL;
  if (dtype == NULL) {
    say(m->path, "\"%s\": the file has no original", chain->path);
    return false;
  }
  pz_status status = model_value(m, chain, true, &module);
  if (status == PZ_OK) {
    status = pz_module_chain(module, chain->path, &built);
  }
  if (status == PZ_OK) {
    tensor->spec = *pz_chain_value(built);
    const bool half =
        tensor->spec.dtype == PZ_F32 && (strcmp(dtype, "F16") == 0 || strcmp(dtype, "BF16") == 0);
    tensor->dtype = half ? dtype : tensor->spec.dtype == PZ_F32 ? "F32" : "F64";
    tensor->bytes =
        (uint64_t)pz_spec_count(&tensor->spec) * (half ? 2 : pz_dtype_size(tensor->spec.dtype));
  } else {
    say_library(m->path, status);
  }
  pz_module_free(module);
  return status == PZ_OK;
}

static bool
make_plan(job* const j, watch* const w)
{
  if (!check_covered(&j->model) || !place_all(j)) {
    return false;
  }
  for (size_t k = 0; k < j->n; ++k) {
    watch_show(w, j->tensors[k].name, k + 1, j->n, 0, 0);
    if (j->sources[k].chain != NULL && !preview(j, k)) {
      return false;
    }
    j->bytes += j->tensors[k].bytes;
  }
  return true;
}

/* ---- writing ----------------------------------------------------------------- */

static bool
written(const job* const j, const pz_status status)
{
  const char* const path = j->a->outputs[0];
  if (status == PZ_EXISTS) {
    say_exists(path);
  } else if (status != PZ_OK) {
    say_library(path, status);
  }
  return status == PZ_OK;
}

/* Opens the new file with all metadata except the chains. */
static bool
open_writer(job* const j, watch* const w)
{
  const model* const m = &j->model;
  const uint32_t flags = j->a->force ? 0 : PZ_KEEP_EXISTING;
  pz_metadata one;
  size_t n = 0;
  size_t kept = 0;
  while (pz_file_metadata(m->file, n, &one) == PZ_OK) {
    ++n;
  }
  pz_metadata* const metadata = calloc(n + 1, sizeof(*metadata));
  if (metadata == NULL) {
    say_no_memory(m->path);
    return false;
  }
  for (size_t k = 0; k < n; ++k) {
    if (pz_file_metadata(m->file, k, &one) == PZ_OK && strcmp(one.key, "parametrize") != 0) {
      metadata[kept++] = one;
    }
  }
  watch_enter(w);
  const pz_status status =
      pz_writer_open(j->a->outputs[0], flags, j->tensors, j->n, metadata, kept, &j->writer);
  watch_leave(w);
  free(metadata);
  return written(j, status);
}

/* Writes tensor k in pieces; `*done` counts the bytes written so far. */
static bool
put(job* const j, watch* const w, const size_t k, const void* const data, uint64_t* const done)
{
  const pz_writer_tensor* const tensor = &j->tensors[k];
  uint64_t begin = 0;
  do {
    const uint64_t left = tensor->bytes - begin;
    const uint64_t step = left < PIECE ? left : PIECE;
    watch_show(w, tensor->name, k + 1, j->n, *done, j->bytes);
    watch_enter(w);
    const pz_status status =
        pz_writer_put(j->writer, k, step ? (const char*)data + begin : data, step);
    watch_leave(w);
    if (!written(j, status)) {
      return false;
    }
    begin += step;
    *done += step;
  } while (begin < tensor->bytes);
  return true;
}

/* Converts float32 to the 2-byte dtype of a tensor, in place. */
static void
narrow(const pz_writer_tensor* const tensor, void* const data)
{
  const bool brain = strcmp(tensor->dtype, "BF16") == 0;
  for (size_t i = 0; i < tensor->bytes / 2; ++i) {
    float x;
    memcpy(&x, (const char*)data + 4 * i, sizeof(x));
    const uint16_t bits = brain ? bfloat_from_float(x) : half_from_float(x);
    memcpy((char*)data + 2 * i, &bits, sizeof(bits));
  }
}

/* Computes the value that is tensor k and writes it. */
static bool
put_value(job* const j, watch* const w, const size_t k, uint64_t* const done)
{
  model* const m = &j->model;
  const pz_writer_tensor* const tensor = &j->tensors[k];
  const pz_spec* const spec = &tensor->spec;
  const size_t bytes = (size_t)pz_spec_count(spec) * pz_dtype_size(spec->dtype);
  void* const data = malloc(bytes + 1);
  pz_module* module = NULL;
  if (data == NULL) {
    say_no_memory(m->path);
    return false;
  }
  watch_show(w, tensor->name, k + 1, j->n, *done, j->bytes);
  const pz_tensor host = pz_host_tensor(spec->dtype, data, spec->ndim, spec->shape);
  pz_status status = model_value(m, j->sources[k].chain, false, &module);
  if (status == PZ_OK) {
    status = pz_module_read(module, tensor->name, &host);
  }
  if (status != PZ_OK) {
    say_library(m->path, status);
  }
  pz_module_free(module);
  if (status == PZ_OK && bytes != tensor->bytes) {
    narrow(tensor, data);
  }
  const bool good = status == PZ_OK && put(j, w, k, data, done);
  free(data);
  return good;
}

static bool
commit(job* const j, watch* const w)
{
  watch_enter(w);
  pz_writer* const writer = j->writer;
  j->writer = NULL;
  const pz_status status = pz_writer_commit(writer);
  watch_leave(w);
  return written(j, status);
}

static void
give_up(void* const user)
{
  job* const j = user;
  pz_writer_abandon(j->writer);
}

static bool
work(watch* const w, void* const user)
{
  job* const j = user;
  uint64_t done = 0;
  bool good = model_open(j->a, &j->model) && make_plan(j, w) && open_writer(j, w);
  for (size_t k = 0; k < j->n && good; ++k) {
    const source* const s = &j->sources[k];
    good = s->chain != NULL ? put_value(j, w, k, &done) : put(j, w, k, s->data, &done);
  }
  if (good) {
    good = commit(j, w);
  }
  watch_enter(w);
  pz_writer_abandon(j->writer);
  j->writer = NULL;
  watch_leave(w);
  return good;
}

int
run_bake(const arguments* const a)
{
  job j = {.a = a};
  const bool good = outputs_check(a->outputs, 1, NULL, a->force) && watch_run(work, give_up, &j);
  model_close(&j.model);
  free(j.values);
  free(j.tensors);
  free(j.sources);
  return good ? EXIT_GOOD : EXIT_ERROR;
}
