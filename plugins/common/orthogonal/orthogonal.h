/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The map `orthogonal`, alone or as a part of other maps, and its parts. All tensors below are tall, n x k with n >= k >= 1, and C-contiguous
   unless noted; a wide value is the transpose of a tall one.

   The strict lower triangle of an original X defines the skew n x n matrix

     A = (A11 -B^T; B 0),  A11 = tril(X1, -1) - tril(X1, -1)^T,  X = (X1; B)

   or the reflectors of householder.c. */

#ifndef PLUGINS_COMMON_ORTHOGONAL_H
#define PLUGINS_COMMON_ORTHOGONAL_H

#include <parametrize/plugin.h>

/* The spec of rows x cols matrices, as many as in `like`. */
static inline pz_spec
orth_spec(const pz_tensor* const like, const int64_t rows, const int64_t cols)
{
  pz_spec spec = pz_spec_of(like);
  spec.shape[like->ndim - 2] = rows;
  spec.shape[like->ndim - 1] = cols;
  return spec;
}

/* The spec of rows of `count` numbers, one row for each matrix of `like`. */
static inline pz_spec
orth_row_spec(const pz_tensor* const like, const int64_t count)
{
  pz_spec spec = pz_spec_make(like->dtype, like->ndim - 1, like->shape);
  spec.shape[like->ndim - 2] = count;
  return spec;
}

/* Views of the square block on top and of the rows below it. */
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

/* A view of the first k columns. */
static inline pz_tensor*
orth_first(pz_view* const view, const pz_tensor* const x, const int64_t k)
{
  return pz_view_block(view, x, 0, pz_rows(x), 0, k);
}

/* Does the Cayley transform extend x to a square matrix, with zeros in further columns? Then Y, which
   it saves, is n x n. */
static inline bool
orth_cayley_extends(const pz_tensor* const x)
{
  return pz_rows(x) > pz_cols(x) && pz_rows(x) < 2 * pz_cols(x);
}

/* For each map: q <- Q(x), which saves tensors for vjp; gx <- the gradient at x for g at q. */
pz_status orth_cayley(pz_call* c, const pz_tensor* x, pz_tensor* q);
pz_status orth_cayley_vjp(pz_call* c, const pz_tensor* x, const pz_tensor* g, pz_tensor* gx);
pz_status orth_exponential(pz_call* c, const pz_tensor* x, pz_tensor* q);
pz_status orth_exponential_vjp(pz_call* c, const pz_tensor* x, const pz_tensor* g, pz_tensor* gx);
pz_status orth_householder(pz_call* c, const pz_tensor* x, pz_tensor* q);
pz_status orth_householder_vjp(pz_call* c, const pz_tensor* x, const pz_tensor* g, pz_tensor* gx);

/* dq <- the derivative of each map along dx, whose strict lower triangle counts. */
pz_status orth_cayley_jvp(pz_call* c, const pz_tensor* x, const pz_tensor* dx, pz_tensor* dq);
pz_status orth_exponential_jvp(pz_call* c, const pz_tensor* x, const pz_tensor* dx, pz_tensor* dq);
pz_status orth_householder_jvp(pz_call* c, const pz_tensor* x, const pz_tensor* dx, pz_tensor* dq);

/* x <- the solution of orth_cayley(x) = q diag(d). d (..., k) <- signs for which there is one. If d
   is NULL, diag(d) is the identity, and the result is PZ_SINGULAR if the block on top has an
   eigenvalue too close to -1. */
pz_status orth_cayley_inverse(pz_call* c, const pz_tensor* q, pz_tensor* d, pz_tensor* x);

/* x <- the solution of orth_householder(x) diag(d) = q, for q with orthonormal columns: reflectors
   below the diagonal, d on it, zero above. d (..., k) <- the signs. */
pz_status orth_householder_inverse(pz_call* c, const pz_tensor* q, pz_tensor* d, pz_tensor* x);

