/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Conversions between the floating-point dtypes of model files: F16, BF16, F32 and F64. */

#ifndef TOOLS_FLOATS_H
#define TOOLS_FLOATS_H

#include <stdbool.h>
#include <stddef.h>

/* Is this one of them? */
bool floats_known(const char* dtype);

/* Bytes of an element. */
size_t floats_size(const char* dtype);

/* Converts n elements, which need not be aligned, to double precision. */
void floats_read(const char* dtype, const void* from, size_t n, double* to);

/* Numbers that a conversion found or made. */
typedef struct floats_odd {
  size_t nan;
  size_t infinite; /* also before the conversion */
  size_t beyond;   /* finite before it, infinite after it */
} floats_odd;

/* Adds the numbers that are not finite to `*odd`. */
void floats_count(const char* dtype, const void* from, size_t n, floats_odd* odd);

/* Converts n elements to another dtype, to the nearest number and ties to even. Adds what is odd to
   `*odd`. The memory may be the same where the elements do not become wider. */
void floats_convert(const char* from_dtype, const void* from, const char* to_dtype, void* to,
                    size_t n, floats_odd* odd);

#endif /* TOOLS_FLOATS_H */
