/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A table that ends before forward. */

#include "broken.h"

static const pz_parametrization table = {
    .size = offsetof(pz_parametrization, forward),
    .id = "broken",
    .summary = "A map for tests",
};

PZ_PLUGIN(short_table, "1.0.0", PZ_PARAMETRIZATION(&table));
