/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Matrices to assign; all to be freed. */

#ifndef TEST_PLUGIN_MEMBERS_H
#define TEST_PLUGIN_MEMBERS_H

#include "subject.h"

extents square_shape(int64_t n);

/* diag(entries). */
double* diagonal_matrix(int64_t n, const double* entries);

/* A random orthogonal matrix of that determinant, from the maps' own samples. */
double* orthogonal_matrix(int64_t n, uint32_t dtype, double determinant);

/* A batch of matrices or their transposes, n x k with n >= k. */
typedef struct tall {
  int64_t batch;
  int64_t rows;
  int64_t cols;
  int64_t n;
  int64_t k;
} tall;

enum { TALL_SHAPES = 8 };
extern const extents tall_shapes[TALL_SHAPES]; /* tall, square and wide */

/* Of two or three extents. */
tall tall_of(extents e);

/* Entry i, j of matrix b of the tall form of x. */
double* tall_at(tall s, double* x, int64_t b, int64_t i, int64_t j);

/* n times the machine epsilon. */
double tall_unit(uint32_t dtype, tall s);

#endif /* TEST_PLUGIN_MEMBERS_H */
