/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The power method on the matrices of a tensor.

   A tensor is seen as batch x outer x rows x inner in C order. Each of its `batch` matrices has
   `rows` rows of outer * inner entries. If outer or inner is 1, the matrix is a view of the tensor
   or of its transpose, otherwise a copy. Every matrix has a vector u of `rows` entries, a vector v
   of outer * inner entries, and sizes of one entry. */

#ifndef PLUGINS_SPECTRAL_NORM_POWER_H
#define PLUGINS_SPECTRAL_NORM_POWER_H

#include <parametrize/plugin.h>

enum { N_POWER_ITERATIONS, EPS, DIM, BATCHED }; /* options */
enum { U, V };                                  /* buffers, unless W is a vector */

typedef struct spectral_layout {
  int64_t batch;
  int64_t outer;
  int64_t rows;
  int64_t inner;
} spectral_layout;

bool spectral_is_batched(const pz_call* c);

/* The layout of a shape that the plan has accepted. */
spectral_layout spectral_layout_of(const pz_call* c, int32_t ndim, const int64_t* shape);

/* size (batch) <- the norms of `batch` vectors. */
pz_status spectral_sizes(pz_call* c, int64_t batch, const pz_tensor* x, pz_tensor* size);

/* out (batch) <- the inner products of `batch` pairs. */
pz_status spectral_products(pz_call* c, int64_t batch, const pz_tensor* x, const pz_tensor* y,
                            pz_tensor* out);

/* y <- x / max(size, eps), for each vector; y is unchanged if size is 0. y may be x. */
pz_status spectral_normalize(pz_call* c, const pz_tensor* x, const pz_tensor* size, pz_tensor* y);

/* wu <- M^T u, wv <- M v. */
pz_status spectral_apply(pz_call* c, spectral_layout l, const pz_tensor* w, const pz_tensor* u,
                         const pz_tensor* v, pz_tensor* wu, pz_tensor* wv);

/* Normalizes u and v, then runs the steps of registration. */
pz_status spectral_start(pz_call* c, spectral_layout l, const pz_tensor* w, pz_tensor* u,
                         pz_tensor* v);

/* Runs `steps` times u <- M v / |M v|, v <- M^T u / |M^T u|. */
pz_status spectral_steps(pz_call* c, spectral_layout l, int64_t steps, const pz_tensor* w,
                         pz_tensor* u, pz_tensor* v);

/* sigma (batch) <- u^T M v. */
pz_status spectral_sigma(pz_call* c, spectral_layout l, const pz_tensor* w, const pz_tensor* u,
                         const pz_tensor* v, pz_tensor* sigma);

/* size (batch) <- the largest singular values; the matrices must not be empty. */
pz_status spectral_largest(pz_call* c, spectral_layout l, const pz_tensor* w, pz_tensor* size);

#endif /* PLUGINS_SPECTRAL_NORM_POWER_H */
