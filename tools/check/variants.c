/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "variants.h"

#include "outcome.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHAPE(...)                                                                    \
  {                                                                                   \
    .ndim = (int32_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), .shape = { \
      __VA_ARGS__                                                                     \
    }                                                                                 \
  }

const pz_spec variant_shapes[VARIANT_SHAPES] = {
    {.ndim = 0},    SHAPE(1),       SHAPE(2),          SHAPE(6),       SHAPE(0),
    SHAPE(0, 0),    SHAPE(1, 1),    SHAPE(2, 2),       SHAPE(3, 3),    SHAPE(5, 5),
    SHAPE(8, 8),    SHAPE(16, 16),  SHAPE(17, 17),     SHAPE(33, 33),  SHAPE(0, 4, 4),
    SHAPE(3, 0, 0), SHAPE(1, 3, 3), SHAPE(8, 5, 3, 3), SHAPE(7, 6, 6), SHAPE(2, 1, 0, 5),
    SHAPE(3, 5),    SHAPE(4, 0),    SHAPE(0, 4),       SHAPE(5, 3),    SHAPE(1, 5),
    SHAPE(6, 1),    SHAPE(40, 6),   SHAPE(2, 9, 4),    SHAPE(3, 2, 6), SHAPE(300, 2),
    SHAPE(2, 300),  SHAPE(4, 4),    SHAPE(3, 4, 4),
};

static void
add(variants* const out, const char* const before, const char* const id, const char* const option,
    const char* const value, const size_t length)
{
  if (out->n == VARIANT_CHAINS) {
    return;
  }
  char* const to = out->chain[out->n];
  const int used = option ? snprintf(to, sizeof(out->chain[0]), "%s%s(%s=%.*s)", before, id, option,
                                     (int)length, value)
                          : snprintf(to, sizeof(out->chain[0]), "%s%s", before, id);
  out->n += used > 0 && (size_t)used < sizeof(out->chain[0]) ? 1 : 0;
}

/* A real between its bounds "a .. b", ">= a", "<= b" or "": 0.3 of the way, or of the default. */
static void
add_inside(variants* const out, const char* const id, const pz_option_info* const option)
{
  char text[32];
  const char* const gap = strstr(option->range, " .. ");
  const double first = strtod(option->range, NULL);
  const double fallback = strtod(option->fallback, NULL);
  const double more = fallback != 0.0 ? 0.3 * fabs(fallback) : 0.7;
  const double number = gap                       ? first + 0.3 * (strtod(gap + 4, NULL) - first)
                        : option->range[0] == '<' ? fallback - more
                                                  : fallback + more;
  const int n = snprintf(text, sizeof(text), "%.6g", number);
  add(out, "", id, option->name, text, (size_t)n);
}

/* The choices "a|b", both flags, the bounds "0 .. 8" of small numbers and a real between, the integer 1,
   and a tensor of one number. */
static void
add_option(variants* const out, const char* const id, const pz_option_info* const option)
{
  const char* const gap = strstr(option->range, " .. ");
  if (option->type == PZ_FLAG) {
    add(out, "", id, option->name, strcmp(option->fallback, "1") == 0 ? "0" : "1", 1);
  } else if (option->type == PZ_CHOICE) {
    for (const char* at = option->range; *at != '\0';) {
      const size_t length = strcspn(at, "|");
      if (strncmp(at, option->fallback, length) != 0 || option->fallback[length] != '\0') {
        add(out, "", id, option->name, at, length);
      }
      at += length + (at[length] == '|');
    }
  } else if (option->type == PZ_TENSOR) {
    add(out, "", id, option->name, "0.25", strlen("0.25"));
  } else if (gap && (option->type == PZ_REAL || option->type == PZ_INTEGER)) {
    const char* const bounds[] = {option->range, gap + 4};
    for (int k = 0; k < 2; ++k) {
      char* end = NULL;
      const double bound = strtod(bounds[k], &end);
      const size_t length = (size_t)(end - bounds[k]);
      if (length > 0 && bound >= -8.0 && bound <= 8.0 &&
          (strncmp(bounds[k], option->fallback, length) != 0 || option->fallback[length] != '\0')) {
        add(out, "", id, option->name, bounds[k], length);
      }
    }
    if (option->type == PZ_INTEGER && strtod(bounds[0], NULL) < 1.0 &&
        strtod(bounds[1], NULL) > 1.0 && strcmp(option->fallback, "1") != 0) {
      add(out, "", id, option->name, "1", 1);
    }
  }
  if (option->type == PZ_REAL) {
    add_inside(out, id, option);
  }
}

void
variants_of(const bench* const b, variants* const out)
{
  static const char* const before[] = {"skew", "symmetric"};
  pz_option_info option = {.size = sizeof(option)};
  pz_parametrization_info info = {.size = sizeof(info)};
  out->n = 0;
  add(out, "", b->id, NULL, NULL, 0);
  for (uint32_t k = 0; pz_context_option(b->context, b->id, k, &option) == PZ_OK; ++k) {
    add_option(out, b->id, &option);
  }
  for (int k = 0; k < 2; ++k) {
    char text[32];
    (void)snprintf(text, sizeof(text), "%s,", before[k]);
    if (strcmp(before[k], b->id) != 0 && pz_context_find(b->context, before[k], &info) == PZ_OK) {
      add(out, text, b->id, NULL, NULL, 0);
    }
  }
}

void
on_every_trial(const bench* const b, void (*const body)(trial* t))
{
  enum { TRIES = 3 }; /* of every shape */
  static variants v;
  variants_of(b, &v);
  const uint32_t step = (v.n + TRIES - 1) / TRIES;
  for (uint32_t k = 0; k < v.n; ++k) {
    for (uint32_t s = 0; s < VARIANT_SHAPES; ++s) {
      for (int d = 0; d < 2 && (k == 0 || (k + s) % step == 0); ++d) {
        trial t;
        pz_spec given = variant_shapes[s];
        given.dtype = d == 0 ? PZ_F32 : PZ_F64;
        if (trial_open(&t, b, v.chain[k], &given)) {
          outcome_now->trials += 1;
          body(&t);
        } else {
          outcome_now->refused += 1;
        }
        trial_close(&t);
      }
    }
  }
}
