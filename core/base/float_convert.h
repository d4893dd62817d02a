/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Converts between floating dtypes. Widening is exact; narrowing rounds to nearest, ties to even.
   A NaN keeps its sign and the leading bits of its payload, and stays quiet or signalling:
   widening and then narrowing restores every bit. */

#ifndef PZI_FLOAT_CONVERT_H
#define PZI_FLOAT_CONVERT_H

#include <stddef.h>

/* Converts n elements that need not be aligned; `from` and `to` do not overlap. */
void pzi_float_convert_f32_to_f64(const void* from, void* to, size_t n);
void pzi_float_convert_f64_to_f32(const void* from, void* to, size_t n);
void pzi_float_convert_f16_to_f32(const void* from, void* to, size_t n);
void pzi_float_convert_bf16_to_f32(const void* from, void* to, size_t n);
void pzi_float_convert_f16_to_f64(const void* from, void* to, size_t n);
void pzi_float_convert_bf16_to_f64(const void* from, void* to, size_t n);

#endif /* PZI_FLOAT_CONVERT_H */
