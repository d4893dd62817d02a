/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* An item from the future beside one that is known. */

#include "broken.h"

static const pz_parametrization table = {BROKEN_TABLE("known")};

PZ_PLUGIN(unknown_kind, "1.0.0", {9, 0, &table}, PZ_PARAMETRIZATION(&table));
