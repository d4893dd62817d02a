/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Suggests a known name, for messages about an unknown one. */

#ifndef PZI_NEAREST_NAME_H
#define PZI_NEAREST_NAME_H

#include <stddef.h>

/* The candidate with the smallest edit distance to `name`, or NULL if all are too different. */
const char* pzi_nearest_name(const char* name, const char* const* candidates, size_t n);

#endif /* PZI_NEAREST_NAME_H */
