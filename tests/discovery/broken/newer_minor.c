/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Asks for a host that is newer than this one. */

#define PZ_TARGET_MINOR 7

#include "broken.h"

static const pz_parametrization table = {BROKEN_TABLE("broken")};

PZ_PLUGIN(newer_minor, "1.0.0", PZ_PARAMETRIZATION(&table));
