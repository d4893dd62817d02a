/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The kernels of the defective plugin, which are right: compiled once for all of its defects. */

#ifndef TESTS_CHECK_DEFECTIVE_H
#define TESTS_CHECK_DEFECTIVE_H

#include <parametrize/plugin.h>

extern const pz_row_kernel* const defective_value;
extern const pz_row_kernel* const defective_adjoint;
extern const pz_row_kernel* const defective_tangent;
extern const pz_row_kernel* const defective_inverse;
extern const pz_row_kernel* const defective_below_zero;
extern const pz_kernel* const defective_overwrite;
extern const pz_kernel* const defective_beyond;
extern const pz_kernel* const defective_neighbour;
extern const pz_kernel* const defective_exponential;
extern const pz_kernel* const defective_shifted;

#endif /* TESTS_CHECK_DEFECTIVE_H */
