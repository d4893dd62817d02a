/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A table of an older minor version, which ended after forward: what came later has
   defaults, whatever stands behind it in memory. */

#include "broken.h"

static const pz_parametrization table = {
    .size = offsetof(pz_parametrization, right_inverse),
    .id = "older",
    .summary = "A map for tests",
    .forward = broken_forward,
    .right_inverse = broken_forward, /* beyond its end: not to be seen */
};

PZ_PLUGIN(older_table, "1.0.0", PZ_PARAMETRIZATION(&table));
