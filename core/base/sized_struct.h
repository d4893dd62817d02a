/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Structs that begin with their size, between hosts and libraries of different versions (rule 2 of
   parametrize/types.h). */

#ifndef PZI_SIZED_STRUCT_H
#define PZI_SIZED_STRUCT_H

#include <parametrize/types.h>

/* Copies the host's struct `from` into `to`, which has `bytes` bytes. Missing fields become zero.
   `what` names the struct in messages; `reserved` is the offset of its reserved word. PZ_INVALID for
   NULL or a size below that of the header, PZ_UNSUPPORTED if the reserved word or bytes beyond
   `bytes` are not zero. */
pz_status pzi_struct_read(void* to, size_t bytes, size_t reserved, const void* from,
                          const char* what);

/* PZ_INVALID unless `to` is not NULL and has room for the header. */
pz_status pzi_struct_check(const void* to, const char* what);

/* PZ_INVALID unless the reserved bytes of element `index` of an array are zero (rule 3). */
pz_status pzi_struct_check_reserved(const void* reserved, size_t bytes, const char* what,
                                    size_t index);

/* Copies `from`, which has `bytes` bytes, to the host's struct `to`, whose size stays. Fields that
   only the host knows become zero. pzi_struct_check has accepted `to`. */
void pzi_struct_write(void* to, const void* from, size_t bytes);

#endif /* PZI_SIZED_STRUCT_H */
