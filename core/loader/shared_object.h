/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Opens shared objects. */

#ifndef PZI_SHARED_OBJECT_H
#define PZI_SHARED_OBJECT_H

#include <parametrize/descriptor.h>

/* Maps the file at an absolute path (RTLD_NOW, RTLD_LOCAL, never unmapped), checks that it is the
   open file `fd`, and finds the descriptor that it exports and the size of its symbol (0:
   unknown). Runs constructors: hold no lock that they may need.

   PZ_IO: it cannot be mapped, with the dynamic linker's message. PZ_STALE: another file than `fd` is
   mapped, whose constructors have run; the linker keeps it under `path`. PZ_PLUGIN: it is mapped but
   exports no descriptor. PZ_NO_MEMORY. [any thread] */
pz_status pzi_shared_object_open(const char* path, int fd, const pz_plugin** descriptor,
                                 size_t* bytes);

#endif /* PZI_SHARED_OBJECT_H */
