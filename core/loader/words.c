/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* `view` and `back` as tables without functions: the texts that programs show. Chains plan and
   evaluate them. */

#include "words.h"

#include <string.h>

static const pzi_parametrization words[] = {
    {
        .table =
            {
                .size = sizeof(pz_parametrization),
                .id = "view",
                .summary =
                    "reads a tensor as matrices or vectors, for the parametrizations after it",
                .formula =
                    "view(split=..., rows=LIST, cols=LIST), up to \"back\" or the end of the "
                    "chain\n"
                    "LIST           dimensions, 0+2 or 1-3 or -1, and * for those that neither "
                    "list names\n"
                    "rows, cols     each list becomes one dimension, its last entry runs fastest\n"
                    "batch          the dimensions in neither list, in their order, before rows "
                    "and cols\n"
                    "default        rows=0, cols=*; cols without rows gives vectors\n"
                    "split          DIM:PARTS + ... first cuts a dimension into PARTS x the rest\n"
                    "right inverse  the same entries in the tensor's own shape\n"
                    "log |det|      0\n"
                    "originals      of the first parametrization have the tensor's shape if they "
                    "have\n"
                    "               the shape of what it reads\n"
                    "cost           none if no entry moves, else one copy each way",
                .tags = "chain",
            },
        .version = PZI_VERSION,
        .path = "(part of the library)",
    },
    {
        .table =
            {
                .size = sizeof(pz_parametrization),
                .id = "back",
                .summary = "ends a view: what follows reads the tensor in its own shape",
                .formula = "",
                .tags = "chain",
            },
        .version = PZI_VERSION,
        .path = "(part of the library)",
    },
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
