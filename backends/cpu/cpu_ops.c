/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The operations as core calls them: each goes to the table of its operands' dtype. */

#include "cpu_ops.h"

#include "scratch.h"

/* 64-bit integers are copied, and filled with random bits, as numbers of 64 bits. */
static const pz_backend_ops*
table_of(const pz_backend_queue* const q, const pz_mat* const m)
{
  return m->dtype == PZ_F32 ? q->f32 : q->f64;
}

static pz_status
copy(pz_backend_queue* const q, const pz_mat* const x, const pz_mat* const y)
{
  return table_of(q, y)->copy(q, x, y);
}

static pz_status
fill(pz_backend_queue* const q, const double value, const pz_mat* const y)
{
  return table_of(q, y)->fill(q, value, y);
}

static pz_status
axpby(pz_backend_queue* const q, const double a, const pz_mat* const x, const double b,
      const pz_mat* const y)
{
  return table_of(q, y)->axpby(q, a, x, b, y);
}

static pz_status
scale(pz_backend_queue* const q, const double a, const pz_mat* const y)
{
  return table_of(q, y)->scale(q, a, y);
}

static pz_status
hadamard(pz_backend_queue* const q, const double a, const pz_mat* const x, const pz_mat* const y,
         const double b, const pz_mat* const z)
{
  return table_of(q, z)->hadamard(q, a, x, y, b, z);
}

static pz_status
combine(pz_backend_queue* const q, const double shift, const uint32_t n, const double* const a,
        const pz_mat* const x, const pz_mat* const y)
{
  return table_of(q, y)->combine(q, shift, n, a, x, y);
}

static pz_status
add_identity(pz_backend_queue* const q, const double a, const pz_mat* const y)
{
  return table_of(q, y)->add_identity(q, a, y);
}

static pz_status
fold(pz_backend_queue* const q, const pz_triangle triangle, const int sign, const pz_mat* const x,
     const pz_mat* const y)
{
  return table_of(q, y)->fold(q, triangle, sign, x, y);
}

static pz_status
fold_adjoint(pz_backend_queue* const q, const pz_triangle triangle, const int sign,
             const pz_mat* const g, const pz_mat* const gx)
{
  return table_of(q, gx)->fold_adjoint(q, triangle, sign, g, gx);
}

static pz_status
symmetrize(pz_backend_queue* const q, const double a, const int sign, const pz_mat* const x,
           const pz_mat* const y)
{
  return table_of(q, y)->symmetrize(q, a, sign, x, y);
}

static pz_status
triangle(pz_backend_queue* const q, const pz_triangle which, const int64_t offset,
         const pz_mat* const x, const pz_mat* const y)
{
  return table_of(q, y)->triangle(q, which, offset, x, y);
}

static pz_status
get_diagonal(pz_backend_queue* const q, const pz_mat* const x, const pz_mat* const d)
{
  return table_of(q, d)->get_diagonal(q, x, d);
}

static pz_status
set_diagonal(pz_backend_queue* const q, const pz_mat* const d, const pz_mat* const y)
{
  return table_of(q, y)->set_diagonal(q, d, y);
}

static pz_status
norm(pz_backend_queue* const q, const pz_norm kind, const pz_axis axis, const pz_mat* const x,
     const pz_mat* const out)
{
  return table_of(q, out)->norm(q, kind, axis, x, out);
}

static pz_status
dot(pz_backend_queue* const q, const pz_axis axis, const pz_mat* const x, const pz_mat* const y,
    const pz_mat* const out)
{
  return table_of(q, out)->dot(q, axis, x, y, out);
}

static pz_status
scale_by(pz_backend_queue* const q, const pz_axis axis, const pz_mat* const d,
         const pz_mat* const x, const pz_mat* const y)
{
  return table_of(q, y)->scale_by(q, axis, d, x, y);
}

static pz_status
gemm(pz_backend_queue* const q, const double alpha, const pz_mat* const a, const pz_mat* const b,
     const double beta, const pz_mat* const y)
{
  return table_of(q, y)->gemm(q, alpha, a, b, beta, y);
}

static pz_status
syrk(pz_backend_queue* const q, const double alpha, const pz_mat* const a, const double beta,
     const pz_mat* const y)
{
  return table_of(q, y)->syrk(q, alpha, a, beta, y);
}

static pz_status
trmm(pz_backend_queue* const q, const pz_side side, const pz_triangle which,
     const pz_diagonal diagonal, const double alpha, const pz_mat* const t, const pz_mat* const b)
{
  return table_of(q, b)->trmm(q, side, which, diagonal, alpha, t, b);
}

static pz_status
trsm(pz_backend_queue* const q, const pz_side side, const pz_triangle which,
     const pz_diagonal diagonal, const double alpha, const pz_mat* const t, const pz_mat* const b,
     const pz_fault* const fault)
{
  return table_of(q, b)->trsm(q, side, which, diagonal, alpha, t, b, fault);
}

static pz_status
shifted_inverse(pz_backend_queue* const q, const uint32_t in, const double alpha, const double beta,
                const double gamma, const double delta, const pz_mat* const x,
                const pz_mat* const y, const pz_fault* const fault)
{
  return table_of(q, y)->shifted_inverse(q, in, alpha, beta, gamma, delta, x, y, fault);
}

