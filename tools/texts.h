/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Texts made for the cells of a table, which borrows them. */

#ifndef TOOLS_TEXTS_H
#define TOOLS_TEXTS_H

#include <parametrize/types.h>

#include <stdbool.h>
#include <stddef.h>

/* All zero bytes: none. */
typedef struct texts {
  char** all;
  size_t n;
  size_t room;
  bool failed; /* one is missing for want of memory */
} texts;

/* A formatted text that lives as long as `t`; "" without memory. */
const char* texts_add(texts* t, const char* format, ...) PZ_PRINTF(2, 3);

/* "3x4", "scalar". */
const char* texts_shape(texts* t, const pz_spec* spec);

void texts_cleanup(texts* t);

/* The bytes of the control character at the beginning of a text: an ASCII one, or one of
   U+0080 to U+009F, which terminals obey as well. 0 where there is none, or the text ends. */
size_t text_control(const char* text);

#endif /* TOOLS_TEXTS_H */
