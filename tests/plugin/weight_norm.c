/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* weight_norm: its dimensions, its zeros, its range. */

#include "norms_known.h"
#include "subject.h"
#include "suites.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { G, V };
enum { WHOLE = -1 };

static const char*
chain_of(const int dim, char text[32])
{
  (void)snprintf(text, 32, dim == WHOLE ? "weight_norm(dim=all)" : "weight_norm(dim=%d)", dim);
  return text;
}

/* The magnitude that element i of v belongs to. */
static int64_t
slice_of(const pz_spec* const v, const int dim, const int64_t i)
{
  if (dim == WHOLE) {
    return 0;
  }
  return i / pz_shape_count(v->ndim - dim - 1, v->shape + dim + 1) % v->shape[dim];
}

/* Norms of the slices, or of <x, y> over them, in double. */
static double*
slice_products(const rig* const r, const int dim, const double* const x, const double* const y)
{
  double* const out = reals(r->n_x - r->n_y);
  for (int64_t i = 0; i < r->n_y; ++i) {
    out[slice_of(&r->y, dim, i)] += x[i] * y[i];
  }
  return out;
}

/* Value and gradients of g and v against plain loops, c = 20. */
static void
check_values(const int dim, const uint32_t dtype, const extents shape)
{
  char text[32];
  rig r;
  subject_open(&r, chain_of(dim, text), dtype, shape);
  const int64_t n_g = r.n_x - r.n_y;
  double* const g = rig_normal(&r, dtype, n_g, 1.0);
  double* const v = rig_normal(&r, dtype, r.n_y, 1.0);
  double* const gw = rig_normal(&r, dtype, r.n_y, 1.0);
  rig_write(&r, PZ_ORIGINAL, G, g);
  rig_write(&r, PZ_ORIGINAL, V, v);
  double* const w = rig_forward(&r);
  double* const gg = rig_vjp(&r, gw, G);
  double* const gv = rig_vjp(&r, gw, V);
  double* const squares = slice_products(&r, dim, v, v);
  double* const products = slice_products(&r, dim, gw, v);
  const double tolerance = 20.0 * (double)r.n_y * pz_dtype_epsilon(dtype);
  for (int64_t i = 0; i < r.n_y; ++i) {
    const int64_t k = slice_of(&r.y, dim, i);
    const double norm = sqrt(squares[k]);
    const double along = products[k] / norm;
    const double size = fabs(g[k]) / norm * largest(r.n_y, gw) * 2.0;
    ck_assert_msg(fabs(w[i] - g[k] * v[i] / norm) <= tolerance * fabs(g[k]), "%s: value %d: %g",
                  text, (int)i, w[i]);
    ck_assert_msg(fabs(gg[k] - along) <= tolerance * (1.0 + fabs(along)), "%s: gg %d: %g", text,
                  (int)k, gg[k]);
    const double expected = g[k] / norm * (gw[i] - along * v[i] / norm);
    ck_assert_msg(fabs(gv[i] - expected) <= tolerance * size, "%s: gv %d: %g, expected %g", text,
                  (int)i, gv[i], expected);
  }
  free(g);
  free(v);
  free(gw);
  free(w);
  free(gg);
  free(gv);
  free(squares);
  free(products);
  rig_close(&r);
}

START_TEST(values_over_every_dimension)
{
  static const extents shapes[] = {{1, {7}}, {2, {4, 5}}, {3, {3, 4, 5}}, {4, {2, 3, 4, 5}}};
  for (int s = 0; s < 4; ++s) {
    for (int dim = WHOLE; dim < shapes[s].ndim; ++dim) {
      check_values(dim, PZ_F64, shapes[s]);
      check_values(dim, PZ_F32, shapes[s]);
    }
  }
}
END_TEST

/* Stored numbers to 1e-14. */
START_TEST(values_are_those_of_numpy)
{
  static const struct {
    const char* chain;
    const double* value;
    const double* gg;
    const double* gv;
  } known[] = {
      {"weight_norm", weight_value_0, weight_gg_0, weight_gv_0},
      {"weight_norm(dim=1)", weight_value_1, weight_gg_1, weight_gv_1},
      {"weight_norm(dim=2)", weight_value_2, weight_gg_2, weight_gv_2},
      {"weight_norm(dim=all)", weight_value_all, weight_gg_all, weight_gv_all},
      {"weight_norm(dim=-1)", weight_value_all, weight_gg_all, weight_gv_all},
      {"weight_norm(dim=-2)", weight_value_1, weight_gg_1, weight_gv_1},
      {"weight_norm(dim=-3)", weight_value_0, weight_gg_0, weight_gv_0},
  };
  enum { COUNT = 12 };
  double g[3];
  double v[COUNT];
  double gw[COUNT];
  for (int i = 0; i < COUNT; ++i) {
    v[i] = sin(i + 1.0);
    gw[i] = cos(2.0 * (i + 1.0));
  }
  for (int k = 0; k < 3; ++k) {
    g[k] = 1.0 + k / 2.0;
  }
  for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); ++k) {
    rig r;
    subject_open(&r, known[k].chain, PZ_F64, (extents){3, {2, 2, 3}});
    rig_write(&r, PZ_ORIGINAL, G, g);
    rig_write(&r, PZ_ORIGINAL, V, v);
    double* const w = rig_forward(&r);
    double* const gg = rig_vjp(&r, gw, G);
    double* const gv = rig_vjp(&r, gw, V);
    ck_assert_double_le(largest_difference(COUNT, w, known[k].value), 1e-14);
    ck_assert_double_le(largest_difference(r.n_x - COUNT, gg, known[k].gg), 1e-14);
    ck_assert_double_le(largest_difference(COUNT, gv, known[k].gv), 1e-14);
    free(w);
    free(gg);
    free(gv);
    rig_close(&r);
  }
}
END_TEST

