/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Whether entries are finite: LAPACK's iterations need not end on others. */

#ifndef CPU_FINITE_H
#define CPU_FINITE_H

#include "view.h"

#include <parametrize/types.h>

#include <stdbool.h>

/* Is every entry finite? With a triangle, of that triangle alone. */
bool TYPED_ONCE(view_finite)(view x);
bool TYPED_ONCE(triangle_finite)(pz_triangle triangle, view x);

#endif /* CPU_FINITE_H */
