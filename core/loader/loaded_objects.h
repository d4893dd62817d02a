/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The shared objects this process has mapped, each once. */

#ifndef PZI_LIBRARY_H
#define PZI_LIBRARY_H

#include "descriptor.h"

#include <sys/stat.h>

/* A file that was mapped, and stays so. Immutable, lives as long as the process. */
typedef struct pzi_library {
  struct pzi_library* next;
  dev_t device;
  ino_t inode;
  char* path;         /* by which it was first opened */
  pzi_tables* tables; /* NULL where it is no plugin of ours */
  char* refusal;      /* why not */
} pzi_library;

/* The library that `file` is, mapping it by `path` when it is new here. A refusal of
   the handshake is remembered in the library and is not a failure here; a file that cannot
   be mapped is (PZ_IO), and may be tried again. Runs constructors: hold no lock.
   [any thread] */
pz_status pzi_library_open(const char* path, const struct stat* file, const pzi_library** out);

#endif /* PZI_LIBRARY_H */
