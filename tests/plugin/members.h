/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Matrices to assign; all to be freed. */

#ifndef TEST_PLUGIN_MEMBERS_H
#define TEST_PLUGIN_MEMBERS_H

#include "rig.h"

extents square_shape(int64_t n);

/* diag(entries). */
double* diagonal_matrix(int64_t n, const double* entries);

/* A random orthogonal matrix of that determinant, from the maps' own samples. */
double* orthogonal_matrix(int64_t n, uint32_t dtype, double determinant);

#endif /* TEST_PLUGIN_MEMBERS_H */
