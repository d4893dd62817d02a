/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What programs in C get from types.h by compiling it, as functions for bindings in other languages:
   the inline functions under their own names, and the dtypes, which are macros. */

#define pz_dtype_size inline_dtype_size
#define pz_dtype_epsilon inline_dtype_epsilon
#define pz_shape_count inline_shape_count
#define pz_count inline_count
#define pz_rows inline_rows
#define pz_cols inline_cols
#define pz_batch inline_batch
#define pz_spec_make inline_spec_make
#define pz_spec_of inline_spec_of
#define pz_spec_count inline_spec_count
#define pz_spec_equal inline_spec_equal
#define pz_host_tensor inline_host_tensor
#include <parametrize/types.h>
#undef pz_dtype_size
#undef pz_dtype_epsilon
#undef pz_shape_count
#undef pz_count
#undef pz_rows
#undef pz_cols
#undef pz_batch
#undef pz_spec_make
#undef pz_spec_of
#undef pz_spec_count
#undef pz_spec_equal
#undef pz_host_tensor

#include "spec_text.h"
#include "status.h"

#include <parametrize/context.h>

#include <string.h>

#define EXPORTED(result, name, parameters, ...) \
  PZ_API result pz_##name parameters;           \
  result pz_##name parameters                   \
  {                                             \
    return inline_##name(__VA_ARGS__);          \
  }

EXPORTED(size_t, dtype_size, (const uint32_t dtype), dtype)
EXPORTED(double, dtype_epsilon, (const uint32_t dtype), dtype)
EXPORTED(int64_t, shape_count, (const int32_t ndim, const int64_t* const shape), ndim, shape)
EXPORTED(int64_t, count, (const pz_tensor* const t), t)
EXPORTED(int64_t, rows, (const pz_tensor* const t), t)
EXPORTED(int64_t, cols, (const pz_tensor* const t), t)
EXPORTED(int64_t, batch, (const pz_tensor* const t), t)
EXPORTED(pz_spec, spec_make, (const uint32_t dtype, const int32_t ndim, const int64_t* const shape),
         dtype, ndim, shape)
EXPORTED(pz_spec, spec_of, (const pz_tensor* const t), t)
EXPORTED(int64_t, spec_count, (const pz_spec* const s), s)
EXPORTED(bool, spec_equal, (const pz_spec* const a, const pz_spec* const b), a, b)
EXPORTED(pz_tensor, host_tensor,
         (const uint32_t dtype, void* const data, const int32_t ndim, const int64_t* const shape),
         dtype, data, ndim, shape)

uint32_t
pz_dtype_named(const char* const name)
{
  static const uint32_t dtypes[] = {PZ_F32, PZ_F64, PZ_I64};
  char text[PZI_SPEC_TEXT];
  for (int k = 0; name && k < 3; ++k) {
    if (strcmp(pzi_spec_text_dtype(dtypes[k], text), name) == 0) {
      return dtypes[k];
    }
  }
  (void)pzi_fail(PZ_INVALID, "dtype \"%s\", expected float32, float64 or int64", name ? name : "");
  return 0;
}
