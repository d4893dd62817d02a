/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The words of a parametrization's legacy_names. */

#ifndef PZI_LEGACY_WORD_H
#define PZI_LEGACY_WORD_H

#include <stdbool.h>
#include <stddef.h>

/* A word of pz_parametrization's legacy_names, in the text itself. */
typedef struct pzi_legacy_word {
  const char* tensor; /* NULL before the first */
  size_t n_tensor;
  const char* ending;
  size_t n_ending;
  const char* rest; /* what follows */
} pzi_legacy_word;

/* Moves to the next word. To begin, set `rest` to the whole text and everything else to zero.
   Returns false and changes nothing after the last word, and where the text breaks the grammar.
   [any thread] */
bool pzi_legacy_word_next(pzi_legacy_word* word);

#endif /* PZI_LEGACY_WORD_H */
