/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Nothing is wrong with this one. */

#include "broken.h"

static const pz_parametrization table = {BROKEN_TABLE("good")};

PZ_PLUGIN(good, "1.2.3", PZ_PARAMETRIZATION(&table));
