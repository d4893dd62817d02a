/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Files in the safetensors format: the length of a JSON header as 8 bytes, little endian;
   the header, {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...,
   "__metadata__": {"key": "text", ...}}; the tensors' bytes without gaps. */

#ifndef PZI_SAFETENSORS_H
#define PZI_SAFETENSORS_H

#include "queue.h"

/* ---- reading --------------------------------------------------------------- */

/* One tensor of a file. `spec.dtype` is 0 where the file's dtype is none of ours. */
typedef struct pzi_safetensor {
  const char* name;
  const char* dtype; /* as the file says it, "F32" */
  pz_spec spec;
  uint64_t begin; /* of the data, from the end of the header */
  uint64_t end;
  const void* data; /* not aligned */
} pzi_safetensor;

typedef struct pzi_safetensors pzi_safetensors;

/* Maps a file and checks all of its header: what it says fits together and into the file.
   PZ_NOT_FOUND, or PZ_IO with what is wrong. The data are read where they lie, so a file
   that another process cuts while it is open ends this one, as with every mapping. */
pz_status pzi_safetensors_open(const char* path, pzi_safetensors** out);
void pzi_safetensors_close(pzi_safetensors* file);

/* The tensors by name in order of bytes; one of them, or NULL; a text of the metadata, or
   NULL. Borrowed from the file. */
const pzi_safetensor* pzi_safetensors_list(const pzi_safetensors* file, size_t* n);
const pzi_safetensor* pzi_safetensors_find(const pzi_safetensors* file, const char* name);
const char* pzi_safetensors_metadata(const pzi_safetensors* file, const char* key);

/* One tensor that a file is to be read into. */
typedef struct pzi_target {
  const char* name;
  const pz_tensor* tensor;
  pz_queue* queue; /* its device */
} pzi_target;

/* Copies a file's tensors into those of the same name. PZ_MISMATCH names what is missing,
   unknown or of another dtype or shape, before anything is written. */
pz_status pzi_safetensors_load(const char* path, const pzi_target* targets, size_t n);

/* ---- writing --------------------------------------------------------------- */

typedef struct pzi_metadata {
  const char* key;
  const char* text;
} pzi_metadata;

/* Writes a file that appears whole or not at all. PZ_EXISTS with `keep_existing` where
   something is there. Names are unique UTF-8. */
pz_status pzi_safetensors_save(const char* path, bool keep_existing, const pzi_target* tensors,
                               size_t n, const pzi_metadata* metadata, size_t n_metadata);

#endif /* PZI_SAFETENSORS_H */
