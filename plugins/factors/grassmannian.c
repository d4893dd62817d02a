/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Planes of dimension k in n: orthonormal columns Q W, where the Cayley transform of `orthogonal` gives

     Q = (2 Y - I; B Y),  Y = (I + B^T B/4)^-1

   for the original B, (n - k) x k, below zeros, and the buffer W, orthogonal k x k, turns the frame in its
   plane. One to one for |B| < 2. In the volume of planes that rotations do not change, with b the singular
   values of B = U diag(b) V^T and c = b^2/4,

     log |det| = -(n - 1) sum of log(1 + c_i) + sum over i < j of log |1 - c_i c_j|
     its gradient U diag(h) V^T,  h_i = -(n - 1) b_i/(2 (1 + c_i)) - sum over j != i of c_j b_i/(2 (1 - c_i c_j))

   Right inverse: with the block on top y1 = H W of y, H positive semidefinite, B is that of y W^T, whose
   block on top is H, so that |B| <= 2. */

#include "spectrum.h"

#include "log_det.h"
#include "rotation.h"

// clang-format off

/* term[i], whose sum is log |det|; e = sqrt(c_i c_j) */
PZ_ROW_KERNEL(plane_density, 1, 1, 0, 1,
  PZ_ROW_IN(0, b);
  PZ_ROW_OUT(0, term);
  PZ_INTEGER_ARG(0, rows);
  PZ_ROW_EACH(i, n) {
    const real b_half = b[i][r] / 2;
    real sum = b_half > (real)1e4 ? 2 * pz_log(b_half) : pz_log1p(b_half * b_half);
    sum *= (real)(1 - rows);
    for (pz_int j = 0; j < i; ++j) {
      const real e = b_half * (b[j][r] / 2);
      sum += pz_log(pz_abs(1 - e)) + pz_log1p(e);
    }
    term[i][r] = sum;
  }
)

/* h, times g */
PZ_ROW_KERNEL(plane_density_slope, 2, 1, 0, 1,
  PZ_ROW_IN(0, b);
  PZ_VALUE_IN(1, g);
  PZ_ROW_OUT(0, h);
  PZ_INTEGER_ARG(0, rows);
  PZ_ROW_EACH(i, n) {
    const real b_half = b[i][r] / 2;
    real sum = (real)(1 - rows) * (b_half > (real)1 ? 1 / (1 / b_half + b_half) : b_half / (1 + b_half * b_half));
    for (pz_int j = 0; j < n; ++j) {
      const real e = b_half * (b[j][r] / 2);
      sum -= j == i ? (real)0 : b[j][r] / 4 * (2 * e / (1 - e) / (1 + e));
    }
    h[i][r] = g[r] * sum;
  }
)

// clang-format on

/* out, in scratch, <- (0; b) */
static pz_status
below_zeros(pz_call* const c, const pz_tensor* const b, pz_tensor* const out)
{
  const pz_spec spec = orth_spec(b, pz_rows(b) + pz_cols(b), pz_cols(b));
  pz_view below;
  PZ_TRY(pz_work(c, &spec, out));
  PZ_TRY(pz_fill(c, 0.0, out));
  return pz_copy(c, b, orth_below(&below, out));
}

static pz_status
grassmannian_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_expect_dims(c, given, 2, "matrices"));
  pz_spec b = *given;
  pz_spec y = *given;
  pz_spec w = *given;
  int64_t* const rows = &b.shape[b.ndim - 2];
  const int64_t k = b.shape[b.ndim - 1];
  if (c->direction == PZ_FROM_INPUT) {
    y.shape[y.ndim - 2] += k;
  } else if (*rows < k) {
    return pz_fail(c, PZ_MISMATCH, "found %lldx%lld matrices, expected no more columns than rows",
                   (long long)*rows, (long long)k);
  } else {
    *rows -= k;
  }
  b.structure = PZ_GENERAL;
  w.shape[w.ndim - 2] = k;
  PZ_TRY(pz_declare_original(c, NULL, &b));
  PZ_TRY(pz_declare_buffer(c, "frame", &w));
  PZ_TRY(pz_declare_density(c, 2, PZ_ALL_ENTRIES, PZ_OWN_COORDINATES));
  return pz_declare_value(c, &y, PZ_ORTHOGONAL);
}

static pz_status
grassmannian_init(pz_call* const c, const pz_tensor* const tensor)
{
  (void)tensor;
  return pz_add_identity(c, 1.0, &c->new_buffer[0]);
}

static pz_status
grassmannian_forward(pz_call* const c, const pz_tensor* const b, pz_tensor* const y)
{
  pz_tensor x;
  pz_tensor q;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  PZ_TRY(below_zeros(c, b, &x));
  PZ_TRY(pz_work_like(c, y, &q));
  PZ_TRY(orth_cayley(c, &x, &q));
  return pz_gemm(c, PZ_N, PZ_N, 1.0, &q, &c->buffer[0], 0.0, y);
}

static pz_status
grassmannian_vjp(pz_call* const c, const pz_tensor* const b, const pz_tensor* const y,
                 const pz_tensor* const g, pz_tensor* const gb)
{
  pz_tensor x;
  pz_tensor gq;
  pz_tensor gx;
  pz_view below;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  PZ_TRY(below_zeros(c, b, &x));
  PZ_TRY(pz_work_like(c, y, &gq));
  PZ_TRY(pz_work_like(c, y, &gx));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_T, 1.0, g, &c->buffer[0], 0.0, &gq));
  PZ_TRY(orth_cayley_vjp(c, &x, &gq, &gx));
  return pz_copy(c, orth_below(&below, &gx), gb);
}

