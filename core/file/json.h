/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Reads untrusted JSON and writes JSON. */

#ifndef PZI_JSON_H
#define PZI_JSON_H

#include "text.h"

#include <cjson/cJSON.h>

/* Which numbers a text may have. */
typedef enum pzi_json_numbers {
  PZI_JSON_ANY_NUMBERS = 0,
  PZI_JSON_WHOLE_NUMBERS = 1, /* "8", not "8.0", "8e0" or "-0" */
} pzi_json_numbers;

/* Parses an object of `length` bytes, followed by a zero. First refuses text that could
   exhaust the parser's stack or memory, or that it would cut short: nesting beyond `depth`,
   control bytes and escaped zeros, too many values for the length, bytes after the end; with
   PZI_JSON_WHOLE_NUMBERS also numbers that are not written as whole ones without a sign. PZ_IO
   describes the error; messages call the text `what`. Free with cJSON_Delete. [any thread] */
pz_status pzi_json_parse(const char* text, size_t length, uint32_t depth, pzi_json_numbers numbers,
                         const char* what, cJSON** out);

/* PZ_IO if a member of the object appears twice. */
pz_status pzi_json_unique(const cJSON* object);

/* Reads an integer from 0 to 2^53. */
bool pzi_json_count(const cJSON* item, uint64_t* out);

/* Reads an array of at most `most` extents. */
pz_status pzi_json_extents(const cJSON* array, size_t most, int64_t* out, size_t* n);

/* Reads an array of extents into the shape of a spec. */
pz_status pzi_json_shape(const cJSON* array, pz_spec* out);

/* Append a string in quotes, an integer, and an array of extents. */
void pzi_json_add_text(pzi_text* json, const char* text);
void pzi_json_add_count(pzi_text* json, uint64_t value);
void pzi_json_add_extents(pzi_text* json, size_t n, const int64_t* extents);

#endif /* PZI_JSON_H */
