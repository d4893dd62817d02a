/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Arrays of names in the order of strcmp. */

#ifndef PZI_SORTED_NAMES_H
#define PZI_SORTED_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* Sorts the names. Returns a name that appears twice, or NULL. */
const char* pzi_sorted_names_sort(const char** names, size_t n);

/* Is `name` one of the sorted names? */
bool pzi_sorted_names_has(const char* const* names, size_t n, const char* name);

#endif /* PZI_SORTED_NAMES_H */
