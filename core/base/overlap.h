/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Which elements tensors share. */

#ifndef PZI_OVERLAP_H
#define PZI_OVERLAP_H

#include <parametrize/types.h>

#include <stdbool.h>

/* Do two tensors share a byte? `pointers`: data are addresses, else handles of allocations.
   Exact for regular strides; false if the search exceeds its budget. */
bool pzi_overlap(bool pointers, const pz_tensor* a, const pz_tensor* b);

/* Does a tensor refer to an element twice (a stride of 0, two equal strides)? Finds only these
   cases, so false does not exclude it. */
bool pzi_overlap_self(const pz_tensor* tensor);

#endif /* PZI_OVERLAP_H */
