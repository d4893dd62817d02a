/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The map is in plugins/common/orthogonal: others have orthogonal parts. */

#include "orthogonal/orthogonal.h"

PZ_PLUGIN(orthogonal, "1.0.0", PZ_PARAMETRIZATION(&orth_table));
