/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Counts allocations by standing in front of the C library's allocator, for this program
   and everything it opens. Not under sanitizers, which do the same.

   What OpenBLAS does within a call is its own affair, and depends on the processor: its small
   products for AVX-512 (0.3.21) transpose an operand into memory from malloc. LAPACKE is not
   excepted, whose entries that allocate can be avoided. */

#include <pair.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#ifdef TEST_COUNTS_ALLOCATIONS

void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t n, size_t bytes);
void* __libc_realloc(void* old, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);

static atomic_bool counting;
static atomic_ullong count;

static bool
is_of_openblas(const void* const caller)
{
  Dl_info info;
  return dladdr(caller, &info) != 0 && info.dli_fname && strstr(info.dli_fname, "libopenblas");
}

static void
count_one(const void* const caller)
{
  if (atomic_load(&counting) && !is_of_openblas(caller)) {
    atomic_fetch_add(&count, 1);
  }
}

void*
malloc(const size_t bytes)
{
  count_one(__builtin_return_address(0));
  return __libc_malloc(bytes);
}

void*
calloc(const size_t n, const size_t bytes)
{
  count_one(__builtin_return_address(0));
  return __libc_calloc(n, bytes);
}

void*
realloc(void* const old, const size_t bytes)
{
  count_one(__builtin_return_address(0));
  return __libc_realloc(old, bytes);
}

void*
aligned_alloc(const size_t alignment, const size_t bytes)
{
  count_one(__builtin_return_address(0));
  return __libc_memalign(alignment, bytes);
}

int
posix_memalign(void** const out, const size_t alignment, const size_t bytes)
{
  count_one(__builtin_return_address(0));
  void* const data = __libc_memalign(alignment, bytes);
  if (!data) {
    return ENOMEM;
  }
  *out = data;
  return 0;
}

bool
allocation_counted(void)
{
  return getenv("TEST_ALLOCATIONS") == NULL;
}

/* Asking who allocates takes long where compilers of kernels do. */
void
allocation_begin(void)
{
  atomic_store(&count, 0);
  atomic_store(&counting, allocation_counted());
}

uint64_t
allocation_end(void)
{
  atomic_store(&counting, false);
  return atomic_load(&count);
}

#else

bool
allocation_counted(void)
{
  return false;
}

void
allocation_begin(void)
{
}

uint64_t
allocation_end(void)
{
  return 0;
}

#endif
