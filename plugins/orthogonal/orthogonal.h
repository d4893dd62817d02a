/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The parts of the orthogonal map. All tensors below are tall, n x k with n >= k >= 1, and
   C-contiguous unless said; a wide value is the transpose of a tall one.

   An original X stands, by its strict lower triangle, for the skew n x n matrix

     A = (A11 -B^T; B 0),  A11 = tril(X1, -1) - tril(X1, -1)^T,  X = (X1; B)

   or for the reflectors of householder.c. */

#ifndef ORTHOGONAL_H
#define ORTHOGONAL_H

#include <parametrize/plugin.h>

/* rows x cols matrices, as many as `like` has. */
static inline pz_spec
orth_spec(const pz_tensor* const like, const int64_t rows, const int64_t cols)
{
  pz_spec spec = pz_spec_of(like);
  spec.shape[like->ndim - 2] = rows;
  spec.shape[like->ndim - 1] = cols;
  return spec;
}

/* Rows of `count` numbers, one for each matrix of `like`. */
static inline pz_spec
orth_row_spec(const pz_tensor* const like, const int64_t count)
{
  pz_spec spec = pz_spec_make(like->dtype, like->ndim - 1, like->shape);
  spec.shape[like->ndim - 2] = count;
  return spec;
}

/* The square block on top, and what is below it, as views. */
static inline pz_tensor*
orth_top(pz_view* const view, const pz_tensor* const x)
{
  return pz_view_block(view, x, 0, pz_cols(x), 0, pz_cols(x));
}

static inline pz_tensor*
orth_below(pz_view* const view, const pz_tensor* const x)
{
  return pz_view_block(view, x, pz_cols(x), pz_rows(x) - pz_cols(x), 0, pz_cols(x));
}

/* Each map: q <- Q(x), saving for its vjp; gx <- the gradient at x for g at q. */
pz_status orth_cayley(pz_call* c, const pz_tensor* x, pz_tensor* q);
pz_status orth_cayley_vjp(pz_call* c, const pz_tensor* x, const pz_tensor* g, pz_tensor* gx);
pz_status orth_exponential(pz_call* c, const pz_tensor* x, pz_tensor* q);
pz_status orth_exponential_vjp(pz_call* c, const pz_tensor* x, const pz_tensor* g, pz_tensor* gx);
pz_status orth_householder(pz_call* c, const pz_tensor* x, pz_tensor* q);
pz_status orth_householder_vjp(pz_call* c, const pz_tensor* x, const pz_tensor* g, pz_tensor* gx);

/* x with orth_cayley(x) = q diag(d); d NULL: the identity. With d the signs that make that
   possible are found and written to it (..., k). Without, PZ_SINGULAR where -1 is too near
   to an eigenvalue of the block on top. */
pz_status orth_cayley_inverse(pz_call* c, const pz_tensor* q, pz_tensor* d, pz_tensor* x);

/* x with orth_householder(x) diag(d) = q, for orthonormal columns q: the reflectors below
   the diagonal, d on it, zero above. d (..., k) is written. */
pz_status orth_householder_inverse(pz_call* c, const pz_tensor* q, pz_tensor* d, pz_tensor* x);

/* z <- P z or P^T z for the orthogonal n x n matrix P whose reflectors and signs r holds as
   orth_householder_inverse leaves them; z is n x any. The first columns of P are q. */
pz_status orth_reflect(pz_call* c, pz_trans transpose, const pz_tensor* r, pz_tensor* z);

/* Options, in the order of the table. */
enum { ORTH_MAP, ORTH_TRIVIALIZATION, ORTH_NEAREST, ORTH_SIGNS, ORTH_BASE, ORTH_REBASE };
enum { ORTH_MAP_AUTO, ORTH_MATRIX_EXP, ORTH_CAYLEY, ORTH_HOUSEHOLDER };
enum { ORTH_BASE_AUTO, ORTH_REFLECTORS, ORTH_DENSE };
/* Buffers: base, reflectors or signs, by the options; and updates since the last rebase. */
enum { ORTH_STATE, ORTH_UPDATES };

/* Which map and which base serve n x k matrices. */
int64_t orth_map(const pz_call* c, int64_t n, int64_t k);
bool orth_has_dense_base(const pz_call* c, int64_t n, int64_t k);
bool orth_has_signs(const pz_call* c, int64_t n, int64_t k);
static inline bool
orth_has_base(const pz_call* const c)
{
  return c->options[ORTH_TRIVIALIZATION].as.integer != 0;
}

/* out is t, or in scratch its transpose where t is wide; and back, into y, which may be the
   tall tensor itself. */
pz_status orth_tall(pz_call* c, const pz_tensor* t, pz_tensor* out);
pz_status orth_untall(pz_call* c, const pz_tensor* tall, pz_tensor* y);

/* q <- the value at tall x, base and signs included. */
pz_status orth_value(pz_call* c, const pz_tensor* x, pz_tensor* q);

/* ---- assign.c ---------------------------------------------------------------- */

/* The largest entry of |Q^T Q - I| of each matrix, in host scratch; one read. */
pz_status orth_defects(pz_call* c, const pz_tensor* q, const double** out);

/* state <- the base, or the signs, of the identity at the origin. */
pz_status orth_identity_state(pz_call* c, int64_t n, int64_t k, pz_tensor* state);

/* x <- the original that the map sends to the first columns of the identity. */
pz_status orth_origin(pz_call* c, int64_t map, pz_tensor* x);

/* base <- an orthogonal matrix that begins with the columns q, as the options store it. */
pz_status orth_set_base(pz_call* c, const pz_tensor* q, pz_tensor* base);

pz_status orth_right_inverse(pz_call* c, const pz_tensor* y, pz_tensor* x);

#endif /* ORTHOGONAL_H */
