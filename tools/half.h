/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Conversions from float32 to 2-byte types. */

#ifndef TOOLS_HALF_H
#define TOOLS_HALF_H

#include <stddef.h>
#include <stdint.h>

/* The nearest F16 (IEEE binary16), ties to even; infinity above the largest. */
uint16_t half_from_float(float x);

/* The nearest BF16 (the upper half of a float32), ties to even. */
uint16_t bfloat_from_float(float x);

#endif /* TOOLS_HALF_H */
