/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The reference backend: every operation as plain C loops, there to be read and believed.

   One source serves both dtypes: entries are read as double, all arithmetic is done in
   double, and results are rounded once, when they are stored. For float32 operands the
   result is therefore the exact one to rounding, which makes it an oracle.

   Structured passes and reductions walk the operands where they lie. Everything from
   products on loads one matrix after the other into row-major scratch, works there and
   stores the result, so strides, offsets and aliasing concern two functions only. */

#ifndef PZI_REFERENCE_H
#define PZI_REFERENCE_H

#include <parametrize/backend.h>

#include <stdint.h>

/* Scratch only grows and is used by one operation at a time. */
struct pz_backend_queue {
  const pz_backend_host* host;
  double* scratch;
  size_t scratch_bytes;
};

/* Where entry (i, j) of matrix k lies. */
static inline void*
pzi_reference_place(const pz_mat* const m, const int64_t k, const int64_t i, const int64_t j)
{
  const int64_t element = k * m->batch_stride + i * m->row_stride + j * m->col_stride;
  return (char*)m->data + m->byte_offset + (uint64_t)element * pz_dtype_size(m->dtype);
}

static inline double
pzi_reference_get(const pz_mat* const m, const int64_t k, const int64_t i, const int64_t j)
{
  const void* const place = pzi_reference_place(m, k, i, j);
  return m->dtype == PZ_F32 ? (double)*(const float*)place : *(const double*)place;
}

static inline void
pzi_reference_put(const pz_mat* const m, const int64_t k, const int64_t i, const int64_t j,
                  const double value)
{
  void* const place = pzi_reference_place(m, k, i, j);
  if (m->dtype == PZ_F32) {
    *(float*)place = (float)value;
  } else {
    *(double*)place = value;
  }
}

/* Room for `count` doubles, uninitialized, until the next call. */
pz_status pzi_reference_scratch(pz_backend_queue* q, int64_t count, double** out);

/* Matrix k to and from rows * cols doubles, row-major; and NaN into all of it. */
void pzi_reference_load(const pz_mat* m, int64_t k, double* out);
void pzi_reference_store(const double* in, const pz_mat* m, int64_t k);
void pzi_reference_store_nan(const pz_mat* m, int64_t k);

/* Multiplies `count` numbers by a power of two such that the largest magnitude lies in
   [1/2, 1), so that squares neither overflow nor vanish, and sets the exponent that
   ldexp undoes it with; zeros stay. False where an entry is not finite. */
bool pzi_reference_normalize(int64_t count, double* a, int* exponent);

/* b <- a^-1 b by elimination with partial pivoting; a (n x n) is destroyed, b is n x m.
   False where a pivot is exactly zero. */
bool pzi_reference_eliminate(int64_t n, int64_t m, double* a, double* b);

/* Refuses with the place of the singular matrix. */
pz_status pzi_reference_singular(pz_backend_queue* q, int64_t k);

/* The entries of the table, by file. */

/* elementwise.c */
pz_status pzi_reference_copy(pz_backend_queue* q, const pz_mat* x, const pz_mat* y);
pz_status pzi_reference_fill(pz_backend_queue* q, double value, const pz_mat* y);
pz_status pzi_reference_axpby(pz_backend_queue* q, double a, const pz_mat* x, double b,
                              const pz_mat* y);
pz_status pzi_reference_scale(pz_backend_queue* q, double a, const pz_mat* y);
pz_status pzi_reference_hadamard(pz_backend_queue* q, double a, const pz_mat* x, const pz_mat* y,
                                 double b, const pz_mat* z);
pz_status pzi_reference_combine(pz_backend_queue* q, double shift, uint32_t n, const double* a,
                                const pz_mat* x, const pz_mat* y);
pz_status pzi_reference_add_identity(pz_backend_queue* q, double a, const pz_mat* y);

/* structured.c */
pz_status pzi_reference_fold(pz_backend_queue* q, pz_triangle triangle, int sign, const pz_mat* x,
                             const pz_mat* y);
pz_status pzi_reference_fold_adjoint(pz_backend_queue* q, pz_triangle triangle, int sign,
                                     const pz_mat* g, const pz_mat* gx);
