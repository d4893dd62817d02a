/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Matrices A with eigenvalues left of 0, from any square x: its strict upper triangle is that of a skew S, its
   lower one makes L with e^x_ii on the diagonal.

     A = (S - I) Q,  Q = L L^T

   One to one, because P = Q^-1 solves A P + P A^T = -2 I. For the gradient g of A: T = g Q, gQ = (S - I)^T g, gL = (gQ + gQ^T) L,

     gx = triu(T - T^T, 1) + tril(gL, -1) + diag(gL_ii L_ii)
     dA = dS Q + (S - I)(dL L^T + L dL^T)

   Right inverse: P = U U^T with upper U, L = U^-T, S = (A P - P A^T)/2. */

#include "stable.h"

#include "orthogonal/orthogonal.h"
#include "refuse.h"

#include <math.h>

// clang-format off

/* Items are entries. l <- L, or its derivative along x, where old is L. */
PZ_KERNEL(stable_factor, 3, 0, 2,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, old);
  PZ_TENSOR_ARG(2, l);
  PZ_INTEGER_ARG(0, n);
  PZ_INTEGER_ARG(1, slope);
  const pz_int beside = i % n - i / n % n;
  if (beside == 0) {
    l[i] = slope != 0 ? x[i] * old[i] : pz_exp(x[i]);
  } else {
    l[i] = beside < 0 ? x[i] : (real)0;
  }
)

/* gx, above the diagonal T - T^T already, from gL */
PZ_KERNEL(stable_gradient, 3, 0, 1,
  PZ_TENSOR_ARG(0, gl);
  PZ_TENSOR_ARG(1, l);
  PZ_TENSOR_ARG(2, gx);
  PZ_INTEGER_ARG(0, n);
  const pz_int beside = i % n - i / n % n;
  if (beside <= 0) {
    gx[i] = beside == 0 ? gl[i] * l[i] : gl[i];
  }
)

/* x from S and L */
PZ_KERNEL(stable_original, 3, 0, 1,
  PZ_TENSOR_ARG(0, s);
  PZ_TENSOR_ARG(1, l);
  PZ_TENSOR_ARG(2, x);
  PZ_INTEGER_ARG(0, n);
  const pz_int beside = i % n - i / n % n;
  x[i] = beside > 0 ? s[i] : beside < 0 ? l[i] : pz_log(l[i]);
)

// clang-format on

pz_status
stable_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_expect_square(c, given));
  pz_spec x = *given;
  x.structure = PZ_GENERAL;
  PZ_TRY(pz_declare_original(c, NULL, &x));
  PZ_TRY(pz_declare_density(c, 2, PZ_ALL_ENTRIES, PZ_ALL_ENTRIES));
  return pz_declare_value(c, &x, PZ_GENERAL);
}

/* ---- A ------------------------------------------------------------------------------------ */

pz_status
stable_a(pz_call* const c, const pz_tensor* const x, pz_tensor* const a)
{
  pz_tensor l;
  pz_tensor shifted;
  pz_tensor q;
  PZ_TRY(pz_save_like(c, x, &l));
  PZ_TRY(pz_save_like(c, x, &shifted));
  PZ_TRY(pz_save_like(c, x, &q));
  PZ_TRY(pz_launch(c, &stable_factor, pz_count(x), PZ_TENSORS(x, x, &l), NULL,
                   PZ_INTEGERS(pz_cols(x), 0)));
  PZ_TRY(pz_fold(c, PZ_UPPER, -1, x, &shifted));
  PZ_TRY(pz_add_identity(c, -1.0, &shifted));
  PZ_TRY(pz_syrk(c, PZ_N, 1.0, &l, 0.0, &q));
  return pz_gemm(c, PZ_N, PZ_N, 1.0, &shifted, &q, 0.0, a);
}

static pz_status
saved(pz_call* const c, pz_tensor* const l, pz_tensor* const shifted, pz_tensor* const q)
{
  PZ_TRY(pz_saved(c, STABLE_L, l));
  PZ_TRY(pz_saved(c, STABLE_SHIFTED, shifted));
  return pz_saved(c, STABLE_Q, q);
}

