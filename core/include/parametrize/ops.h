/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Operations on tensors for parametrizations, the same on every device.
   Include <parametrize/plugin.h>. */

#ifndef PARAMETRIZE_OPS_H
#define PARAMETRIZE_OPS_H

#include <parametrize/kernel.h>
#include <parametrize/row_kernel.h>
#include <parametrize/types.h>

PZ_BEGIN_DECLS

typedef struct pz_call pz_call; /* plugin.h */
typedef struct pz_ops pz_ops;

/* Unless an operation says otherwise:
   - It acts on the last two dimensions, batched over the others, and its tensors have one
     dtype, PZ_F32 or PZ_F64.
   - Operands may be strided views (view.h). Outputs must not overlap inputs.
   - Wrong shapes are PZ_MISMATCH. Empty tensors are allowed.
   - NaN and Inf propagate, except that an operand whose coefficient (a, b, alpha, beta) is
     exactly 0 is not read. The inverse of a matrix with an Inf is not finite. */

typedef enum pz_trans { PZ_N = 0, PZ_T = 1 } pz_trans;
typedef enum pz_side { PZ_LEFT = 0, PZ_RIGHT = 1 } pz_side;
typedef enum pz_triangle { PZ_UPPER = 0, PZ_LOWER = 1 } pz_triangle;
typedef enum pz_diagonal { PZ_NON_UNIT = 0, PZ_UNIT = 1 } pz_diagonal;

/* What a reduction runs over. */
typedef enum pz_axis {
  PZ_OVER_ROWS = 0, /* a number per column: result (..., cols) */
  PZ_OVER_COLS = 1, /* a number per row:    result (..., rows) */
  PZ_OVER_BOTH = 2, /* a number per matrix: result (...) */
} pz_axis;

typedef enum pz_norm {
  PZ_NORM_ONE = 1, /* sum of magnitudes */
  PZ_NORM_TWO = 2, /* square root of the sum of squares, scaled against overflow */
  PZ_NORM_MAX = 3, /* largest magnitude; NaN if any is NaN */
} pz_norm;

typedef enum pz_distribution {
  PZ_BITS = 0,      /* y is PZ_I64: raw 64-bit words */
  PZ_UNIFORM = 1,   /* a + (b - a) u, u in [0, 1) */
  PZ_NORMAL = 2,    /* mean a, standard deviation b */
  PZ_BERNOULLI = 3, /* 1 with probability a, else 0; b unused */
} pz_distribution;

/* Which entries of a tensor are a row of a row kernel. */
typedef enum pz_row_kind {
  PZ_ALONG_DIM = 0,     /* those along dimension `dim`, at one place of the others */
  PZ_SLICES_OF_DIM = 1, /* those at one index of dimension `dim` */
  PZ_WHOLE = 2,         /* all; `dim` is not used */
} pz_row_kind;

enum { PZ_EXPONENTIAL_ORDER = 32 }; /* the largest order of matrices that `exponential` takes */

/* The coefficients of alpha I + beta (gamma I + delta x)^-1. */
typedef struct pz_shift {
  double alpha;
  double beta;
  double gamma;
  double delta;
} pz_shift;

struct pz_ops {
  uint32_t size; /* sizeof(pz_ops) of the host */
  uint32_t reserved;

  /* -- elementwise, any equal shapes, any number of dimensions -- */

