/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What every parametrization owes, whatever it computes: shapes taken or refused by name,
   determined values, gradients that are those of the value, right inverses, members. */

#include "subject.h"
#include "suites.h"
#include "variants.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Well-scaled originals: normal over the root of the order, times `scale`, further from 0 than
   differences reach; and the maps' own state brought nearer to them. */
static double*
originals(rig* const r, const extents shape, const double scale)
{
  const int64_t n = shape.ndim > 0 ? shape.shape[shape.ndim - 1] : 1;
  double* const x = rig_normal(r, r->x.dtype, r->n_x, scale / sqrt((double)(n > 0 ? n : 1)));
  for (int64_t k = 0; k < r->n_x; ++k) {
    x[k] = fabs(x[k]) < 0x1p-10 ? 0x1p-10 : x[k];
  }
  rig_write_originals(r, x);
  ck_assert_ok(pz_eval_update(r->eval, r->state)); /* which may move originals */
  rig_write_originals(r, x);
  return x;
}

/* ---- values ------------------------------------------------------------------- */

static void
determined(rig* const r, const extents shape, const char* const chain)
{
  double* const x = originals(r, shape, 0.3);
  double* const first = rig_forward(r);
  rig_write_originals(r, x);
  double* const second = rig_forward(r);
  ck_assert_msg(memcmp(first, second, (size_t)r->n_y * sizeof(double)) == 0,
                "%s: two evaluations differ", chain);
  pz_tensor value;
  pz_state_touch(r->state);
  ck_assert_ok(pz_eval_forward(r->eval, r->state, 0, NULL, &value));
  double* const again = rig_forward(r);
  ck_assert_msg(memcmp(first, again, (size_t)r->n_y * sizeof(double)) == 0,
                "%s: saving changes the value", chain);
  free(x);
  free(first);
  free(second);
  free(again);
}

START_TEST(values_are_determined)
{
  on_every_chain(determined, true);
}
END_TEST

/* The state of one chain in another of any dtype. */
static void
give_state(rig* const to, const uint32_t n, double** const buffers)
{
  for (uint32_t i = 0; i < n; ++i) {
    rig_write(to, PZ_STATE_BUFFER, i, buffers[i]);
    free(buffers[i]);
  }
}

/* float32 is float64 but for rounding, c = 100. */
START_TEST(dtypes_agree)
{
  enum { MOST = 8 };
  contract v;
  for (int k = 0; contract_variant(k, &v); ++k) {
    for (int s = 0; s < CONTRACT_SHAPES; ++s) {
      double* buffers[MOST] = {NULL};
      rig r;
      if (!contract_takes(k, s) || subject_try(&r, v.chain, PZ_F32, contract_shapes[s]) != PZ_OK) {
        continue;
      }
      const uint32_t n = pz_chain_count(r.chain, PZ_STATE_BUFFER);
      const double unit = rig_unit(&r);
      double* const x = originals(&r, contract_shapes[s], 0.3);
      double* const single = rig_forward(&r);
      ck_assert_uint_le(n, MOST);
      for (uint32_t i = 0; i < n; ++i) {
        buffers[i] = rig_read(&r, PZ_STATE_BUFFER, i);
      }
      ck_assert_ok(subject_change(&r, v.chain, PZ_F64, contract_shapes[s]));
      rig_write_originals(&r, x);
      give_state(&r, n, buffers);
      double* const twice = rig_forward(&r);
      const double found = largest_difference(r.n_y, single, twice);
      const double expected = 100.0 * unit * largest(r.n_y, twice);
      ck_assert_msg(found <= expected, "%s, shape %d: %g > %g", v.chain, s, found, expected);
      free(x);
      free(single);
      free(twice);
      rig_close(&r);
    }
  }
}
END_TEST

