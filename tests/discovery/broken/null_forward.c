/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A table without its one required entry. */

#include "broken.h"

static const pz_parametrization table = {
    .size = sizeof(table),
    .id = "broken",
    .summary = "A map for tests",
};

PZ_PLUGIN(null_forward, "1.0.0", PZ_PARAMETRIZATION(&table));
