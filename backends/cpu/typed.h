/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The element type and the instructions of one compilation. Every typed source is compiled
   for both types, CPU_REAL_BITS 32 and 64, and for each set of instructions that the
   architecture may have, CPU_ISA (isa.c). `real` is then float or double, and names that cross
   files carry both: TYPED(gemm) is cpu_gemm_f32_avx2, say. */

#ifndef CPU_TYPED_H
#define CPU_TYPED_H

#include "cpu.h"

#include <cblas.h>
#include <lapacke.h>

#include <float.h>
#include <limits.h>
#include <math.h>

#if CPU_REAL_BITS == 32
typedef float real;
#define BLAS(name) cblas_s##name
#define LAPACK(name) LAPACKE_s##name##_work
#define SQRT sqrtf
#define REAL_EPSILON FLT_EPSILON
#define REAL_DTYPE PZ_F32
#elif CPU_REAL_BITS == 64
typedef double real;
#define BLAS(name) cblas_d##name
#define LAPACK(name) LAPACKE_d##name##_work
#define SQRT sqrt
#define REAL_EPSILON DBL_EPSILON
#define REAL_DTYPE PZ_F64
#else
#error "CPU_REAL_BITS is 32 or 64"
#endif

#define TYPED_NAME(name, bits, isa) cpu_##name##_f##bits##_##isa
#define TYPED_EXPANDED(name, bits, isa) TYPED_NAME(name, bits, isa)
#define TYPED(name) TYPED_EXPANDED(name, CPU_REAL_BITS, CPU_ISA)

/* Compiled for matrices up to this order as loops of our own instead of library calls. */
enum { TINY = 16 };

/* Batches of matrices up to this order go across lanes where that pays. */
enum { CPU_LANES_MOST = 32 };

/* Products up to this order are never BLAS's; batches of even smaller ones go across lanes. */
enum { CPU_SMALL_PRODUCT = 32, CPU_LANE_PRODUCT = 8 };

/* Four neighbouring entries, for arithmetic that is to stay in registers; and the same as
   they lie anywhere among others, for loads and stores through a pointer. */
typedef real quad __attribute__((vector_size(4 * CPU_REAL_BITS / 8)));
typedef quad quad_in_place __attribute__((aligned(CPU_REAL_BITS / 8), may_alias));

/* Side of the square tiles in which passes cross runs. */
enum { TILE = 32 };

/* One matrix of a batch. */
typedef struct view {
  real* data;
  int64_t rows;
  int64_t cols;
  int64_t row_stride;
  int64_t col_stride;
} view;

static inline view
view_of(const pz_mat* const m, const int64_t k)
{
  const view v = {(real*)(void*)cpu_at(m, k), m->rows, m->cols, m->row_stride, m->col_stride};
  return v;
}

static inline pz_mat
mat_of(const view v)
{
  const pz_mat m = {.data = v.data,
                    .rows = v.rows,
                    .cols = v.cols,
                    .row_stride = v.row_stride,
                    .col_stride = v.col_stride,
                    .batch = 1,
                    .batch_stride = v.rows * v.cols,
                    .dtype = REAL_DTYPE};
  return m;
}

/* rows x cols, columns as runs, as LAPACK has it. */
static inline view
view_columns(real* const data, const int64_t rows, const int64_t cols)
{
  const view v = {data, rows, cols, 1, rows};
  return v;
}

static inline view
view_transposed(const view v)
{
  const view t = {v.data, v.cols, v.rows, v.col_stride, v.row_stride};
  return t;
}

/* A vector whose stride in the single direction says nothing, made dense there. */
static inline view
view_settled(view v)
{
  if (v.rows == 1) {
    v.row_stride = v.col_stride == 1 ? v.cols : 1;
  }
  if (v.cols == 1) {
    v.col_stride = v.row_stride == 1 ? v.rows : 1;
  }
  return v;
}

static inline int64_t
smaller(const int64_t a, const int64_t b)
{
  return a < b ? a : b;
}

static inline int64_t
larger(const int64_t a, const int64_t b)
{
  return a > b ? a : b;
}

/* Can BLAS's 32-bit integers count this matrix and its strides? */
static inline bool
fits_blas(const pz_mat* const m)
{
  return m->rows <= INT_MAX && m->cols <= INT_MAX && m->row_stride <= INT_MAX &&
         m->col_stride <= INT_MAX;
}

/* to_ji = from_ij, rows x cols entries of `from`; rows of both are runs, `..._step`
   apart. For tiles that the nearest cache holds. */
void TYPED(transpose)(int64_t rows, int64_t cols, const real* from, int64_t from_step, real* to,
                      int64_t to_step);

/* Asks for a tile of runs `step` apart before it is used: rows far apart in memory are not
   foreseen by the processor. */
static inline void
prefetch_tile(const int64_t rows, const int64_t cols, const real* const first, const int64_t step)
{
  enum { LINE = 64 / (CPU_REAL_BITS / 8) };
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; j += LINE) {
      __builtin_prefetch(first + i * step + j);
    }
  }
}

/* y = x by tiles, any layouts. */
void TYPED(view_copy)(view x, view y);

