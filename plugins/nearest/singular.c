/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The nearest matrix with orthonormal columns (polar), h(s) = 1, and the nearest one of spectral norm at most
   a bound b (lipschitz), h(s) = min(s, b): U diag(h(s)) V^T of x = U diag(s) V^T, n >= m, others transposed.
   The Jacobian is symmetric. With E = U^T g V,

     vjp = jvp = (U F + (g V - U E) diag(k)) V^T,  F_ij = K_ij (E_ij + E_ji)/2 + L_ij (E_ij - E_ji)/2
     K_ij = (h_i - h_j)/(s_i - s_j),  L_ij = (h_i + h_j)/(s_i + s_j),  k_i = h_i/s_i

   K is 0 for polar, and for lipschitz 1 or 0 where both values are within the bound or beyond. Where s = 0,
   k and L of polar count as 0: there it has no derivative. */

#include "nearest.h"

#include "orthogonal/orthogonal.h"
#include "refuse.h"
#include "rotation.h"

#include <math.h>

enum { U, S, VT }; /* saved */
enum { BOUND };    /* option of lipschitz */

static const double polar_bound = -1.0; /* in place of a bound */

// clang-format off

PZ_KERNEL(singular_value, 2, 1, 0,
  PZ_TENSOR_ARG(0, s);
  PZ_TENSOR_ARG(1, h);
  PZ_REAL_ARG(0, bound);
  h[i] = bound < (real)0 ? 1 + 0 * s[i] : pz_min(s[i], bound);
)

/* An item is an entry of f. */
PZ_KERNEL(singular_slopes, 3, 1, 1,
  PZ_TENSOR_ARG(0, s);
  PZ_TENSOR_ARG(1, e);
  PZ_TENSOR_ARG(2, f);
  PZ_REAL_ARG(0, bound);
  PZ_INTEGER_ARG(0, m);
  const pz_int row = i / m;
  const pz_int other = row / m * m + i % m;
  const real most = pz_max(s[row], s[other]);
  const real least = pz_min(s[row], s[other]);
  const real both = (e[i] + e[other * m + row % m]) / 2;
  const real apart = (e[i] - e[other * m + row % m]) / 2;
  if (bound < (real)0) {
    f[i] = most == (real)0 ? (real)0 : apart / (most / 2 + least / 2);
  } else if (most <= bound) {
    f[i] = e[i];
  } else {
    const real shared = least >= bound ? (real)0 : (bound - least) / (most - least);
    const real h = pz_min(least, bound);
    f[i] = shared * both + (bound + h) / 2 / (most / 2 + least / 2) * apart;
  }
)

/* k */
PZ_KERNEL(singular_ratio, 2, 1, 0,
  PZ_TENSOR_ARG(0, s);
  PZ_TENSOR_ARG(1, k);
  PZ_REAL_ARG(0, bound);
  if (bound < (real)0) {
    k[i] = s[i] == (real)0 ? (real)0 : 1 / s[i];
  } else {
    k[i] = s[i] <= bound ? (real)1 : bound / s[i];
  }
)

// clang-format on

static pz_status
value(pz_call* const c, const double bound, const pz_tensor* const x, pz_tensor* const y)
{
  const pz_spec square = orth_spec(y, pz_cols(y), pz_cols(y));
  const pz_spec row = orth_row_spec(y, pz_cols(y));
  pz_tensor u;
  pz_tensor s;
  pz_tensor vt;
  pz_tensor h;
  pz_tensor scaled;
  PZ_TRY(pz_save_like(c, y, &u));
  PZ_TRY(pz_save(c, &row, &s));
  PZ_TRY(pz_save(c, &square, &vt));
  PZ_TRY(pz_work(c, &row, &h));
  PZ_TRY(pz_work_like(c, y, &scaled));
  PZ_TRY(pz_svd(c, x, &u, &s, &vt));
  PZ_TRY(pz_launch(c, &singular_value, pz_count(&s), PZ_TENSORS(&s, &h), &bound, NULL));
  PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &h, &u, &scaled));
  return pz_gemm(c, PZ_N, PZ_N, 1.0, &scaled, &vt, 0.0, y);
}