  /* y = x, of any one dtype; both may have strides. PZ_UNSUPPORTED for two dtypes: later
     versions may convert. */
  pz_status (*copy)(pz_call* c, const pz_tensor* x, pz_tensor* y);
  /* y = value everywhere. */
  pz_status (*fill)(pz_call* c, double value, pz_tensor* y);
  /* y = a x + b y; b = 0 does not read y. y may be x. */
  pz_status (*axpby)(pz_call* c, double a, const pz_tensor* x, double b, pz_tensor* y);
  /* y = a y. */
  pz_status (*scale)(pz_call* c, double a, pz_tensor* y);
  /* z = a x * y + b z, entry by entry; b = 0 does not read z. z may be x or y. */
  pz_status (*hadamard)(pz_call* c, double a, const pz_tensor* x, const pz_tensor* y, double b,
                        pz_tensor* z);
  /* y = shift I + sum over k < n of a[k] x[k], n <= 8; y may be one of the x[k]. With
     shift != 0 the shapes are those of matrices, square or not. */
  pz_status (*combine)(pz_call* c, double shift, uint32_t n, const double* a,
                       const pz_tensor* const* x, pz_tensor* y);

  /* -- structured passes over square matrices -- */

  /* y = y + a I, on the main diagonal, m x n. */
  pz_status (*add_identity)(pz_call* c, double a, pz_tensor* y);
  /* Mirrors one triangle: y = T + sign T'^T with T the triangle of x and T' its strict
     part; sign = +1 keeps the diagonal, sign = -1 makes it zero. */
  pz_status (*fold)(pz_call* c, pz_triangle triangle, int sign, const pz_tensor* x, pz_tensor* y);
  /* The adjoint: in the triangle gx = g + sign g^T off the diagonal, g (sign = +1) or 0
     (sign = -1) on it, 0 in the other triangle. */
  pz_status (*fold_adjoint)(pz_call* c, pz_triangle triangle, int sign, const pz_tensor* g,
                            pz_tensor* gx);
  /* y = a (x + sign x^T), exactly symmetric or skew. */
  pz_status (*symmetrize)(pz_call* c, double a, int sign, const pz_tensor* x, pz_tensor* y);
  /* y = the entries of x with column - row >= offset (PZ_UPPER) or <= offset (PZ_LOWER), zero
     elsewhere, m x n; y may be x. */
  pz_status (*triangle)(pz_call* c, pz_triangle triangle, int64_t offset, const pz_tensor* x,
                        pz_tensor* y);
  /* d = main diagonal of x, (..., min(m, n)); and main diagonal of y = d. */
  pz_status (*get_diagonal)(pz_call* c, const pz_tensor* x, pz_tensor* d);
  pz_status (*set_diagonal)(pz_call* c, const pz_tensor* d, pz_tensor* y);

  /* -- reductions and scalings along a dimension, accumulated in f64 for f64 and at
        least f32 for f32 -- */

  pz_status (*norm)(pz_call* c, pz_norm kind, pz_axis axis, const pz_tensor* x, pz_tensor* out);
  /* out = sum of x * y along the axis. */
  pz_status (*dot)(pz_call* c, pz_axis axis, const pz_tensor* x, const pz_tensor* y,
                   pz_tensor* out);
  /* y = x with column j (PZ_OVER_ROWS), row i (PZ_OVER_COLS) or matrix (PZ_OVER_BOTH)
     multiplied by its entry of d, shaped as a reduction over that axis. y may be x. */
  pz_status (*scale_by)(pz_call* c, pz_axis axis, const pz_tensor* d, const pz_tensor* x,
                        pz_tensor* y);

  /* -- products -- */

  /* y = alpha op(a) op(b) + beta y; beta = 0 does not read y. */
  pz_status (*gemm)(pz_call* c, pz_trans ta, pz_trans tb, double alpha, const pz_tensor* a,
                    const pz_tensor* b, double beta, pz_tensor* y);
  /* y = alpha op(a) op(a)^T + beta y, both triangles written; y symmetric if beta != 0. */
  pz_status (*syrk)(pz_call* c, pz_trans ta, double alpha, const pz_tensor* a, double beta,
                    pz_tensor* y);
  /* b = alpha op(t) b (PZ_LEFT) or alpha b op(t) (PZ_RIGHT), t triangular. */
  pz_status (*trmm)(pz_call* c, pz_side side, pz_triangle triangle, pz_trans tt,
                    pz_diagonal diagonal, double alpha, const pz_tensor* t, pz_tensor* b);
  /* b = alpha op(t)^-1 b or alpha b op(t)^-1. A zero on the diagonal is PZ_SINGULAR. */
  pz_status (*trsm)(pz_call* c, pz_side side, pz_triangle triangle, pz_trans tt,
                    pz_diagonal diagonal, double alpha, const pz_tensor* t, pz_tensor* b);

