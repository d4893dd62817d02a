/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Every option has a value, checked against the type and range in the plugin's table, so
   that no plugin needs to check again. The program overrides the text, and the text the
   default. */

#include "options.h"

#include "check_tensor.h"
#include "nearest_name.h"
#include "shape.h"
#include "spec_text.h"
#include "status.h"
#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXPECTED = 400 }; /* bytes of the text after "expected" */

/* ---- types and ranges --------------------------------------------------- */

static bool
bounded(const pz_option* const option)
{
  return option->least > -HUGE_VAL || option->most < HUGE_VAL;
}

/* "a real in 0 .. 1", "one of upper|lower". */
static const char*
expected_text(const pz_option* const option, char buffer[EXPECTED])
{
  char least[PZI_TEXT_REAL];
  char most[PZI_TEXT_REAL];
  size_t n = 0;
  switch ((pz_value_type)option->type) {
  case PZ_REAL:
  case PZ_INTEGER:
    n = (size_t)snprintf(buffer, EXPECTED, option->type == PZ_REAL ? "a real" : "an integer");
    if (bounded(option)) {
      snprintf(buffer + n, EXPECTED - n, " in %s .. %s", pzi_text_from_real(option->least, least),
               pzi_text_from_real(option->most, most));
    }
    break;
  case PZ_FLAG:
    snprintf(buffer, EXPECTED, "0, 1, true or false");
    break;
  case PZ_CHOICE:
    n = (size_t)snprintf(buffer, EXPECTED, "one of ");
    for (uint32_t i = 0; i < option->n_choices && n < EXPECTED; ++i) {
      n += (size_t)snprintf(buffer + n, EXPECTED - n, "%s%s", i ? "|" : "", option->choices[i]);
    }
    break;
  case PZ_TENSOR:
    snprintf(buffer, EXPECTED, "a number, or a tensor given by the program");
    break;
  }
  return buffer;
}

static pz_status
refuse(const pzi_parametrization* const parametrization, const pz_option* const option,
       const char* const found)
{
  char expected[EXPECTED] = "";
  return pzi_fail(PZ_INVALID, "%s: %s: found %.100s, expected %s", parametrization->table.id,
                  option->name, found, expected_text(option, expected));
}

/* Is a value of the option's type in its range? Choices are indices here. */
static bool
in_range(const pz_option* const option, const pz_value* const value)
{
  switch ((pz_value_type)option->type) {
  case PZ_REAL: /* false for NaN */
    return value->as.real >= option->least && value->as.real <= option->most;
  case PZ_INTEGER:
    return (double)value->as.integer >= option->least && (double)value->as.integer <= option->most;
  case PZ_FLAG:
    return value->as.integer == 0 || value->as.integer == 1;
  case PZ_CHOICE:
    return value->as.integer >= 0 && value->as.integer < option->n_choices;
  case PZ_TENSOR:
    return true;
  }
  return false;
}

static bool
find_choice(const pz_option* const option, const char* const text, int64_t* const out)
{
  for (uint32_t i = 0; i < option->n_choices; ++i) {
    if (strcmp(option->choices[i], text) == 0) {
      *out = i;
      return true;
    }
  }
  return false;
}

/* ---- values ------------------------------------------------------------------ */

/* One block: the view, its shape, and aligned elements. */
typedef struct owned_tensor {
  pz_tensor tensor;
  int64_t shape[PZ_MAX_DIMS];
} owned_tensor;

static pz_status
from_tensor(const pzi_parametrization* const parametrization, const pz_option* const option,
            const pz_tensor* const given, pz_value* const out)
{
  char what[128];
  snprintf(what, sizeof(what), "%.50s: %.50s", parametrization->table.id, option->name);
  if (given->device.type != PZ_DEVICE_CPU) {
    return pzi_fail(PZ_MISMATCH, "%s: found a tensor on a device, expected one on the host", what);
  }
  PZ_TRY(pzi_check_tensor(NULL, given, NULL, what));
  const size_t head = (sizeof(owned_tensor) + 63) / 64 * 64;
  const size_t count = (size_t)pz_count(given);
  const size_t bytes = (head + count * pz_dtype_size(given->dtype) + 63) / 64 * 64;
  owned_tensor* const copy = aligned_alloc(64, bytes);
  if (!copy) {
    return pzi_no_memory(bytes);
  }
  if (given->ndim > 0) { // a number has no shape to copy
    memcpy(copy->shape, given->shape, (size_t)given->ndim * sizeof(int64_t));
  }
  copy->tensor = pz_host_tensor(given->dtype, (char*)copy + head, given->ndim, copy->shape);
  if (count > 0) {
    const pz_tensor* const both[] = {given, &copy->tensor};
    pzi_shape shape;
    pzi_shape_merge(&shape, 2, both);
    pzi_shape_copy(&shape, pz_dtype_size(given->dtype),
                   (const char*)given->data + given->byte_offset, copy->tensor.data);
  }
  *out = (pz_value){.type = PZ_TENSOR, .as.tensor = &copy->tensor};
  return PZ_OK;
}

