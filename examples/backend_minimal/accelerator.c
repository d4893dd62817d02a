/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "accelerator.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct block {
  char* bytes; /* NULL: free */
  size_t size;
} block;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static block* blocks; /* the buffer of handle 2 k + 1 is number k */
static size_t room;
static size_t alive;
static uint64_t traffic;

/* The number of a free block; `room` if there is none and no memory for more. */
static size_t
free_number(void)
{
  size_t k = 0;
  while (k < room && blocks[k].bytes) {
    ++k;
  }
  if (k == room) {
    const size_t more = room > 0 ? 2 * room : 64;
    block* const grown = (block*)realloc(blocks, more * sizeof(*grown));
    if (grown) {
      memset(grown + room, 0, (more - room) * sizeof(*grown));
      blocks = grown;
      room = more;
    }
  }
  return k;
}

void*
accelerator_alloc(const size_t bytes)
{
  void* handle = NULL;
  char* const own = (char*)malloc(bytes);
  if (!own) {
    return NULL;
  }
  memset(own, 0xa5, bytes);
  pthread_mutex_lock(&lock);
  const size_t k = free_number();
  if (k < room) {
    blocks[k] = (block){own, bytes};
    alive += 1;
    handle = (void*)(uintptr_t)(2 * k + 1);
  }
  pthread_mutex_unlock(&lock);
  if (!handle) {
    free(own);
  }
  return handle;
}

/* The block of a handle, or NULL. Lock held. */
static block*
find(const void* const buffer)
{
  const uintptr_t number = (uintptr_t)buffer;
  const bool good = number % 2 == 1 && number / 2 < room && blocks[number / 2].bytes;
  return good ? &blocks[number / 2] : NULL;
}

bool
accelerator_free(void* const buffer)
{
  pthread_mutex_lock(&lock);
  block* const b = find(buffer);
  if (b) {
    free(b->bytes);
    *b = (block){0};
    alive -= 1;
  }
  pthread_mutex_unlock(&lock);
  return b != NULL;
}

char*
accelerator_place(const void* const buffer, const uint64_t offset, const size_t bytes)
{
  pthread_mutex_lock(&lock);
  const block* const b = find(buffer);
  const bool inside = b && offset <= b->size && bytes <= b->size - offset;
  char* const place = inside ? b->bytes + offset : NULL;
  pthread_mutex_unlock(&lock);
  return place;
}

static void
count(const size_t bytes)
{
  pthread_mutex_lock(&lock);
  traffic += bytes;
  pthread_mutex_unlock(&lock);
}

bool
accelerator_write(void* const buffer, const uint64_t offset, const void* const from,
                  const size_t bytes)
{
  char* const place = accelerator_place(buffer, offset, bytes);
  if (place) {
    memcpy(place, from, bytes);
    count(bytes);
  }
  return place != NULL;
}

bool
accelerator_read(const void* const buffer, const uint64_t offset, void* const to,
                 const size_t bytes)
{
  const char* const place = accelerator_place(buffer, offset, bytes);
  if (place) {
    memcpy(to, place, bytes);
    count(bytes);
  }
  return place != NULL;
}

bool
accelerator_copy(void* const to, const uint64_t to_offset, const void* const from,
                 const uint64_t from_offset, const size_t bytes)
{
  char* const target = accelerator_place(to, to_offset, bytes);
  const char* const source = accelerator_place(from, from_offset, bytes);
  if (target && source) {
    memmove(target, source, bytes);
  }
  return target && source;
}

size_t
accelerator_buffers(void)
{
  pthread_mutex_lock(&lock);
  const size_t n = alive;
  pthread_mutex_unlock(&lock);
  return n;
}

uint64_t
accelerator_traffic(void)
{
  pthread_mutex_lock(&lock);
  const uint64_t n = traffic;
  pthread_mutex_unlock(&lock);
  return n;
}