  /* -- inverses and factorizations. The result of a singular matrix is NaN, that of the others of the
        batch is right. In init, right_inverse, update, sample and residual the operation returns
        PZ_SINGULAR with the matrix's index in the batch, so that the callback can decide on it; an
        asynchronous device is waited for. In forward, vjp, jvp and log_abs_det it returns PZ_OK, and
        the host hears of it later (pz_eval_check). Both are the same on every device. -- */

  /* y = alpha I + beta (gamma I + delta x)^-1. `in` is the structure of x. For PZ_SKEW with
     gamma != 0 there is no pivoting if growth stays small, otherwise there is. With PZ_BY_UPPER
     or PZ_BY_LOWER in `in`, only that triangle of x is read. */
  pz_status (*shifted_inverse)(pz_call* c, uint32_t in, const pz_shift* shift, const pz_tensor* x,
                               pz_tensor* y);
  /* x = a^-1 b. PZ_SPD in `in`, the structure of a, allows Cholesky; otherwise pivoted LU. */
  pz_status (*solve)(pz_call* c, uint32_t in, const pz_tensor* a, const pz_tensor* b, pz_tensor* x);
  /* a = l l^T (PZ_LOWER) or l^T l (PZ_UPPER). Only that triangle of a is read; the other one of
     l is zero. PZ_SINGULAR if a is not positive definite. */
  pz_status (*potrf)(pz_call* c, pz_triangle triangle, const pz_tensor* a, pz_tensor* l);
  /* a = q r, q (m x k) with orthonormal columns, r (k x n) upper triangular, k = min(m, n).
     q or r may be NULL. The signs of r's diagonal are not defined. */
  pz_status (*qr)(pz_call* c, const pz_tensor* a, pz_tensor* q, pz_tensor* r);
  /* a = v diag(w) v^T for exactly symmetric a, w (..., n) in ascending order; v may be NULL. */
  pz_status (*eigh)(pz_call* c, const pz_tensor* a, pz_tensor* w, pz_tensor* v);
  /* a = u diag(s) vt, s (..., k) in descending order, u (m x k), vt (k x n), k = min(m, n). u
     and vt are both given or both NULL. */
  pz_status (*svd)(pz_call* c, const pz_tensor* a, pz_tensor* u, pz_tensor* s, pz_tensor* vt);
  /* Real Schur form a = z t z^T: t quasi upper triangular with standardized 2 x 2 blocks,
     z orthogonal. Computed on the host for every device. */
  pz_status (*schur)(pz_call* c, const pz_tensor* a, pz_tensor* t, pz_tensor* z);

  /* -- rows by index; `index` is PZ_I64, one-dimensional, on the device -- */

  /* y[.., i, :] = x[.., index[i], :]. */
  pz_status (*take)(pz_call* c, const pz_tensor* index, const pz_tensor* x, pz_tensor* y);
  /* y[.., index[i], :] = x[.., i, :], or += with accumulate. Of repeated indices the last one
     counts; with accumulate they add up. Indices out of range are PZ_INVALID, in take too. */
  pz_status (*put)(pz_call* c, bool accumulate, const pz_tensor* index, const pz_tensor* x,
                   pz_tensor* y);

