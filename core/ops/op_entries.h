/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The entries of pz_ops, by the file that holds them. */

#ifndef PZI_TRAMPOLINES_H
#define PZI_TRAMPOLINES_H

#include <parametrize/ops.h>

/* ops_elementwise.c: elementwise */
pz_status pzi_ops_copy(pz_call* c, const pz_tensor* x, pz_tensor* y);
pz_status pzi_ops_fill(pz_call* c, double value, pz_tensor* y);
pz_status pzi_ops_axpby(pz_call* c, double a, const pz_tensor* x, double b, pz_tensor* y);
pz_status pzi_ops_scale(pz_call* c, double a, pz_tensor* y);
pz_status pzi_ops_hadamard(pz_call* c, double a, const pz_tensor* x, const pz_tensor* y, double b,
                           pz_tensor* z);
pz_status pzi_ops_combine(pz_call* c, double shift, uint32_t n, const double* a,
                          const pz_tensor* const* x, pz_tensor* y);
/* ops_matrix.c: structured passes, diagonals, reductions, scalings */
pz_status pzi_ops_add_identity(pz_call* c, double a, pz_tensor* y);
pz_status pzi_ops_fold(pz_call* c, pz_triangle triangle, int sign, const pz_tensor* x,
                       pz_tensor* y);
pz_status pzi_ops_fold_adjoint(pz_call* c, pz_triangle triangle, int sign, const pz_tensor* g,
                               pz_tensor* gx);
pz_status pzi_ops_symmetrize(pz_call* c, double a, int sign, const pz_tensor* x, pz_tensor* y);
pz_status pzi_ops_triangle(pz_call* c, pz_triangle triangle, int64_t offset, const pz_tensor* x,
                           pz_tensor* y);
pz_status pzi_ops_get_diagonal(pz_call* c, const pz_tensor* x, pz_tensor* d);
pz_status pzi_ops_set_diagonal(pz_call* c, const pz_tensor* d, pz_tensor* y);
pz_status pzi_ops_norm(pz_call* c, pz_norm kind, pz_axis axis, const pz_tensor* x, pz_tensor* out);
pz_status pzi_ops_dot(pz_call* c, pz_axis axis, const pz_tensor* x, const pz_tensor* y,
                      pz_tensor* out);
pz_status pzi_ops_scale_by(pz_call* c, pz_axis axis, const pz_tensor* d, const pz_tensor* x,
                           pz_tensor* y);
/* ops_product.c: products and triangular solves */
pz_status pzi_ops_gemm(pz_call* c, pz_trans ta, pz_trans tb, double alpha, const pz_tensor* a,
                       const pz_tensor* b, double beta, pz_tensor* y);
pz_status pzi_ops_syrk(pz_call* c, pz_trans ta, double alpha, const pz_tensor* a, double beta,
                       pz_tensor* y);
pz_status pzi_ops_trmm(pz_call* c, pz_side side, pz_triangle triangle, pz_trans tt,
                       pz_diagonal diagonal, double alpha, const pz_tensor* t, pz_tensor* b);
pz_status pzi_ops_trsm(pz_call* c, pz_side side, pz_triangle triangle, pz_trans tt,
                       pz_diagonal diagonal, double alpha, const pz_tensor* t, pz_tensor* b);
/* ops_factor.c: inverses and factorizations */
pz_status pzi_ops_shifted_inverse(pz_call* c, uint32_t in, double alpha, double beta, double gamma,
                                  double delta, const pz_tensor* x, pz_tensor* y);
pz_status pzi_ops_shifted_inverse_adjoint(pz_call* c, uint32_t in, double alpha, double beta,
                                          double delta, const pz_tensor* y, const pz_tensor* gy,
                                          pz_tensor* gx);
pz_status pzi_ops_exponential(pz_call* c, uint32_t in, uint32_t n, const pz_polynomial* p,
                              const pz_tensor* x, pz_tensor* y);
pz_status pzi_ops_exponential_adjoint(pz_call* c, uint32_t in, uint32_t n, const pz_polynomial* p,
                                      const pz_tensor* x, const pz_tensor* gy, pz_tensor* gx);
pz_status pzi_ops_solve(pz_call* c, uint32_t in, const pz_tensor* a, const pz_tensor* b,
                        pz_tensor* x);
pz_status pzi_ops_potrf(pz_call* c, pz_triangle triangle, const pz_tensor* a, pz_tensor* l);
pz_status pzi_ops_qr(pz_call* c, const pz_tensor* a, pz_tensor* q, pz_tensor* r);
pz_status pzi_ops_eigh(pz_call* c, const pz_tensor* a, pz_tensor* w, pz_tensor* v);
pz_status pzi_ops_svd(pz_call* c, const pz_tensor* a, pz_tensor* u, pz_tensor* s, pz_tensor* vt);
pz_status pzi_ops_schur(pz_call* c, const pz_tensor* a, pz_tensor* t, pz_tensor* z);
/* ops_rows.c: rows by index, random numbers, kernels, crossing to the host */
pz_status pzi_ops_take(pz_call* c, const pz_tensor* index, const pz_tensor* x, pz_tensor* y);
pz_status pzi_ops_put(pz_call* c, bool accumulate, const pz_tensor* index, const pz_tensor* x,
                      pz_tensor* y);
pz_status pzi_ops_random(pz_call* c, pz_distribution kind, uint64_t key, uint64_t first, double a,
                         double b, pz_tensor* y);
pz_status pzi_ops_launch(pz_call* c, const pz_kernel* kernel, int64_t n_items,
                         const pz_tensor* const* tensors, const double* reals,
                         const int64_t* integers);
pz_status pzi_ops_read(pz_call* c, const pz_tensor* x, double* out);
pz_status pzi_ops_write(pz_call* c, const double* in, pz_tensor* y);

#endif /* PZI_TRAMPOLINES_H */
