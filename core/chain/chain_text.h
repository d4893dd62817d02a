/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The grammar of chains (parametrize/chain.h): a text as words, not yet looked up. */

#ifndef PZI_CHAIN_TEXT_H
#define PZI_CHAIN_TEXT_H

#include <parametrize/types.h>

typedef struct pzi_option_words {
  const char* name;
  const char* value;
} pzi_option_words;

typedef struct pzi_stage_words {
  const char* id;
  const pzi_option_words* options;
  uint32_t n_options;
} pzi_stage_words;

/* A chain's text as words, in one block for free(). */
typedef struct pzi_chain_words {
  uint32_t n_stages;
  pzi_stage_words* stages;
} pzi_chain_words;

/* PZ_INVALID with the column of the error; the first byte is column 1. */
pz_status pzi_chain_text_parse(const char* text, pzi_chain_words** out);

#endif /* PZI_CHAIN_TEXT_H */
