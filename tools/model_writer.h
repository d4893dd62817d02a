/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Writes a model: one safetensors file, or a new folder of files with an index. */

#ifndef TOOLS_MODEL_WRITER_H
#define TOOLS_MODEL_WRITER_H

#include <parametrize/parametrize.h>

#include <stdbool.h>

/* What is to be written; borrowed until the end. */
typedef struct model_output {
  const char* path;
  uint64_t limit; /* bytes of tensors in a file of a folder; 0: one file, which is `path` */
  bool force;
  const pz_writer_tensor* tensors;
  uint32_t n;
  const pz_metadata* metadata;
  uint32_t n_metadata;
} model_output;

/* All zero bytes: not open. */
typedef struct model_writer {
  const model_output* output;
  pz_writer* writer; /* of the current file */
  uint32_t* files;   /* the file of tensor k; they increase */
  uint32_t* places;  /* its index in that file */
  uint32_t n_files;
  uint32_t current;
  char* folder; /* the temporary one, until it gets its name; NULL: one file */
} model_writer;

/* Can a folder of this name be made? Prints errors. */
bool model_writer_check_folder(const char* path);

/* Begins. Prints errors; abandon in either case. */
bool model_writer_open(model_writer* w, const model_output* output);

/* Writes the next bytes of tensor k. Tensors come in their order. */
bool model_writer_put(model_writer* w, uint32_t k, const void* data, uint64_t bytes);

/* Makes the file or the folder appear. */
bool model_writer_commit(model_writer* w);

/* Leaves nothing behind; has no effect after a commit. */
void model_writer_abandon(model_writer* w);

#endif /* TOOLS_MODEL_WRITER_H */
