/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The nearest of several names, for messages about an unknown one. */

#ifndef PZI_NEAREST_NAME_H
#define PZI_NEAREST_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* The candidate nearest to `name` by edit distance, or NULL where none is near. */
const char* pzi_nearest_name(const char* name, const char* const* candidates, size_t n);

#endif /* PZI_NEAREST_NAME_H */
