/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A table that is nowhere. */

#include "broken.h"

PZ_PLUGIN(wild_pointer, "1.0.0", PZ_PARAMETRIZATION((const void*)0x10));
