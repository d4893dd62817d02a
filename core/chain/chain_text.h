/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The grammar of chains (parametrize/chain.h), without meaning: words and where they
   stand. */

#ifndef PZI_CHAIN_SPEC_H
#define PZI_CHAIN_SPEC_H

#include <parametrize/types.h>

typedef struct pzi_word_option {
  const char* name;
  const char* value;
} pzi_word_option;

typedef struct pzi_word_map {
  const char* id;
  const pzi_word_option* options;
  uint32_t n_options;
} pzi_word_map;

/* A chain's text in words: one block, free() gives it back. */
typedef struct pzi_words {
  uint32_t n_maps;
  pzi_word_map* maps;
} pzi_words;

/* PZ_INVALID says what was found at which column (the first byte is column 1). */
pz_status pzi_chain_parse(const char* text, pzi_words** out);

#endif /* PZI_CHAIN_SPEC_H */