pz_status
stable_a_vjp(pz_call* const c, const pz_tensor* const g, pz_tensor* const gx)
{
  pz_tensor l;
  pz_tensor shifted;
  pz_tensor q;
  pz_tensor t;
  pz_tensor gl;
  PZ_TRY(saved(c, &l, &shifted, &q));
  PZ_TRY(pz_work_like(c, g, &t));
  PZ_TRY(pz_work_like(c, g, &gl));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, g, &q, 0.0, &t));
  PZ_TRY(pz_fold_adjoint(c, PZ_UPPER, -1, &t, gx));
  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 1.0, &shifted, g, 0.0, &t));
  PZ_TRY(pz_symmetrize(c, 1.0, 1, &t, &gl));
  PZ_TRY(pz_trmm(c, PZ_RIGHT, PZ_LOWER, PZ_N, PZ_NON_UNIT, 1.0, &l, &gl));
  return pz_launch(c, &stable_gradient, pz_count(gx), PZ_TENSORS(&gl, &l, gx), NULL,
                   PZ_INTEGERS(pz_cols(gx)));
}

pz_status
stable_a_jvp(pz_call* const c, const pz_tensor* const dx, pz_tensor* const da)
{
  pz_tensor l;
  pz_tensor shifted;
  pz_tensor q;
  pz_tensor t;
  pz_tensor dq;
  PZ_TRY(saved(c, &l, &shifted, &q));
  PZ_TRY(pz_work_like(c, dx, &t));
  PZ_TRY(pz_work_like(c, dx, &dq));
  PZ_TRY(pz_launch(c, &stable_factor, pz_count(dx), PZ_TENSORS(dx, &l, &t), NULL,
                   PZ_INTEGERS(pz_cols(dx), 1)));
  PZ_TRY(pz_trmm(c, PZ_RIGHT, PZ_LOWER, PZ_T, PZ_NON_UNIT, 1.0, &l, &t));
  PZ_TRY(pz_symmetrize(c, 1.0, 1, &t, &dq));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &shifted, &dq, 0.0, da));
  PZ_TRY(pz_fold(c, PZ_UPPER, -1, dx, &t));
  return pz_gemm(c, PZ_N, PZ_N, 1.0, &t, &q, 1.0, da);
}

/* l <- U^-T of P = U U^T, by the factor of P in reversed order; NaN where P has none, which *all tells. */
static pz_status
inverse_factor(pz_call* const c, const pz_tensor* const p, pz_tensor* const l, bool* const all)
{
  const int64_t n = pz_cols(p);
  const pz_spec places = pz_spec_make(PZ_I64, 1, &n);
  pz_view turned;
  pz_tensor index;
  pz_tensor t;
  pz_tensor factor;
  void* memory = NULL;
  PZ_TRY(pz_work(c, &places, &index));
  PZ_TRY(pz_work_like(c, p, &t));
  PZ_TRY(pz_work_like(c, p, &factor));
  PZ_TRY(pz_work_host(c, (size_t)n * sizeof(double), &memory));
  for (int64_t j = 0; j < n; ++j) {
    ((double*)memory)[j] = (double)(n - 1 - j);
  }
  PZ_TRY(pz_write(c, memory, &index));
  PZ_TRY(pz_take(c, &index, p, l));
  PZ_TRY(pz_copy(c, pz_view_transposed(&turned, l), &t));
  PZ_TRY(pz_take(c, &index, &t, l));
  const pz_status status = pz_potrf(c, PZ_LOWER, l, &factor);
  *all = status == PZ_OK;
  PZ_TRY(status == PZ_SINGULAR ? PZ_OK : status);
  PZ_TRY(pz_fill(c, 0.0, l));
  PZ_TRY(pz_add_identity(c, 1.0, l));
  PZ_TRY(pz_take(c, &index, l, &t));
  PZ_TRY(pz_trsm(c, PZ_LEFT, PZ_LOWER, PZ_T, PZ_NON_UNIT, 1.0, &factor, &t));
  return pz_take(c, &index, &t, l);
}

pz_status
stable_move_left(pz_call* const c, const double* const by, pz_tensor* const a)
{
  const int64_t n = pz_cols(a);
  const pz_spec row = orth_row_spec(a, n);
  pz_tensor diagonal;
  pz_tensor shift;
  void* memory = NULL;
  PZ_TRY(pz_work(c, &row, &diagonal));
  PZ_TRY(pz_work(c, &row, &shift));
  PZ_TRY(pz_work_host(c, (size_t)pz_count(&shift) * sizeof(double), &memory));
  for (int64_t k = 0; k < pz_count(&shift); ++k) {
    ((double*)memory)[k] = by[k / n];
  }
  PZ_TRY(pz_write(c, memory, &shift));
  PZ_TRY(pz_get_diagonal(c, a, &diagonal));
  PZ_TRY(pz_axpby(c, -1.0, &shift, 1.0, &diagonal));
  return pz_set_diagonal(c, &diagonal, a);
}

/* by[k] <- 0 where P and its inverse L L^T are in reach of the dtype, or the size of A is not finite, else
   `margin`; *any tells. */
