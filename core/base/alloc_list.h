/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Small allocations that are given back all at once. */

#ifndef PZI_POOL_H
#define PZI_POOL_H

#include <stddef.h>

struct pzi_pool_block;

/* All zero is empty. Used under the owner's lock. */
typedef struct pzi_pool {
  struct pzi_pool_block* blocks;
} pzi_pool;

/* Zeroed memory for any type, or NULL. `bytes` may be 0. */
void* pzi_pool_take(pzi_pool* pool, size_t bytes);

/* A copy of the first `length` bytes of `text` with a closing zero, or NULL. */
char* pzi_pool_text(pzi_pool* pool, const char* text, size_t length);

void pzi_pool_cleanup(pzi_pool* pool);

#endif /* PZI_POOL_H */
