/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Reads from pointers that a plugin supplied and that may be invalid. */

#ifndef PZI_CHECKED_READ_H
#define PZI_CHECKED_READ_H

#include "alloc_list.h"

#include <parametrize/types.h>

/* Copies `bytes` from `from`; false where that memory cannot be read. [any thread] */
bool pzi_checked_read(const void* from, size_t bytes, void* to);

/* Copies a text of at most `limit` bytes to memory from `allocs`. PZ_PLUGIN, naming `what`: NULL,
   unreadable, longer, not UTF-8, or with a control character other than a newline.
   [any thread, under the lock of `allocs`] */
pz_status pzi_checked_read_text(pzi_alloc_list* allocs, const char* from, size_t limit,
                                const char* what, const char** out);

/* The same for a text of one line: PZ_PLUGIN also for a newline. */
pz_status pzi_checked_read_line(pzi_alloc_list* allocs, const char* from, size_t limit,
                                const char* what, const char** out);

/* The same for the form [a-z][a-z0-9_]*, which names in chains and devices have. */
pz_status pzi_checked_read_id(pzi_alloc_list* allocs, const char* from, size_t limit,
                              const char* what, const char** out);

#endif /* PZI_CHECKED_READ_H */
