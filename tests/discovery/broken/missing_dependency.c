/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Linked to a library that is not there. */

#include "broken.h"

int absent(void);

static pz_status
forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return absent() ? pz_copy(c, x, y) : PZ_INVALID;
}

static const pz_parametrization table = {
    .size = sizeof(table),
    .id = "broken",
    .summary = "A map for tests",
    .forward = forward,
};

PZ_PLUGIN(missing_dependency, "1.0.0", PZ_PARAMETRIZATION(&table));
