/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Prints JSON as it comes. Elements of an array stand on lines of their own. */

#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

#include <parametrize/types.h>

enum { JSON_DEPTH = 8 };

/* All zero bytes: nothing is printed yet. */
typedef struct json {
  int depth;
  bool some[JSON_DEPTH]; /* is there an element before, at each depth? */
  char bracket[JSON_DEPTH];
} json;

/* Opens '{' or '['. `key` is NULL in an array and at the beginning. The last json_close ends the line. */
void json_open(json* j, const char* key, char bracket);
void json_close(json* j);

/* A text of any bytes: those that are no UTF-8 become U+FFFD. NULL becomes null. */
void json_text(json* j, const char* key, const char* text);
/* A number that is not finite becomes null. */
void json_number(json* j, const char* key, double number);
void json_flag(json* j, const char* key, bool flag);

/* An array of extents. */
void json_extents(json* j, const char* key, int32_t n, const int64_t* extents);
void json_shape(json* j, const char* key, const pz_spec* spec);

#endif /* TOOLS_JSON_H */
