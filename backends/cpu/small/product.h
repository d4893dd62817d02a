/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products of small matrices, one by one (product.c) and across lanes (product_lanes.c). */

#ifndef CPU_PRODUCT_H
#define CPU_PRODUCT_H

#include "view.h"

#include <parametrize/backend.h>

/* y = alpha a b + beta y of order up to SMALL_PRODUCT_MOST, any strides; else false. */
bool TYPED(small_product)(real alpha, view a, view b, real beta, view y);

/* The same with rows of b and y that are whole vectors; strides of a do not matter. */
typedef struct padded_product {
  int64_t inner;
  const real* a;
  int64_t a_row;
  int64_t a_col;
  const real* b;
  int64_t ldb;
  real* y;
  int64_t ldy;
  real alpha;
  real beta;
} padded_product;

void TYPED(multiply_padded)(const padded_product* t, int64_t rows, int64_t width);

/* Rows of x in rows of `width` entries, the rest zero; and back without the rest. */
void TYPED(pad_rows)(view x, int64_t width, real* to);
void TYPED(unpad_rows)(const real* from, int64_t width, view y);

/* The same products across lanes without beta, and y = alpha (a + shift I)^T b (a + shift I)^T, or with
   `by`, a PZ_BY_..., what fold_adjoint of that sign makes of it; false where a batch is too
   small or its matrices are too large for that. */
bool TYPED(multiply_lanes)(pz_backend_queue* q, real alpha, const pz_mat* a, const pz_mat* b,
                           const pz_mat* y);
bool TYPED(adjoint_lanes)(pz_backend_queue* q, uint32_t by, real sign, real alpha, real shift,
                          const pz_mat* a, const pz_mat* b, const pz_mat* y);

#endif /* CPU_PRODUCT_H */
