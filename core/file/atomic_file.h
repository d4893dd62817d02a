/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Files that appear whole or not at all. Depends on nothing else of the library; every
   result is 0 or an errno value.

   Where the file system has files without a name, what is being written has none, and a
   process that is killed leaves nothing; elsewhere, and in the instant in which an existing
   file is replaced, it may leave ".parametrize-" and 16 hexadecimal digits in the folder. */

#ifndef PZI_ATOMIC_FILE_H
#define PZI_ATOMIC_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file being written beside its target. All zero bytes: not open. */
typedef struct pzi_atomic_file {
  int fd;
  int folder;         /* descriptor of the target's folder */
  char* target;       /* name in the folder; NULL: not open */
  char temporary[40]; /* name in the folder; "": it has none yet */
} pzi_atomic_file;

/* Begins a file that is to appear as `path`, in the same folder. A symbolic link is
   followed, also to where nothing is yet; ELOOP where links lead in a circle. EISDIR for a
   folder, ENOTSUP for any other thing that is not a regular file, EACCES for a regular
   file that may not be written; with `keep_existing` EEXIST for anything that is there. */
int pzi_atomic_open(pzi_atomic_file* file, const char* path, bool keep_existing);

/* Appends `bytes` bytes. */
int pzi_atomic_write(pzi_atomic_file* file, const void* data, size_t bytes);

/* Writes `bytes` bytes at a place; what pzi_atomic_write appends does not move. */
int pzi_atomic_write_at(pzi_atomic_file* file, const void* data, size_t bytes, uint64_t offset);

/* Makes the file durable and gives it its name: replacing what was there, or EEXIST with
   `keep_existing`. Closed afterwards in any case, and on failure nothing is left. */
int pzi_atomic_commit(pzi_atomic_file* file, bool keep_existing);

/* Closes and removes what was written; nothing to do when not open. errno is kept. */
void pzi_atomic_abandon(pzi_atomic_file* file);

#endif /* PZI_ATOMIC_FILE_H */
