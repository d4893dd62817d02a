/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The tensors of a model as they are read: with the names that the command uses. */

#ifndef TOOLS_MODEL_FILE_H
#define TOOLS_MODEL_FILE_H

#include "formats/torch_file.h"
#include "texts.h"

#include <parametrize/parametrize.h>

#include <stdbool.h>

/* A tensor that the file has under one of its two names alone: the metadata has the other. */
typedef struct model_tie {
  const char* name;   /* the key of the metadata */
  const char* target; /* the name of the tensor in the file */
} model_tie;

/* All zero bytes: nothing is open. Texts are those of files and of `texts`. */
typedef struct model_file {
  torch_file torch; /* of torch.save, from which the first one borrows; else not open */
  pz_file* open[4]; /* each borrows from those before it */
  size_t n_open;
  pz_metadata* metadata; /* without ties */
  uint32_t n_metadata;
  model_tie* ties;
  uint32_t n_ties;
  uint32_t n_real;    /* tensors of the file; behind them stand the ties, as tensors too */
  const char* prefix; /* "module." or "_orig_mod." if names have it; else NULL */
  bool parallel;      /* all names are within "module." */
  texts texts;
} model_file;

/* Opens a file. `strip`: removes prefixes of wrappers from the names; `key` is that of
   torch_file_open. Prints errors. Close in either case. */
bool model_file_open(model_file* f, const char* path, const char* key, bool strip);
void model_file_close(model_file* f);

/* The last file of `open`. */
const pz_file* model_file_last(const model_file* f);

/* Opens a file with the same metadata and other tensors behind the last one. */
bool model_file_push(model_file* f, const char* path, const pz_file_tensor_info* tensors,
                     uint32_t n);

/* Do these bytes of a tensor lie in a mapped file? Those of torch.save may be copies. */
bool model_file_is_mapped(const model_file* f, const void* data);

/* Is the word a segment of the dotted name, from `name` on? Returns its place, or NULL. */
const char* model_file_segment(const char* name, const char* word);

#endif /* TOOLS_MODEL_FILE_H */