static pz_status
out_of_reach(pz_call* const c, const pz_tensor* const p, const pz_tensor* const l,
             const double* const size, const double margin, double* const by, bool* const any)
{
  const pz_spec one = pz_spec_make(p->dtype, p->ndim - 2, p->shape);
  const double most = 0.1 / ((double)pz_cols(p) * pz_dtype_epsilon(p->dtype));
  double* of_l = NULL;
  pz_tensor norm;
  PZ_TRY(pz_work(c, &one, &norm));
  PZ_TRY(stable_numbers(c, p, &of_l));
  PZ_TRY(pz_norm(c, PZ_NORM_MAX, PZ_OVER_BOTH, l, &norm));
  PZ_TRY(pz_read(c, &norm, of_l));
  PZ_TRY(pz_norm(c, PZ_NORM_MAX, PZ_OVER_BOTH, p, &norm));
  PZ_TRY(pz_read(c, &norm, by));
  *any = false;
  for (int64_t k = 0; k < pz_batch(p); ++k) {
    const bool reached = by[k] * of_l[k] * of_l[k] <= most;
    by[k] = reached || !isfinite(size[k]) ? 0.0 : margin;
    *any = *any || by[k] > 0.0;
  }
  return PZ_OK;
}

pz_status
stable_a_inverse(pz_call* const c, pz_tensor* const a, pz_tensor* const x)
{
  double* scale = NULL;
  double* by = NULL;
  bool all = false;
  bool moves = true;
  pz_tensor p;
  pz_tensor s;
  pz_tensor l;
  PZ_TRY(stable_numbers(c, a, &scale));
  PZ_TRY(stable_numbers(c, a, &by));
  PZ_TRY(pz_work_like(c, a, &p));
  PZ_TRY(pz_work_like(c, a, &s));
  PZ_TRY(pz_work_like(c, a, &l));
  PZ_TRY(stable_divide(c, a, scale));
  // |A| = 1: a margin of 4 ends it
  for (double margin = 1.0 / 64.0; moves && margin <= 4.0; margin *= 2.0) {
    const uint64_t mark = pz_work_mark(c);
    PZ_TRY(stable_lyapunov(c, a, &p));
    PZ_TRY(inverse_factor(c, &p, &l, &all));
    if (c->intent != PZ_REGISTER) {
      break;
    }
    PZ_TRY(out_of_reach(c, &p, &l, scale, margin, by, &moves));
    PZ_TRY(moves ? stable_move_left(c, by, a) : PZ_OK);
    pz_work_release(c, mark);
  }
  if (!all && c->intent != PZ_REGISTER) {
    return pz_fail(c, PZ_SINGULAR,
                   "found a matrix that is stable by less than rounding, expected one further "
                   "from the edge of the set");
  }
  for (int64_t k = 0; k < pz_batch(a); ++k) {
    scale[k] = sqrt(scale[k]);
  }
  PZ_TRY(stable_scale(c, scale, &l));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, a, &p, 0.0, &s));
  PZ_TRY(pz_symmetrize(c, 0.5, -1, &s, a));
  return pz_launch(c, &stable_original, pz_count(x), PZ_TENSORS(a, &l, x), NULL,
                   PZ_INTEGERS(pz_cols(x)));
}

pz_status
stable_refuse(pz_call* const c, const pz_tensor* const y, const char* const what,
              const double limit, const double* const found)
{
  const double rounding = 100.0 * (double)pz_cols(y) * pz_dtype_epsilon(y->dtype);
  double size = 0.0;
  PZ_TRY(pz_largest(c, y, &size));
  for (int64_t k = 0; k < pz_batch(y) && c->intent != PZ_REGISTER; ++k) {
    PZ_TRY(refuse_not_finite(c, isfinite(found[k]), k));
    if (c->intent == PZ_ASSIGN && !(found[k] < limit)) {
      return pz_fail(
          c, isfinite(size) && found[k] - limit <= rounding * size ? PZ_SINGULAR : PZ_OUTSIDE,
          "found matrix %lld of the batch with %s %.17g, expected less than %g", (long long)k, what,
          found[k], limit);
    }
  }
  return PZ_OK;
}

pz_status
stable_residual(pz_call* const c, const pz_tensor* const y, const double limit,
                pz_status (*const measure)(pz_call* c, const pz_tensor* a, double* out),
                double* const distance)
{
  double* found = NULL;
  *distance = 0.0;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  PZ_TRY(stable_numbers(c, y, &found));
  PZ_TRY(measure(c, y, found));
  for (int64_t k = 0; k < pz_batch(y); ++k) {
    *distance = pz_max(*distance, found[k] - limit);
  }
  return PZ_OK;
}
