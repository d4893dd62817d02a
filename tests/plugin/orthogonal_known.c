/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* orthogonal against stored numbers: every map, without a base, with signs, and with a base
   of either kind, on tall, wide and square matrices. */

#include "orthogonal_known.h"
#include "members.h"
#include "subject.h"
#include "suites.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { TALL, WIDE, SQUARE, SHAPES };
enum { PLAIN, SIGNS, BASE, STATES };

static const extents shapes[SHAPES] = {{2, {4, 3}}, {2, {3, 4}}, {2, {3, 3}}};
static const double* const bases[SHAPES] = {base_tall, base_wide, base_square};
static const double* const nearest[SHAPES] = {nearest_tall, nearest_wide, nearest_square};

typedef struct known {
  const double* y;
  const double* gx;
} known;

#define OF(map, state)                                   \
  {                                                      \
    {map##_##state##_tall, map##_##state##_tall_gx},     \
        {map##_##state##_wide, map##_##state##_wide_gx}, \
    {                                                    \
      map##_##state##_square, map##_##state##_square_gx  \
    }                                                    \
  }

static const struct {
  const char* name;
  known of[STATES][SHAPES];
} maps[] = {
    {"matrix_exp", {[PLAIN] = OF(exp, plain), [BASE] = OF(exp, base)}},
    {"cayley",
     {[PLAIN] = OF(cayley, plain), [SIGNS] = OF(cayley, signs), [BASE] = OF(cayley, base)}},
    {"householder",
     {[PLAIN] = OF(householder, plain),
      [SIGNS] = OF(householder, signs),
      [BASE] = OF(householder, base)}},
};
enum { MAPS = sizeof(maps) / sizeof(maps[0]) };

static double
cos_square(const double t)
{
  return cos(t * t);
}

/* f(step), f(2 step) ... with `diagonal` on the diagonal. */
static void
wave(const extents e, double (*const f)(double), const double step, const double* const diagonal,
     double* const out)
{
  const int64_t cols = e.shape[1];
  for (int64_t i = 0; i < e.shape[0] * cols; ++i) {
    out[i] = f(step * (double)(i + 1));
    if (diagonal && i / cols == i % cols) {
      out[i] = diagonal[i % cols];
    }
  }
}

/* Originals, and the base or the signs. */
static void
write_state(rig* const r, const int state, const bool dense, const int s)
{
  static const double diagonal[] = {0.9, -0.8, 0.2};
  static const double signs[] = {-1.0, 1.0, -1.0};
  static const double base_signs[] = {1.0, -1.0, 1.0};
  double x[12];
  wave(shapes[s], sin, 0.7, diagonal, x);
  rig_write(r, PZ_ORIGINAL, 0, x);
  if (state == SIGNS) {
    rig_write(r, PZ_STATE_BUFFER, 0, signs);
  } else if (state == BASE && dense) {
    rig_write(r, PZ_STATE_BUFFER, 0, bases[s]);
  } else if (state == BASE) {
    wave((extents){2, {s == SQUARE ? 3 : 4, 3}}, cos, 1.3, base_signs, x);
    rig_write(r, PZ_STATE_BUFFER, 0, x);
  }
}

/* To 1e-13; moved into the base to 1e-12. */
static void
check(const char* const chain, const int state, const bool dense, const int s, const known expected)
{
  double g[12];
  rig r;
  subject_open(&r, chain, PZ_F64, shapes[s]);
  write_state(&r, state, dense, s);
  double* const y = rig_forward(&r);
  wave(shapes[s], cos, 2.0, NULL, g);
  double* const gx = rig_vjp(&r, g, 0);
  const double found = largest_difference(r.n_y, y, expected.y);
  const double found_gx = largest_difference(r.n_x, gx, expected.gx);
  ck_assert_msg(found <= 1e-13, "%s, shape %d: %g", chain, s, found);
  ck_assert_msg(found_gx <= 1e-13 * fmax(1.0, largest(r.n_x, gx)), "%s, shape %d: gradient: %g",
                chain, s, found_gx);
  if (state == BASE) { /* the option rebase is 1 */
    ck_assert_ok(pz_eval_update(r.eval, r.state));
    double* const moved = rig_forward(&r);
    ck_assert_double_le(largest_difference(r.n_y, moved, expected.y), 1e-12);
    free(moved);
  }
  free(y);
  free(gx);
  rig_close(&r);
}

START_TEST(values_are_those_of_numpy)
{
  for (int m = 0; m < MAPS; ++m) {
    for (int s = 0; s < SHAPES; ++s) {
      char chain[96];
      for (int k = 0; k < 2; ++k) {
        const known expected = maps[m].of[k == 0 ? PLAIN : SIGNS][s];
        (void)snprintf(chain, sizeof(chain), "orthogonal(map=%s,trivialization=0,signs=%d)",
                       maps[m].name, k);
        if (expected.y) {
          check(chain, k == 0 ? PLAIN : SIGNS, false, s, expected);
        }
        (void)snprintf(chain, sizeof(chain), "orthogonal(map=%s,base=%s,rebase=1)", maps[m].name,
                       k == 0 ? "reflectors" : "dense");
        check(chain, BASE, k != 0, s, maps[m].of[BASE][s]);
      }
    }
  }
}
END_TEST

/* The map and the base that are chosen where nobody says which. */
START_TEST(defaults_are_those_of_numpy)
{
  static const int chosen[SHAPES] = {2, 2, 0};
  for (int s = 0; s < SHAPES; ++s) {
    check("orthogonal(rebase=1)", BASE, s == SQUARE, s, maps[chosen[s]].of[BASE][s]);
    check(s == SQUARE ? "orthogonal(trivialization=0)" : "orthogonal(trivialization=0,signs=0)",
          PLAIN, false, s, maps[chosen[s]].of[PLAIN][s]);
  }
}
END_TEST

/* A matrix that is not orthogonal, assigned: to 1e-13 of its factor Q. */
START_TEST(assigned_factors_are_those_of_numpy)
{
  static const char* const states[] = {"trivialization=0,signs=0", "trivialization=0,signs=1",
                                       "base=reflectors", "base=dense"};
  for (int m = 0; m < MAPS; ++m) {
    for (int k = 0; k < 4; ++k) {
      for (int s = 0; s < SHAPES; ++s) {
        double a[12];
        char chain[96];
        rig r;
        (void)snprintf(chain, sizeof(chain), "orthogonal(map=%s,%s)", maps[m].name, states[k]);
        subject_open(&r, chain, PZ_F64, shapes[s]);
        wave(shapes[s], cos_square, 1.3, NULL, a);
        const pz_status status = rig_assign(&r, PZ_ASSIGN, a);
        if (m == 0 && k < 2) { /* without a base none that is tall, or of determinant -1 */
          ck_assert_int_eq(status, s == SQUARE ? PZ_SINGULAR : PZ_UNSUPPORTED);
        } else if (m == 1 && k == 0 && s == SQUARE) {
          ck_assert_int_eq(status, PZ_SINGULAR);
        } else {
          ck_assert_msg(status == PZ_OK, "%s, shape %d: %s", chain, s, pz_error_message());
          double* const y = rig_forward(&r);
          ck_assert_msg(largest_difference(r.n_y, y, nearest[s]) <= 1e-13, "%s, shape %d: %g",
                        chain, s, largest_difference(r.n_y, y, nearest[s]));
          free(y);
        }
        rig_close(&r);
      }
    }
  }
}
END_TEST

TCase*
tests_orthogonal_known(void)
{
  TCase* const tests = subject_case("orthogonal known");
  tcase_add_test(tests, values_are_those_of_numpy);
  tcase_add_test(tests, defaults_are_those_of_numpy);
  tcase_add_test(tests, assigned_factors_are_those_of_numpy);
  return tests;
}
