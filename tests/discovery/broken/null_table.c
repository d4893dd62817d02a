/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* An item that has no table. */

#include "broken.h"

PZ_PLUGIN(null_table, "1.0.0", PZ_PARAMETRIZATION(NULL));
