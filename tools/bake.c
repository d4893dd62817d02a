/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The entries of the new file, in the order of the old one: a value where the first of its
   entries lay, everything else as it is. Every value is made twice: first without computing
   it, for its shape and for all that can be wrong with its entries; then with, between the
   others, which are copied from the mapped file. So nothing is written before everything is
   known to fit, and memory holds one value at a time. */

#include "commands.h"
#include "half.h"
#include "model.h"
#include "outputs.h"
#include "say.h"
#include "watch.h"

#include <parametrize/parametrize.h>

#include <stdlib.h>
#include <string.h>

enum { PIECE = 1U << 24 }; /* bytes written between two looks at interrupts */

/* What becomes an entry of the new file. */
typedef struct source {
  const model_list* list; /* NULL: copied from `data` */
  const void* data;
} source;

/* What is known of a list's value; of nested lists nothing. */
typedef struct value {
  bool placed;
  size_t place;      /* in the new file */
  const char* dtype; /* of its originals, "" where they differ; NULL: none yet */
} value;

typedef struct job {
  const arguments* a;
  model model;
  value* values;          /* of list k */
  pz_file_entry* entries; /* of the new file */
  source* sources;        /* of entry k */
  size_t n;
  uint64_t bytes;    /* of all entries */
  pz_writer* writer; /* under the watch's lock */
} job;

/* ---- the plan ---------------------------------------------------------------- */

static bool
check_covered(const model* const m)
{
  for (size_t k = 0; k < m->n_lists; ++k) {
    const char* const path = m->lists[k].path;
    if (model_text(&m->lists[k]) == NULL) {
      say(m->path, "found \"%s\" parametrized without its maps, expected --map '%s=CHAIN'", path,
          path);
      return false;
    }
  }
  return true;
}

static void
place_value(job* const j, value* const v, const model_list* const list)
{
  v->placed = true;
  v->place = j->n;
  j->sources[j->n] = (source){.list = list};
  j->entries[j->n] = (pz_file_entry){.size = sizeof(pz_file_entry), .name = list->path};
  ++j->n;
}

/* Takes an entry of the old file into the plan. */
static bool
place_entry(job* const j, const pz_file_entry* const entry)
{
  model* const m = &j->model;
  const model_list* const list = model_owner(m, entry->name);
  if (list == NULL && model_is_inner(entry->name)) {
    return model_leave_out(m, entry->name);
  }
  if (list != NULL) {
    value* const v = &j->values[list - m->lists];
    if (!v->placed) {
      place_value(j, v, list);
    }
    if (model_is_original(list, entry->name)) {
      const bool same = v->dtype == NULL || strcmp(v->dtype, entry->dtype) == 0;
      v->dtype = same ? entry->dtype : "";
    }
    return true;
  }
  if (model_find(m, entry->name) != NULL) {
    say(m->path, "found \"%s\" both plain and parametrized", entry->name);
    return false;
  }
  j->sources[j->n] = (source){.data = entry->data};
  j->entries[j->n] = *entry;
  ++j->n;
  return true;
}

static bool
place_all(job* const j)
{
  const model* const m = &j->model;
  pz_file_entry entry = {.size = sizeof(entry)};
  size_t n = 0;
  pz_status status;
  while ((status = pz_file_tensor(m->file, n, &entry)) == PZ_OK) {
    ++n;
  }
  if (status != PZ_NOT_FOUND) {
    say_library(m->path, status);
    return false;
  }
  j->values = calloc(m->n_lists + 1, sizeof(*j->values));
  j->entries = calloc(n + m->n_lists + 1, sizeof(*j->entries));
  j->sources = calloc(n + m->n_lists + 1, sizeof(*j->sources));
  if (j->values == NULL || j->entries == NULL || j->sources == NULL) {
    say_no_memory(m->path);
    return false;
  }
  for (size_t k = 0; k < n; ++k) {
    if (pz_file_tensor(m->file, k, &entry) == PZ_OK && !place_entry(j, &entry)) {
      return false;
    }
  }
  for (size_t k = 0; k < m->n_lists; ++k) {
    if (!m->lists[k].nested && !j->values[k].placed) {
      place_value(j, &j->values[k], &m->lists[k]);
    }
  }
  return true;
}

