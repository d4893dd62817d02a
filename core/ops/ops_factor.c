/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Inverses and factorizations. */

#include "op_call.h"
#include "op_entries.h"
#include "status.h"

/* A factor of a given shape, or none. */
static void
factor(pzi_task* const task, const char* const name, const int64_t rows, const int64_t cols,
       const pz_tensor* const tensor)
{
  if (!tensor) {
    pzi_task_absent(task);
    return;
  }
  pzi_task_matrix(task, name, PZI_WRITE, false, tensor);
  pzi_task_expect(task, task->request.n - 1, rows, cols);
}

static void
spectrum(pzi_task* const task, const char* const name, const int64_t n,
         const pz_tensor* const tensor)
{
  pzi_task_vector(task, name, PZI_WRITE, tensor);
  pzi_task_expect(task, task->request.n - 1, n, 1);
}

static int64_t
least_extent(const pzi_task* const task)
{
  const int64_t rows = pzi_task_rows(task, 0);
  const int64_t cols = pzi_task_cols(task, 0);
  return rows < cols ? rows : cols;
}

/* y = value I */
static pz_status
set_identity(pz_call* const c, const double value, pz_tensor* const y)
{
  PZ_TRY(pzi_ops_fill(c, 0.0, y));
  return pzi_ops_add_identity(c, value, y);
}

/* Of a triangle the whole is known only where there is a symmetry. */
static void
check_structure(pzi_task* const task, const uint32_t in)
{
  const uint32_t by = in & PZ_BY_TRIANGLE;
  const uint32_t structure = in & ~(uint32_t)PZ_BY_TRIANGLE;
  if (structure > PZ_ORTHOGONAL) {
    pzi_task_refuse(task, "found a structure that means nothing");
  } else if (by != 0 &&
             (by == PZ_BY_TRIANGLE || (structure != PZ_SYMMETRIC && structure != PZ_SKEW))) {
    pzi_task_refuse(task, "found a triangle of something, expected one triangle of a symmetric or "
                          "skew matrix");
  }
}

pz_status
pzi_ops_shifted_inverse(pz_call* const c, const uint32_t in, const double alpha, const double beta,
                        const double gamma, const double delta, const pz_tensor* const x,
                        pz_tensor* const y)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_SHIFTED_INVERSE);
  pzi_task_matrix(&t, "x", PZI_READ, false, x);
  pzi_task_matrix(&t, "y", PZI_WRITE, false, y);
  pzi_task_expect_square(&t, 0);
  pzi_task_expect(&t, 1, pzi_task_rows(&t, 0), pzi_task_cols(&t, 0));
  check_structure(&t, in);
  t.request.which = (int)in;
  t.request.real[0] = alpha;
  t.request.real[1] = beta;
  t.request.real[2] = gamma;
  t.request.real[3] = delta;
  if (t.status == PZ_OK && beta == 0.0) {
    return set_identity(c, alpha, y);
  }
  if (t.status == PZ_OK && delta == 0.0) {
    return gamma != 0.0 || pz_count(y) == 0
               ? set_identity(c, alpha + beta / gamma, y)
               : pzi_fail(PZ_SINGULAR, "shifted_inverse: matrix 0 of the batch is singular");
  }
  return pzi_task_run(&t);
}

pz_status
pzi_ops_shifted_inverse_adjoint(pz_call* const c, const uint32_t in, const double alpha,
                                const double beta, const double delta, const pz_tensor* const y,
                                const pz_tensor* const gy, pz_tensor* const gx)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_SHIFTED_INVERSE_ADJOINT);
  pzi_task_matrix(&t, "y", PZI_READ, false, y);
  pzi_task_matrix(&t, "gy", PZI_READ, false, gy);
  pzi_task_matrix(&t, "gx", PZI_WRITE, false, gx);
  pzi_task_expect_square(&t, 0);
  pzi_task_expect(&t, 1, pzi_task_rows(&t, 0), pzi_task_cols(&t, 0));
  pzi_task_expect(&t, 2, pzi_task_rows(&t, 0), pzi_task_cols(&t, 0));
  check_structure(&t, in);
  t.request.which = (int)in;
  t.request.real[0] = alpha;
  t.request.real[1] = beta;
  t.request.real[2] = delta;
  if (beta == 0.0) {
    pzi_task_refuse(&t, "found beta 0, of which nothing depends on x");
  }
  if (t.status == PZ_OK && delta == 0.0) {
    return pzi_ops_fill(c, 0.0, gx);
  }
  return pzi_task_run(&t);
}