/* Each matrix of a batch is what it is alone, c = 100. */
START_TEST(batches_are_their_matrices)
{
  enum { BATCH = 5, ORDER = 6 };
  const extents many = {3, {BATCH, ORDER, ORDER}};
  const extents one = {2, {ORDER, ORDER}};
  contract v;
  for (int k = 0; contract_variant(k, &v); ++k) {
    rig r;
    if (v.dims > many.ndim) {
      continue;
    }
    ck_assert_ok(subject_try(&r, v.chain, PZ_F64, many));
    const bool alone_alike =
        pz_chain_count(r.chain, PZ_STATE_BUFFER) == 0 && !contract_is_whole(v.chain);
    double* const x = originals(&r, many, 0.3);
    double* const y = rig_forward(&r);
    for (int m = 0; m < BATCH && alone_alike; ++m) {
      ck_assert_ok(subject_change(&r, v.chain, PZ_F64, one));
      rig_write_originals(&r, x + m * ORDER * ORDER);
      double* const alone = rig_forward(&r);
      const double found = largest_difference(r.n_y, alone, y + m * ORDER * ORDER);
      ck_assert_msg(found <= 100.0 * rig_unit(&r) * largest(r.n_y, alone), "%s: matrix %d: %g",
                    v.chain, m, found);
      free(alone);
    }
    free(x);
    free(y);
    rig_close(&r);
  }
}
END_TEST

/* ---- gradients ---------------------------------------------------------------- */

static const double h = 1e-5;

/* What rounding of y leaves in <g, dy> by differences, c = 10: all there is where the value
   is constant. */
static double
noise(const rig* const r, const double* const y, const double* const g)
{
  return 10.0 * DBL_EPSILON / h * largest(r->n_y, y) * sqrt(inner(r->n_y, g, g));
}

/* The derivative of the value in direction dx, by central differences of fourth order. */
static double*
derivative(rig* const r, const double* const x, const double* const dx)
{
  static const double at[] = {-2.0, -1.0, 1.0, 2.0};
  static const double weight[] = {1.0, -8.0, 8.0, -1.0};
  double* const moved = reals(r->n_x);
  double* const out = reals(r->n_y);
  for (int p = 0; p < 4; ++p) {
    for (int64_t k = 0; k < r->n_x; ++k) {
      moved[k] = x[k] + at[p] * h * dx[k];
    }
    rig_write_originals(r, moved);
    double* const y = rig_forward(r);
    for (int64_t k = 0; k < r->n_y; ++k) {
      out[k] += weight[p] / (12.0 * h) * y[k];
    }
    free(y);
  }
  free(moved);
  return out;
}

/* <vjp(g), dx> = <g, J dx> to 1e-6 |g| |J dx|, and the same answer to the same gradient
   after another: saved tensors are only read. */
static void
adjoint(rig* const r, const extents shape, const char* const chain)
{
  if (r->y.dtype != PZ_F64) {
    return;
  }
  double* const x = originals(r, shape, 0.3);
  double* const dx = rig_normal(r, PZ_F64, r->n_x, 1.0);
  double* const dy = derivative(r, x, dx);
  rig_write_originals(r, x);
  double* const y = rig_forward(r);
  double* const g = rig_normal(r, PZ_F64, r->n_y, 1.0);
  double* const other = rig_normal(r, PZ_F64, r->n_y, 1.0);
  double* const gx = rig_gradients(r, g);
  double* const gx_other = rig_gradients(r, other);
  double* const gx_again = rig_gradients(r, g);
  ck_assert_msg(memcmp(gx, gx_again, (size_t)r->n_x * sizeof(double)) == 0,
                "%s: a second vjp differs", chain);
  const double size = sqrt(inner(r->n_y, dy, dy));
  const double* const gs[2] = {g, other};
  const double* const gxs[2] = {gx, gx_other};
  for (int k = 0; k < 2; ++k) {
    const double found = inner(r->n_x, gxs[k], dx);
    const double expected = inner(r->n_y, gs[k], dy);
    const double tolerance = 1e-6 * sqrt(inner(r->n_y, gs[k], gs[k])) * size + noise(r, y, gs[k]);
    ck_assert_msg(fabs(found - expected) <= tolerance, "%s, %d x ...: %.15g, expected %.15g", chain,
                  (int)(shape.ndim > 0 ? shape.shape[0] : 0), found, expected);
  }
  free(x);
  free(y);
  free(dx);
  free(dy);
  free(g);
  free(other);
  free(gx);
  free(gx_other);
  free(gx_again);
}

START_TEST(vjp_is_the_adjoint)
{
  on_every_chain(adjoint, true);
}
END_TEST