  /* -- random numbers: Philox4x32-10 (Salmon et al. 2011), the same on every device. Its
        key is `key`, its counter the 64-bit block number, both low 32 bits first, upper
        counter words 0. Element e of y in C order has the 64-bit word w made of lanes
        2(e mod 2) (low half) and 2(e mod 2) + 1 (high half) of block first + e/2, modulo
        2^64. With >> the logical shift and lo, hi the halves of w:
          PZ_BITS       w
          PZ_BERNOULLI  1 if (w >> 11) < ceil(a 2^53), a clamped to [0, 1] (NaN is 0); the
                        same mask for both dtypes
          PZ_UNIFORM    a + (b - a) u, u = (w >> 11) 2^-53 for PZ_F64, (w >> 40) 2^-24 for
                        PZ_F32; rounding may reach b where the range is not [0, 1)
          PZ_NORMAL     a + b sqrt(-2 ln((lo + 1/2) 2^-32)) cos(2 pi hi 2^-32), to rounding
                        in y's dtype (|z| < 6.8) -- */
  pz_status (*random)(pz_call* c, pz_distribution kind, uint64_t key, uint64_t first, double a,
                      double b, pz_tensor* y);

  /* -- portable kernels (kernel.h), for items 0 .. n_items-1. Tensors are contiguous, of one
        dtype, and may be the same tensor; NULL for an argument that no item uses -- */
  pz_status (*launch)(pz_call* c, const pz_kernel* kernel, int64_t n_items,
                      const pz_tensor* const* tensors, const double* reals,
                      const int64_t* integers);

  /* -- kernels over rows (row_kernel.h). Tensors are contiguous and of one dtype; outputs overlap no
        other tensor. `dim` is one of the tensor with most dimensions, negative: from the last. The
        others have the same extents in the dimensions that count the rows, or only those
        dimensions, for one number per row; an input may have 1 in all of them: one row for all.
        Rows may have any length. An input without data is zero. An output without data is computed
        and discarded -- */
  pz_status (*launch_rows)(pz_call* c, const pz_row_kernel* kernel, pz_row_kind kind, int32_t dim,
                           const pz_tensor* const* inputs, pz_tensor* const* outputs,
                           const double* reals, const int64_t* integers);

  /* -- to the host and back. Both wait for the device, so use few of them: a fixed number per
        batch, never one per matrix. `read` converts every element of x, in C order, to double,
        and `write` converts back; both accept PZ_I64 -- */
  pz_status (*read)(pz_call* c, const pz_tensor* x, double* out);
  pz_status (*write)(pz_call* c, const double* in, pz_tensor* y);

  /* -- the adjoint of shifted_inverse, from its result y: gx = -(delta / beta) N^T gy N^T with
        N = y - alpha I; beta is not 0, gamma is not used. If `in` is PZ_SKEW, only the skew part
        of gx is defined. With PZ_BY_UPPER or PZ_BY_LOWER in `in`, gx is the gradient with
        respect to that triangle: fold_adjoint of the above -- */
  pz_status (*shifted_inverse_adjoint)(pz_call* c, uint32_t in, const pz_shift* shift,
                                       const pz_tensor* y, const pz_tensor* gy, pz_tensor* gx);

  /* -- the exponential of square matrices up to PZ_EXPONENTIAL_ORDER, on devices that compute it in
        one pass. Otherwise PZ_UNSUPPORTED before anything is done, and never a composition or the
        host: a parametrization that saves for its adjoint is faster -- */

  /* y = exp x, with an error of a few n eps. `in` is the structure of x: PZ_SYMMETRIC and PZ_SPD make y
     exactly symmetric, PZ_SKEW makes it orthogonal up to rounding. */
  pz_status (*exponential)(pz_call* c, uint32_t in, const pz_tensor* x, pz_tensor* y);
  /* gx = L(x^T, gy), where L(a, e) is the derivative of exp at a in the direction e. For PZ_SKEW,
     PZ_SYMMETRIC and PZ_SPD only the skew or symmetric part of gx is defined. */
  pz_status (*exponential_adjoint)(pz_call* c, uint32_t in, const pz_tensor* x, const pz_tensor* gy,
                                   pz_tensor* gx);
};

/* ---- shorthand: every operation as a call of its own, with the arguments of pz_ops ---------- */