pz_status pzi_reference_symmetrize(pz_backend_queue* q, double a, int sign, const pz_mat* x,
                                   const pz_mat* y);
pz_status pzi_reference_triangle(pz_backend_queue* q, pz_triangle triangle, int64_t offset,
                                 const pz_mat* x, const pz_mat* y);
pz_status pzi_reference_get_diagonal(pz_backend_queue* q, const pz_mat* x, const pz_mat* d);
pz_status pzi_reference_set_diagonal(pz_backend_queue* q, const pz_mat* d, const pz_mat* y);

/* reductions.c */
pz_status pzi_reference_norm(pz_backend_queue* q, pz_norm kind, pz_axis axis, const pz_mat* x,
                             const pz_mat* out);
pz_status pzi_reference_dot(pz_backend_queue* q, pz_axis axis, const pz_mat* x, const pz_mat* y,
                            const pz_mat* out);
pz_status pzi_reference_scale_by(pz_backend_queue* q, pz_axis axis, const pz_mat* d,
                                 const pz_mat* x, const pz_mat* y);

/* products.c */
pz_status pzi_reference_gemm(pz_backend_queue* q, double alpha, const pz_mat* a, const pz_mat* b,
                             double beta, const pz_mat* y);
pz_status pzi_reference_syrk(pz_backend_queue* q, double alpha, const pz_mat* a, double beta,
                             const pz_mat* y);
pz_status pzi_reference_trmm(pz_backend_queue* q, pz_side side, pz_triangle triangle,
                             pz_diagonal diagonal, double alpha, const pz_mat* t, const pz_mat* b);
pz_status pzi_reference_trsm(pz_backend_queue* q, pz_side side, pz_triangle triangle,
                             pz_diagonal diagonal, double alpha, const pz_mat* t, const pz_mat* b,
                             const pz_fault* fault);

/* exponential.c */
pz_status pzi_reference_exponential(pz_backend_queue* q, uint32_t in, const pz_mat* x,
                                    const pz_mat* y);
pz_status pzi_reference_exponential_adjoint(pz_backend_queue* q, uint32_t in, const pz_mat* x,
                                            const pz_mat* gy, const pz_mat* gx);

/* inverse.c */
pz_status pzi_reference_shifted_inverse(pz_backend_queue* q, uint32_t in, double alpha, double beta,
                                        double gamma, double delta, const pz_mat* x,
                                        const pz_mat* y, const pz_fault* fault);
pz_status pzi_reference_shifted_inverse_adjoint(pz_backend_queue* q, uint32_t in, double alpha,
                                                double beta, double delta, const pz_mat* y,
                                                const pz_mat* gy, const pz_mat* gx);
pz_status pzi_reference_solve(pz_backend_queue* q, uint32_t in, const pz_mat* a, const pz_mat* b,
                              const pz_mat* x, const pz_fault* fault);
pz_status pzi_reference_potrf(pz_backend_queue* q, pz_triangle triangle, const pz_mat* a,
                              const pz_mat* l, const pz_fault* fault);

/* qr.c, eigh.c, svd.c */
pz_status pzi_reference_qr(pz_backend_queue* q, const pz_mat* a, const pz_mat* basis,
                           const pz_mat* r);
pz_status pzi_reference_eigh(pz_backend_queue* q, const pz_mat* a, const pz_mat* w, const pz_mat* v,
                             const pz_fault* fault);
pz_status pzi_reference_svd(pz_backend_queue* q, const pz_mat* a, const pz_mat* u, const pz_mat* s,
                            const pz_mat* vt, const pz_fault* fault);

/* rows.c */
pz_status pzi_reference_take(pz_backend_queue* q, const pz_mat* index, const pz_mat* x,
                             const pz_mat* y, const pz_fault* fault);
pz_status pzi_reference_put_rows(pz_backend_queue* q, bool accumulate, const pz_mat* index,
                                 const pz_mat* x, const pz_mat* y, const pz_fault* fault);

/* random.c */
pz_status pzi_reference_random(pz_backend_queue* q, pz_distribution kind, uint64_t key,
                               uint64_t first, double a, double b, const pz_mat* y);

#endif /* PZI_REFERENCE_H */