/* out <- the derivative along d, or the adjoint of d */
static pz_status
derivative(pz_call* const c, const double bound, const pz_tensor* const d, pz_tensor* const out)
{
  pz_tensor u;
  pz_tensor s;
  pz_tensor vt;
  pz_tensor dv;
  pz_tensor e;
  pz_tensor f;
  pz_tensor k;
  PZ_TRY(pz_saved(c, U, &u));
  PZ_TRY(pz_saved(c, S, &s));
  PZ_TRY(pz_saved(c, VT, &vt));
  PZ_TRY(pz_work_like(c, &u, &dv));
  PZ_TRY(pz_work_like(c, &vt, &e));
  PZ_TRY(pz_work_like(c, &vt, &f));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_T, 1.0, d, &vt, 0.0, &dv));
  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 1.0, &u, &dv, 0.0, &e));
  PZ_TRY(pz_launch(c, &singular_slopes, pz_count(&e), PZ_TENSORS(&s, &e, &f), &bound,
                   PZ_INTEGERS(pz_cols(&vt))));
  if (pz_rows(&u) == pz_cols(&u)) { // g V - U E is 0
    PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &u, &f, 0.0, &dv));
  } else {
    PZ_TRY(pz_work_like(c, &s, &k));
    PZ_TRY(pz_launch(c, &singular_ratio, pz_count(&s), PZ_TENSORS(&s, &k), &bound, NULL));
    PZ_TRY(pz_gemm(c, PZ_N, PZ_N, -1.0, &u, &e, 1.0, &dv));
    PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &k, &dv, &dv));
    PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &u, &f, 1.0, &dv));
  }
  return pz_gemm(c, PZ_N, PZ_N, 1.0, &dv, &vt, 0.0, out);
}

/* out <- what `apply` makes of `in`, both transposed if they are wide */
static pz_status
tall(pz_call* const c,
     pz_status (*const apply)(pz_call* c, double bound, const pz_tensor* in, pz_tensor* out),
     const double bound, const pz_tensor* const in, pz_tensor* const out)
{
  pz_tensor tall_in;
  pz_tensor tall_out = *out;
  if (pz_count(in) == 0) {
    return PZ_OK;
  }
  PZ_TRY(orth_tall(c, in, &tall_in));
  if (pz_rows(in) < pz_cols(in)) {
    PZ_TRY(pz_work_like(c, &tall_in, &tall_out));
  }
  PZ_TRY(apply(c, bound, &tall_in, &tall_out));
  return orth_untall(c, &tall_out, out);
}

/* ---- polar ------------------------------------------------------------------------------- */

static pz_status
polar_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_expect_dims(c, given, 2, "matrices"));
  if (c->in == PZ_SKEW) {
    return pz_fail(c, PZ_MISMATCH,
                   "found skew matrices, expected others: of odd order they are singular, and many "
                   "orthogonal matrices are nearest");
  }
  pz_spec x = *given;
  x.structure = PZ_GENERAL;
  PZ_TRY(pz_declare_original(c, NULL, &x));
  return pz_declare_value(c, &x, PZ_ORTHOGONAL);
}

static pz_status
polar_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return tall(c, value, polar_bound, x, y);
}

static pz_status
polar_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
          const pz_tensor* const g, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  return tall(c, derivative, polar_bound, g, gx);
}

static pz_status
polar_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  const double* defect = NULL;
  pz_tensor q;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  PZ_TRY(orth_tall(c, y, &q));
  PZ_TRY(orth_defects(c, &q, &defect));
  const double allowed = 100.0 * (double)pz_rows(&q) * pz_dtype_epsilon(y->dtype);
  for (int64_t k = 0; k < pz_batch(y); ++k) {
    PZ_TRY(refuse_not_finite(c, isfinite(defect[k]), k));
    if (c->intent == PZ_ASSIGN && !(defect[k] <= allowed)) {
      return pz_fail(c, PZ_OUTSIDE,
                     "found matrix %lld of the batch with Q^T Q at distance %.3g from the "
                     "identity, expected at most %.3g",
                     (long long)k, defect[k], allowed);
    }
  }
  return pz_copy(c, y, x);
}

static pz_status
polar_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  return orth_table.residual(c, y, distance);
}

static pz_status
polar_sample(pz_call* const c, pz_tensor* const y)
{
  pz_tensor q = *y;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  if (pz_rows(y) < pz_cols(y)) {
    const pz_spec spec = orth_spec(y, pz_cols(y), pz_rows(y));
    PZ_TRY(pz_work(c, &spec, &q));
  }
  PZ_TRY(rotation_sample(c, false, &q));
  return orth_untall(c, &q, y);
}

static const pz_parametrization polar = {
    .size = sizeof(polar),
    .option_size = sizeof(pz_option),
    .id = "polar",
    .summary = "The nearest matrix with orthonormal columns, or rows if wide",
    .tags = "matrix orthogonal stiefel",
    .formula =
        "Y = U V^T of X = U diag(s) V^T, the factor of X = Y H with H positive semidefinite\n"
        "domain: any X; gradients grow like 1/s for the smallest s\n"
        "right inverse: Y itself; any matrix registers\n"
        "cost: a singular value decomposition forward, 4 n m^2 multiply-adds in vjp",
    .plan = polar_plan,
    .forward = polar_forward,
    .right_inverse = polar_right_inverse,
    .vjp = polar_vjp,
    .residual = polar_residual,
    .sample = polar_sample,
    .jvp = polar_vjp,
};

