/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Arithmetic in double on arrays and row-major matrices, as plain as it can be written. */

#ifndef TOOLS_CHECK_DENSE_H
#define TOOLS_CHECK_DENSE_H

#include <stdint.h>

/* n zeros, to be freed; the process ends if there is no memory. */
double* reals(int64_t n);

/* The largest |x_k|, and the largest |x_k - y_k|; NaN where there is one. */
double largest(int64_t n, const double* x);
double largest_difference(int64_t n, const double* x, const double* y);

/* <x, y>, ||a|| and ||a - b||, Frobenius. */
double inner(int64_t n, const double* x, const double* y);
double frobenius(int64_t n, const double* a);
double distance(int64_t n, const double* a, const double* b);

/* c <- a b; a is m x n, b is n x p. */
void product(int64_t m, int64_t n, int64_t p, const double* a, const double* b, double* c);
/* t <- a^T; a is m x n. */
void transpose(int64_t m, int64_t n, const double* a, double* t);
/* ||a^T a - I||, Frobenius; a is m x n. */
double orthogonality(int64_t m, int64_t n, const double* a);
/* The largest entry of |a^T a - I|, or of |a a^T - I| where m < n, over a batch; NaN where there
   is one. Sums in long double. */
double largest_orthogonality(int64_t batch, int64_t m, int64_t n, const double* a);

#endif /* TOOLS_CHECK_DENSE_H */
