/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What every map owes that has jvp or log |det|: the derivative along a direction is that of the
   value and the adjoint of vjp, and the gradient of log |det| is that of log |det|. Maps without
   them say so. */

#include "subject.h"
#include "suites.h"
#include "variants.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double h = 1e-5;

/* Originals as in contract.c: normal over the root of the order, away from 0. */
static double*
originals(rig* const r, const extents shape)
{
  const int64_t n = shape.ndim > 0 ? shape.shape[shape.ndim - 1] : 1;
  double* const x = rig_normal(r, r->x.dtype, r->n_x, 0.3 / sqrt((double)(n > 0 ? n : 1)));
  for (int64_t k = 0; k < r->n_x; ++k) {
    x[k] = fabs(x[k]) < 0x1p-10 ? 0x1p-10 : x[k];
  }
  rig_write_originals(r, x);
  ck_assert_ok(pz_eval_update(r->eval, r->state));
  rig_write_originals(r, x);
  return x;
}

/* The derivative of what `measure` gives, along dx, by central differences of fourth order. */
static double*
difference(rig* const r, double* (*measure)(rig* r), const int64_t n, const double* const x,
           const double* const dx)
{
  static const double at[] = {-2.0, -1.0, 1.0, 2.0};
  static const double weight[] = {1.0, -8.0, 8.0, -1.0};
  double* const moved = reals(r->n_x);
  double* const out = reals(n);
  for (int p = 0; p < 4; ++p) {
    for (int64_t k = 0; k < r->n_x; ++k) {
      moved[k] = x[k] + at[p] * h * dx[k];
    }
    rig_write_originals(r, moved);
    double* const y = measure(r);
    for (int64_t k = 0; k < n; ++k) {
      out[k] += weight[p] / (12.0 * h) * y[k];
    }
    free(y);
  }
  rig_write_originals(r, x);
  free(moved);
  return out;
}

/* jvp against differences, c = 1e-6 of the largest entry and the rounding of y. */
static void
along_directions(rig* const r, const extents shape, const char* const chain)
{
  if (r->y.dtype != PZ_F64) {
    return;
  }
  double* const x = originals(r, shape);
  double* const dx = rig_normal(r, PZ_F64, r->n_x, 1.0);
  double* const expected = difference(r, rig_forward, r->n_y, x, dx);
  double* const y = rig_forward(r);
  double* const dy = rig_jvp(r, dx);
  if (dy) {
    const double found = largest_difference(r->n_y, dy, expected);
    const double tolerance =
        1e-6 * largest(r->n_y, expected) + 10.0 * DBL_EPSILON / h * fmax(1.0, largest(r->n_y, y));
    ck_assert_msg(found <= tolerance, "%s, %d x ...: %g > %g", chain,
                  (int)(shape.ndim > 0 ? shape.shape[0] : 0), found, tolerance);
  }
  free(x);
  free(y);
  free(dx);
  free(dy);
  free(expected);
}

START_TEST(jvp_matches_differences)
{
  on_every_chain(along_directions, true);
}
END_TEST

/* <g, J dx> = <J^T g, dx> to rounding, c = 1000, in both dtypes. Where J dx is far smaller than
   |y| |dx| / |x|, as of a constant value, rounding is relative to that. */
static void
adjoint(rig* const r, const extents shape, const char* const chain)
{
  double* const x = originals(r, shape);
  double* const dx = rig_normal(r, r->x.dtype, r->n_x, 1.0);
  double* const g = rig_normal(r, r->y.dtype, r->n_y, 1.0);
  double* const y = rig_forward(r);
  double* const dy = rig_jvp(r, dx);
  if (dy && r->n_x > 0) {
    double* const gx = rig_gradients(r, g);
    const double forth = inner(r->n_y, g, dy);
    const double back = inner(r->n_x, gx, dx);
    const double size = sqrt(inner(r->n_y, g, g) * inner(r->n_y, dy, dy)) +
                        sqrt(inner(r->n_x, gx, gx) * inner(r->n_x, dx, dx)) +
                        sqrt(inner(r->n_y, g, g) * inner(r->n_y, y, y) * inner(r->n_x, dx, dx) /
                             inner(r->n_x, x, x));
    ck_assert_msg(fabs(forth - back) <= 1000.0 * pz_dtype_epsilon(r->y.dtype) * size,
                  "%s, %d x ...: <g, J dx> = %.15g, <J^T g, dx> = %.15g", chain,
                  (int)(shape.ndim > 0 ? shape.shape[0] : 0), forth, back);
    free(gx);
  }
  free(x);
  free(y);
  free(g);
  free(dx);
  free(dy);
}

START_TEST(jvp_is_the_adjoint_of_vjp)
{
  on_every_chain(adjoint, true);
}
END_TEST

/* ---- log |det| ------------------------------------------------------------------------ */

/* NULL where the device cannot. */
static double*
log_abs_det(rig* const r)
{
  pz_spec spec;
  free(rig_forward(r));
  double* const out = rig_log_abs_det(r, &spec);
  ck_assert_msg(out || subject_lacks_schur(), "%s", pz_error_message());
  return out;
}

/* The gradient of <g, log |det|> along dx against differences, c = 1e-6; each number of a batch
   depends on its own matrix only, which the weights g tell apart. */
