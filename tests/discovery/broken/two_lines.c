/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A summary of two lines. */

#include "broken.h"

static const pz_parametrization table = {
    .size = sizeof(table),
    .id = "broken",
    .summary = "one\ntwo",
    .forward = broken_forward,
};

PZ_PLUGIN(two_lines, "1.0.0", PZ_PARAMETRIZATION(&table));
