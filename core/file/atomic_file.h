/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Files that appear complete or not at all. Every result is 0 or an errno value.

   Where the file system has unnamed files (O_TMPFILE), a process that is killed leaves nothing.
   Elsewhere, and for the instant in which an existing file is replaced, it may leave a file
   ".parametrize-" plus 16 hexadecimal digits in the folder. */

#ifndef PZI_ATOMIC_FILE_H
#define PZI_ATOMIC_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file that is being written. All zero: not open. */
typedef struct pzi_atomic_file {
  int fd;
  int folder;         /* descriptor of the target's folder */
  char* target;       /* name in the folder; NULL: not open */
  char temporary[40]; /* name in the folder; "": unnamed */
  uint64_t length;    /* bytes appended so far */
} pzi_atomic_file;

/* The path of the file that would be written for `path`: with symbolic links followed, also if their
   target does not exist. free() it. */
int pzi_atomic_file_resolve(const char* path, char** out);

/* Begins a file that will appear as `path`. It is written in the same folder. Symbolic links
   are followed, also if their target does not exist. A file that is replaced keeps its permissions
   and, as far as the process may, its owner and group. ELOOP for a circle of links, EISDIR for a
   folder, ENOTSUP for anything else that is not a regular file, EACCES for a regular file
   without write permission; EEXIST if anything exists at `path` and `keep_existing` is set. */
int pzi_atomic_file_open(pzi_atomic_file* file, const char* path, bool keep_existing);

/* Appends bytes. */
int pzi_atomic_file_write(pzi_atomic_file* file, const void* data, size_t bytes);

/* Writes bytes at an offset. Does not change where pzi_atomic_file_write appends. */
int pzi_atomic_file_write_at(pzi_atomic_file* file, const void* data, size_t bytes,
                             uint64_t offset);

/* Flushes the file to disk and gives it its name. Replaces an existing file, or returns EEXIST
   if `keep_existing` is set. The file is closed in any case; after an error it is removed. */
int pzi_atomic_file_commit(pzi_atomic_file* file, bool keep_existing);

/* Closes and removes the file. No effect if it is not open. Preserves errno. */
void pzi_atomic_file_abandon(pzi_atomic_file* file);

#endif /* PZI_ATOMIC_FILE_H */