static void
slopes(rig* const r, const extents shape, const char* const chain)
{
  pz_spec spec;
  if (r->y.dtype != PZ_F64 || pz_chain_density(r->chain, &spec) != PZ_OK) {
    return;
  }
  const int64_t n = pz_spec_count(&spec);
  double* const x = originals(r, shape);
  double* const dx = rig_normal(r, PZ_F64, r->n_x, 1.0);
  double* const g = rig_normal(r, PZ_F64, n, 1.0);
  double* const value = log_abs_det(r);
  double* const dl = value ? difference(r, log_abs_det, n, x, dx) : NULL;
  free(rig_forward(r));
  double* const gx = value ? rig_log_abs_det_gradients(r, g) : NULL;
  if (gx) {
    const double found = inner(r->n_x, gx, dx);
    const double expected = inner(n, g, dl);
    const double tolerance =
        1e-6 * (fabs(expected) + sqrt(inner(r->n_x, gx, gx) * inner(r->n_x, dx, dx))) +
        100.0 * DBL_EPSILON / h * sqrt(inner(n, g, g)) * fmax(1.0, largest(n, value));
    ck_assert_msg(fabs(found - expected) <= tolerance, "%s, %d x ...: %.15g, expected %.15g", chain,
                  (int)(shape.ndim > 0 ? shape.shape[0] : 0), found, expected);
  }
  free(x);
  free(g);
  free(dx);
  free(dl);
  free(gx);
  free(value);
}

START_TEST(gradients_of_log_abs_det_match_differences)
{
  on_every_chain(slopes, true);
}
END_TEST

/* float32 is float64 but for rounding, c = 100 for each entry of the matrix; numbers of a batch are
   what each matrix has alone. */
START_TEST(log_abs_det_of_a_batch)
{
  enum { BATCH = 5, ORDER = 6 };
  const extents many = {3, {BATCH, ORDER, ORDER}};
  const extents one = {2, {ORDER, ORDER}};
  contract v;
  for (int k = 0; contract_variant(k, &v); ++k) {
    rig r;
    pz_spec spec;
    ck_assert_int_le(v.dims, 4);
    if (v.dims > many.ndim || subject_try(&r, v.chain, PZ_F64, many) != PZ_OK) {
      continue;
    }
    const bool alone_alike = pz_chain_count(r.chain, PZ_STATE_BUFFER) == 0;
    if (pz_chain_density(r.chain, &spec) != PZ_OK || !alone_alike) {
      rig_close(&r);
      continue;
    }
    ck_assert_int_eq(spec.dtype, PZ_F64);
    double* const x = rig_normal(&r, PZ_F32, r.n_x, 0.3);
    rig_write_originals(&r, x);
    double* const numbers = log_abs_det(&r);
    const int64_t each = pz_spec_count(&spec) / BATCH;
    for (int m = 0; m < BATCH && numbers; ++m) {
      for (int d = 0; d < 2; ++d) {
        ck_assert_ok(subject_change(&r, v.chain, d ? PZ_F64 : PZ_F32, one));
        rig_write_originals(&r, x + m * ORDER * ORDER);
        double* const alone = log_abs_det(&r);
        const double found = largest_difference(each, alone, numbers + m * each);
        ck_assert_msg(found <= 100.0 * ORDER * ORDER * pz_dtype_epsilon(r.y.dtype),
                      "%s: matrix %d: %g", v.chain, m, found);
        free(alone);
      }
    }
    free(x);
    free(numbers);
    rig_close(&r);
  }
}
END_TEST

/* Flags say what the table has; a chain without log |det| names a stage. */
START_TEST(what_is_missing_is_named)
{
  pz_parametrization_info info = {.size = sizeof(info)};
  ck_assert_ok(pz_context_find(subject.context, subject_plugin, &info));
  contract v;
  for (int k = 0; contract_variant(k, &v); ++k) {
    const extents shape = {4, {2, 3, 3, 3}};
    rig r;
    pz_spec spec;
    ck_assert_ok(subject_try(&r, v.chain, PZ_F64, shape));
    const pz_status status = pz_chain_density(r.chain, &spec);
    ck_assert(status == PZ_OK || status == PZ_UNSUPPORTED);
    if ((info.flags & PZ_HAS_LOG_ABS_DET) == 0) {
      ck_assert_int_eq(status, PZ_UNSUPPORTED);
      ck_assert_ptr_nonnull(strstr(pz_error_message(), ": has no log |det|"));
    }
    free(rig_forward(&r));
    double* const dx = reals(r.n_x);
    double* const dy = rig_jvp(&r, dx);
    if ((info.flags & PZ_HAS_JVP) == 0) {
      ck_assert_ptr_null(dy);
      ck_assert_ptr_nonnull(strstr(pz_error_message(), subject_plugin));
    } else {
      ck_assert_msg(dy, "%s: %s", v.chain, pz_error_message());
      ck_assert(largest(r.n_y, dy) == 0.0);
    }
    free(dx);
    free(dy);
    rig_close(&r);
  }
}
END_TEST

TCase*
tests_derivatives(void)
{
  TCase* const tests = subject_case("derivatives");
  tcase_add_test(tests, jvp_matches_differences);
  tcase_add_test(tests, jvp_is_the_adjoint_of_vjp);
  tcase_add_test(tests, gradients_of_log_abs_det_match_differences);
  tcase_add_test(tests, log_abs_det_of_a_batch);
  tcase_add_test(tests, what_is_missing_is_named);
  return tests;
}