static pz_status
grassmannian_jvp(pz_call* const c, const pz_tensor* const b, const pz_tensor* const y,
                 const pz_tensor* const db, pz_tensor* const dy)
{
  pz_tensor x;
  pz_tensor dx;
  pz_tensor dq;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  PZ_TRY(below_zeros(c, b, &x));
  PZ_TRY(below_zeros(c, db, &dx));
  PZ_TRY(pz_work_like(c, y, &dq));
  PZ_TRY(orth_cayley_jvp(c, &x, &dx, &dq));
  return pz_gemm(c, PZ_N, PZ_N, 1.0, &dq, &c->buffer[0], 0.0, dy);
}

static pz_status
grassmannian_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const b)
{
  pz_tensor* const w = &c->new_buffer[0];
  orth_marks bad;
  pz_tensor used;
  pz_tensor top;
  pz_tensor turned;
  pz_tensor x;
  pz_view view;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  PZ_TRY(orth_admit(c, false, y, &used, &bad));
  PZ_TRY(pz_work_like(c, w, &top));
  PZ_TRY(pz_work_like(c, y, &turned));
  PZ_TRY(pz_work_like(c, y, &x));
  PZ_TRY(pz_copy(c, orth_top(&view, &used), &top));
  PZ_TRY(rotation_nearest(c, false, &top, w));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_T, 1.0, &used, w, 0.0, &turned));
  PZ_TRY(orth_cayley_inverse(c, &turned, NULL, &x));
  PZ_TRY(pz_copy(c, orth_below(&view, &x), b));
  if (bad.any) {
    PZ_TRY(orth_spoil(c, &bad, b));
    return orth_spoil(c, &bad, w);
  }
  return PZ_OK;
}

/* sigma <- the singular values of b, and the vectors unless u is NULL; all in scratch. */
static pz_status
decompose(pz_call* const c, const pz_tensor* const b, pz_tensor* const u, pz_tensor* const sigma,
          pz_tensor* const vt)
{
  const int64_t least = pz_rows(b) < pz_cols(b) ? pz_rows(b) : pz_cols(b);
  const pz_spec left = orth_spec(b, pz_rows(b), least);
  const pz_spec right = orth_spec(b, least, pz_cols(b));
  const pz_spec row = orth_row_spec(b, least);
  PZ_TRY(pz_work(c, &row, sigma));
  if (u) {
    PZ_TRY(pz_work(c, &left, u));
    PZ_TRY(pz_work(c, &right, vt));
  }
  return pz_svd(c, b, u, sigma, vt);
}

static pz_status
grassmannian_log_abs_det(pz_call* const c, const pz_tensor* const b, const pz_tensor* const y,
                         pz_tensor* const out)
{
  const int64_t n = pz_rows(y);
  pz_tensor sigma;
  pz_tensor terms;
  if (pz_count(b) == 0) {
    return pz_fill(c, 0.0, out);
  }
  PZ_TRY(decompose(c, b, NULL, &sigma, NULL));
  PZ_TRY(pz_work_like(c, &sigma, &terms));
  PZ_TRY(pz_launch_rows(c, &plane_density, PZ_ALONG_DIM, -1, PZ_TENSORS(&sigma), PZ_OUTPUTS(&terms),
                        NULL, &n));
  return log_det_sum(c, &terms, out);
}

static pz_status
grassmannian_log_abs_det_vjp(pz_call* const c, const pz_tensor* const b, const pz_tensor* const y,
                             const pz_tensor* const g_out, pz_tensor* const gb)
{
  const int64_t n = pz_rows(y);
  pz_tensor u;
  pz_tensor sigma;
  pz_tensor vt;
  pz_tensor h;
  if (pz_count(b) == 0) {
    return PZ_OK;
  }
  PZ_TRY(decompose(c, b, &u, &sigma, &vt));
  PZ_TRY(pz_work_like(c, &sigma, &h));
  PZ_TRY(pz_launch_rows(c, &plane_density_slope, PZ_ALONG_DIM, -1, PZ_TENSORS(&sigma, g_out),
                        PZ_OUTPUTS(&h), NULL, &n));
  PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &h, &u, &u));
  return pz_gemm(c, PZ_N, PZ_N, 1.0, &u, &vt, 0.0, gb);
}

static pz_status
grassmannian_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  return orth_table.residual(c, y, distance);
}

/* A uniform frame of a uniform plane. */
static pz_status
grassmannian_sample(pz_call* const c, pz_tensor* const y)
{
  return pz_count(y) == 0 ? PZ_OK : rotation_sample(c, false, y);
}

const pz_parametrization factors_grassmannian = {
    .size = sizeof(factors_grassmannian),
    .option_size = sizeof(pz_option),
    .id = "grassmannian",
    .summary = "Planes, as orthonormal columns",
    .tags = "matrix orthogonal rank",
    .formula =
        "Y = (2 M - I; B M) W, M = (I + B^T B/4)^-1; W is a buffer\n"
        "domain: any (n - k) x k matrix B\n"
        "right inverse: for any n x k matrix with orthonormal columns, |B| <= 2; W turns the "
        "frame\n"
        "log |det|: of the volume of planes, -(n - 1) sum of log(1 + c_i) + sum over i < j of "
        "log |1 - c_i c_j|, c_i = b_i^2/4 of the singular values b of B\n"
        "cost: 3 n k^2 multiply-adds forward, twice as many in vjp",
    .plan = grassmannian_plan,
    .init = grassmannian_init,
    .forward = grassmannian_forward,
    .right_inverse = grassmannian_right_inverse,
    .vjp = grassmannian_vjp,
    .residual = grassmannian_residual,
    .sample = grassmannian_sample,
    .log_abs_det = grassmannian_log_abs_det,
    .log_abs_det_vjp = grassmannian_log_abs_det_vjp,
    .jvp = grassmannian_jvp,
};
