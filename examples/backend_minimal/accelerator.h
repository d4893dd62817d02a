/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* An accelerator for those who have none, in place of a vendor's driver: memory that the host
   reaches by copies alone. Handles are small odd numbers; nothing can be read through them.
   Every range is checked. All functions may be called from any thread. */

#ifndef ACCELERATOR_H
#define ACCELERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A buffer of bytes > 0, uninitialized (which shows: every byte is 0xa5), or NULL. */
void* accelerator_alloc(size_t bytes);
/* Gives a buffer back; false where there is none of that handle. */
bool accelerator_free(void* buffer);

/* Moves bytes; false, and nothing moved, where a range lies outside of its buffer. Source and
   destination of a copy may overlap. */
bool accelerator_write(void* buffer, uint64_t offset, const void* from, size_t bytes);
bool accelerator_read(const void* buffer, uint64_t offset, void* to, size_t bytes);
bool accelerator_copy(void* to, uint64_t to_offset, const void* from, uint64_t from_offset,
                      size_t bytes);

/* For programs that run on the device: where a range of a buffer lies in its own memory, NULL
   where the range lies outside. */
char* accelerator_place(const void* buffer, uint64_t offset, size_t bytes);

/* Buffers alive, and bytes that have crossed between host and device so far. */
size_t accelerator_buffers(void);
uint64_t accelerator_traffic(void);

#endif /* ACCELERATOR_H */
