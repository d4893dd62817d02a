/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* First the contents of the file: tensors, metadata and chains. Then, if asked for, the value of
   every chain, which has to be computed. A value that cannot be computed is not an error: its row has
   the reason. */

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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct job {
  const arguments* a;
  model model;
  condition condition;
  texts texts;
  table values;
  json json;
} job;

/* A shape becomes an array, numbers become numbers if they are finite, and "-" null. */
static void
json_cell(json* const j, const char* const column, const char* const cell)
{
  const bool is_number = strcmp(column, "bytes") == 0 || strcmp(column, "residual") == 0 ||
                         strcmp(column, "condition") == 0;
  if (strcmp(cell, "-") == 0) {
    json_text(j, column, NULL);
  } else if (strcmp(column, "shape") == 0) {
    int64_t extents[64]; // at most, of a tensor of a file
    int32_t n = 0;
    for (const char* at = cell; n < 64 && *at >= '0' && *at <= '9';) { // nothing of "scalar"
      char* end = NULL;
      extents[n++] = strtoll(at, &end, 10);
      at = *end == 'x' ? end + 1 : end;
    }
    json_extents(j, column, n, extents);
  } else if (is_number && *cell >= '0' && *cell <= '9') {
    json_number(j, column, strtod(cell, NULL));
  } else {
    json_text(j, column, cell);
  }
}

/* A table as an array of objects, whose members are named by the first row. */
static void
json_table(json* const j, const char* const heading, const table* const t)
{
  json_open(j, heading, '[');
  for (size_t k = 1; k < t->n_rows; ++k) {
    json_open(j, NULL, '{');
    for (size_t i = 0; i < t->n_columns; ++i) {
      json_cell(j, t->rows[0][i], t->rows[k][i]);
    }
    json_close(j);
  }
  json_close(j);
}

/* Prints a table under a heading, and frees it. */
static bool
show(job* const j, const char* const heading, table* const t)
{
  const bool first = strcmp(heading, "tensors") == 0;
  const bool complete = !t->failed && !j->texts.failed;
  if (complete && j->a->json) {
    json_table(&j->json, heading, t);
  } else if (complete) {
    if (!first) {
      printf("\n%s\n", heading);
    }
    (void)table_print(t, first ? 0 : 2);
  }
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
  uint32_t k = 0;
  table t;
  table_init(&t, 4);
  table_row(&t, (const char*[]){"tensor", "dtype", "shape", "bytes"});
  for (; pz_file_tensor(j->model.input.open[0], k, &tensor) == PZ_OK; ++k) {
    bytes += tensor.bytes;
    table_row(&t, (const char*[]){tensor.name, tensor.dtype, texts_extents(&j->texts, &tensor),
                                  texts_add(&j->texts, "%" PRIu64, tensor.bytes)});
  }
  const bool good = show(j, "tensors", &t);
  if (!j->a->json) {
    printf("%u tensor%s, %" PRIu64 " byte%s\n", (unsigned)k, PLURAL(k), bytes, PLURAL(bytes));
  }
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

/* What tells the chain, or why nothing does. */
static const char*
origin_of(const model_chain* const chain)
{
  return chain->rule                         ? "--map"
         : chain->text                       ? "file"
         : chain->found && chain->found->why ? chain->found->why
                                             : "";
}

static bool
show_chains(job* const j)
{
  const model* const m = &j->model;
  table t;
  table_init(&t, 5);
  table_row(&t, (const char*[]){"tensor", "chain", "saved with", "installed", "told by"});
  for (size_t k = 0; k < m->n_chains; ++k) {
    const model_chain* const chain = &m->chains[k];
    const char* const text = model_text(chain);
    table_row(&t, (const char*[]){chain->path, text ? text : "unknown",
                                  chain->plugins ? chain->plugins : "unknown",
                                  text ? describe_stages(j, text) : "", origin_of(chain)});
  }
  for (size_t k = 0; k < m->findings.n; ++k) {
    const finding* const found = &m->findings.all[k];
    if (model_find(m, found->path) == NULL) {
      table_row(&t, (const char*[]){found->path, "unknown", "unknown", "", found->why});
    }
  }
  if (t.n_rows == 1 && !t.failed) {
    table_cleanup(&t);
    return true;
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
  table_row(&t, (const char*[]){"key", "text"});
  for (uint32_t k = 0; pz_file_metadata(j->model.input.open[0], k, &one) == PZ_OK; ++k) {
    if (strcmp(one.key, "parametrize") != 0) {
      table_row(&t, (const char*[]){one.key, one.text});
    }
  }
  if (t.n_rows == 1 && !t.failed) {
    table_cleanup(&t);
    return true;
  }
  return show(j, "metadata", &t);
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
  double number = 0.0;
  pz_tensor value;
  pz_status status = model_value(&j->model, chain, true, &module);
  if (status == PZ_OK) {
    status = pz_module_chain(module, chain->path, &built);
  }
  if (status == PZ_OK) {
    status = pz_module_get(module, chain->path, &value);
  }
  if (status == PZ_OK) {
    const pz_spec* const spec = pz_chain_value(built);
    shape = texts_shape(&j->texts, spec);
    status = pz_module_residual(module, chain->path, &number);
    residual = show_number(j, status, number, &reason);
    if (spec->ndim < 2) {
      quotient = "no matrix";
    } else {
      status = measure_condition(j, module, chain->path, spec, &number);
      quotient = show_number(j, status, number, &reason);
    }
  } else {
    (void)show_number(j, status, number, &reason);
  }
  pz_module_free(module);
  table_row(&j->values, (const char*[]){chain->path, shape, residual, quotient, reason});
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
  table_row(&j->values, (const char*[]){"value", "shape", "residual", "condition", "reason"});
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
  job j = {.a = a, .condition = {.context = NULL}};
  bool good = model_open(a, &j.model);
  if (good && a->json) {
    json_open(&j.json, NULL, '{');
    json_text(&j.json, "file", j.model.path);
  }
  good = good && show_tensors(&j) && show_metadata(&j) && show_chains(&j);
  if (good && a->values && j.model.n_chains > 0) {
    (void)fflush(stdout);
    good = watch_run(measure_all, nothing, &j) && show(&j, "values", &j.values);
  }
  if (good && a->json) {
    json_close(&j.json);
  }
  table_cleanup(&j.values);
  condition_close(&j.condition);
  texts_cleanup(&j.texts);
  model_close(&j.model);
  return good ? EXIT_GOOD : EXIT_ERROR;
}
