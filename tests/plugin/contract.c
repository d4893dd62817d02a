/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What every parametrization owes, whatever it computes: shapes taken or refused by name,
   determined values, gradients that are those of the value, right inverses, members. */

#include "rig.h"
#include "suites.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Chains that end in the subject, by what stands before it and its options. */
typedef struct variant {
  const char* plugin;
  const char* text;
  bool projects; /* what comes back of an assigned value is less than it */
} variant;

static const variant variants[] = {
    {"cayley", "cayley", false},
    {"cayley", "cayley(signs=1)", false},
    {"cayley", "skew,cayley", false},
    {"cayley", "skew,cayley(signs=1)", false},
    {"cayley", "skew(lower=1),cayley", false},
    {"cayley", "symmetric,cayley", false},
    {"matrix_exp", "matrix_exp", false},
    {"matrix_exp", "skew,matrix_exp", false},
    {"matrix_exp", "symmetric,matrix_exp", false},
    {"matrix_exp", "symmetric,matrix_exp,matrix_exp", false},
    {"pruning", "pruning", false},
    {"pruning", "pruning(p_drop=0.2,seed=7)", false},
    {"pruning", "skew,pruning(seed=1)", true},
    {"pruning", "skew,cayley,pruning(seed=1)", true},
    {"skew", "skew", false},
    {"skew", "skew(lower=1)", false},
    {"skew", "symmetric,skew", false},
    {"symmetric", "symmetric", false},
    {"symmetric", "symmetric(lower=1)", false},
    {"symmetric", "skew,symmetric", false},
};

static const extents shapes[] = {
    {2, {0, 0}},       {2, {1, 1}},    {2, {2, 2}},    {2, {3, 3}},       {2, {5, 5}},
    {2, {8, 8}},       {2, {16, 16}},  {2, {17, 17}},  {2, {33, 33}},     {2, {40, 40}},
    {3, {0, 4, 4}},    {3, {3, 0, 0}}, {3, {1, 3, 3}}, {4, {8, 5, 3, 3}}, {3, {7, 6, 6}},
    {4, {2, 1, 0, 5}}, {2, {3, 5}},    {2, {4, 0}},    {1, {6}},          {0, {0}},
};

enum { N_SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

static bool
is_square(const extents e)
{
  return e.ndim >= 2 && e.shape[e.ndim - 1] == e.shape[e.ndim - 2];
}

/* Chain number k of the subject, or NULL past the last; a map nobody knows here is taken
   alone and after skew. */
static const char*
chain_text(const int k, char text[128], bool* const projects)
{
  int found = 0;
  for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); ++i) {
    if (strcmp(variants[i].plugin, subject_plugin) == 0 && found++ == k) {
      *projects = variants[i].projects;
      return variants[i].text;
    }
  }
  if (found > 0 || k > 1) {
    return NULL;
  }
  *projects = k > 0;
  (void)snprintf(text, 128, "%s%s", k == 0 ? "" : "skew,", subject_plugin);
  return text;
}

/* Runs `body` on every chain (with `projecting` those that project too), dtype and shape that
   the maps take; a shape is refused with
   PZ_MISMATCH and a reason, and square matrices are never refused by the known ones. */
static void
on_every_chain(void (*body)(rig* r, extents shape, const char* chain), const bool projecting)
{
  char text[128];
  for (int k = 0;; ++k) {
    bool projects = false;
    const char* const chain = chain_text(k, text, &projects);
    if (!chain) {
      break;
    }
    if (projects && !projecting) {
      continue;
    }
    for (int d = 0; d < 2; ++d) {
      for (int s = 0; s < N_SHAPES; ++s) {
        rig r;
        const pz_status status = rig_try(&r, chain, d ? PZ_F64 : PZ_F32, shapes[s]);
        if (status == PZ_OK) {
          body(&r, shapes[s], chain);
          rig_close(&r);
          continue;
        }
        ck_assert_msg(status == PZ_MISMATCH && pz_error_message()[0] != '\0' &&
                          !is_square(shapes[s]),
                      "%s, shape %d: %s: %s", chain, s, pz_status_text(status), pz_error_message());
      }
    }
  }
}