/* Completes entry k of a value that is not computed yet: the dtype of its originals, or, for
   several or wider ones, of the value. */
static bool
preview(job* const j, const size_t k)
{
  model* const m = &j->model;
  const model_list* const list = j->sources[k].list;
  const char* const dtype = j->values[list - m->lists].dtype;
  pz_file_entry* const entry = &j->entries[k];
  const pz_chain* chain = NULL;
  pz_module* module = NULL;
  if (dtype == NULL) {
    say(m->path, "\"%s\": the file has no original of it", list->path);
    return false;
  }
  pz_status status = model_value(m, list, true, &module);
  if (status == PZ_OK) {
    status = pz_module_chain(module, list->path, &chain);
  }
  if (status == PZ_OK) {
    entry->spec = *pz_chain_value(chain);
    const bool half =
        entry->spec.dtype == PZ_F32 && (strcmp(dtype, "F16") == 0 || strcmp(dtype, "BF16") == 0);
    entry->dtype = half ? dtype : entry->spec.dtype == PZ_F32 ? "F32" : "F64";
    entry->bytes =
        (uint64_t)pz_spec_count(&entry->spec) * (half ? 2 : pz_dtype_size(entry->spec.dtype));
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
    watch_show(w, j->entries[k].name, k + 1, j->n, 0, 0);
    if (j->sources[k].list != NULL && !preview(j, k)) {
      return false;
    }
    j->bytes += j->entries[k].bytes;
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

/* The metadata but for the lists, which are gone. */
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
      pz_writer_open(j->a->outputs[0], flags, j->entries, j->n, metadata, kept, &j->writer);
  watch_leave(w);
  free(metadata);
  return written(j, status);
}

/* Writes entry k in pieces; `*done` counts bytes of the file. */
static bool
put(job* const j, watch* const w, const size_t k, const void* const data, uint64_t* const done)
{
  const pz_file_entry* const entry = &j->entries[k];
  uint64_t begin = 0;
  do {
    const uint64_t left = entry->bytes - begin;
    const uint64_t step = left < PIECE ? left : PIECE;
    watch_show(w, entry->name, k + 1, j->n, *done, j->bytes);
    watch_enter(w);
    const pz_status status =
        pz_writer_put(j->writer, k, step ? (const char*)data + begin : data, step);
    watch_leave(w);
    if (!written(j, status)) {
      return false;
    }
    begin += step;
    *done += step;
  } while (begin < entry->bytes);
  return true;
}

/* float32 to the dtype that an entry has, in place. */
static void
narrow(const pz_file_entry* const entry, void* const data)
{
  const bool brain = strcmp(entry->dtype, "BF16") == 0;
  for (size_t i = 0; i < entry->bytes / 2; ++i) {
    float x;
    memcpy(&x, (const char*)data + 4 * i, sizeof(x));
    const uint16_t bits = brain ? bfloat_from_float(x) : half_from_float(x);
    memcpy((char*)data + 2 * i, &bits, sizeof(bits));
  }
}

/* Computes the value of entry k and writes it. */
static bool
put_value(job* const j, watch* const w, const size_t k, uint64_t* const done)
{
  model* const m = &j->model;
  const pz_file_entry* const entry = &j->entries[k];
  const pz_spec* const spec = &entry->spec;
  const size_t bytes = (size_t)pz_spec_count(spec) * pz_dtype_size(spec->dtype);
  void* const data = malloc(bytes + 1);
  pz_module* module = NULL;
  if (data == NULL) {
    say_no_memory(m->path);
    return false;
  }
  watch_show(w, entry->name, k + 1, j->n, *done, j->bytes);
  const pz_tensor host = pz_host_tensor(spec->dtype, data, spec->ndim, spec->shape);
  pz_status status = model_value(m, j->sources[k].list, false, &module);
  if (status == PZ_OK) {
    status = pz_module_read(module, entry->name, &host);
  }
  if (status != PZ_OK) {
    say_library(m->path, status);
  }
  pz_module_free(module);
  if (status == PZ_OK && bytes != entry->bytes) {
    narrow(entry, data);
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
    good = s->list != NULL ? put_value(j, w, k, &done) : put(j, w, k, s->data, &done);
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
  free(j.entries);
  free(j.sources);
  return good ? EXIT_GOOD : EXIT_ERROR;
}
