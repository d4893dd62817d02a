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
  const char* refusal;  /* why it is not searched; "": it is */
  pzi_source** sources; /* the files in it, sorted */
  size_t n_sources;
  pzi_source* self;   /* the report on the folder itself, or NULL */
  pzi_source* report; /* memory for `self`, once it was needed */
  dev_t device;
  ino_t inode;
  bool given;
  bool exists;
  bool searched; /* since the last rescan */
} pzi_folder;

/* Adds a folder: after the others of the host (`by_host`), else after all. `path` is copied;
   `origin` and `refusal` must stay valid as long as the context. */
pz_status pzi_folders_add(pz_context* context, const char* path, const char* origin, bool given,
                          const char* refusal, bool by_host);

/* Searches the folders that are not searched yet and sorts all sources in search order. */
pz_status pzi_folders_search(pz_context* context);

/* Is folder `i` the same as an earlier one: the same inode, or missing with the same path? */
bool pzi_folders_is_repeated(const pz_context* context, size_t i);

#endif /* PZI_FOLDERS_H */