#define pz_copy(c, ...) (((c)->ops->copy)((c), __VA_ARGS__))
#define pz_fill(c, ...) (((c)->ops->fill)((c), __VA_ARGS__))
#define pz_axpby(c, ...) (((c)->ops->axpby)((c), __VA_ARGS__))
#define pz_scale(c, ...) (((c)->ops->scale)((c), __VA_ARGS__))
#define pz_hadamard(c, ...) (((c)->ops->hadamard)((c), __VA_ARGS__))
#define pz_combine(c, ...) (((c)->ops->combine)((c), __VA_ARGS__))
#define pz_add_identity(c, ...) (((c)->ops->add_identity)((c), __VA_ARGS__))
#define pz_fold(c, ...) (((c)->ops->fold)((c), __VA_ARGS__))
#define pz_fold_adjoint(c, ...) (((c)->ops->fold_adjoint)((c), __VA_ARGS__))
#define pz_symmetrize(c, ...) (((c)->ops->symmetrize)((c), __VA_ARGS__))
#define pz_triangle(c, ...) (((c)->ops->triangle)((c), __VA_ARGS__))
#define pz_get_diagonal(c, ...) (((c)->ops->get_diagonal)((c), __VA_ARGS__))
#define pz_set_diagonal(c, ...) (((c)->ops->set_diagonal)((c), __VA_ARGS__))
#define pz_norm(c, ...) (((c)->ops->norm)((c), __VA_ARGS__))
#define pz_dot(c, ...) (((c)->ops->dot)((c), __VA_ARGS__))
#define pz_scale_by(c, ...) (((c)->ops->scale_by)((c), __VA_ARGS__))
#define pz_gemm(c, ...) (((c)->ops->gemm)((c), __VA_ARGS__))
#define pz_syrk(c, ...) (((c)->ops->syrk)((c), __VA_ARGS__))
#define pz_trmm(c, ...) (((c)->ops->trmm)((c), __VA_ARGS__))
#define pz_trsm(c, ...) (((c)->ops->trsm)((c), __VA_ARGS__))
#define pz_shifted_inverse(c, ...) (((c)->ops->shifted_inverse)((c), __VA_ARGS__))
#define pz_solve(c, ...) (((c)->ops->solve)((c), __VA_ARGS__))
#define pz_potrf(c, ...) (((c)->ops->potrf)((c), __VA_ARGS__))
#define pz_qr(c, ...) (((c)->ops->qr)((c), __VA_ARGS__))
#define pz_eigh(c, ...) (((c)->ops->eigh)((c), __VA_ARGS__))
#define pz_svd(c, ...) (((c)->ops->svd)((c), __VA_ARGS__))
#define pz_schur(c, ...) (((c)->ops->schur)((c), __VA_ARGS__))
#define pz_take(c, ...) (((c)->ops->take)((c), __VA_ARGS__))
#define pz_put(c, ...) (((c)->ops->put)((c), __VA_ARGS__))
#define pz_random(c, ...) (((c)->ops->random)((c), __VA_ARGS__))
#define pz_launch(c, ...) (((c)->ops->launch)((c), __VA_ARGS__))
#define pz_launch_rows(c, ...) (((c)->ops->launch_rows)((c), __VA_ARGS__))
#define pz_read(c, ...) (((c)->ops->read)((c), __VA_ARGS__))
#define pz_write(c, ...) (((c)->ops->write)((c), __VA_ARGS__))
#define pz_shifted_inverse_adjoint(c, ...) (((c)->ops->shifted_inverse_adjoint)((c), __VA_ARGS__))
#define pz_exponential(c, ...) (((c)->ops->exponential)((c), __VA_ARGS__))
#define pz_exponential_adjoint(c, ...) (((c)->ops->exponential_adjoint)((c), __VA_ARGS__))

PZ_END_DECLS

#endif /* PARAMETRIZE_OPS_H */
