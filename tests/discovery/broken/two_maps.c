/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Two maps in one file, named after neither. */

#include "broken.h"

static const pz_parametrization first = {BROKEN_TABLE("first")};
static const pz_parametrization second = {BROKEN_TABLE("second")};

PZ_PLUGIN(two_maps, "1.0.0", PZ_PARAMETRIZATION(&first), PZ_PARAMETRIZATION(&second));
