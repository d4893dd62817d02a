/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Builds strings and converts numbers in the C locale. */

#ifndef PZI_TEXT_H
#define PZI_TEXT_H

#include <parametrize/types.h>

/* A string under construction. All zero: empty. If memory runs out, it stays unchanged and
   `failed` is set. */
typedef struct pzi_text {
  char* data; /* NULL if empty; free() it */
  size_t length;
  size_t capacity;
  bool failed;
} pzi_text;

void pzi_text_add(pzi_text* text, const char* string);

/* Moves the string to `*out` (never NULL), or PZ_NO_MEMORY. The builder is empty afterwards. */
pz_status pzi_text_finish(pzi_text* text, char** out);

/* The shortest decimal number that reads back as `value`. */
enum { PZI_TEXT_REAL = 32 };
const char* pzi_text_from_real(double value, char buffer[PZI_TEXT_REAL]);

/* Read a real as strtod does, or an integer in decimal or 0x with an optional sign. False if the
   text has anything else or the number does not fit. */
bool pzi_text_to_real(const char* text, double* out);
bool pzi_text_to_integer(const char* text, int64_t* out);

#endif /* PZI_TEXT_H */
