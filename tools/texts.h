/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Owns formatted texts, which the cells of a table borrow; and words in texts. */

#ifndef TOOLS_TEXTS_H
#define TOOLS_TEXTS_H

#include <parametrize/file.h>

#include <stdbool.h>
#include <stddef.h>

/* All zero bytes: no texts. */
typedef struct texts {
  char** all;
  size_t n;
  size_t room;
  bool failed; /* a text is missing: there was not enough memory */
} texts;

/* Formats a text that lives as long as `t`; "" if there is not enough memory. */
const char* texts_add(texts* t, const char* format, ...) PZ_PRINTF(2, 3);

/* "3x4", or "scalar". */
const char* texts_shape(texts* t, const pz_spec* spec);

/* The same for a tensor of a file, which may have more dimensions. */
const char* texts_extents(texts* t, const pz_file_tensor_info* tensor);
/* Is `word`, which is not empty, among words separated by spaces? */
bool texts_has_word(const char* words, const char* word);

void texts_cleanup(texts* t);

#endif /* TOOLS_TEXTS_H */
