/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Texts of a plugin, copied and checked. */

#ifndef PZI_COPY_TEXT_H
#define PZI_COPY_TEXT_H

#include "alloc_list.h"

#include <parametrize/types.h>

/* [a-z][a-z0-9_]*, the form of names in chains and devices. */
bool pzi_is_id(const char* text);

/* Copies a text of one line and at most `limit` bytes. PZ_PLUGIN, naming `what`: NULL,
   unreadable, longer, or with a control character. [any thread, under the pool's lock] */
pz_status pzi_copy_text_line(pzi_alloc_list* pool, const char* from, size_t limit, const char* what,
                             const char** out);

#endif /* PZI_COPY_TEXT_H */
