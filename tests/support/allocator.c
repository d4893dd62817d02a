/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "allocator.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_bool counting;
static atomic_bool refused;
static atomic_ulong requests;
static atomic_ulong refuse_at;
static atomic_long live;

void
allocator_start(const unsigned long refuse)
{
  requests = 0;
  refuse_at = refuse;
  refused = false;
  counting = true;
}

unsigned long
allocator_stop(void)
{
  counting = false;
  return requests;
}

bool
allocator_refused(void)
{
  return refused;
}

long
allocator_live(void)
{
  return live;
}

#ifndef TEST_NO_ALLOCATOR

void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t n, size_t bytes);
void* __libc_realloc(void* old, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void* block);

static bool
granted(void)
{
  if (!counting || ++requests != refuse_at) {
    return true;
  }
  refused = true;
  errno = ENOMEM;
  return false;
}

static void*
counted(void* const block)
{
  live += block != NULL;
  return block;
}

void*
malloc(const size_t bytes)
{
  return granted() ? counted(__libc_malloc(bytes)) : NULL;
}

void*
calloc(const size_t n, const size_t bytes)
{
  return granted() ? counted(__libc_calloc(n, bytes)) : NULL;
}

void*
realloc(void* const old, const size_t bytes)
{
  if (!granted()) {
    return NULL;
  }
  void* const block = __libc_realloc(old, bytes);
  live += (block != NULL) - (old != NULL && (block != NULL || bytes == 0));
  return block;
}

void*
aligned_alloc(const size_t alignment, const size_t bytes)
{
  return granted() ? counted(__libc_memalign(alignment, bytes)) : NULL;
}

void* memalign(const size_t alignment, const size_t bytes);
void*
memalign(const size_t alignment, const size_t bytes)
{
  return granted() ? counted(__libc_memalign(alignment, bytes)) : NULL;
}

int
posix_memalign(void** const out, const size_t alignment, const size_t bytes)
{
  if (!granted()) {
    return ENOMEM;
  }
  void* const block = counted(__libc_memalign(alignment, bytes));
  if (!block) {
    return ENOMEM;
  }
  *out = block;
  return 0;
}

void
free(void* const block)
{
  live -= block != NULL;
  __libc_free(block);
}

#endif /* TEST_NO_ALLOCATOR */
