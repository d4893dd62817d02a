/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A table without a name. */

#include "broken.h"

static const pz_parametrization table = {
    .size = sizeof(table),
    .summary = "A map for tests",
    .forward = broken_forward,
};

PZ_PLUGIN(null_id, "1.0.0", PZ_PARAMETRIZATION(&table));