/* z <- P z or P^T z, where r holds the reflectors and signs of the orthogonal n x n matrix P as
   orth_householder_inverse writes them; z has n rows. The first columns of P are q. */
pz_status orth_reflect(pz_call* c, pz_trans transpose, const pz_tensor* r, pz_tensor* z);

extern const pz_parametrization orth_table;

/* Options, in the order of the table. */
enum {
  ORTH_MAP,
  ORTH_TRIVIALIZATION,
  ORTH_NEAREST,
  ORTH_SIGNS,
  ORTH_BASE,
  ORTH_REBASE,
  ORTH_OPTIONS
};
enum { ORTH_MAP_AUTO, ORTH_MATRIX_EXP, ORTH_CAYLEY, ORTH_HOUSEHOLDER };
enum { ORTH_BASE_AUTO, ORTH_REFLECTORS, ORTH_DENSE };
/* Buffers: base, reflectors or signs, by the options; and updates since the last rebase. */
enum { ORTH_STATE, ORTH_UPDATES };

/* The map, and whether there are a dense base and signs, for n x k matrices. */
int64_t orth_map(const pz_call* c, int64_t n, int64_t k);
bool orth_has_dense_base(const pz_call* c, int64_t n, int64_t k);
bool orth_has_signs(const pz_call* c, int64_t n, int64_t k);
static inline bool
orth_has_base(const pz_call* const c)
{
  return c->options[ORTH_TRIVIALIZATION].as.integer != 0;
}

/* out <- t, or the transpose of a wide t, in scratch. orth_untall is the inverse: it writes to y,
   which may be the tall tensor itself. */
pz_status orth_tall(pz_call* c, const pz_tensor* t, pz_tensor* out);
pz_status orth_untall(pz_call* c, const pz_tensor* tall, pz_tensor* y);

/* q <- the value at tall x, with base and signs. */
pz_status orth_value(pz_call* c, const pz_tensor* x, pz_tensor* q);

/* ---- density.c: log |det|, for any shape of x --------------------------------------- */

/* In plan: the density of n x k values, if the map has one. */
pz_status orth_declare_density(pz_call* c, int64_t rows, int64_t cols);
pz_status orth_log_abs_det(pz_call* c, const pz_tensor* x, const pz_tensor* y, pz_tensor* out);
pz_status orth_log_abs_det_vjp(pz_call* c, const pz_tensor* x, const pz_tensor* y,
                               const pz_tensor* g_out, pz_tensor* gx);

/* ---- assign.c ---------------------------------------------------------------- */

/* out[i] <- the largest entry of |Q^T Q - I| of matrix i, in host scratch; one read. */
pz_status orth_defects(pz_call* c, const pz_tensor* q, const double** out);

/* state <- the base or the signs for which orth_origin has the value of the identity. */
pz_status orth_identity_state(pz_call* c, int64_t n, int64_t k, pz_tensor* state);

/* x <- the original whose value, without base and signs, is the first columns of the identity. */
pz_status orth_origin(pz_call* c, int64_t map, pz_tensor* x);

/* base <- an orthogonal matrix whose first columns are q, dense or as reflectors by the options. */
pz_status orth_set_base(pz_call* c, const pz_tensor* q, pz_tensor* base);

/* Matrices of a batch with entries that are not finite, while a tensor is registered. */
typedef struct orth_marks {
  bool any;
  pz_tensor mark; /* NaN for those, 1 for others */
} orth_marks;

/* used <- q, or its factor Q where its columns are not orthonormal. Without `nearest` such a q is
   refused if it is assigned. */
pz_status orth_admit(pz_call* c, bool nearest, const pz_tensor* q, pz_tensor* used,
                     orth_marks* bad);

/* The numbers of those matrices in x become NaN. */
pz_status orth_spoil(pz_call* c, const orth_marks* bad, pz_tensor* x);

pz_status orth_right_inverse(pz_call* c, const pz_tensor* y, pz_tensor* x);

#endif /* PLUGINS_COMMON_ORTHOGONAL_H */