/* Every entry of the gradient of <g, y> by itself, where there are few. */
static void
entrywise(rig* const r, const extents shape, const char* const chain)
{
  if (r->y.dtype != PZ_F64 || r->n_x > 30) {
    return;
  }
  double* const x = originals(r, shape, 0.3);
  double* const g = rig_normal(r, PZ_F64, r->n_y, 1.0);
  double* const y = rig_forward(r);
  double* const gx = rig_gradients(r, g);
  double* const dx = reals(r->n_x);
  for (int64_t k = 0; k < r->n_x; ++k) {
    dx[k] = 1.0;
    double* const dy = derivative(r, x, dx);
    const double expected = inner(r->n_y, g, dy);
    ck_assert_msg(fabs(gx[k] - expected) <=
                      1e-6 * (largest(r->n_x, gx) + largest(r->n_y, dy)) + noise(r, y, g),
                  "%s: entry %d: %.15g, expected %.15g", chain, (int)k, gx[k], expected);
    dx[k] = 0.0;
    free(dy);
  }
  free(x);
  free(y);
  free(g);
  free(gx);
  free(dx);
}

START_TEST(vjp_matches_differences)
{
  on_every_chain(entrywise, true);
}
END_TEST

/* ---- right inverses, members -------------------------------------------------- */

static bool
is_missing(const pz_status status)
{
  return status == PZ_UNSUPPORTED;
}

/* A value assigned comes back, c = 100; so does one that is registered or handed down. */
static void
round_trip(rig* const r, const extents shape, const char* const chain)
{
  static const pz_intent intents[] = {PZ_ASSIGN, PZ_REGISTER, PZ_CHAIN};
  free(originals(r, shape, 0.3));
  double* const y = rig_forward(r);
  for (int k = 0; k < 3; ++k) {
    const pz_status status = rig_assign(r, intents[k], y);
    if (is_missing(status)) {
      break;
    }
    ck_assert_msg(status == PZ_OK, "%s, intent %d: %s", chain, (int)intents[k], pz_error_message());
    double* const back = rig_forward(r);
    const double found = largest_difference(r->n_y, y, back);
    const double expected = 100.0 * rig_unit(r) * fmax(1.0, largest(r->n_y, y));
    ck_assert_msg(found <= expected, "%s, intent %d: %g > %g", chain, (int)intents[k], found,
                  expected);
    free(back);
  }
  free(y);
}

START_TEST(values_come_back)
{
  on_every_chain(round_trip, false);
}
END_TEST

/* Values and samples lie in the set, c = 100, or 10 where originals are large. */
static void
member(rig* const r, const extents shape, const char* const chain)
{
  for (int k = 0; k < 2; ++k) {
    if (k == 0) {
      free(originals(r, shape, 0.3));
    } else {
      const pz_status status = pz_eval_sample(r->eval, r->state);
      if (is_missing(status)) {
        continue;
      }
      ck_assert_msg(status == PZ_OK, "%s: sample: %s", chain, pz_error_message());
    }
    double* const y = rig_forward(r);
    double* const x = rig_read_originals(r);
    const double order = shape.ndim > 0 ? (double)shape.shape[shape.ndim - 1] : 1.0;
    double distance = -1.0;
    const pz_status status = rig_residual(r, y, &distance);
    const double expected = 100.0 * rig_unit(r) * fmax(1.0, largest(r->n_y, y)) +
                            10.0 * rig_unit(r) * order * largest(r->n_x, x);
    ck_assert_msg(is_missing(status) || (status == PZ_OK && distance >= 0.0), "%s: %s", chain,
                  pz_error_message());
    ck_assert_msg(is_missing(status) || contract_estimates(chain) || distance <= expected,
                  "%s, %s: %g > %g", chain, k == 0 ? "value" : "sample", distance, expected);
    for (int64_t i = 0; i < r->n_y; ++i) {
      ck_assert_msg(isfinite(y[i]), "%s: not finite", chain);
    }
    free(x);
    free(y);
  }
}

START_TEST(values_and_samples_are_members)
{
  on_every_chain(member, true);
}
END_TEST