/* x, gy where given, and out, all of one shape and small enough. */
static pz_status
run_exponential(pzi_task* const t, const uint32_t in, const uint32_t n,
                const pz_polynomial* const p, const pz_tensor* const x, const pz_tensor* const gy,
                const char* const name, pz_tensor* const out)
{
  pzi_task_matrix(t, "x", PZI_READ, false, x);
  if (gy) {
    pzi_task_matrix(t, "gy", PZI_READ, false, gy);
    pzi_task_expect(t, 1, pzi_task_rows(t, 0), pzi_task_cols(t, 0));
  }
  pzi_task_matrix(t, name, PZI_WRITE, false, out);
  pzi_task_expect_square(t, 0);
  pzi_task_expect(t, t->request.n - 1, pzi_task_rows(t, 0), pzi_task_cols(t, 0));
  if (n == 0 || !p) {
    pzi_task_refuse(t, "found no polynomials");
  }
  if (t->status == PZ_OK && pzi_task_rows(t, 0) > PZ_EXPONENTIAL_ORDER) {
    return pzi_fail(PZ_UNSUPPORTED, "%s: found order %lld, expected at most %d",
                    pzi_op_name(t->request.op), (long long)pzi_task_rows(t, 0),
                    (int)PZ_EXPONENTIAL_ORDER);
  }
  t->request.which = (int)in;
  t->request.integer = (int64_t)n;
  t->request.polynomials = p;
  return pzi_task_run(t);
}

pz_status
pzi_ops_exponential(pz_call* const c, const uint32_t in, const uint32_t n,
                    const pz_polynomial* const p, const pz_tensor* const x, pz_tensor* const y)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_EXPONENTIAL);
  return run_exponential(&t, in, n, p, x, NULL, "y", y);
}

pz_status
pzi_ops_exponential_adjoint(pz_call* const c, const uint32_t in, const uint32_t n,
                            const pz_polynomial* const p, const pz_tensor* const x,
                            const pz_tensor* const gy, pz_tensor* const gx)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_EXPONENTIAL_ADJOINT);
  return run_exponential(&t, in, n, p, x, gy, "gx", gx);
}

pz_status
pzi_ops_solve(pz_call* const c, const uint32_t in, const pz_tensor* const a,
              const pz_tensor* const b, pz_tensor* const x)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_SOLVE);
  pzi_task_matrix(&t, "a", PZI_READ, false, a);
  pzi_task_matrix(&t, "b", PZI_READ, false, b);
  pzi_task_matrix(&t, "x", PZI_WRITE, false, x);
  pzi_task_expect_square(&t, 0);
  pzi_task_expect(&t, 1, pzi_task_rows(&t, 0), pzi_task_cols(&t, 1));
  pzi_task_expect(&t, 2, pzi_task_rows(&t, 0), pzi_task_cols(&t, 1));
  t.request.which = (int)in;
  return pzi_task_run(&t);
}

pz_status
pzi_ops_potrf(pz_call* const c, const pz_triangle triangle, const pz_tensor* const a,
              pz_tensor* const l)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_POTRF);
  pzi_task_matrix(&t, "a", PZI_READ, false, a);
  pzi_task_matrix(&t, "l", PZI_WRITE, false, l);
  pzi_task_expect_square(&t, 0);
  pzi_task_expect(&t, 1, pzi_task_rows(&t, 0), pzi_task_cols(&t, 0));
  t.request.which = (int)triangle;
  return pzi_task_run(&t);
}

pz_status
pzi_ops_qr(pz_call* const c, const pz_tensor* const a, pz_tensor* const q, pz_tensor* const r)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_QR);
  pzi_task_matrix(&t, "a", PZI_READ, false, a);
  const int64_t k = least_extent(&t);
  factor(&t, "q", pzi_task_rows(&t, 0), k, q);
  factor(&t, "r", k, pzi_task_cols(&t, 0), r);
  return pzi_task_run(&t);
}

pz_status
pzi_ops_eigh(pz_call* const c, const pz_tensor* const a, pz_tensor* const w, pz_tensor* const v)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_EIGH);
  pzi_task_matrix(&t, "a", PZI_READ, false, a);
  pzi_task_expect_square(&t, 0);
  const int64_t n = pzi_task_rows(&t, 0);
  spectrum(&t, "w", n, w);
  factor(&t, "v", n, n, v);
  return pzi_task_run(&t);
}

pz_status
pzi_ops_svd(pz_call* const c, const pz_tensor* const a, pz_tensor* const u, pz_tensor* const s,
            pz_tensor* const vt)
{
  pzi_task t;
  pzi_task_begin(&t, c, PZI_SVD);
  if ((u == NULL) != (vt == NULL)) {
    pzi_task_refuse(&t, "found one of u and vt, expected both or none");
  }
  pzi_task_matrix(&t, "a", PZI_READ, false, a);
  const int64_t k = least_extent(&t);
  factor(&t, "u", pzi_task_rows(&t, 0), k, u);
  spectrum(&t, "s", k, s);
  factor(&t, "vt", k, pzi_task_cols(&t, 0), vt);
  return pzi_task_run(&t);
}

pz_status
pzi_ops_schur(pz_call* const c, const pz_tensor* const a, pz_tensor* const t, pz_tensor* const z)
{
  pzi_task task;
  pzi_task_begin(&task, c, PZI_SCHUR);
  pzi_task_matrix(&task, "a", PZI_READ, false, a);
  pzi_task_expect_square(&task, 0);
  const int64_t n = pzi_task_rows(&task, 0);
  pzi_task_matrix(&task, "t", PZI_WRITE, false, t);
  pzi_task_matrix(&task, "z", PZI_WRITE, false, z);
  pzi_task_expect(&task, 1, n, n);
  pzi_task_expect(&task, 2, n, n);
  return pzi_task_run(&task);
}
