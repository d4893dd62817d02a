/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Which files are mapped into this process, from /proc/self/maps. */

#ifndef PZI_MAPPINGS_H
#define PZI_MAPPINGS_H

#include <parametrize/types.h>

/* The file that is mapped at an address. */
typedef struct pzi_mapping {
  uint64_t device; /* as /proc has it, which some file systems give otherwise than stat */
  uint64_t inode;  /* 0: no file, or unknown */
  char* path;      /* NULL: unknown; to be freed */
} pzi_mapping;

/* Finds the file at each of `n` addresses. PZ_NO_MEMORY; without /proc, nothing is known.
   [any thread] */
pz_status pzi_mappings_find(size_t n, const void* const addresses[], pzi_mapping out[]);
void pzi_mappings_cleanup(size_t n, pzi_mapping mappings[]);

/* Is the object with something at `address` mapped from the open file `fd`, which `path` named?
   [any thread] */
pz_status pzi_mappings_is_of_file(const void* address, int fd, const char* path, bool* out);

#endif /* PZI_MAPPINGS_H */
