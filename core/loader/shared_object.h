/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Opening shared objects. */

#ifndef PZI_MODULE_FILE_H
#define PZI_MODULE_FILE_H

#include <parametrize/descriptor.h>

/* Maps the file at an absolute path for good, every function bound, its symbols its own,
   and finds the descriptor it exports with the bytes its symbol has (0: not said). The
   file's constructors run in here: no lock that they might want may be held.

   PZ_IO where the dynamic linker refuses, with its words; PZ_PLUGIN, the file being mapped
   all the same, where it exports no descriptor. [any thread] */
pz_status pzi_module_file_open(const char* path, const pz_plugin** descriptor, size_t* bytes);

#endif /* PZI_MODULE_FILE_H */
