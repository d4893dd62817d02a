/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A simulated accelerator in place of a vendor's driver: the host can access its memory only by
   copies. Handles are small odd numbers, not pointers. Every range is checked. All functions may be
   called from any thread. */

#ifndef ACCELERATOR_H
#define ACCELERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A buffer of bytes > 0, or NULL. It is not initialized: every byte is 0xa5. */
void* accelerator_alloc(size_t bytes);
/* Frees a buffer; false if there is none of this handle. */
bool accelerator_free(void* buffer);

/* Copy bytes; false, and nothing is copied, if a range is outside of its buffer. Source and
   destination of accelerator_copy may overlap. */
bool accelerator_write(void* buffer, uint64_t offset, const void* from, size_t bytes);
bool accelerator_read(const void* buffer, uint64_t offset, void* to, size_t bytes);
bool accelerator_copy(void* to, uint64_t to_offset, const void* from, uint64_t from_offset,
                      size_t bytes);

/* For programs on the device: the address of a range of a buffer, or NULL if the range is outside
   of the buffer. */
char* accelerator_place(const void* buffer, uint64_t offset, size_t bytes);

/* The number of buffers, and of bytes copied between host and device so far. */
size_t accelerator_buffers(void);
uint64_t accelerator_traffic(void);

#endif /* ACCELERATOR_H */