/* The magnitudes have the shape of a norm that keeps its dimensions; over all, none. */
START_TEST(originals_are_shaped_as_in_pytorch)
{
  static const struct {
    const char* chain;
    extents g;
  } expected[] = {
      {"weight_norm", {3, {3, 1, 1}}},         {"weight_norm(dim=1)", {3, {1, 4, 1}}},
      {"weight_norm(dim=2)", {3, {1, 1, 5}}},  {"weight_norm(dim=all)", {0, {0}}},
      {"weight_norm(dim=-1)", {0, {0}}},       {"weight_norm(dim=-2)", {3, {1, 4, 1}}},
      {"weight_norm(dim=-3)", {3, {3, 1, 1}}},
  };
  for (size_t k = 0; k < sizeof(expected) / sizeof(expected[0]); ++k) {
    pz_chain_tensor_info g = {.size = sizeof(g)};
    pz_chain_tensor_info v = {.size = sizeof(v)};
    rig r;
    subject_open(&r, expected[k].chain, PZ_F32, (extents){3, {3, 4, 5}});
    ck_assert_ok(pz_chain_tensor(r.chain, PZ_ORIGINAL, G, &g));
    ck_assert_ok(pz_chain_tensor(r.chain, PZ_ORIGINAL, V, &v));
    const pz_spec spec = pz_spec_make(PZ_F32, expected[k].g.ndim, expected[k].g.shape);
    ck_assert_str_eq(g.name, "original0");
    ck_assert_str_eq(v.name, "original1");
    ck_assert_msg(pz_spec_equal(&g.spec, &spec), "%s", expected[k].chain);
    ck_assert(pz_spec_equal(&v.spec, &r.y));
    rig_close(&r);
  }
}
END_TEST

/* g = |w| and v = w of whatever is assigned, zeros included, which comes back. */
START_TEST(assignment_splits)
{
  const uint32_t dtypes[] = {PZ_F32, PZ_F64};
  for (int k = 0; k < 4; ++k) {
    enum { ROWS = 3, COLS = 4 };
    rig r;
    subject_open(&r, k & 1 ? "weight_norm(dim=1)" : "weight_norm", dtypes[k / 2],
                 (extents){2, {ROWS, COLS}});
    double* const w = rig_normal(&r, r.y.dtype, r.n_y, 1.0);
    for (int i = 0; i < ROWS * COLS; ++i) {
      w[i] = (k & 1 ? i % COLS : i / COLS) == 1 ? 0.0 : w[i];
    }
    ck_assert_ok(rig_assign(&r, PZ_ASSIGN, w));
    double* const g = rig_read(&r, PZ_ORIGINAL, G);
    double* const v = rig_read(&r, PZ_ORIGINAL, V);
    double* const squares = slice_products(&r, k & 1, w, w);
    double* const back = rig_forward(&r);
    ck_assert_int_eq(memcmp(v, w, (size_t)r.n_y * sizeof(double)), 0);
    ck_assert(g[1] == 0.0);
    for (int64_t i = 0; i < r.n_x - r.n_y; ++i) {
      ck_assert_double_le(fabs(g[i] - sqrt(squares[i])), 10.0 * rig_unit(&r) * sqrt(squares[i]));
    }
    for (int64_t i = 0; i < r.n_y; ++i) {
      ck_assert_double_le(fabs(back[i] - w[i]), 10.0 * rig_unit(&r) * fabs(w[i]));
    }
    double distance = -1.0;
    ck_assert_ok(rig_residual(&r, w, &distance));
    ck_assert(distance == 0.0);
    free(w);
    free(g);
    free(v);
    free(squares);
    free(back);
    rig_close(&r);
  }
}
END_TEST

