/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "witness_ops.h"

/* The operations: name, parameters, arguments. Those of WAIT end in the numbers that go to the host or
   come from it, and the host waits for them. */
// clang-format off
#define EACH_OPERATION(PASS, WAIT) \
  PASS(copy, (const pz_tensor* x, pz_tensor* y), (x, y)) \
  PASS(fill, (double value, pz_tensor* y), (value, y)) \
  PASS(axpby, (double a, const pz_tensor* x, double b, pz_tensor* y), (a, x, b, y)) \
  PASS(scale, (double a, pz_tensor* y), (a, y)) \
  PASS(hadamard, (double a, const pz_tensor* x, const pz_tensor* y, double b, pz_tensor* z), \
    (a, x, y, b, z)) \
  PASS(combine, (double shift, uint32_t n, const double* a, const pz_tensor* const* x, \
    pz_tensor* y), (shift, n, a, x, y)) \
  PASS(add_identity, (double a, pz_tensor* y), (a, y)) \
  PASS(fold, (pz_triangle triangle, int sign, const pz_tensor* x, pz_tensor* y), (triangle, \
    sign, x, y)) \
  PASS(fold_adjoint, (pz_triangle triangle, int sign, const pz_tensor* g, pz_tensor* gx), \
    (triangle, sign, g, gx)) \
  PASS(symmetrize, (double a, int sign, const pz_tensor* x, pz_tensor* y), (a, sign, x, y)) \
  PASS(triangle, (pz_triangle triangle, int64_t offset, const pz_tensor* x, pz_tensor* y), \
    (triangle, offset, x, y)) \
  PASS(get_diagonal, (const pz_tensor* x, pz_tensor* d), (x, d)) \
  PASS(set_diagonal, (const pz_tensor* d, pz_tensor* y), (d, y)) \
  PASS(norm, (pz_norm kind, pz_axis axis, const pz_tensor* x, pz_tensor* out), (kind, axis, x, \
    out)) \
  PASS(dot, (pz_axis axis, const pz_tensor* x, const pz_tensor* y, pz_tensor* out), (axis, x, \
    y, out)) \
  PASS(scale_by, (pz_axis axis, const pz_tensor* d, const pz_tensor* x, pz_tensor* y), (axis, \
    d, x, y)) \
  PASS(gemm, (pz_trans ta, pz_trans tb, double alpha, const pz_tensor* a, const pz_tensor* b, \
    double beta, pz_tensor* y), (ta, tb, alpha, a, b, beta, y)) \
  PASS(syrk, (pz_trans ta, double alpha, const pz_tensor* a, double beta, pz_tensor* y), (ta, \
    alpha, a, beta, y)) \
  PASS(trmm, (pz_side side, pz_triangle triangle, pz_trans tt, pz_diagonal diagonal, double \
    alpha, const pz_tensor* t, pz_tensor* b), (side, triangle, tt, diagonal, alpha, t, b)) \
  PASS(trsm, (pz_side side, pz_triangle triangle, pz_trans tt, pz_diagonal diagonal, double \
    alpha, const pz_tensor* t, pz_tensor* b), (side, triangle, tt, diagonal, alpha, t, b)) \
  PASS(shifted_inverse, (uint32_t in, const pz_shift* shift, const pz_tensor* x, pz_tensor* \
    y), (in, shift, x, y)) \
  PASS(solve, (uint32_t in, const pz_tensor* a, const pz_tensor* b, pz_tensor* x), (in, a, b, \
    x)) \
  PASS(potrf, (pz_triangle triangle, const pz_tensor* a, pz_tensor* l), (triangle, a, l)) \
  PASS(qr, (const pz_tensor* a, pz_tensor* q, pz_tensor* r), (a, q, r)) \
  PASS(eigh, (const pz_tensor* a, pz_tensor* w, pz_tensor* v), (a, w, v)) \
  PASS(svd, (const pz_tensor* a, pz_tensor* u, pz_tensor* s, pz_tensor* vt), (a, u, s, vt)) \
  WAIT(schur, (const pz_tensor* a, pz_tensor* t, pz_tensor* z), (a, t, z), 0) \
  PASS(take, (const pz_tensor* index, const pz_tensor* x, pz_tensor* y), (index, x, y)) \
  PASS(put, (bool accumulate, const pz_tensor* index, const pz_tensor* x, pz_tensor* y), \
    (accumulate, index, x, y)) \
  PASS(random, (pz_distribution kind, uint64_t key, uint64_t first, double a, double b, \
    pz_tensor* y), (kind, key, first, a, b, y)) \
  PASS(launch, (const pz_kernel* kernel, int64_t n_items, const pz_tensor* const* tensors, \
    const double* reals, const int64_t* integers), (kernel, n_items, tensors, reals, integers)) \
  PASS(launch_rows, (const pz_row_kernel* kernel, pz_row_kind kind, int32_t dim, const \
    pz_tensor* const* inputs, pz_tensor* const* outputs, const double* reals, const int64_t* \
    integers), (kernel, kind, dim, inputs, outputs, reals, integers)) \
  WAIT(read, (const pz_tensor* x, double* out), (x, out), pz_count(x)) \
  WAIT(write, (const double* in, pz_tensor* y), (in, y), pz_count(y)) \
  PASS(shifted_inverse_adjoint, (uint32_t in, const pz_shift* shift, const pz_tensor* y, const \
    pz_tensor* gy, pz_tensor* gx), (in, shift, y, gy, gx)) \
  PASS(exponential, (uint32_t in, const pz_tensor* x, pz_tensor* y), (in, x, y)) \
  PASS(exponential_adjoint, (uint32_t in, const pz_tensor* x, const pz_tensor* gy, pz_tensor* \
    gx), (in, x, gy, gx))
// clang-format on

#define UNPACK(...) __VA_ARGS__

#define PASS(name, parameters, arguments)                                 \
  static pz_status seen_##name(pz_call* const c, UNPACK parameters)       \
  {                                                                       \
    PZ_TRY(witness_request(c));                                           \
    return witness_real(c)->ops->name(witness_real(c), UNPACK arguments); \
  }
#define WAIT(name, parameters, arguments, numbers)                        \
  static pz_status seen_##name(pz_call* const c, UNPACK parameters)       \
  {                                                                       \
    PZ_TRY(witness_request(c));                                           \
    witness_wait(numbers);                                                \
    return witness_real(c)->ops->name(witness_real(c), UNPACK arguments); \
  }
EACH_OPERATION(PASS, WAIT)

#define ENTRY(name, ...) .name = seen_##name,
const pz_ops witness_ops = {.size = sizeof(pz_ops), EACH_OPERATION(ENTRY, ENTRY)};
