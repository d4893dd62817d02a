/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* `view` and `back` as tables without functions: the texts that programs show. Chains plan and
   evaluate them. */

#include "words.h"

#include <string.h>

static const char view_formula[] =
    "view(split=..., rows=LIST, cols=LIST, tensor=SHAPE), up to \"back\" or the end of the chain\n"
    "LIST           dimensions, 0+2 or 1-3 or -1, and * for those that neither list names\n"
    "rows, cols     each list becomes one dimension, its last entry runs fastest\n"
    "batch          the dimensions in neither list, in order, before rows and cols\n"
    "default        rows=0, cols=*; cols without rows gives vectors\n"
    "split          DIM:PARTS + ... first cuts a dimension into PARTS x the rest\n"
    "tensor         16x8x3x3, the shape of the tensor, where only originals are given and it does\n"
    "               not follow from them\n"
    "right inverse  the same entries in the tensor's own shape\n"
    "log |det|      0\n"
    "originals      of the first parametrization lie like the tensor where their shape\n"
    "               allows it\n"
    "cost           none if no entry moves, else one copy each way";

#define WORD(id_, summary_, formula_)                        \
  {                                                          \
    .table = {.size = sizeof(pz_parametrization),            \
              .id = (id_),                                   \
              .summary = (summary_),                         \
              .formula = (formula_),                         \
              .tags = "chain"},                              \
    .version = PZI_VERSION, .path = "(part of the library)", \
  }

static const pzi_parametrization words[] = {
    WORD("view", "Reads a tensor as matrices or vectors, for the parametrizations after it",
         view_formula),
    WORD("back", "Ends a view: what follows reads the tensor in its own shape", ""),
};

enum { WORDS = sizeof(words) / sizeof(words[0]) };

const pzi_parametrization*
pzi_words_find(const char* const id)
{
  for (size_t k = 0; k < WORDS; ++k) {
    if (strcmp(words[k].table.id, id) == 0) {
      return &words[k];
    }
  }
  return NULL;
}

bool
pzi_words_has(const pzi_parametrization* const parametrization)
{
  return !parametrization->table.forward; // every plugin's table has one
}
