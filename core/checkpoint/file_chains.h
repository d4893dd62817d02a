/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The parametrized values of a file. */

#ifndef PZI_FILE_CHAINS_H
#define PZI_FILE_CHAINS_H

#include "file.h"

/* The chain of one value. */
typedef struct pzi_file_chain {
  const char* path;             /* of the value */
  const pzi_saved_chain* saved; /* NULL: the file does not describe the chain */
  char* text;                   /* chain text, and its plugins; NULL if not described */
  char* plugins;
  char* prefix; /* of the names of its tensors: "rnn.parametrizations.weight." */
  uint32_t n_tensors;
} pzi_file_chain;

/* Sets the chains of a file, from its description and from the names of its tensors. */
pz_status pzi_file_chains_find(pz_file* file);
void pzi_file_chains_free(pz_file* file);

/* The index of the first chain whose path is not before `path`. */
size_t pzi_file_chains_bound(const pz_file* file, const char* path);

/* The chain of a value, or NULL. */
const pzi_file_chain* pzi_file_chains_on(const pz_file* file, const char* path);

#endif /* PZI_FILE_CHAINS_H */
