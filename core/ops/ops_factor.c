/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Inverses and factorizations. */

#include "op_call.h"
#include "op_entries.h"
#include "op_table.h"
#include "status.h"

/* A factor of a given shape; NULL where the caller does not want it. */
static void
factor(pzi_op_call* const op, const char* const name, const int64_t rows, const int64_t cols,
       const pz_tensor* const tensor)
{
  if (!tensor) {
    pzi_op_call_absent(op);
    return;
  }
  pzi_op_call_matrix(op, name, PZI_WRITE, false, tensor);
  pzi_op_call_expect(op, op->request.n - 1, rows, cols);
}

static void
spectrum(pzi_op_call* const op, const char* const name, const int64_t n,
         const pz_tensor* const tensor)
{
  pzi_op_call_vector(op, name, PZI_WRITE, tensor);
  pzi_op_call_expect(op, op->request.n - 1, n, 1);
}

static int64_t
least_extent(const pzi_op_call* const op)
{
  const int64_t rows = pzi_op_call_rows(op, 0);
  const int64_t cols = pzi_op_call_cols(op, 0);
  return rows < cols ? rows : cols;
}

/* y = value I */
static pz_status
set_identity(pz_call* const c, const double value, pz_tensor* const y)
{
  PZ_TRY(pzi_ops_fill(c, 0.0, y));
  return pzi_ops_add_identity(c, value, y);
}

/* One triangle determines the matrix only where it is symmetric or skew. */
static void
check_structure(pzi_op_call* const op, const uint32_t in)
{
  const uint32_t by = in & PZ_BY_TRIANGLE;
  const uint32_t structure = in & ~(uint32_t)PZ_BY_TRIANGLE;
  if (by != 0 && (by == PZ_BY_TRIANGLE || (structure != PZ_SYMMETRIC && structure != PZ_SKEW))) {
    pzi_op_call_refuse(op, "found a triangle of something, expected one triangle of a symmetric or "
                           "skew matrix");
  }
}

pz_status
pzi_ops_shifted_inverse(pz_call* const c, const uint32_t in, const pz_shift* const shift,
                        const pz_tensor* const x, pz_tensor* const y)
{
  if (!shift) {
    return pzi_fail(PZ_INVALID, "shifted_inverse: found no coefficients");
  }
  const double alpha = shift->alpha;
  const double beta = shift->beta;
  const double gamma = shift->gamma;
  const double delta = shift->delta;
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_SHIFTED_INVERSE);
  pzi_op_call_matrix(&op, "x", PZI_READ, false, x);
  pzi_op_call_matrix(&op, "y", PZI_WRITE, false, y);
  pzi_op_call_expect_square(&op, 0);
  pzi_op_call_expect(&op, 1, pzi_op_call_rows(&op, 0), pzi_op_call_cols(&op, 0));
  check_structure(&op, in);
  op.request.which = (int)in;
  op.request.real[0] = alpha;
  op.request.real[1] = beta;
  op.request.real[2] = gamma;
  op.request.real[3] = delta;
  if (op.status == PZ_OK && beta == 0.0) {
    return set_identity(c, alpha, y);
  }
  if (op.status == PZ_OK && delta == 0.0) {
    return gamma != 0.0 || pz_count(y) == 0
               ? set_identity(c, alpha + beta / gamma, y)
               : pzi_fail(PZ_SINGULAR, "shifted_inverse: matrix 0 of the batch is singular");
  }
  return pzi_op_call_run(&op);
}

pz_status
pzi_ops_shifted_inverse_adjoint(pz_call* const c, const uint32_t in, const pz_shift* const shift,
                                const pz_tensor* const y, const pz_tensor* const gy,
                                pz_tensor* const gx)
{
  if (!shift) {
    return pzi_fail(PZ_INVALID, "shifted_inverse_adjoint: found no coefficients");
  }
  const double alpha = shift->alpha;
  const double beta = shift->beta;
  const double delta = shift->delta;
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_SHIFTED_INVERSE_ADJOINT);
  pzi_op_call_matrix(&op, "y", PZI_READ, false, y);
  pzi_op_call_matrix(&op, "gy", PZI_READ, false, gy);
  pzi_op_call_matrix(&op, "gx", PZI_WRITE, false, gx);
  pzi_op_call_expect_square(&op, 0);
  pzi_op_call_expect(&op, 1, pzi_op_call_rows(&op, 0), pzi_op_call_cols(&op, 0));
  pzi_op_call_expect(&op, 2, pzi_op_call_rows(&op, 0), pzi_op_call_cols(&op, 0));
  check_structure(&op, in);
  op.request.which = (int)in;
  op.request.real[0] = alpha;
  op.request.real[1] = beta;
  op.request.real[2] = delta;
  if (beta == 0.0) {
    pzi_op_call_refuse(&op, "found beta 0, of which nothing depends on x");
  }
  if (op.status == PZ_OK && delta == 0.0) {
    return pzi_ops_fill(c, 0.0, gx);
  }
  return pzi_op_call_run(&op);
}

