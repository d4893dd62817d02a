/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Operations that pass over entries once or twice, on matrices of any size; and what the other folders
   use of them. Arguments are those of pz_backend_ops. */

#ifndef CPU_PASSES_H
#define CPU_PASSES_H

#include "view.h"

#include <parametrize/backend.h>

/* y = x by tiles, any layouts. */
void TYPED(view_copy)(view x, view y);

/* y = value everywhere. */
void TYPED(view_fill)(real value, view y);

/* fold_adjoint of one matrix of order up to TILE, rows as runs. */
void TYPED(fold_adjoint_tile)(bool upper, int sign, int64_t n, const real* x, int64_t ldx, real* y,
                              int64_t ldy);

TYPED_OPERATION(copy, const pz_mat* x, const pz_mat* y);
TYPED_OPERATION(fill, double value, const pz_mat* y);
TYPED_OPERATION(axpby, double a, const pz_mat* x, double b, const pz_mat* y);
TYPED_OPERATION(scale, double a, const pz_mat* y);
TYPED_OPERATION(hadamard, double a, const pz_mat* x, const pz_mat* y, double b, const pz_mat* z);
TYPED_OPERATION(combine, double shift, uint32_t n, const double* a, const pz_mat* x,
                const pz_mat* y);
TYPED_OPERATION(add_identity, double a, const pz_mat* y);
TYPED_OPERATION(fold, pz_triangle triangle, int sign, const pz_mat* x, const pz_mat* y);
TYPED_OPERATION(fold_adjoint, pz_triangle triangle, int sign, const pz_mat* g, const pz_mat* gx);
TYPED_OPERATION(symmetrize, double a, int sign, const pz_mat* x, const pz_mat* y);
TYPED_OPERATION(triangle, pz_triangle triangle, int64_t offset, const pz_mat* x, const pz_mat* y);
TYPED_OPERATION(get_diagonal, const pz_mat* x, const pz_mat* d);
TYPED_OPERATION(set_diagonal, const pz_mat* d, const pz_mat* y);
TYPED_OPERATION(norm, pz_norm kind, pz_axis axis, const pz_mat* x, const pz_mat* out);
TYPED_OPERATION(dot, pz_axis axis, const pz_mat* x, const pz_mat* y, const pz_mat* out);
TYPED_OPERATION(scale_by, pz_axis axis, const pz_mat* d, const pz_mat* x, const pz_mat* y);
TYPED_OPERATION(take, const pz_mat* index, const pz_mat* x, const pz_mat* y, const pz_fault* fault);
TYPED_OPERATION(put, bool accumulate, const pz_mat* index, const pz_mat* x, const pz_mat* y,
                const pz_fault* fault);

/* Compiled once for each type: other instructions make it no faster. */
TYPED_ONCE_OPERATION(random, pz_distribution kind, uint64_t key, uint64_t first, double a, double b,
                     const pz_mat* y);

#endif /* CPU_PASSES_H */
