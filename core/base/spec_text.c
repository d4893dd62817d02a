/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "spec_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char*
pzi_spec_text_dtype(const uint32_t dtype, char buffer[PZI_SPEC_TEXT])
{
  static const char* const kinds[] = {"int",    "uint",    "float", "handle",
                                      "bfloat", "complex", "bool"};
  uint8_t part[2];
  uint16_t lanes;
  memcpy(part, &dtype, 2);
  memcpy(&lanes, (const char*)&dtype + 2, 2);

  const uint8_t code = part[0];
  const uint8_t bits = part[1];
  int n;
  if (code >= sizeof(kinds) / sizeof(kinds[0])) {
    n = snprintf(buffer, PZI_SPEC_TEXT, "dtype %u of %u bits", code, bits);
  } else if (code == 6 && bits == 8) {
    n = snprintf(buffer, PZI_SPEC_TEXT, "bool");
  } else {
    n = snprintf(buffer, PZI_SPEC_TEXT, "%s%u", kinds[code], bits);
  }
  if (lanes != 1 && n > 0) {
    (void)snprintf(buffer + n, PZI_SPEC_TEXT - (size_t)n, " in %u lanes", lanes);
  }
  return buffer;
}

const char*
pzi_spec_text(const pz_spec* const spec, char buffer[PZI_SPEC_TEXT])
{
  (void)pzi_spec_text_dtype(spec->dtype, buffer);
  size_t n = strlen(buffer);
  if (spec->ndim == 0) {
    (void)snprintf(buffer + n, PZI_SPEC_TEXT - n, " scalar");
  } else if (spec->ndim < 0 || spec->ndim > PZ_MAX_DIMS) {
    (void)snprintf(buffer + n, PZI_SPEC_TEXT - n, " of %" PRId32 " dimensions", spec->ndim);
  } else {
    /* 8 extents of at most 20 digits fit after the longest dtype. */
    for (int32_t i = 0; i < spec->ndim; ++i) {
      n += (size_t)snprintf(buffer + n, PZI_SPEC_TEXT - n, "%s%" PRId64, i == 0 ? " " : "x",
                            spec->shape[i]);
    }
  }
  return buffer;
}

const char*
pzi_spec_text_structure(const uint32_t structure)
{
  static const char* const names[] = {
      "general",          "symmetric",        "skew",     "positive definite", "orthogonal",
      "upper triangular", "lower triangular", "diagonal",
  };
  return structure < sizeof(names) / sizeof(names[0]) ? names[structure] : names[PZ_GENERAL];
}