/* ---- lipschitz ---------------------------------------------------------------------------- */

static double
bound_of(const pz_call* const c)
{
  return c->options[BOUND].as.real;
}

static pz_status
lipschitz_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_expect_dims(c, given, 2, "matrices"));
  pz_spec x = *given;
  x.structure = PZ_GENERAL;
  PZ_TRY(pz_declare_original(c, NULL, &x));
  return pz_declare_value(c, &x, PZ_GENERAL);
}

static pz_status
lipschitz_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return tall(c, value, bound_of(c), x, y);
}

static pz_status
lipschitz_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
              const pz_tensor* const g, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  return tall(c, derivative, bound_of(c), g, gx);
}

static pz_status
lipschitz_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
              const pz_tensor* const dx, pz_tensor* const dy)
{
  (void)x;
  (void)y;
  return tall(c, derivative, bound_of(c), dx, dy);
}

/* out[k] <- the spectral norm of matrix k, in host scratch */
static pz_status
norms(pz_call* const c, const pz_tensor* const y, const double** const out)
{
  const int64_t least = pz_rows(y) < pz_cols(y) ? pz_rows(y) : pz_cols(y);
  const pz_spec row = orth_row_spec(y, least);
  pz_tensor s;
  void* memory = NULL;
  PZ_TRY(pz_work(c, &row, &s));
  PZ_TRY(pz_work_host(c, (size_t)pz_count(&s) * sizeof(double), &memory));
  PZ_TRY(pz_svd(c, y, NULL, &s, NULL));
  PZ_TRY(pz_read(c, &s, memory));
  double* const all = memory;
  for (int64_t k = 0; k < pz_batch(y); ++k) {
    all[k] = all[k * least];
  }
  *out = all;
  return PZ_OK;
}

static pz_status
lipschitz_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  const int64_t n = pz_rows(y) > pz_cols(y) ? pz_rows(y) : pz_cols(y);
  const double most = bound_of(c) * (1.0 + 100.0 * (double)n * pz_dtype_epsilon(y->dtype));
  const double* norm = NULL;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  PZ_TRY(norms(c, y, &norm));
  for (int64_t k = 0; k < pz_batch(y); ++k) {
    PZ_TRY(refuse_not_finite(c, isfinite(norm[k]), k));
    if (c->intent == PZ_ASSIGN && !(norm[k] <= most)) {
      return pz_fail(
          c, PZ_OUTSIDE,
          "found matrix %lld of the batch with the spectral norm %.17g, expected at most "
          "%.17g",
          (long long)k, norm[k], bound_of(c));
    }
  }
  return pz_copy(c, y, x);
}

static pz_status
lipschitz_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  const double* norm = NULL;
  *distance = 0.0;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  PZ_TRY(norms(c, y, &norm));
  for (int64_t k = 0; k < pz_batch(y); ++k) {
    const double each = norm[k] - bound_of(c);
    *distance = pz_max(*distance, each);
  }
  return PZ_OK;
}

static const pz_option lipschitz_options[] = {
    [BOUND] = PZ_OPTION_REAL("bound", 1.0, 0.001, HUGE_VAL, "the largest spectral norm"),
};

static const pz_parametrization lipschitz = {
    .size = sizeof(lipschitz),
    .option_size = sizeof(pz_option),
    .id = "lipschitz",
    .summary = "The nearest matrix with bounded spectral norm",
    .tags = "network matrix norm",
    .formula = "Y = U diag(min(s, bound)) V^T of X = U diag(s) V^T\n"
               "domain: any X\n"
               "right inverse: Y itself; any matrix registers\n"
               "cost: a singular value decomposition forward, 4 n m^2 multiply-adds in vjp",
    PZ_OPTIONS(lipschitz_options),
    .plan = lipschitz_plan,
    .forward = lipschitz_forward,
    .right_inverse = lipschitz_right_inverse,
    .vjp = lipschitz_vjp,
    .residual = lipschitz_residual,
    .jvp = lipschitz_jvp,
};

PZ_PLUGIN(nearest, "1.0.0", PZ_PARAMETRIZATION(&nearest_doubly_stochastic),
          PZ_PARAMETRIZATION(&lipschitz), PZ_PARAMETRIZATION(&polar));
