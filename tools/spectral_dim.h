/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#ifndef TOOLS_SPECTRAL_DIM_H
#define TOOLS_SPECTRAL_DIM_H

#include <parametrize/parametrize.h>

/* What the tensors of a spectral norm say about its option dim. */
typedef struct spectral_dim {
  int32_t dim;     /* that fits; -1: none does, or two do */
  int32_t other;   /* the other one that fits best; -1: there is none */
  double residual; /* |v - M^T u / |M^T u|| of the one that fits best, and of the other, where there
                      are two */
  double other_residual;
} spectral_dim;

/* Finds the dimensions whose slices can be the rows of M. Where the lengths allow several, the
   vectors decide: after a step of the power method v is M^T u / |M^T u|. False without memory. */
bool spectral_dim_find(const pz_file_tensor_info* weight, const pz_file_tensor_info* u,
                       const pz_file_tensor_info* v, spectral_dim* out);

#endif /* TOOLS_SPECTRAL_DIM_H */
