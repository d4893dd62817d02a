/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "alloc_list.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct pzi_alloc_list_block {
  struct pzi_alloc_list_block* next;
  max_align_t data[];
};

void*
pzi_alloc_list_take(pzi_alloc_list* const list, const size_t bytes)
{
  if (bytes > SIZE_MAX - sizeof(struct pzi_alloc_list_block)) {
    return NULL;
  }
  struct pzi_alloc_list_block* const block = calloc(1, sizeof(*block) + bytes);
  if (!block) {
    return NULL;
  }
  block->next = list->blocks;
  list->blocks = block;
  return block->data;
}

char*
pzi_alloc_list_text(pzi_alloc_list* const list, const char* const text, const size_t length)
{
  char* const copy = pzi_alloc_list_take(list, length + 1);
  if (copy) {
    memcpy(copy, text, length);
  }
  return copy;
}

void
pzi_alloc_list_cleanup(pzi_alloc_list* const list)
{
  while (list->blocks) {
    struct pzi_alloc_list_block* const block = list->blocks;
    list->blocks = block->next;
    free(block);
  }
}
