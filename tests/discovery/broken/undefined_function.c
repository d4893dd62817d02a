/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Calls a function that nobody has: to be found when the file is opened, not at the call. */

#include "broken.h"

int function_that_nobody_has(void);

static pz_status
forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return function_that_nobody_has() ? pz_copy(c, x, y) : PZ_INVALID;
}

static const pz_parametrization table = {
    .size = sizeof(table),
    .id = "broken",
    .summary = "A map for tests",
    .forward = forward,
};

PZ_PLUGIN(undefined_function, "1.0.0", PZ_PARAMETRIZATION(&table));
