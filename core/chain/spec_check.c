/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Specs come from hosts and from plugins; both are checked here. */

#include "spec_check.h"

#include "shape.h"
#include "spec_text.h"
#include "status.h"

#include <inttypes.h>

pz_status
pzi_spec_check(const pz_spec* const spec, const char* const what)
{
  char text[PZI_SPEC_TEXT];
  if (!spec) {
    return pzi_fail(PZ_INVALID, "%s: found no spec", what);
  }
  if (spec->dtype != PZ_F32 && spec->dtype != PZ_F64 && spec->dtype != PZ_I64) {
    return pzi_fail(PZ_MISMATCH, "%s: found %s, expected float32, float64 or int64", what,
                    pzi_dtype_text(spec->dtype, text));
  }
  if (spec->ndim < 0 || spec->ndim > PZ_MAX_DIMS) {
    return pzi_fail(PZ_MISMATCH, "%s: found %" PRId32 " dimensions, expected 0 to %d", what,
                    spec->ndim, PZ_MAX_DIMS);
  }
  for (int32_t i = 0; i < spec->ndim; ++i) {
    if (spec->shape[i] < 0) {
      return pzi_fail(PZ_MISMATCH, "%s: found extent %" PRId64 ", expected 0 or more", what,
                      spec->shape[i]);
    }
  }
  size_t bytes = 0;
  if (!pzi_shape_spec_bytes(spec, &bytes)) {
    return pzi_fail(PZ_MISMATCH, "%s: %s is beyond any memory", what, pzi_spec_text(spec, text));
  }
  return PZ_OK;
}
