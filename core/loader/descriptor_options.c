/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Options are checked once, when a plugin is loaded: their types are known, their names unique
   and words of the chain grammar, and their defaults within their bounds. */

#include "descriptor.h"

#include "checked_read.h"
#include "descriptor.h"
#include "status.h"
#include "text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
  LEAST_OPTION = offsetof(pz_option, most) + sizeof(double),
  MOST_OPTIONS = 256,
  MOST_CHOICES = 256,
  MOST_NAME = 63,
  MOST_DOC = 1023,
};

static const double EXACT = 9007199254740992.0; /* 2^53: doubles hold every integer below */

/* A word of the chain grammar: no white space, comma, bracket, quote or '='. */
static bool
is_word(const char* const text)
{
  for (const char* c = text; *c != '\0'; ++c) {
    if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr(",()=\"", *c)) {
      return false;
    }
  }
  return *text != '\0';
}

static pz_status
copy_choices(pzi_alloc_list* const allocs, pz_option* const o)
{
  if (o->n_choices == 0 || o->n_choices > MOST_CHOICES || !o->choices) {
    return pzi_fail(PZ_PLUGIN, "%" PRIu32 " choices, expected 1 to %d",
                    o->choices ? o->n_choices : 0, MOST_CHOICES);
  }
  const char** const choices = pzi_alloc_list_take(allocs, o->n_choices * sizeof(*choices));
  if (!choices) {
    return pzi_no_memory(o->n_choices * sizeof(*choices));
  }
  if (!pzi_checked_read(o->choices, o->n_choices * sizeof(*choices), choices)) {
    return pzi_fail(PZ_PLUGIN, "choices lie outside readable memory");
  }
  for (uint32_t i = 0; i < o->n_choices; ++i) {
    PZ_TRY(pzi_checked_read_line(allocs, choices[i], MOST_NAME, "choice", &choices[i]));
    if (!is_word(choices[i])) {
      return pzi_fail(PZ_PLUGIN, "choice \"%s\", expected a word without \",()=\"", choices[i]);
    }
    for (uint32_t j = 0; j < i; ++j) {
      if (strcmp(choices[i], choices[j]) == 0) {
        return pzi_fail(PZ_PLUGIN, "choice \"%s\" twice", choices[i]);
      }
    }
  }
  o->choices = choices;
  return PZ_OK;
}

/* The default is within the bounds; a NaN anywhere is refused. All but reals are integers. */
static pz_status
check_default(const pz_option* const o)
{
  const double least = o->type == PZ_REAL || o->type == PZ_INTEGER ? o->least : 0.0;
  const double most = o->type == PZ_REAL || o->type == PZ_INTEGER ? o->most
                      : o->type == PZ_CHOICE                      ? (double)o->n_choices - 1.0
                                                                  : 1.0;
  char text[3][PZI_TEXT_REAL];
  if (o->type == PZ_TENSOR) {
    return PZ_OK;
  }
  if (!(least <= o->fallback && o->fallback <= most)) {
    return pzi_fail(PZ_PLUGIN, "default %s, expected one within %s .. %s",
                    pzi_text_from_real(o->fallback, text[0]), pzi_text_from_real(least, text[1]),
                    pzi_text_from_real(most, text[2]));
  }
  if (o->type != PZ_REAL && (o->fallback != rint(o->fallback) || fabs(o->fallback) > EXACT)) {
    return pzi_fail(PZ_PLUGIN, "default %s, expected an integer up to 2^53",
                    pzi_text_from_real(o->fallback, text[0]));
  }
  return PZ_OK;
}

/* Checks option `o`, whose name is copied already, and copies what it points to. */
static pz_status
copy_option(pzi_alloc_list* const allocs, pz_option* const o)
{
  PZ_TRY(pzi_checked_read_line(allocs, o->doc, MOST_DOC, "doc", &o->doc));
  if (o->type < PZ_REAL || o->type > PZ_TENSOR) {
    return pzi_fail(PZ_PLUGIN, "type %" PRIu32 ", expected %d to %d", o->type, PZ_REAL, PZ_TENSOR);
  }
  if (o->type == PZ_CHOICE) {
    PZ_TRY(copy_choices(allocs, o));
  } else {
    o->choices = NULL;
    o->n_choices = 0;
  }
  if (o->type == PZ_INTEGER) { // beyond int64 there is no bound
    o->least = o->least <= -0x1p63 ? -HUGE_VAL : o->least;
    o->most = o->most >= 0x1p63 ? HUGE_VAL : o->most;
  }
  return check_default(o);
}

pz_status
pzi_descriptor_options_copy(pzi_alloc_list* const allocs, pz_parametrization* const table)
{
  const uint32_t n = table->n_options;
  const uintptr_t first = (uintptr_t)table->options;
  if (n == 0) {
    table->options = NULL;
    table->option_size = sizeof(pz_option);
    return PZ_OK;
  }
  if (n > MOST_OPTIONS || first == 0) {
    return pzi_fail(PZ_PLUGIN, "%" PRIu32 " option%s%s, expected at most %d", n, PZI_S(n),
                    first == 0 ? " at NULL" : "", MOST_OPTIONS);
  }
  const uint32_t size = table->option_size;
  if (size < LEAST_OPTION || size > PZI_LARGEST_TABLE || size % sizeof(void*) != 0) {
    return pzi_fail(PZ_PLUGIN, "options of %" PRIu32 " byte%s, expected at least %d", size,
                    PZI_S(size), LEAST_OPTION);
  }
  pz_option* const options = pzi_alloc_list_take(allocs, n * sizeof(*options));
  if (!options) {
    return pzi_no_memory(n * sizeof(*options));
  }
  for (uint32_t i = 0; i < n; ++i) {
    pz_option* const o = &options[i];
    const uintptr_t at = first + (uintptr_t)i * size;
    if (at % sizeof(void*) != 0 ||
        !pzi_checked_read((const void*)at, size < sizeof(*o) ? size : sizeof(*o), o)) {
      return pzi_fail(PZ_PLUGIN, "option %" PRIu32 " of %" PRIu32 " lies outside readable memory",
                      i, n);
    }
    PZ_TRY(pzi_checked_read_id(allocs, o->name, MOST_NAME, "name of an option", &o->name));
    for (uint32_t j = 0; j < i; ++j) {
      if (strcmp(options[j].name, o->name) == 0) {
        return pzi_fail(PZ_PLUGIN, "option \"%s\" twice", o->name);
      }
    }
    const pz_status status = copy_option(allocs, o);
    if (status != PZ_OK) {
      return pzi_fail_prefix(status, "option \"%s\"", o->name);
    }
  }
  table->options = options;
  table->option_size = sizeof(pz_option);
  return PZ_OK;
}
