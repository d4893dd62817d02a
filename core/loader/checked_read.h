/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Reading what a plugin points to, without trusting its pointers. */

#ifndef PZI_PEEK_H
#define PZI_PEEK_H

#include "alloc_list.h"

#include <parametrize/types.h>

/* Copies `bytes` from `from`; false where that memory is not there. [any thread] */
bool pzi_peek(const void* from, size_t bytes, void* to);

/* Copies a string of at most `limit` bytes into the pool. PZ_PLUGIN, naming `what`: NULL,
   unreadable or longer. [any thread, under the pool's lock] */
pz_status pzi_peek_text(pzi_alloc_list* pool, const char* from, size_t limit, const char* what,
                        const char** out);

#endif /* PZI_PEEK_H */