/* Whatever tensor is registered: originals, or a clear answer that there are none. */
static void
registered(rig* const r, const extents shape, const char* const chain)
{
  double* const y = rig_normal(r, r->y.dtype, r->n_y, 1.0);
  const pz_status status = rig_assign(r, PZ_REGISTER, y);
  (void)shape;
  ck_assert_msg(status == PZ_OK || status == PZ_SINGULAR || status == PZ_UNSUPPORTED,
                "%s: found \"%s\": %s", chain, pz_status_text(status), pz_error_message());
  if (status == PZ_OK) {
    double* const back = rig_forward(r);
    ck_assert_msg(isfinite(largest(r->n_y, back)), "%s: not finite", chain);
    free(back);
  }
  free(y);
}

START_TEST(anything_registers)
{
  on_every_chain(registered, true);
}
END_TEST

/* Nothing hangs, and an evaluation is as good as new afterwards. */
static void
not_finite(rig* const r, const extents shape, const char* const chain)
{
  static const double bad[] = {NAN, INFINITY, 1e30};
  double* const x = originals(r, shape, 0.3);
  double* const good = rig_forward(r);
  for (int k = 0; k < 4 && r->n_x > 0; ++k) {
    double* const spoiled = reals(r->n_x);
    memcpy(spoiled, x, (size_t)r->n_x * sizeof(double));
    for (int64_t i = 0; i < r->n_x; i += k == 3 ? 1 : 2) {
      spoiled[i] = bad[k % 3];
    }
    rig_write_originals(r, spoiled);
    pz_tensor value;
    (void)pz_eval_forward(r->eval, r->state, PZ_CALL_SAVING, NULL, &value);
    double distance = 0.0;
    (void)rig_residual(r, spoiled, &distance);
    (void)rig_assign(r, PZ_REGISTER, spoiled);
    (void)rig_assign(r, PZ_ASSIGN, spoiled);
    free(spoiled);
  }
  rig_write_originals(r, x);
  if (pz_chain_count(r->chain, PZ_STATE_BUFFER) == 0) {
    double* const again = rig_forward(r);
    ck_assert_msg(memcmp(good, again, (size_t)r->n_y * sizeof(double)) == 0,
                  "%s: changed by what was not finite", chain);
    free(again);
  }
  free(x);
  free(good);
}

START_TEST(not_finite_ends)
{
  on_every_chain(not_finite, true);
}
END_TEST

/* With the host forbidden a device does everything by itself, or names what it cannot do. */
static void
without_host(rig* const r, const extents shape, const char* const chain)
{
  static const char reason[] = "would have to run on the host, forbidden here";
  char on[64];
  pz_tensor value;
  (void)shape;
  pz_state_touch(r->state);
  pz_queue_forbid_host_fallback(subject.queue, true);
  const pz_status status = pz_eval_forward(r->eval, r->state, PZ_CALL_SAVING, NULL, &value);
  pz_queue_forbid_host_fallback(subject.queue, false);
  if (status != PZ_OK) {
    snprintf(on, sizeof(on), "of float%d on %s", r->y.dtype == PZ_F32 ? 32 : 64, subject_device);
    ck_assert_msg(status == PZ_UNSUPPORTED && strstr(pz_error_message(), on) &&
                      strstr(pz_error_message(), reason),
                  "%s: %s: %s", chain, pz_status_text(status), pz_error_message());
  }
  /* Operations of an empty value's buffers and originals may have something to do. */
  const bool bare = strcmp(subject_device, "minimal") == 0;
  const bool whole = strcmp(subject_device, "reference") == 0 || strcmp(subject_device, "cpu") == 0;
  ck_assert_msg(status == PZ_OK ? !bare || r->n_y == 0 : !whole, "%s: %s", chain,
                pz_status_text(status));
  free(rig_forward(r)); /* and with its help it goes on */
}

START_TEST(what_needs_the_host_is_named)
{
  on_every_chain(without_host, true);
}
END_TEST

TCase*
tests_contract(void)
{
  TCase* const tests = subject_case("contract");
  tcase_add_test(tests, values_are_determined);
  tcase_add_test(tests, dtypes_agree);
  tcase_add_test(tests, batches_are_their_matrices);
  tcase_add_test(tests, vjp_is_the_adjoint);
  tcase_add_test(tests, vjp_matches_differences);
  tcase_add_test(tests, values_come_back);
  tcase_add_test(tests, values_and_samples_are_members);
  tcase_add_test(tests, anything_registers);
  tcase_add_test(tests, not_finite_ends);
  tcase_add_test(tests, what_needs_the_host_is_named);
  return tests;
}
