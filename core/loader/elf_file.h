/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Checks a file before the dynamic linker maps it. */

#ifndef PZI_ELF_FILE_H
#define PZI_ELF_FILE_H

#include <parametrize/types.h>

/* Is the open file, of `bytes` bytes, a whole shared object for the machine of this process?
   PZ_PLUGIN with the reason, or a status of pzi_fail_system. [any thread] */
pz_status pzi_elf_file_check(int fd, uint64_t bytes);

#endif /* PZI_ELF_FILE_H */
