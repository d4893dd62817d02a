/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Whether code from a file may run in this process. */

#ifndef PZI_TRUST_H
#define PZI_TRUST_H

#include <parametrize/types.h>

#include <sys/stat.h>

/* Who owns libparametrize's own file. */
typedef struct pzi_trust {
  uid_t owner;
  bool known;
} pzi_trust;

/* Judges the file at an absolute path: what it is, who owns it and its folder, who may
   write them; of a symbolic link, its target. `given`: its folder was named by the host or
   the environment, and may belong to anyone. `file` gets what the opened file is, and
   `remark` a phrase ("group-writable") or "".

   PZ_NOT_FOUND, PZ_IO (unreadable), PZ_PLUGIN (not a shared object) or PZ_INVALID (not
   trusted), with the reason. [any thread] */
pz_status pzi_judge_file(const pzi_trust* trust, const char* path, bool given, struct stat* file,
                         const char** remark);

/* The process runs with privileges its caller has not (set-user-ID and the like). */
bool pzi_is_elevated(void);

#endif /* PZI_TRUST_H */
