/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Text that grows, and numbers as text in the C locale, whatever the host has set. */

#ifndef PZI_TEXT_H
#define PZI_TEXT_H

#include <parametrize/types.h>

/* A string under construction; all zero is empty. Without memory it stays as it is and
   remembers that. */
typedef struct pzi_text {
  char* data; /* NULL while nothing was added; free() it */
  size_t length;
  size_t capacity;
  bool failed;
} pzi_text;

void pzi_text_add(pzi_text* text, const char* string);

/* Takes the string out (never NULL), or PZ_NO_MEMORY; the builder is empty afterwards. */
pz_status pzi_text_finish(pzi_text* text, char** out);

/* The shortest decimal that reads back as `value`. */
enum { PZI_REAL_TEXT = 32 };
const char* pzi_real_text(double value, char buffer[PZI_REAL_TEXT]);

/* Reads the whole of `text`: a real as strtod does, an integer in decimal or 0x with an
   optional sign. False where it is something else or does not fit. */
bool pzi_read_real(const char* text, double* out);
bool pzi_read_integer(const char* text, int64_t* out);

#endif /* PZI_TEXT_H */
