/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Vectors along one dimension. `dim` counts from the last below 0 everywhere. */

#ifndef PLUGINS_VECTORS_H
#define PLUGINS_VECTORS_H

#include <parametrize/plugin.h>

#define VECTORS_DIM                                           \
  PZ_OPTION_INTEGER("dim", -1, -PZ_MAX_DIMS, PZ_MAX_DIMS - 1, \
                    "dimension of the vectors; below 0 from the last")

/* In plan: refuses anything but one input that has dimension `dim`. *last: is it the last one? */
pz_status vectors_expect(pz_call* c, const pz_spec* given, int32_t dim, bool* last);

/* In plan, with both specs as given: adds `more` to the extent of the value along `dim`, or takes it
   from the extent of the original, as the direction says. Refuses vectors of fewer than `least`
   entries. */
pz_status vectors_extend(pz_call* c, int32_t dim, int64_t more, int64_t least, pz_spec* original,
                         pz_spec* value);

int64_t vectors_extent(const pz_tensor* t, int32_t dim);

/* A launch without numbers. */
pz_status vectors_launch(pz_call* c, const pz_row_kernel* kernel, int32_t dim,
                         const pz_tensor* const* inputs, pz_tensor* const* outputs);

/* Two rows of n constants each, the same for all vectors, from a kernel with two tensors and the
   integer n; in memory of pz_work or pz_save. */
typedef pz_status (*vectors_memory)(pz_call* c, const pz_spec* spec, pz_tensor* out);
pz_status vectors_constants(pz_call* c, vectors_memory memory, const pz_kernel* kernel,
                            const pz_tensor* like, int32_t dim, int64_t n, pz_tensor* out);

/* A set of vectors. The kernel has the value as input and two reals, a relative tolerance and `extra`,
   which is the set's own. Its outputs are the distance of each vector from the set, and one of the
   codes below. */
typedef struct vectors_set {
  const pz_row_kernel* kernel;
  const char* expected;  /* of a member: "positive entries with sum 1" */
  const char* unreached; /* what such a member has: "an entry that is 0" */
} vectors_set;

enum {
  VECTORS_REACHED = 0,
  VECTORS_UNREACHED = 1, /* a member, but the value of no original */
  VECTORS_OUTSIDE = 2,   /* beyond the tolerance, or not finite */
};

/* In right inverses, refuses what an assignment must not assign. */
pz_status vectors_check(pz_call* c, const vectors_set* set, int32_t dim, double extra,
                        const pz_tensor* y);

/* In residual: the largest distance. */
pz_status vectors_distance(pz_call* c, const vectors_set* set, int32_t dim, double extra,
                           const pz_tensor* y, double* distance);

/* The n x (n - 1) Helmert matrix V, whose columns are orthonormal and orthogonal to ones:

     V_ik = 1 / sqrt(k (k + 1)) for i <= k, -k / sqrt(k (k + 1)) for i = k + 1

   Constants are 1 / sqrt(k (k + 1)) and k. */
extern const pz_kernel* const vectors_helmert;
/* y = V x and x = V^T y along `dim`. */
pz_status vectors_helmert_value(pz_call* c, int32_t dim, const pz_tensor* constants,
                                const pz_tensor* x, pz_tensor* y);
pz_status vectors_helmert_adjoint(pz_call* c, int32_t dim, const pz_tensor* constants,
                                  const pz_tensor* y, pz_tensor* x);

extern const pz_parametrization vectors_ordered;
extern const pz_parametrization vectors_positive_ordered;
extern const pz_parametrization vectors_simplex;
extern const pz_parametrization vectors_sphere;
extern const pz_parametrization vectors_sum_to_zero;

#endif /* PLUGINS_VECTORS_H */
