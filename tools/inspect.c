/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* First the contents of the file: tensors, metadata and chains. Then the value of every chain,
   which has to be computed. A value that cannot be computed is not an error: its row has the
   reason. */

#include "commands.h"
#include "condition.h"
#include "json.h"
#include "model.h"
#include "say.h"
#include "table.h"
#include "texts.h"
#include "watch.h"

#include <parametrize/parametrize.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct job {
  model model;
  condition condition;
  texts texts;
  table values;
  json* json; /* NULL: tables */
} job;

/* Prints a table under a heading, and frees it. */
static bool
show(job* const j, const char* const heading, table* const t)
{
  if (heading != NULL) {
    printf("\n%s\n", heading);
  }
  const bool complete = table_print(t, heading ? 2 : 0) && !j->texts.failed;
  table_cleanup(t);
  if (!complete) {
    say_no_memory(j->model.path);
  }
  return complete;
}

/* ---- contents of the file ------------------------------------------------------ */

static bool
show_tensors(job* const j)
{
  pz_file_tensor_info tensor = {.size = sizeof(tensor)};
  uint64_t bytes = 0;
  size_t k = 0;
  table t;
  table_init(&t, 4);
  table_row(&t, (const char*[]){"tensor", "dtype", "shape", "bytes"});
  for (; pz_file_tensor(j->model.file, k, &tensor) == PZ_OK; ++k) {
    bytes += tensor.bytes;
    table_row(&t, (const char*[]){tensor.name, tensor.dtype, texts_shape(&j->texts, &tensor.spec),
                                  texts_add(&j->texts, "%" PRIu64, tensor.bytes)});
  }
  const bool good = show(j, NULL, &t);
  printf("%zu tensor%s, %" PRIu64 " byte%s\n", k, PLURAL(k), bytes, PLURAL(bytes));
  return good;
}

/* The stages of a chain text, each with its installed version. */
static const char*
describe_stages(job* const j, const char* const text)
{
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
  const char* here = "";
  int depth = 0;
  for (const char* place = text; *place != '\0';) {
    const size_t length = strspn(place, letters);
    if (length > 0 && depth == 0) {
      pz_parametrization_info info = {.size = sizeof(info)};
      const char* const id = texts_add(&j->texts, "%.*s", (int)length, place);
      const bool found = pz_context_find(j->model.context, id, &info) == PZ_OK;
      here = texts_add(&j->texts, "%s%s%s %s", here, *here ? ", " : "", id,
                       found ? info.version : "missing");
    }
    depth += (*place == '(') - (*place == ')');
    place += length > 0 ? length : 1;
  }
  return here;
}

static bool
show_chains(job* const j)
{
  const model* const m = &j->model;
  table t;
  table_init(&t, 4);
  table_row(&t, (const char*[]){"tensor", "chain", "saved with", "installed"});
  for (size_t k = 0; k < m->n_chains; ++k) {
    const model_chain* const chain = &m->chains[k];
    const char* const text = model_text(chain);
    table_row(&t, (const char*[]){chain->path, text ? text : "unknown",
                                  chain->plugins ? chain->plugins : "unknown",
                                  text ? describe_stages(j, text) : ""});
  }
  return show(j, "chains", &t);
}

/* The metadata of the host; the library's own is shown as chains. */
static bool
show_metadata(job* const j)
{
  pz_metadata one;
  table t;
  table_init(&t, 2);
  for (size_t k = 0; pz_file_metadata(j->model.file, k, &one) == PZ_OK; ++k) {
    if (strcmp(one.key, "parametrize") != 0) {
      table_row(&t, (const char*[]){one.key, one.text});
    }
  }
  if (t.n_rows == 0 && !t.failed) {
    table_cleanup(&t);
    return true;
  }
  return show(j, "metadata", &t);
}

static void
json_contents(job* const j)
{
  pz_file_tensor_info tensor = {.size = sizeof(tensor)};
  pz_metadata one;
  const model* const m = &j->model;
  json_open(j->json, NULL, '{');
  json_open(j->json, "tensors", '[');
  for (size_t k = 0; pz_file_tensor(m->file, k, &tensor) == PZ_OK; ++k) {
    json_open(j->json, NULL, '{');
    json_text(j->json, "name", tensor.name);
    json_text(j->json, "dtype", tensor.dtype);
    json_shape(j->json, "shape", &tensor.spec);
    json_number(j->json, "bytes", (double)tensor.bytes);
    json_close(j->json);
  }
  json_close(j->json);
  json_open(j->json, "metadata", '[');
  for (size_t k = 0; pz_file_metadata(m->file, k, &one) == PZ_OK; ++k) {
    if (strcmp(one.key, "parametrize") != 0) {
      json_open(j->json, NULL, '{');
      json_text(j->json, "key", one.key);
      json_text(j->json, "text", one.text);
      json_close(j->json);
    }
  }
  json_close(j->json);
  json_open(j->json, "chains", '[');
  for (size_t k = 0; k < m->n_chains; ++k) {
    const char* const text = model_text(&m->chains[k]);
    json_open(j->json, NULL, '{');
    json_text(j->json, "tensor", m->chains[k].path);
    json_text(j->json, "chain", text);
    json_text(j->json, "saved_with", m->chains[k].plugins);
    json_text(j->json, "installed", text ? describe_stages(j, text) : NULL);
    json_close(j->json);
  }
  json_close(j->json);
}

