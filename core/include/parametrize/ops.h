/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The operations on tensors that a parametrization is written with, the same on every
   device. Include <parametrize/plugin.h>. */

#ifndef PARAMETRIZE_OPS_H
#define PARAMETRIZE_OPS_H

#include <parametrize/kernel.h>
#include <parametrize/types.h>

PZ_BEGIN_DECLS

typedef struct pz_call pz_call; /* plugin.h */
typedef struct pz_ops pz_ops;

/* All act on the last two dimensions, batched over the others, on tensors of one dtype
   (PZ_F32 or PZ_F64) unless said. Operands may be strided views (below) of host-given
   tensors; outputs must not overlap inputs unless said. Shapes are checked: a wrong one
   is PZ_MISMATCH. Empty tensors are legal everywhere. NaN and Inf propagate, but for a
   coefficient that is exactly 0 (a, alpha, b, beta), which leaves its operand unread. */

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
  PZ_NORM_TWO = 2, /* root of the sum of squares, without needless overflow */
  PZ_NORM_MAX = 3, /* largest magnitude; NaN if any is NaN */
} pz_norm;

typedef enum pz_distribution {
  PZ_BITS = 0,      /* y is PZ_I64: raw 64-bit words */
  PZ_UNIFORM = 1,   /* a + (b - a) u, u in [0, 1) */
  PZ_NORMAL = 2,    /* mean a, standard deviation b */
  PZ_BERNOULLI = 3, /* 1 with probability a, else 0; b unused */
} pz_distribution;

enum {
  PZ_POLYNOMIAL_PRODUCTS = 5, /* the most of one polynomial */
  PZ_EXPONENTIAL_ORDER = 32,  /* the largest of matrices that `exponential` takes */
};

/* A polynomial of square matrices X in few products. With v[0] = I and v[1] = X,

     v[k+2] = (sum of left[k][j] v[j]) (sum of right[k][j] v[j]),  j < k + 2
     value  = sum of last[j] v[j] + the last product,              j < products + 1

   so the last product is needed by nothing but the value. Frozen for the major. */
typedef struct pz_polynomial {
  int32_t products; /* 0 to PZ_POLYNOMIAL_PRODUCTS */
  int32_t degree;
  double bound[2]; /* the norm of X up to which it serves, for f32 and f64 */
  double left[PZ_POLYNOMIAL_PRODUCTS][PZ_POLYNOMIAL_PRODUCTS + 1];
  double right[PZ_POLYNOMIAL_PRODUCTS][PZ_POLYNOMIAL_PRODUCTS + 1];
  double last[PZ_POLYNOMIAL_PRODUCTS + 1];
} pz_polynomial;

struct pz_ops {
  uint32_t size; /* sizeof(pz_ops) of the host */
  uint32_t reserved;

  /* -- elementwise, any equal shapes, any number of dimensions -- */

  /* y = x; x may have strides, or y. Both of any one dtype. */
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

  /* y = y + a I on the main diagonal of any m x n. */
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
  /* y = the entries of x with column - row >= offset (PZ_UPPER) or <= offset (PZ_LOWER),
     zero elsewhere; any m x n; y may be x. */
  pz_status (*triangle)(pz_call* c, pz_triangle triangle, int64_t offset, const pz_tensor* x,
                        pz_tensor* y);
  /* d = main diagonal of x, (..., min(m, n)); and the main diagonal of y = d. */
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

  /* -- inverses and factorizations; a singular matrix is PZ_SINGULAR naming its place
        in the batch, at once or, on an asynchronous device, at the next check, the
        result of that matrix being NaN until then -- */