/* x, gy (may be NULL) and out have one shape, of limited order. */
static pz_status
run_exponential(pzi_op_call* const op, const uint32_t in, const pz_tensor* const x,
                const pz_tensor* const gy, const char* const name, pz_tensor* const out)
{
  pzi_op_call_matrix(op, "x", PZI_READ, false, x);
  if (gy) {
    pzi_op_call_matrix(op, "gy", PZI_READ, false, gy);
    pzi_op_call_expect(op, 1, pzi_op_call_rows(op, 0), pzi_op_call_cols(op, 0));
  }
  pzi_op_call_matrix(op, name, PZI_WRITE, false, out);
  pzi_op_call_expect_square(op, 0);
  pzi_op_call_expect(op, op->request.n - 1, pzi_op_call_rows(op, 0), pzi_op_call_cols(op, 0));
  if (op->status == PZ_OK && pzi_op_call_rows(op, 0) > PZ_EXPONENTIAL_ORDER) {
    return pzi_fail(PZ_UNSUPPORTED, "%s: found order %lld, expected at most %d",
                    pzi_op_name(op->request.op), (long long)pzi_op_call_rows(op, 0),
                    (int)PZ_EXPONENTIAL_ORDER);
  }
  op->request.which = (int)in;
  return pzi_op_call_run(op);
}

pz_status
pzi_ops_exponential(pz_call* const c, const uint32_t in, const pz_tensor* const x,
                    pz_tensor* const y)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_EXPONENTIAL);
  return run_exponential(&op, in, x, NULL, "y", y);
}

pz_status
pzi_ops_exponential_adjoint(pz_call* const c, const uint32_t in, const pz_tensor* const x,
                            const pz_tensor* const gy, pz_tensor* const gx)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_EXPONENTIAL_ADJOINT);
  return run_exponential(&op, in, x, gy, "gx", gx);
}

pz_status
pzi_ops_solve(pz_call* const c, const uint32_t in, const pz_tensor* const a,
              const pz_tensor* const b, pz_tensor* const x)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_SOLVE);
  pzi_op_call_matrix(&op, "a", PZI_READ, false, a);
  pzi_op_call_matrix(&op, "b", PZI_READ, false, b);
  pzi_op_call_matrix(&op, "x", PZI_WRITE, false, x);
  pzi_op_call_expect_square(&op, 0);
  pzi_op_call_expect(&op, 1, pzi_op_call_rows(&op, 0), pzi_op_call_cols(&op, 1));
  pzi_op_call_expect(&op, 2, pzi_op_call_rows(&op, 0), pzi_op_call_cols(&op, 1));
  op.request.which = (int)in;
  return pzi_op_call_run(&op);
}

pz_status
pzi_ops_potrf(pz_call* const c, const pz_triangle triangle, const pz_tensor* const a,
              pz_tensor* const l)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_POTRF);
  pzi_op_call_matrix(&op, "a", PZI_READ, false, a);
  pzi_op_call_matrix(&op, "l", PZI_WRITE, false, l);
  pzi_op_call_expect_square(&op, 0);
  pzi_op_call_expect(&op, 1, pzi_op_call_rows(&op, 0), pzi_op_call_cols(&op, 0));
  op.request.which = (int)triangle;
  return pzi_op_call_run(&op);
}

pz_status
pzi_ops_qr(pz_call* const c, const pz_tensor* const a, pz_tensor* const q, pz_tensor* const r)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_QR);
  pzi_op_call_matrix(&op, "a", PZI_READ, false, a);
  const int64_t k = least_extent(&op);
  factor(&op, "q", pzi_op_call_rows(&op, 0), k, q);
  factor(&op, "r", k, pzi_op_call_cols(&op, 0), r);
  return pzi_op_call_run(&op);
}

pz_status
pzi_ops_eigh(pz_call* const c, const pz_tensor* const a, pz_tensor* const w, pz_tensor* const v)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_EIGH);
  pzi_op_call_matrix(&op, "a", PZI_READ, false, a);
  pzi_op_call_expect_square(&op, 0);
  const int64_t n = pzi_op_call_rows(&op, 0);
  spectrum(&op, "w", n, w);
  factor(&op, "v", n, n, v);
  return pzi_op_call_run(&op);
}

pz_status
pzi_ops_svd(pz_call* const c, const pz_tensor* const a, pz_tensor* const u, pz_tensor* const s,
            pz_tensor* const vt)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_SVD);
  if ((u == NULL) != (vt == NULL)) {
    pzi_op_call_refuse(&op, "found one of u and vt, expected both or none");
  }
  pzi_op_call_matrix(&op, "a", PZI_READ, false, a);
  const int64_t k = least_extent(&op);
  factor(&op, "u", pzi_op_call_rows(&op, 0), k, u);
  spectrum(&op, "s", k, s);
  factor(&op, "vt", k, pzi_op_call_cols(&op, 0), vt);
  return pzi_op_call_run(&op);
}

pz_status
pzi_ops_schur(pz_call* const c, const pz_tensor* const a, pz_tensor* const t, pz_tensor* const z)
{
  pzi_op_call op;
  pzi_op_call_begin(&op, c, PZI_SCHUR);
  pzi_op_call_matrix(&op, "a", PZI_READ, false, a);
  pzi_op_call_expect_square(&op, 0);
  const int64_t n = pzi_op_call_rows(&op, 0);
  pzi_op_call_matrix(&op, "t", PZI_WRITE, false, t);
  pzi_op_call_matrix(&op, "z", PZI_WRITE, false, z);
  pzi_op_call_expect(&op, 1, n, n);
  pzi_op_call_expect(&op, 2, n, n);
  return pzi_op_call_run(&op);
}
