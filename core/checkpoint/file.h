/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* An open file. */

#ifndef PZI_FILE_H
#define PZI_FILE_H

#include "description.h"
#include "safetensors.h"

struct pz_file {
  const pz_file* origin; /* NULL, or the file that owns the bytes, metadata and description */
  void* map;             /* NULL: the bytes are not mapped by this file */
  size_t size;
  const char* data; /* of the first tensor */
  pzi_safetensors header;
  pzi_description description;
  struct pzi_file_chain* chains; /* sorted by path; file_chains.h */
  size_t n_chains;
  pzi_alloc_list allocs; /* owns the strings of the chains */
  pz_file** shards;      /* files that have the bytes, which it owns; or NULL */
  size_t n_shards;
};

/* As pz_file_open, for a single file. */
pz_status pzi_file_open_one(const char* path, pz_file** out);

/* As pz_file_open, for bytes in memory, which must outlive the file. For the fuzz tests.
   [any thread] */
pz_status pzi_file_from_memory(const void* bytes, size_t size, pz_file** out);

/* Reads the description in the metadata of a file whose header is set, and finds its chains. */
pz_status pzi_file_describe(pz_file* file);

/* The first byte of a tensor. */
const char* pzi_file_data(const pz_file* file, const pzi_file_tensor* tensor);

#endif /* PZI_FILE_H */