  /* y = alpha I + beta (gamma I + delta x)^-1. `in` is what x is known to be: for
     PZ_SKEW with gamma != 0 no pivoting is needed where growth is small; anything else
     is pivoted. With PZ_BY_UPPER or PZ_BY_LOWER x is that triangle of itself. */
  pz_status (*shifted_inverse)(pz_call* c, uint32_t in, double alpha, double beta, double gamma,
                               double delta, const pz_tensor* x, pz_tensor* y);
  /* x = a^-1 b; `in` PZ_SPD allows Cholesky, anything else is pivoted LU. */
  pz_status (*solve)(pz_call* c, uint32_t in, const pz_tensor* a, const pz_tensor* b, pz_tensor* x);
  /* a = l l^T (PZ_LOWER) or l^T l (PZ_UPPER), the other triangle of l zero; only that
     triangle of a is read. Not positive definite: PZ_SINGULAR. */
  pz_status (*potrf)(pz_call* c, pz_triangle triangle, const pz_tensor* a, pz_tensor* l);
  /* a = q r, q (m x k) with orthonormal columns, r (k x n) upper triangular, k = min(m, n).
     q or r may be NULL. Signs of r's diagonal are the implementation's. */
  pz_status (*qr)(pz_call* c, const pz_tensor* a, pz_tensor* q, pz_tensor* r);
  /* a = v diag(w) v^T for exactly symmetric a, w (..., n) ascending; v may be NULL. */
  pz_status (*eigh)(pz_call* c, const pz_tensor* a, pz_tensor* w, pz_tensor* v);
  /* a = u diag(s) vt, s (..., k) descending, u (m x k), vt (k x n), k = min(m, n); u and vt
     are both given or both NULL. */
  pz_status (*svd)(pz_call* c, const pz_tensor* a, pz_tensor* u, pz_tensor* s, pz_tensor* vt);
  /* Real Schur form a = z t z^T: t quasi upper triangular with standardized 2 x 2 blocks,
     z orthogonal. Computed on the host on every device. */
  pz_status (*schur)(pz_call* c, const pz_tensor* a, pz_tensor* t, pz_tensor* z);

  /* -- rows by index; `index` is PZ_I64, one-dimensional, on the device -- */

  /* y[.., i, :] = x[.., index[i], :]. */
  pz_status (*take)(pz_call* c, const pz_tensor* index, const pz_tensor* x, pz_tensor* y);
  /* y[.., index[i], :] = x[.., i, :], or += with accumulate (repeated indices add up,
     without it the last one counts). Out-of-range indices are PZ_INVALID in both. */
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

  /* -- portable kernels: items 0 .. n_items-1, contiguous tensors of one dtype, which may
        be one another; NULL for an argument that the items do not touch -- */
  pz_status (*launch)(pz_call* c, const pz_kernel* kernel, int64_t n_items,
                      const pz_tensor* const* tensors, const double* reals,
                      const int64_t* integers);

  /* -- crossing to the host and back; both block. `read` converts every element of x to
        double in C order, `write` is its opposite; PZ_I64 converts too. A fixed few reads
        per batch, one if it can be, never one per matrix. -- */
  pz_status (*read)(pz_call* c, const pz_tensor* x, double* out);
  pz_status (*write)(pz_call* c, const double* in, pz_tensor* y);

  /* -- the adjoint of shifted_inverse, from its result y = alpha I + beta (gamma I + delta x)^-1
        alone: gx = -(delta / beta) N^T gy N^T with N = y - alpha I; beta is not 0. Where `in`
        is PZ_SKEW, any gx whose skew part is that one's. With PZ_BY_UPPER or PZ_BY_LOWER it is
        the gradient with respect to that triangle: fold_adjoint of the above. -- */
  pz_status (*shifted_inverse_adjoint)(pz_call* c, uint32_t in, double alpha, double beta,
                                       double delta, const pz_tensor* y, const pz_tensor* gy,
                                       pz_tensor* gx);

  /* -- the exponential of small square matrices in one pass, where the device has one of its
        own: else, and beyond PZ_EXPONENTIAL_ORDER, PZ_UNSUPPORTED before anything is done, never
        a composition or the host, since a map that may save for its adjoint does better. -- */

  /* y = p(x / 2^s)^(2^s) with the n polynomials p that approximate exp, in order of their
     bounds: for each matrix the first whose bound covers its norm and s = 0, else the last
     with s large enough. `in` is what x is known to be: PZ_SYMMETRIC and PZ_SPD make y exactly
     symmetric, PZ_SKEW orthogonal to rounding. */
  pz_status (*exponential)(pz_call* c, uint32_t in, uint32_t n, const pz_polynomial* p,
                           const pz_tensor* x, pz_tensor* y);
  /* gx = L(x^T, gy), L(a, e) the derivative of exp at a in the direction e: for PZ_SKEW,
     PZ_SYMMETRIC and PZ_SPD any gx whose skew or symmetric part is that one's. */
  pz_status (*exponential_adjoint)(pz_call* c, uint32_t in, uint32_t n, const pz_polynomial* p,
                                   const pz_tensor* x, const pz_tensor* gy, pz_tensor* gx);
};

PZ_END_DECLS

#endif /* PARAMETRIZE_OPS_H */
