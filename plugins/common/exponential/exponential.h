/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The exponential of square matrices by scaling and squaring, and the logarithm of rotations, for
   several plugins. */

#ifndef PLUGINS_COMMON_EXPONENTIAL_H
#define PLUGINS_COMMON_EXPONENTIAL_H

#include <exponential_schemes.h>

#include <parametrize/plugin.h>

/* ---- taylor.c: one polynomial for a batch ----------------------------------- */

enum { EXPM_MOST_VALUES = EXPM_MOST_PRODUCTS + 2 }; /* I, X, and all products */

/* Are the powers of X, of structure `in`, skew or symmetric? Then a gradient may differ from that
   of a general X in the other part, which no X of this structure has. */
static inline bool
expm_structured(const uint32_t in)
{
  return in == PZ_SKEW || in == PZ_SYMMETRIC || in == PZ_SPD;
}

/* Products `from` to `to` - 1: fills v[from+2 .. to+1] from v[1 .. from+1]. `v[0]` is not
   used, here and below. All tensors are batches m x n x n. */
pz_status expm_products(pz_call* c, uint32_t in, const expm_scheme* scheme, int from, int to,
                        pz_tensor* const* v);

/* y <- the value, from v[1 .. products]. */
pz_status expm_value(pz_call* c, uint32_t in, const expm_scheme* scheme, pz_tensor* const* v,
                     pz_tensor* y);

/* gx <- the gradient at v[1] for the gradient g at the value, in two products for each product of
   forward. g and gx must not overlap. */
pz_status expm_reverse(pz_call* c, uint32_t in, const expm_scheme* scheme, pz_tensor* const* v,
                       const pz_tensor* g, pz_tensor* gx);

/* ---- batch.c: moves, scales and addresses the matrices of a batch ------------ */

/* Matrices `first` .. `first + count - 1` of a contiguous batch, as count x n x n. */
pz_tensor* expm_range(pz_view* view, const pz_tensor* t, int64_t first, int64_t count);

/* Host scratch for `count` elements of `size` bytes. */
pz_status expm_host_array(pz_call* c, int64_t count, size_t size, void** out);

/* index <- order, on the device. */
pz_status expm_write_indices(pz_call* c, int64_t n, const int64_t* order, pz_tensor* index);

/* Matrix i of y <- matrix index[i] of x; with `put` matrix index[i] of y <- matrix i of x. */
pz_status expm_gather(pz_call* c, bool put, const pz_tensor* index, const pz_tensor* x,
                      pz_tensor* y);

/* factor[i] <- 2^(power t[i]), on the device. */
pz_status expm_write_powers(pz_call* c, int64_t n, const int64_t* t, double power,
                            pz_tensor* factor);

/* Matrix i of x is multiplied by factor[i]. */
pz_status expm_scale(pz_call* c, const pz_tensor* factor, pz_tensor* x);

/* ---- choice.c: degree and squarings of each matrix --------------------------- */

enum {
  EXPM_POWERS_FROM = 32, /* the order from which norms of powers pay for skew X */
  EXPM_MOST_SQUARINGS = 1022,
};

/* Scheme and squarings for each matrix of a batch, sorted by cost: the last scheme with the most
   squarings first, the first scheme last. The arrays are host scratch. */
typedef struct expm_plan {
  uint32_t in; /* pz_structure of the matrices */
  int64_t n;
  int64_t batch;
  int64_t count[EXPM_SCHEMES]; /* matrices of each scheme */
  int64_t* order;              /* matrix i in order is matrix order[i] of the batch */
  int64_t* squarings;          /* of matrix i in order */
  double* norm;                /* of matrix i in order, a bound, before scaling; or its growth */
  bool permuted;               /* order is not 0, 1, 2 ... */
  double* column;              /* of matrix i in the batch: the largest 2-norm of a column */
  bool* triangular;            /* of matrix i in the batch; both NULL unless general matrices of
                                  norms beyond the last bound are among them */
} expm_plan;

/* p <- a plan from the norms of x, of structure `in`. Reads once; for general x of large norms up to three times. */
pz_status expm_choose(pz_call* c, uint32_t in, const pz_tensor* x, expm_plan* p);

/* most <- the largest number of squarings of a matrix, reduced as expm_refine would do, for skew or
   symmetric x: from the plan if that is at most `enough`, otherwise from the norms of squares. */
pz_status expm_most_squarings(pz_call* c, const expm_plan* p, int64_t enough, const pz_tensor* x,
                              int64_t* most);

/* Reduces squarings as the norms of powers allow: scales v[1], the matrices of the last scheme, and
   their powers v[2 .. 4] up again, and sorts them. Reads once. */
pz_status expm_refine(pz_call* c, expm_plan* p, pz_tensor* const* v);

/* ---- general.c: what general matrices need ------------------------------------- */

/* norm <- the growth of the powers of each matrix of a norm beyond `bound`, where that is less.
   Reads once, or twice if a matrix is far from full. */
pz_status expm_reduce_norms(pz_call* c, const pz_tensor* x, double bound, double* norm,
                            double* column, bool* triangular);

