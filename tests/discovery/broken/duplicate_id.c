/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The id of good.c once more. */

#include "broken.h"

static const pz_parametrization table = {BROKEN_TABLE("good")};

PZ_PLUGIN(duplicate_id, "9.0.0", PZ_PARAMETRIZATION(&table));
