/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What list, info and doctor show, in words (show.c, doctor.c) and as JSON (show_json.c), and the terms
   that all use (show_terms.c). */

#ifndef TOOLS_SHOW_H
#define TOOLS_SHOW_H

#include "guard.h"
#include "json.h"
#include "table.h"

#include <parametrize/parametrize.h>

const char* show_type(uint32_t type);   /* of an option: "real" */
const char* show_route(uint32_t route); /* of an operation: "native" */

/* What a parametrization may offer. */
typedef struct show_ability {
  uint32_t flag; /* PZ_HAS_... */
  const char* name;
  const char* text;
} show_ability;

enum { SHOW_ABILITIES = 7 };
extern const show_ability show_abilities[SHOW_ABILITIES];

enum { SHOW_WORDS = 2 };
extern const char* const show_words[SHOW_WORDS]; /* of chains, which no file has */

/* Did an enumeration end as it should, with PZ_NOT_FOUND? Prints any other error. */
bool show_ended(pz_status status);

/* Prints a table and frees it. False after an error that was printed, as below. */
bool show_table(table* t, size_t indent);

/* Makes a context that opens its files under `g`, which may be NULL; NULL after an error. */
pz_context* show_context(guard* g);

/* Opens all files, whether they are any good or not. */
bool show_opens_files(pz_context* context, guard* g);

/* Members of an object. */
bool show_json_parametrizations(json* j, pz_context* context, const char* tag);
bool show_json_devices(json* j, pz_context* context);
bool show_json_files(json* j, pz_context* context);
bool show_json_parametrization(json* j, pz_context* context, const pz_parametrization_info* info);
bool show_json_operations(json* j, pz_queue* queue);

#endif /* TOOLS_SHOW_H */
