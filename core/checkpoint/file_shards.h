/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Models in several files: an index, "model.safetensors.index.json", names the file of each tensor. */

#ifndef PZI_FILE_SHARDS_H
#define PZI_FILE_SHARDS_H

#include "file.h"

/* The file or index that is meant by the path of a folder: its only index, or else its only
   safetensors file. `*out` is NULL where `path` is no folder. free() it. */
pz_status pzi_file_shards_in_folder(const char* path, char** out);

/* Is this the name of an index? */
bool pzi_file_shards_is_index(const char* path);

/* Opens an index and its files as one. */
pz_status pzi_file_shards_open(const char* path, pz_file** out);

#endif /* PZI_FILE_SHARDS_H */
