/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* From masks to a byte for each matrix. */

#ifndef CPU_LANE_FLAG_H
#define CPU_LANE_FLAG_H

#include "instructions.h"

#include <stdint.h>
#include <string.h>

/* flags[k] = 1 where lane k of `count` is set, else 0. */
static inline void
lane_flag(const lane_mask mask, const int64_t count, unsigned char* const flags)
{
  if (lane_all(~mask)) { // the usual case
    memset(flags, 0, (size_t)count);
    return;
  }
  for (int64_t k = 0; k < count; ++k) {
    flags[k] = mask[k] != 0;
  }
}

#endif /* CPU_LANE_FLAG_H */
