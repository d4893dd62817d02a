/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Tensors of the host, C-contiguous, in memory that lasts until host_free. */

#ifndef TEST_HOST_TENSOR_H
#define TEST_HOST_TENSOR_H

#include "support.h"

/* Zeros, and normal numbers times `scale`. */
pz_tensor host_zeros(const pz_spec* spec);
pz_tensor host_normal(const pz_spec* spec, uint64_t* random, double scale);
/* Normal skew matrices, float64 of shape (batch, n, n). */
pz_tensor host_skew(const pz_spec* spec, uint64_t* random);

/* Frees the memory of all tensors made so far, as at the end of a fixture; or of those made
   since host_mark. */
void host_free(void);
const void* host_mark(void);
void host_release(const void* mark);

size_t host_bytes(const pz_tensor* tensor);
/* Element k, and into it. */
double host_at(const pz_tensor* tensor, int64_t k);
void host_put(const pz_tensor* tensor, int64_t k, double value);
/* All elements, of float32 and of float64. */
float* host_f32(const pz_tensor* tensor);
double* host_f64(const pz_tensor* tensor);

/* <a, b>, and the largest |a_k - b_k|, NaN where there is one; of equal specs. */
double host_inner(const pz_tensor* a, const pz_tensor* b);
double host_distance(const pz_tensor* a, const pz_tensor* b);
/* largest_orthogonality of dense.h, of a matrix or a batch of matrices. */
double host_orthogonality(const pz_tensor* a);
/* The largest |a_k|, at least 1: the scale of tolerances. */
double host_scale(const pz_tensor* a);
/* Are they of the same spec and equal bit for bit? */
bool host_same(const pz_tensor* a, const pz_tensor* b);

#endif /* TEST_HOST_TENSOR_H */
