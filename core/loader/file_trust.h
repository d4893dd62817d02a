/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Decides whether code from a file may run in this process. */

#ifndef PZI_FILE_TRUST_H
#define PZI_FILE_TRUST_H

#include <parametrize/types.h>

#include <sys/stat.h>

/* The owner of libparametrize's own file. */
typedef struct pzi_file_trust {
  uid_t owner;
  bool known;
} pzi_file_trust;

/* A file that may be loaded. */
typedef struct pzi_trusted_file {
  int fd; /* open for reading; to be closed */
  struct stat status;
  const char* remark; /* a phrase ("group-writable") or "" */
} pzi_trusted_file;

/* Judges the file at an absolute path: its type, whether it is whole, its owner and permissions,
   and those of its folder; and every folder and symbolic link on the way. `given`: the host or the
   environment named its folder, which may then belong to anyone.

   PZ_NOT_FOUND, PZ_IO (unreadable), PZ_PLUGIN (not a whole shared object for this machine),
   PZ_INVALID (not trusted), with the reason; PZ_NO_MEMORY. [any thread] */
pz_status pzi_file_trust_judge(const pzi_file_trust* trust, const char* path, bool given,
                               pzi_trusted_file* out);

/* Does the process run with privileges that its caller lacks (set-user-ID and the like)? */
bool pzi_file_trust_is_elevated(void);

#endif /* PZI_FILE_TRUST_H */
