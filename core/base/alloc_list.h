/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A list of small allocations that are freed together. */

#ifndef PZI_ALLOC_LIST_H
#define PZI_ALLOC_LIST_H

#include <stddef.h>

struct pzi_pool_block;

/* All zero: empty. Not thread-safe. */
typedef struct pzi_pool {
  struct pzi_pool_block* blocks;
} pzi_pool;

/* Zeroed memory for any type, or NULL. `bytes` may be 0. */
void* pzi_pool_take(pzi_pool* pool, size_t bytes);

/* A copy of the first `length` bytes of `text` with a closing zero, or NULL. */
char* pzi_pool_text(pzi_pool* pool, const char* text, size_t length);

void pzi_pool_cleanup(pzi_pool* pool);

#endif /* PZI_ALLOC_LIST_H */