/* ---- values ---------------------------------------------------------------------- */

/* A number as text; after a failure "-", and the message is appended to `reason`. */
static const char*
show_number(job* const j, const pz_status status, const double number, const char** const reason)
{
  if (status == PZ_OK) {
    return texts_add(&j->texts, "%.3g", number);
  }
  *reason = texts_add(&j->texts, "%s%s%s", *reason, **reason ? "; " : "", pz_error_message());
  return "-";
}

/* The condition number, in double precision so that it shows no rounding errors of its own. */
static pz_status
measure_condition(job* const j, pz_module* const module, const char* const path,
                  const pz_spec* const spec, double* const out)
{
  const size_t count = (size_t)pz_spec_count(spec);
  const bool single = spec->dtype == PZ_F32;
  double* const wide = malloc((count + 1) * sizeof(*wide));
  float* const narrow = single ? malloc((count + 1) * sizeof(*narrow)) : NULL;
  pz_status status = wide && (narrow || !single) ? PZ_OK : PZ_NO_MEMORY;
  if (status == PZ_OK) {
    void* const data = single ? (void*)narrow : (void*)wide;
    const pz_tensor host = pz_host_tensor(spec->dtype, data, spec->ndim, spec->shape);
    status = pz_module_read(module, path, &host);
  }
  for (size_t k = 0; status == PZ_OK && single && k < count; ++k) {
    wide[k] = narrow[k];
  }
  if (status == PZ_OK) {
    const pz_tensor doubles = pz_host_tensor(PZ_F64, wide, spec->ndim, spec->shape);
    status = condition_of(&j->condition, &doubles, out);
  }
  free(narrow);
  free(wide);
  return status;
}

static void
measure(job* const j, const model_chain* const chain)
{
  const pz_chain* built = NULL;
  pz_module* module = NULL;
  const char* shape = "-";
  const char* residual = "-";
  const char* quotient = "-";
  const char* reason = "";
  double distance = NAN;
  double number = NAN; /* the condition */
  const pz_spec* spec = NULL;
  pz_tensor value;
  pz_status status = model_value(&j->model, chain, true, &module);
  if (status == PZ_OK) {
    status = pz_module_chain(module, chain->path, &built);
  }
  if (status == PZ_OK) {
    status = pz_module_get(module, chain->path, &value);
  }
  if (status == PZ_OK) {
    spec = pz_chain_value(built);
    shape = texts_shape(&j->texts, spec);
    status = pz_module_residual(module, chain->path, &distance);
    residual = show_number(j, status, distance, &reason);
    distance = status == PZ_OK ? distance : NAN;
    if (spec->ndim < 2) {
      quotient = "no matrix";
    } else {
      status = measure_condition(j, module, chain->path, spec, &number);
      quotient = show_number(j, status, number, &reason);
      number = status == PZ_OK ? number : NAN;
    }
  } else {
    (void)show_number(j, status, 0.0, &reason);
  }
  if (j->json) {
    json_open(j->json, NULL, '{');
    json_text(j->json, "tensor", chain->path);
    if (spec) {
      json_shape(j->json, "shape", spec);
    }
    json_number(j->json, "residual", distance);
    json_number(j->json, "condition", number);
    json_text(j->json, "reason", reason);
    json_close(j->json);
  } else {
    table_row(&j->values, (const char*[]){chain->path, shape, residual, quotient, reason});
  }
  pz_module_free(module);
}

static bool
measure_all(watch* const w, void* const user)
{
  job* const j = user;
  const model* const m = &j->model;
  const pz_status status = condition_open(&j->condition, m->device);
  if (status != PZ_OK) {
    say_library(m->device ? m->device : "device", status);
    return false;
  }
  table_init(&j->values, 5);
  table_row(&j->values, (const char*[]){"value", "shape", "residual", "condition", ""});
  for (size_t k = 0; k < m->n_chains; ++k) {
    if (!m->chains[k].nested) {
      watch_show(w, m->chains[k].path, k + 1, m->n_chains, 0, 0);
      measure(j, &m->chains[k]);
    }
  }
  return true;
}

static void
nothing(void* const user)
{
  (void)user;
}

int
run_inspect(const arguments* const a)
{
  json printed = {.depth = 0};
  job j = {.condition = {.context = NULL}, .json = a->json ? &printed : NULL};
  bool good = model_open(a, &j.model);
  if (good && j.json) {
    json_contents(&j);
    json_open(j.json, "values", '[');
    good = j.model.n_chains == 0 || watch_run(measure_all, nothing, &j);
    json_close(j.json);
    json_close(j.json);
  } else {
    good = good && show_tensors(&j) && show_metadata(&j);
  }
  if (!j.json && good && j.model.n_chains > 0) {
    good = show_chains(&j);
    (void)fflush(stdout);
    good = good && watch_run(measure_all, nothing, &j) && show(&j, "values", &j.values);
  }
  table_cleanup(&j.values);
  condition_close(&j.condition);
  texts_cleanup(&j.texts);
  model_close(&j.model);
  return good ? EXIT_GOOD : EXIT_ERROR;
}
