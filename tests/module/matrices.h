/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Square matrices that the tests judge and make. */

#ifndef TEST_MODULE_MATRICES_H
#define TEST_MODULE_MATRICES_H

#include "fixture.h"

/* The 1-norm of an n x n matrix. */
double matrix_norm_one(const pz_tensor* a, int64_t n);

/* A random orthogonal float32 matrix of determinant `sign` (+1 or -1), n <= 16. */
pz_tensor matrix_orthogonal(int64_t n, int sign);

#endif /* TEST_MODULE_MATRICES_H */
