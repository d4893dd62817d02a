/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Plain loops in long double that the maps are held against: single n x n matrices, row
   by row. */

#ifndef TEST_PLUGIN_ORACLE_H
#define TEST_PLUGIN_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

/* y <- exp(x) by scaling, 25 terms of the series, and squaring. */
void oracle_exp(int64_t n, const double* x, double* y);

/* y <- (I + x)(I - x)^-1 by elimination with pivoting. */
void oracle_cayley(int64_t n, const double* x, double* y);

/* z <- op(x) op(y). */
void oracle_product(int64_t n, bool tx, bool ty, const double* x, const double* y, double* z);

/* The largest column sum of magnitudes, over a batch. */
double oracle_one_norm(int64_t batch, int64_t n, const double* x);

/* The determinant, by elimination with pivoting. */
double oracle_determinant(int64_t n, const double* x);

/* The condition number of I + q in the 1-norm. */
double oracle_cayley_condition(int64_t n, const double* q);

/* w (n) <- the eigenvalues of symmetric x, by Jacobi rotations, in no order. */
void oracle_eigenvalues(int64_t n, const double* x, double* w);

#endif /* TEST_PLUGIN_ORACLE_H */
