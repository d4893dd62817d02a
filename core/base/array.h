/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Arrays that grow. The capacity follows from the number of elements, so an array that only grows
   does not store it. One that is emptied and filled again does (tape.h). */

#ifndef PZI_ARRAY_H
#define PZI_ARRAY_H

#include <parametrize/types.h>

#include <stddef.h>

/* Makes room for `more` elements of `size` bytes behind the first n; the new ones are
   uninitialized. `array` is the address of the array's pointer, NULL at first; only this function
   may have allocated it, and free gives it back. PZ_NO_MEMORY leaves it as it is. */
pz_status pzi_array_reserve(void* array, size_t n, size_t more, size_t size);

#endif /* PZI_ARRAY_H */