static pz_status
solve(pz_backend_queue* const q, const uint32_t in, const pz_mat* const a, const pz_mat* const b,
      const pz_mat* const x, const pz_fault* const fault)
{
  return table_of(q, x)->solve(q, in, a, b, x, fault);
}

static pz_status
potrf(pz_backend_queue* const q, const pz_triangle which, const pz_mat* const a,
      const pz_mat* const l, const pz_fault* const fault)
{
  return table_of(q, l)->potrf(q, which, a, l, fault);
}

static pz_status
qr(pz_backend_queue* const q, const pz_mat* const a, const pz_mat* const basis,
   const pz_mat* const r)
{
  return table_of(q, a)->qr(q, a, basis, r);
}

static pz_status
eigh(pz_backend_queue* const q, const pz_mat* const a, const pz_mat* const w, const pz_mat* const v,
     const pz_fault* const fault)
{
  return table_of(q, a)->eigh(q, a, w, v, fault);
}

static pz_status
svd(pz_backend_queue* const q, const pz_mat* const a, const pz_mat* const u, const pz_mat* const s,
    const pz_mat* const vt, const pz_fault* const fault)
{
  return table_of(q, a)->svd(q, a, u, s, vt, fault);
}

static pz_status
schur(pz_backend_queue* const q, const pz_mat* const a, const pz_mat* const t,
      const pz_mat* const z, const pz_fault* const fault)
{
  return table_of(q, a)->schur(q, a, t, z, fault);
}

static pz_status
take(pz_backend_queue* const q, const pz_mat* const index, const pz_mat* const x,
     const pz_mat* const y, const pz_fault* const fault)
{
  return table_of(q, y)->take(q, index, x, y, fault);
}

static pz_status
put(pz_backend_queue* const q, const bool accumulate, const pz_mat* const index,
    const pz_mat* const x, const pz_mat* const y, const pz_fault* const fault)
{
  return table_of(q, y)->put(q, accumulate, index, x, y, fault);
}

static pz_status
random_numbers(pz_backend_queue* const q, const pz_distribution kind, const uint64_t key,
               const uint64_t first, const double a, const double b, const pz_mat* const y)
{
  return table_of(q, y)->random(q, kind, key, first, a, b, y);
}

/* An argument that is used nowhere has no data and says nothing of the dtype. */
static pz_status
launch(pz_backend_queue* const q, const pz_kernel* const kernel, const int64_t n_items,
       const pz_mat* const tensors, const double* const reals, const int64_t* const integers)
{
  for (uint32_t k = 0; k < kernel->n_tensors; ++k) {
    if (tensors[k].data) {
      return table_of(q, &tensors[k])->launch(q, kernel, n_items, tensors, reals, integers);
    }
  }
  return q->host->fail(PZ_INVALID, "kernel \"%s\" has no tensor to work on", kernel->name);
}

static pz_status
shifted_inverse_adjoint(pz_backend_queue* const q, const uint32_t in, const double alpha,
                        const double beta, const double delta, const pz_mat* const y,
                        const pz_mat* const gy, const pz_mat* const gx)
{
  return table_of(q, gx)->shifted_inverse_adjoint(q, in, alpha, beta, delta, y, gy, gx);
}

static pz_status
exponential(pz_backend_queue* const q, const uint32_t in, const uint32_t n,
            const pz_polynomial* const p, const pz_mat* const x, const pz_mat* const y)
{
  return table_of(q, y)->exponential(q, in, n, p, x, y);
}

static pz_status
exponential_adjoint(pz_backend_queue* const q, const uint32_t in, const uint32_t n,
                    const pz_polynomial* const p, const pz_mat* const x, const pz_mat* const gy,
                    const pz_mat* const gx)
{
  return table_of(q, gx)->exponential_adjoint(q, in, n, p, x, gy, gx);
}

const pz_backend_ops cpu_ops = {
    .size = sizeof(pz_backend_ops),
    .copy = copy,
    .fill = fill,
    .axpby = axpby,
    .scale = scale,
    .hadamard = hadamard,
    .combine = combine,
    .add_identity = add_identity,
    .fold = fold,
    .fold_adjoint = fold_adjoint,
    .symmetrize = symmetrize,
    .triangle = triangle,
    .get_diagonal = get_diagonal,
    .set_diagonal = set_diagonal,
    .norm = norm,
    .dot = dot,
    .scale_by = scale_by,
    .gemm = gemm,
    .syrk = syrk,
    .trmm = trmm,
    .trsm = trsm,
    .shifted_inverse = shifted_inverse,
    .solve = solve,
    .potrf = potrf,
    .qr = qr,
    .eigh = eigh,
    .svd = svd,
    .schur = schur,
    .take = take,
    .put = put,
    .random = random_numbers,
    .launch = launch,
    .shifted_inverse_adjoint = shifted_inverse_adjoint,
    .exponential = exponential,
    .exponential_adjoint = exponential_adjoint,
};