/* A number as a float64 tensor of no dimensions. */
static pz_status
from_number(const pzi_parametrization* const parametrization, const pz_option* const option,
            double number, pz_value* const out)
{
  const pz_tensor tensor = pz_host_tensor(PZ_F64, &number, 0, NULL);
  return from_tensor(parametrization, option, &tensor, out);
}

static pz_status
from_text(const pzi_parametrization* const parametrization, const pz_option* const option,
          const char* const text, pz_value* const out)
{
  pz_value value = {.type = option->type};
  bool readable = false;
  switch ((pz_value_type)option->type) {
  case PZ_REAL:
    readable = pzi_text_to_real(text, &value.as.real);
    break;
  case PZ_INTEGER:
    readable = pzi_text_to_integer(text, &value.as.integer);
    break;
  case PZ_FLAG:
    value.as.integer = strcmp(text, "1") == 0 || strcmp(text, "true") == 0;
    readable = value.as.integer || strcmp(text, "0") == 0 || strcmp(text, "false") == 0;
    break;
  case PZ_CHOICE:
    readable = find_choice(option, text, &value.as.integer);
    break;
  case PZ_TENSOR: {
    double number = 0.0;
    if (pzi_text_to_real(text, &number)) {
      return from_number(parametrization, option, number, out);
    }
    break;
  }
  }
  if (!readable || !in_range(option, &value)) {
    char found[128];
    snprintf(found, sizeof(found), "\"%.100s\"", text);
    return refuse(parametrization, option, found);
  }
  *out = value;
  return PZ_OK;
}

/* A value given by the program; choices are given by name. */
static pz_status
from_value(const pzi_parametrization* const parametrization, const pz_option* const option,
           const pz_value* const given, pz_value* const out)
{
  static const char* const types[] = {"nothing", "a real",   "an integer",
                                      "a flag",  "a choice", "a tensor"};
  if (given->type != option->type) {
    return refuse(parametrization, option,
                  given->type <= PZ_TENSOR ? types[given->type] : "an unknown type");
  }
  switch ((pz_value_type)option->type) {
  case PZ_CHOICE:
    return from_text(parametrization, option, given->as.text ? given->as.text : "", out);
  case PZ_TENSOR:
    if (!given->as.tensor) {
      *out = (pz_value){.type = PZ_TENSOR};
      return PZ_OK;
    }
    return from_tensor(parametrization, option, given->as.tensor, out);
  case PZ_REAL:
  case PZ_INTEGER:
  case PZ_FLAG:
    break;
  }
  if (!in_range(option, given)) {
    char real[PZI_TEXT_REAL];
    char integer[PZI_TEXT_REAL];
    snprintf(integer, sizeof(integer), "%" PRId64, given->as.integer);
    return refuse(parametrization, option,
                  option->type == PZ_REAL ? pzi_text_from_real(given->as.real, real) : integer);
  }
  *out = *given;
  return PZ_OK;
}

static void
drop_value(pz_value* const value)
{
  if (value->type == PZ_TENSOR) {
    free((void*)(uintptr_t)value->as.tensor); /* the head of its owned_tensor */
    value->as.tensor = NULL;
  }
}

/* ---- all options ----------------------------------------------------------------- */

static pz_status
find_option(const pzi_parametrization* const parametrization, const char* const name,
            uint32_t* const out)
{
  const pz_option* const options = parametrization->table.options;
  const uint32_t n = parametrization->table.n_options;
  for (uint32_t i = 0; name && i < n; ++i) {
    if (strcmp(options[i].name, name) == 0) {
      *out = i;
      return PZ_OK;
    }
  }
  const char* const shown = name ? name : "(no name)";
  if (n == 0) {
    return pzi_fail(PZ_NOT_FOUND, "%s: found option \"%.100s\", expected none",
                    parametrization->table.id, shown);
  }
  const char** const names = calloc(n, sizeof(*names));
  if (!names) {
    return pzi_no_memory(n * sizeof(*names));
  }
  pzi_text all = {0};
  for (uint32_t i = 0; i < n; ++i) {
    names[i] = options[i].name;
    pzi_text_add(&all, i ? ", " : "");
    pzi_text_add(&all, names[i]);
  }
  const char* const nearest = pzi_nearest_name(shown, names, n);
  pz_status status = pzi_fail(
      PZ_NOT_FOUND, "%s: no option \"%.100s\", %s %.500s", parametrization->table.id, shown,
      nearest ? "the nearest is" : "there is", nearest ? nearest : (all.data ? all.data : ""));
  free(all.data);
  free(names);
  return status;
}