/* y = value everywhere. */
void TYPED(view_fill)(real value, view y);

/* Is every entry finite? With a triangle, of that triangle alone. */
bool TYPED(view_finite)(view x);
bool TYPED(triangle_finite)(pz_triangle triangle, view x);

/* y = alpha a b + beta y of order up to CPU_SMALL_PRODUCT, any strides; else false. */
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

/* Across lanes, batches of small matrices whose results are good at once; those whose flag is 1
   in the end are not, and are left to be done one by one. */
pz_status TYPED(potrf_lanes)(pz_backend_queue* q, pz_triangle triangle, const pz_mat* a,
                             const pz_mat* l, unsigned char* flags);
pz_status TYPED(eigh_lanes)(pz_backend_queue* q, const pz_mat* a, const pz_mat* w, const pz_mat* v,
                            unsigned char* flags);
pz_status TYPED(solve_lanes)(pz_backend_queue* q, uint32_t in, const pz_mat* a, const pz_mat* b,
                             const pz_mat* x, unsigned char* flags);

/* Triangular t applied to b across lanes; flags are those of a zero on the diagonal, whose b is
   lost. */
pz_status TYPED(trmm_lanes)(pz_backend_queue* q, pz_side side, pz_triangle triangle,
                            pz_diagonal diagonal, real alpha, const pz_mat* t, const pz_mat* b);
pz_status TYPED(trsm_lanes)(pz_backend_queue* q, pz_side side, pz_triangle triangle,
                            pz_diagonal diagonal, real alpha, const pz_mat* t, const pz_mat* b,
                            unsigned char* flags);

/* Matrix k of m as BLAS can take it: as it is, or packed into the slot. `data` is NULL where
   there is no memory for that. */
view TYPED(view_expressible)(pz_backend_queue* q, const pz_mat* m, int64_t k, cpu_slot slot);

/* y = alpha a b + beta y on strides that BLAS can express (pack first, products.c). */
void TYPED(view_gemm)(real alpha, view a, view b, real beta, view y);

/* b = alpha t^-1 b, likewise. */
void TYPED(view_trsm)(pz_triangle triangle, pz_diagonal diagonal, real alpha, view t, view b);

#define TYPED_OPERATION(name, ...) pz_status TYPED(name)(pz_backend_queue * q, __VA_ARGS__)

/* The operations, as in pz_backend_ops. */
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
TYPED_OPERATION(gemm, double alpha, const pz_mat* a, const pz_mat* b, double beta, const pz_mat* y);
TYPED_OPERATION(syrk, double alpha, const pz_mat* a, double beta, const pz_mat* y);
TYPED_OPERATION(trmm, pz_side side, pz_triangle triangle, pz_diagonal diagonal, double alpha,
                const pz_mat* t, const pz_mat* b);
TYPED_OPERATION(trsm, pz_side side, pz_triangle triangle, pz_diagonal diagonal, double alpha,
                const pz_mat* t, const pz_mat* b, const pz_fault* fault);
TYPED_OPERATION(shifted_inverse, uint32_t in, double alpha, double beta, double gamma, double delta,
                const pz_mat* x, const pz_mat* y, const pz_fault* fault);
TYPED_OPERATION(solve, uint32_t in, const pz_mat* a, const pz_mat* b, const pz_mat* x,
                const pz_fault* fault);
TYPED_OPERATION(potrf, pz_triangle triangle, const pz_mat* a, const pz_mat* l,
                const pz_fault* fault);
TYPED_OPERATION(qr, const pz_mat* a, const pz_mat* basis, const pz_mat* r);
TYPED_OPERATION(eigh, const pz_mat* a, const pz_mat* w, const pz_mat* v, const pz_fault* fault);
TYPED_OPERATION(svd, const pz_mat* a, const pz_mat* u, const pz_mat* s, const pz_mat* vt,
                const pz_fault* fault);
TYPED_OPERATION(schur, const pz_mat* a, const pz_mat* t, const pz_mat* z, const pz_fault* fault);
TYPED_OPERATION(take, const pz_mat* index, const pz_mat* x, const pz_mat* y, const pz_fault* fault);
TYPED_OPERATION(put, bool accumulate, const pz_mat* index, const pz_mat* x, const pz_mat* y,
                const pz_fault* fault);
TYPED_OPERATION(random, pz_distribution kind, uint64_t key, uint64_t first, double a, double b,
                const pz_mat* y);
TYPED_OPERATION(launch, const pz_kernel* kernel, int64_t n_items, const pz_mat* tensors,
                const double* reals, const int64_t* integers);

TYPED_OPERATION(shifted_inverse_adjoint, uint32_t in, double alpha, double beta, double delta,
                const pz_mat* y, const pz_mat* gy, const pz_mat* gx);

TYPED_OPERATION(exponential, uint32_t in, uint32_t n, const pz_polynomial* p, const pz_mat* x,
                const pz_mat* y);
TYPED_OPERATION(exponential_adjoint, uint32_t in, uint32_t n, const pz_polynomial* p,
                const pz_mat* x, const pz_mat* gy, const pz_mat* gx);

#endif /* CPU_TYPED_H */
