/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* JSON that nobody vouches for, and JSON of our own. */

#ifndef PZI_JSON_H
#define PZI_JSON_H

#include "text.h"

#include <cjson/cJSON.h>

/* Parses an object of `length` bytes, a 0 behind them, after looking for what a parser
   would accept, run out of stack or memory on, or cut short: nesting beyond `depth`,
   control bytes and escaped zeros, more values than such a text may have, bytes behind the
   end. PZ_IO says what is wrong; messages speak of `what`. For cJSON_Delete. [any thread] */
pz_status pzi_json_parse(const char* text, size_t length, uint32_t depth, const char* what,
                         cJSON** out);

/* PZ_IO where a member of the object is there twice. */
pz_status pzi_json_unique(const cJSON* object);

/* A whole number from 0 to 2^53. */
bool pzi_json_count(const cJSON* item, uint64_t* out);

/* Appends a text in quotes, or a whole number. */
void pzi_json_add_text(pzi_text* json, const char* text);
void pzi_json_add_count(pzi_text* json, uint64_t value);

#endif /* PZI_JSON_H */