/* Whether a tensor option can be written as a number. */
static bool
is_number(const pz_tensor* const tensor)
{
  return tensor->ndim == 0 && tensor->dtype == PZ_F64;
}

/* Appends "name=value" unless it is the default. */
static void
describe_option(const pz_option* const option, const pz_value* const value, bool* const first,
                pzi_text* const text)
{
  char buffer[PZI_SPEC_TEXT];
  const char* shown = buffer;
  switch ((pz_value_type)option->type) {
  case PZ_REAL:
    if (value->as.real == option->fallback) {
      return;
    }
    pzi_text_from_real(value->as.real, buffer);
    break;
  case PZ_INTEGER:
  case PZ_FLAG:
  case PZ_CHOICE:
    if (value->as.integer == (int64_t)option->fallback) {
      return;
    }
    snprintf(buffer, sizeof(buffer), "%" PRId64, value->as.integer);
    shown = option->type == PZ_CHOICE ? option->choices[value->as.integer] : buffer;
    break;
  case PZ_TENSOR:
    if (!value->as.tensor) {
      return;
    }
    /* "<tensor>" is not valid in chain text: reading it fails instead of losing the tensor. */
    shown = is_number(value->as.tensor)
                ? pzi_text_from_real(*(const double*)value->as.tensor->data, buffer)
                : "<tensor>";
    break;
  }
  pzi_text_add(text, *first ? "(" : ",");
  pzi_text_add(text, option->name);
  pzi_text_add(text, "=");
  pzi_text_add(text, shown);
  *first = false;
}

pz_status
pzi_options_text(const pzi_parametrization* const parametrization, const pz_value* const options,
                 char** const out)
{
  const pz_parametrization* const table = &parametrization->table;
  pzi_text text = {0};
  bool first = true;
  pzi_text_add(&text, table->id);
  for (uint32_t i = 0; i < table->n_options; ++i) {
    describe_option(&table->options[i], &options[i], &first, &text);
  }
  if (!first) {
    pzi_text_add(&text, ")");
  }
  return pzi_text_finish(&text, out);
}

static pz_value
default_value(const pz_option* const option)
{
  pz_value value = {.type = option->type};
  if (option->type == PZ_REAL) {
    value.as.real = option->fallback;
  } else if (option->type == PZ_TENSOR) {
    value.as.tensor = NULL;
  } else {
    value.as.integer = (int64_t)option->fallback;
  }
  return value;
}

pz_status
pzi_options_resolve(const pzi_parametrization* const parametrization,
                    const pzi_stage_words* const words, const uint32_t index,
                    const pz_option_setting* const settings, const uint32_t n_settings,
                    pz_value* const options)
{
  const pz_parametrization* const table = &parametrization->table;
  uint32_t k = 0;
  for (uint32_t i = 0; i < table->n_options; ++i) {
    options[i] = default_value(&table->options[i]);
  }
  for (uint32_t i = 0; i < words->n_options; ++i) {
    const pzi_option_words* const word = &words->options[i];
    PZ_TRY(find_option(parametrization, word->name, &k));
    for (uint32_t j = 0; j < i; ++j) {
      if (strcmp(words->options[j].name, word->name) == 0) {
        return pzi_fail(PZ_INVALID, "%s: found option \"%s\" twice, expected it once", table->id,
                        word->name);
      }
    }
    PZ_TRY(from_text(parametrization, &table->options[k], word->value, &options[k]));
  }
  for (uint32_t i = 0; i < n_settings; ++i) {
    if (settings[i].stage == index) {
      pz_value value;
      PZ_TRY(find_option(parametrization, settings[i].name, &k));
      PZ_TRY(from_value(parametrization, &table->options[k], &settings[i].value, &value));
      drop_value(&options[k]);
      options[k] = value;
    }
  }
  return PZ_OK;
}

void
pzi_options_cleanup(const pzi_parametrization* const parametrization, pz_value* const options)
{
  for (uint32_t i = 0; i < parametrization->table.n_options; ++i) {
    drop_value(&options[i]);
  }
}
