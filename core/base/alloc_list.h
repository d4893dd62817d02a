/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A list of small allocations that are freed together. */

#ifndef PZI_ALLOC_LIST_H
#define PZI_ALLOC_LIST_H

#include <stddef.h>

struct pzi_alloc_list_block;

/* All zero: empty. Not thread-safe. */
typedef struct pzi_alloc_list {
  struct pzi_alloc_list_block* blocks;
} pzi_alloc_list;

/* Zeroed memory for any type, or NULL. `bytes` may be 0. */
void* pzi_alloc_list_take(pzi_alloc_list* list, size_t bytes);

/* A copy of the first `length` bytes of `text` with a closing zero, or NULL. */
char* pzi_alloc_list_text(pzi_alloc_list* list, const char* text, size_t length);

void pzi_alloc_list_cleanup(pzi_alloc_list* list);

#endif /* PZI_ALLOC_LIST_H */