/* Slices of zeros: value and gradients are zero, and those of the others are unharmed. */
START_TEST(zeros_stay_zeros)
{
  static const double v[] = {0.0, 0.0, 0.0, 3.0, 4.0, 0.0};
  static const double g[] = {2.0, 10.0};
  static const double gw[] = {1.0, -2.0, 3.0, 1.0, 1.0, 1.0};
  static const double w[] = {0.0, 0.0, 0.0, 6.0, 8.0, 0.0};
  for (int k = 0; k < 2; ++k) {
    rig r;
    subject_open(&r, "weight_norm", k ? PZ_F64 : PZ_F32, (extents){2, {2, 3}});
    rig_write(&r, PZ_ORIGINAL, G, g);
    rig_write(&r, PZ_ORIGINAL, V, v);
    double* const value = rig_forward(&r);
    double* const gg = rig_vjp(&r, gw, G);
    double* const gv = rig_vjp(&r, gw, V);
    // gv = 10/5 ((1, 1, 1) - 1.4 (0.6, 0.8, 0))
    const double expected[] = {0.0, 0.0, 0.0, 0.32, -0.24, 2.0};
    const double tolerance = 10.0 * rig_unit(&r);
    ck_assert_double_le(largest_difference(6, value, w), 10.0 * tolerance);
    ck_assert(value[0] == 0.0 && value[1] == 0.0 && value[2] == 0.0);
    ck_assert(gg[0] == 0.0 && gv[0] == 0.0 && gv[1] == 0.0 && gv[2] == 0.0);
    ck_assert_double_le(fabs(gg[1] - 1.4), tolerance);
    ck_assert_double_le(largest_difference(6, gv, expected), tolerance);
    free(value);
    free(gg);
    free(gv);
    rig_close(&r);
  }
}
END_TEST

/* Entries of any size: the direction is that of v / 2^k, exactly. */
START_TEST(sizes_do_not_matter)
{
  static const int powers[2][3] = {{100, -100, -120}, {1000, -1000, -1020}};
  static const char* const chains[] = {"weight_norm", "weight_norm(dim=1)", "weight_norm(dim=all)"};
  for (int c = 0; c < 3; ++c) {
    for (int k = 0; k < 6; ++k) {
      const uint32_t dtype = k < 3 ? PZ_F32 : PZ_F64;
      const int power = powers[k / 3][k % 3];
      rig r;
      subject_open(&r, chains[c], dtype, (extents){3, {4, 3, 6}});
      double* const g = rig_normal(&r, dtype, r.n_x - r.n_y, 1.0);
      double* const v = rig_normal(&r, dtype, r.n_y, 1.0);
      rig_write(&r, PZ_ORIGINAL, G, g);
      rig_write(&r, PZ_ORIGINAL, V, v);
      double* const expected = rig_forward(&r);
      double* const gg_expected = rig_vjp(&r, v, G);
      for (int64_t i = 0; i < r.n_y; ++i) {
        v[i] = ldexp(v[i], power);
      }
      rig_write(&r, PZ_ORIGINAL, V, v);
      double* const w = rig_forward(&r);
      double* const gg = rig_vjp(&r, v, G);
      double* const gv = rig_vjp(&r, v, V);
      const double tolerance = 100.0 * rig_unit(&r);
      ck_assert_double_le(largest_difference(r.n_y, w, expected), tolerance * largest(r.n_y, w));
      for (int64_t i = 0; i < r.n_x - r.n_y; ++i) {
        ck_assert_double_le(fabs(ldexp(gg[i], -power) - gg_expected[i]),
                            tolerance * fabs(gg_expected[i]));
      }
      ck_assert(isfinite(largest(r.n_y, gv)));
      free(g);
      free(v);
      free(expected);
      free(gg_expected);
      free(w);
      free(gg);
      free(gv);
      rig_close(&r);
    }
  }
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
  const extents matrix = {2, {3, 5}};
  rig r;
  ck_assert_fails(subject_try(&r, "weight_norm(dim=2)", PZ_F64, matrix), PZ_MISMATCH,
                  "found 2 dimensions, expected at least 3 for dim=2");
  ck_assert_fails(subject_try(&r, "weight_norm", PZ_F64, (extents){0, {0}}), PZ_MISMATCH,
                  "found 0 dimensions, expected at least 1 for dim=0");
  ck_assert_fails(subject_try(&r, "weight_norm(dim=-3)", PZ_F64, matrix), PZ_MISMATCH,
                  "found 2 dimensions, expected at least 3 for dim=-3");
  ck_assert_fails(subject_try(&r, "weight_norm(dim=-9)", PZ_F64, matrix), PZ_INVALID,
                  "|-2|-1|0|1|");
  ck_assert_fails(subject_try(&r, "pruning,weight_norm", PZ_F64, matrix), PZ_MISMATCH,
                  "found 2 originals at place 1");
}
END_TEST

TCase*
tests_weight_norm(void)
{
  TCase* const tests = subject_case("weight_norm");
  tcase_add_test(tests, values_over_every_dimension);
  tcase_add_test(tests, values_are_those_of_numpy);
  tcase_add_test(tests, originals_are_shaped_as_in_pytorch);
  tcase_add_test(tests, assignment_splits);
  tcase_add_test(tests, zeros_stay_zeros);
  tcase_add_test(tests, sizes_do_not_matter);
  tcase_add_test(tests, what_does_not_fit_is_refused);
  return tests;
}