/* The diagonals of the exponentials of triangular matrices. */
typedef struct expm_diagonal {
  bool any;
  pz_tensor x;      /* of the scaled matrices of the last scheme, in order */
  pz_tensor chosen; /* 1 for triangular matrices, otherwise 0 */
  pz_tensor y;      /* room for diagonals of powers */
} expm_diagonal;

/* x are the scaled matrices of the last scheme, in order. */
pz_status expm_diagonal_open(pz_call* c, const expm_plan* p, const pz_tensor* x,
                             expm_diagonal* out);

/* Sets the diagonals of y, matrices `first` .. `first + count - 1` squared as often. */
pz_status expm_diagonal_set(pz_call* c, const expm_diagonal* d, int64_t squarings, int64_t first,
                            int64_t count, pz_tensor* y);

/* ---- small.c: small matrices in one pass -------------------------------------- */

/* y <- exp(x), and gx <- the gradient at x for gy at exp(x), by a closed form or an operation of the
   device; nothing is saved. PZ_UNSUPPORTED, with y or gx unchanged, if there is neither for x. */
pz_status expm_small(pz_call* c, uint32_t in, const pz_tensor* x, pz_tensor* y);
pz_status expm_small_vjp(pz_call* c, uint32_t in, const pz_tensor* x, const pz_tensor* gy,
                         pz_tensor* gx);

/* ---- closed.c: skew matrices of orders 2 and 3 ----------------------------------------- */

/* Are these the closed forms of matrices of order n? `in` is PZ_SKEW, with PZ_BY_UPPER or PZ_BY_LOWER
   if only that triangle of x is stored; then gx is the gradient with respect to it. */
bool expm_is_closed(uint32_t in, int64_t n);

pz_status expm_closed(pz_call* c, uint32_t in, const pz_tensor* x, pz_tensor* y);
pz_status expm_closed_vjp(pz_call* c, uint32_t in, const pz_tensor* x, const pz_tensor* gy,
                          pz_tensor* gx);
/* dy <- the derivative along dx, a whole skew matrix; y is exp(x). */
pz_status expm_closed_tangent(pz_call* c, uint32_t in, const pz_tensor* x, const pz_tensor* y,
                              const pz_tensor* dx, pz_tensor* dy);
/* x <- the skew logarithm of rotations y, with angles up to pi. */
pz_status expm_closed_log(pz_call* c, const pz_tensor* y, pz_tensor* x);
pz_status expm_closed_log_abs_det(pz_call* c, uint32_t in, const pz_tensor* x, pz_tensor* out);
pz_status expm_closed_log_abs_det_vjp(pz_call* c, uint32_t in, const pz_tensor* x,
                                      const pz_tensor* g_out, pz_tensor* gx);

/* ---- scaling.c: scaling and squaring of any batch --------------------------- */

/* y <- exp(x), for x of structure `in`. With PZ_CALL_SAVING it saves several tensors and one host
   record for expm_taylor_vjp. */
pz_status expm_taylor(pz_call* c, uint32_t in, const pz_tensor* x, pz_tensor* y);

/* The same without an operation of the device, by a plan from expm_choose, which it overwrites. */
pz_status expm_taylor_chosen(pz_call* c, expm_plan* p, const pz_tensor* x, pz_tensor* y);

/* gx <- the gradient at x, of structure `in`, for the gradient gy at exp(x). `first_saved` and
   `first_host` are the numbers of tensors and of host records that forward saved before. */
pz_status expm_taylor_vjp(pz_call* c, uint32_t in, uint32_t first_saved, uint32_t first_host,
                          const pz_tensor* x, const pz_tensor* gy, pz_tensor* gx);

/* ---- tangent.c: the derivative along a direction ------------------------------------- */

/* dy <- the derivative of exp at x, known to be `in`, along dx, which is symmetric or skew where x
   is; y is exp(x). `vjp` is the adjoint that belongs to the forward that computed y, for x as it
   is known to be. */
typedef pz_status (*expm_adjoint)(pz_call* c, const pz_tensor* x, const pz_tensor* gy,
                                  pz_tensor* gx);
pz_status expm_tangent(pz_call* c, uint32_t in, expm_adjoint vjp, const pz_tensor* x,
                       const pz_tensor* y, const pz_tensor* dx, pz_tensor* dy);

/* ---- rotation_density.c: log |det| from skew matrices to rotations -------------------- */

/* x are skew matrices, or triangles of them as in closed.c, and gx is any matrix whose skew part counts,
   as in vjp after skew. */
pz_status expm_rotation_log_abs_det(pz_call* c, uint32_t in, const pz_tensor* x, pz_tensor* out);
pz_status expm_rotation_log_abs_det_vjp(pz_call* c, uint32_t in, const pz_tensor* x,
                                        const pz_tensor* g_out, pz_tensor* gx);

/* ---- rotation_log.c: the logarithm of a rotation --------------------------------- */

/* x <- the skew logarithm of rotations y, with angles in [-pi, pi], by the real Schur form; orders 2 and
   3 by closed forms. */
pz_status expm_rotation_log(pz_call* c, const pz_tensor* y, pz_tensor* x);

#endif /* PLUGINS_COMMON_EXPONENTIAL_H */
