/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Maps by factors. */

#include "spectrum.h"

PZ_PLUGIN(factors, "1.0.0", PZ_PARAMETRIZATION(&factors_low_rank),
          PZ_PARAMETRIZATION(&factors_fixed_rank), PZ_PARAMETRIZATION(&factors_general_linear),
          PZ_PARAMETRIZATION(&factors_special_linear),
          PZ_PARAMETRIZATION(&factors_almost_orthogonal), PZ_PARAMETRIZATION(&factors_grassmannian),
          PZ_PARAMETRIZATION(&factors_lu));