/* Well-scaled originals: normal over the root of the order, times `scale`. */
static double*
originals(rig* const r, const extents shape, const double scale)
{
  const int64_t n = shape.ndim > 0 ? shape.shape[shape.ndim - 1] : 1;
  double* const x = rig_normal(r, r->x.dtype, r->n_x, scale / sqrt((double)(n > 0 ? n : 1)));
  rig_write(r, PZ_ORIGINAL, 0, x);
  return x;
}

/* ---- values ------------------------------------------------------------------- */

static void
determined(rig* const r, const extents shape, const char* const chain)
{
  double* const x = originals(r, shape, 0.3);
  double* const first = rig_forward(r);
  rig_write(r, PZ_ORIGINAL, 0, x);
  double* const second = rig_forward(r);
  ck_assert_msg(memcmp(first, second, (size_t)r->n_y * sizeof(double)) == 0,
                "%s: two evaluations differ", chain);
  pz_tensor value;
  pz_state_touch(r->state);
  ck_assert_ok(pz_eval_forward(r->eval, r->state, 0, &value));
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

/* float32 is float64 but for rounding, c = 100. */
START_TEST(dtypes_agree)
{
  char text[128];
  bool projects = false;
  for (int k = 0; chain_text(k, text, &projects); ++k) {
    const char* const chain = chain_text(k, text, &projects);
    for (int s = 0; s < N_SHAPES; ++s) {
      rig r;
      if (rig_try(&r, chain, PZ_F32, shapes[s]) != PZ_OK) {
        continue;
      }
      if (pz_chain_count(r.chain, PZ_STATE_BUFFER) == 0) {
        const double unit = rig_unit(&r);
        double* const x = originals(&r, shapes[s], 0.3);
        double* const single = rig_forward(&r);
        rig_change(&r, chain, PZ_F64, shapes[s]);
        rig_write(&r, PZ_ORIGINAL, 0, x);
        double* const twice = rig_forward(&r);
        const double found = largest_difference(r.n_y, single, twice);
        const double expected = 100.0 * unit * largest(r.n_y, twice);
        ck_assert_msg(found <= expected, "%s, shape %d: %g > %g", chain, s, found, expected);
        free(x);
        free(single);
        free(twice);
      }
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
  char text[128];
  bool projects = false;
  for (int k = 0; chain_text(k, text, &projects); ++k) {
    const char* const chain = chain_text(k, text, &projects);
    rig r;
    ck_assert_ok(rig_try(&r, chain, PZ_F64, many));
    const bool has_state = pz_chain_count(r.chain, PZ_STATE_BUFFER) != 0;
    double* const x = originals(&r, many, 0.3);
    double* const y = rig_forward(&r);
    for (int m = 0; m < BATCH && !has_state; ++m) {
      rig_change(&r, chain, PZ_F64, one);
      rig_write(&r, PZ_ORIGINAL, 0, x + m * ORDER * ORDER);
      double* const alone = rig_forward(&r);
      const double found = largest_difference(r.n_y, alone, y + m * ORDER * ORDER);
      ck_assert_msg(found <= 100.0 * rig_unit(&r) * largest(r.n_y, alone), "%s: matrix %d: %g",
                    chain, m, found);
      free(alone);
    }
    free(x);
    free(y);
    rig_close(&r);
  }
}
END_TEST

/* ---- gradients ---------------------------------------------------------------- */

/* The derivative of the value in direction dx, by central differences. */
static double*
derivative(rig* const r, const double* const x, const double* const dx)
{
  const double h = 1e-5;
  double* const moved = doubles(r->n_x);
  for (int64_t k = 0; k < r->n_x; ++k) {
    moved[k] = x[k] + h * dx[k];
  }
  rig_write(r, PZ_ORIGINAL, 0, moved);
  double* const above = rig_forward(r);
  for (int64_t k = 0; k < r->n_x; ++k) {
    moved[k] = x[k] - h * dx[k];
  }
  rig_write(r, PZ_ORIGINAL, 0, moved);
  double* const below = rig_forward(r);
  for (int64_t k = 0; k < r->n_y; ++k) {
    above[k] = (above[k] - below[k]) / (2.0 * h);
  }
  free(moved);
  free(below);
  return above;
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
  rig_write(r, PZ_ORIGINAL, 0, x);
  free(rig_forward(r));
  double* const g = rig_normal(r, PZ_F64, r->n_y, 1.0);
  double* const other = rig_normal(r, PZ_F64, r->n_y, 1.0);
  double* const gx = rig_vjp(r, g, 0);
  double* const gx_other = rig_vjp(r, other, 0);
  double* const gx_again = rig_vjp(r, g, 0);
  ck_assert_msg(memcmp(gx, gx_again, (size_t)r->n_x * sizeof(double)) == 0,
                "%s: a second vjp differs", chain);
  const double size = sqrt(inner(r->n_y, dy, dy));
  const double* const gs[2] = {g, other};
  const double* const gxs[2] = {gx, gx_other};
  for (int k = 0; k < 2; ++k) {
    const double found = inner(r->n_x, gxs[k], dx);
    const double expected = inner(r->n_y, gs[k], dy);
    const double tolerance = 1e-6 * sqrt(inner(r->n_y, gs[k], gs[k])) * size + 1e-12;
    ck_assert_msg(fabs(found - expected) <= tolerance, "%s, %d x ...: %.15g, expected %.15g", chain,
                  (int)(shape.ndim > 0 ? shape.shape[0] : 0), found, expected);
  }
  free(x);
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
  free(rig_forward(r));
  double* const gx = rig_vjp(r, g, 0);
  double* const dx = doubles(r->n_x);
  for (int64_t k = 0; k < r->n_x; ++k) {
    dx[k] = 1.0;
    double* const dy = derivative(r, x, dx);
    const double expected = inner(r->n_y, g, dy);
    ck_assert_msg(fabs(gx[k] - expected) <= 1e-6 * (largest(r->n_x, gx) + largest(r->n_y, dy)),
                  "%s: entry %d: %.15g, expected %.15g", chain, (int)k, gx[k], expected);
    dx[k] = 0.0;
    free(dy);
  }
  free(x);
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

/* Values and samples lie in the set, c = 100. */
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
    double distance = -1.0;
    const pz_status status = rig_residual(r, y, &distance);
    const double expected = 100.0 * rig_unit(r) * fmax(1.0, largest(r->n_y, y));
    ck_assert_msg(is_missing(status) || (status == PZ_OK && distance >= 0.0), "%s: %s", chain,
                  pz_error_message());
    ck_assert_msg(is_missing(status) || distance <= expected, "%s, %s: %g > %g", chain,
                  k == 0 ? "value" : "sample", distance, expected);
    for (int64_t i = 0; i < r->n_y; ++i) {
      ck_assert_msg(isfinite(y[i]), "%s: not finite", chain);
    }
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
    double* const spoiled = doubles(r->n_x);
    memcpy(spoiled, x, (size_t)r->n_x * sizeof(double));
    for (int64_t i = 0; i < r->n_x; i += k == 3 ? 1 : 2) {
      spoiled[i] = bad[k % 3];
    }
    rig_write(r, PZ_ORIGINAL, 0, spoiled);
    pz_tensor value;
    (void)pz_eval_forward(r->eval, r->state, PZ_CALL_SAVING, &value);
    double distance = 0.0;
    (void)rig_residual(r, spoiled, &distance);
    (void)rig_assign(r, PZ_REGISTER, spoiled);
    (void)rig_assign(r, PZ_ASSIGN, spoiled);
    free(spoiled);
  }
  rig_write(r, PZ_ORIGINAL, 0, x);
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

TCase*
tests_contract(void)
{
  TCase* const tests = tcase_create("contract");
  tcase_set_timeout(tests, 120);
  tcase_add_checked_fixture(tests, rig_start, rig_finish);
  tcase_add_test(tests, values_are_determined);
  tcase_add_test(tests, dtypes_agree);
  tcase_add_test(tests, batches_are_their_matrices);
  tcase_add_test(tests, vjp_is_the_adjoint);
  tcase_add_test(tests, vjp_matches_differences);
  tcase_add_test(tests, values_come_back);
  tcase_add_test(tests, values_and_samples_are_members);
  tcase_add_test(tests, anything_registers);
  tcase_add_test(tests, not_finite_ends);
  return tests;
}
