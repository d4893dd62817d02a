/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A name that no chain can write. */

#include "broken.h"

static const pz_parametrization table = {BROKEN_TABLE("Not An Id")};

PZ_PLUGIN(bad_id, "1.0.0", PZ_PARAMETRIZATION(&table));
