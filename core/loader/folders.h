/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A context's folders. Every function is called with the context's mutex held. */

#ifndef PZI_FOLDERS_H
#define PZI_FOLDERS_H

#include "source.h"

#include <parametrize/context.h>

typedef struct pzi_folder {
  const char* path;
  const char* origin;
  const char* refusal;  /* why it is not searched, "" where it is */
  pzi_source** sources; /* the files in it, sorted */
  size_t n_sources;
  pzi_source* self; /* what there is to say of the folder, NULL: nothing */
  dev_t device;
  ino_t inode;
  bool given;
  bool exists;
  bool searched; /* since the last rescan */
} pzi_folder;

/* Appends a folder to those of the host or to all. `origin` and `refusal` live for ever. */
pz_status pzi_registry_add_folder(pz_context* context, const char* path, const char* origin,
                                  bool given, const char* refusal, bool by_host);

/* Searches the folders that are not searched yet and puts everything in order. */
pz_status pzi_registry_prepare(pz_context* context);

/* Does an earlier folder stand for folder `i`: the same one, or missing by the same name? */
bool pzi_folder_is_repeated(const pz_context* context, size_t i);

#endif /* PZI_FOLDERS_H */
