/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* spectral_norm where there is no estimate, or none is needed: zeros, vectors, samples;
   structure, and what is refused. */

#include "norms_known.h"
#include "subject.h"
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A matrix of zeros, alone or in a batch, gives zeros and gradients of zero, and is followed
   again once it is something else. */
START_TEST(zeros_give_zeros)
{
  for (int k = 0; k < 4; ++k) {
    enum { COUNT = 2 * 3 * 4 };
    rig r;
    subject_open(&r, k & 1 ? "spectral_norm(batched=1)" : "spectral_norm", k & 2 ? PZ_F64 : PZ_F32,
                 (extents){3, {2, 3, 4}});
    double* const w = rig_normal(&r, r.y.dtype, COUNT, 1.0);
    double* const g = rig_normal(&r, r.y.dtype, COUNT, 1.0);
    double* const some = reals(COUNT);
    const int zeros = k & 1 ? COUNT / 2 : COUNT;
    memcpy(some + zeros, w + zeros, (size_t)(COUNT - zeros) * sizeof(double));
    rig_write(&r, PZ_ORIGINAL, 0, some);
    for (int step_of = 0; step_of < 3; ++step_of) {
      double* const y = rig_forward(&r);
      double* const gw = rig_vjp(&r, g, 0);
      ck_assert(largest(zeros, y) == 0.0 && largest(zeros, gw) == 0.0);
      ck_assert(isfinite(largest(COUNT, y)) && isfinite(largest(COUNT, gw)));
      ck_assert(zeros == COUNT || largest(COUNT, y) > 0.0);
      free(y);
      free(gw);
      ck_assert_ok(pz_eval_update(r.eval, r.state));
    }
    rig_write(&r, PZ_ORIGINAL, 0, w);
    ck_assert_ok(pz_eval_update(r.eval, r.state));
    double* const y = rig_forward(&r);
    double distance = 0.0;
    ck_assert(isfinite(largest(COUNT, y)) && largest(zeros, y) > 0.0);
    ck_assert_ok(rig_residual(&r, some, &distance));
    ck_assert(isfinite(distance));
    free(w);
    free(g);
    free(some);
    free(y);
    rig_close(&r);
  }
}
END_TEST

/* w / max(|w|, eps), and below eps a division by eps. */
START_TEST(vectors_are_normalized)
{
  static const double g[] = {1.0, 2.0, -3.0};
  static const struct {
    const char* chain;
    double w[3];
    double y[3];
    double gw[3];
  } cases[] = {
      {"spectral_norm", {3.0, 0.0, 4.0}, {0.6, 0.0, 0.8}, {0.416, 0.4, -0.312}},
      {"spectral_norm(dim=-1)", {0.0, -2.0, 0.0}, {0.0, -1.0, 0.0}, {0.5, 0.0, -1.5}},
      {"spectral_norm", {0.0, 0.0, 0.0}, {0.0, 0.0, 0.0}, {1e12, 2e12, -3e12}},
      {"spectral_norm(eps=0)", {0.0, 0.0, 0.0}, {0.0, 0.0, 0.0}, {0.0, 0.0, 0.0}},
      {"spectral_norm(eps=0.5)", {0.0, 0.25, 0.0}, {0.0, 0.5, 0.0}, {2.0, 4.0, -6.0}},
  };
  for (size_t k = 0; k < 2 * sizeof(cases) / sizeof(cases[0]); ++k) {
    rig r;
    subject_open(&r, cases[k / 2].chain, k & 1 ? PZ_F64 : PZ_F32, (extents){1, {3}});
    rig_write(&r, PZ_ORIGINAL, 0, cases[k / 2].w);
    ck_assert_ok(pz_eval_update(r.eval, r.state));
    double* const y = rig_forward(&r);
    double* const gw = rig_vjp(&r, g, 0);
    const double size = fmax(1.0, largest(3, cases[k / 2].gw));
    ck_assert_double_le(largest_difference(3, y, cases[k / 2].y), 10.0 * rig_unit(&r));
    ck_assert_double_le(largest_difference(3, gw, cases[k / 2].gw), 10.0 * rig_unit(&r) * size);
    free(y);
    free(gw);
    rig_close(&r);
  }
}
END_TEST

/* Stored numbers to 1e-14. */
START_TEST(vectors_are_those_of_numpy)
{
  enum { COUNT = 12 };
  double w[COUNT];
  double g[COUNT];
  for (int i = 0; i < COUNT; ++i) {
    w[i] = sin(i + 1.0);
    g[i] = cos(2.0 * (i + 1.0));
  }
  for (int k = 0; k < 2; ++k) {
    rig r;
    subject_open(&r, k ? "spectral_norm(eps=4)" : "spectral_norm", PZ_F64, (extents){1, {COUNT}});
    rig_write(&r, PZ_ORIGINAL, 0, w);
    double* const y = rig_forward(&r);
    double* const gw = rig_vjp(&r, g, 0);
    ck_assert_double_le(
        largest_difference(COUNT, y, k ? spectral_value_short : spectral_value_vector), 1e-14);
    ck_assert_double_le(largest_difference(COUNT, gw, k ? spectral_gw_short : spectral_gw_vector),
                        1e-14);
    free(y);
    free(gw);
    rig_close(&r);
  }
}
END_TEST

START_TEST(samples_are_members)
{
  static const struct {
    const char* chain;
    extents shape;
  } cases[] = {
      {"spectral_norm", {1, {9}}},
      {"spectral_norm", {2, {5, 7}}},
      {"spectral_norm(dim=1)", {4, {3, 4, 2, 3}}},
      {"spectral_norm(batched=1)", {3, {4, 6, 3}}},
  };
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); ++k) {
    rig r;
    subject_open(&r, cases[k].chain, PZ_F64, cases[k].shape);
    ck_assert_ok(pz_eval_sample(r.eval, r.state));
    double* const x = rig_read(&r, PZ_ORIGINAL, 0);
    double* const y = rig_forward(&r);
    double distance = -1.0;
    const double tolerance = 100.0 * (double)r.n_y * pz_dtype_epsilon(PZ_F64);
    ck_assert_ok(rig_residual(&r, y, &distance));
    ck_assert_double_le(distance, tolerance);
    ck_assert_double_le(largest_difference(r.n_y, x, y), tolerance);
    free(x);
    free(y);
    rig_close(&r);
  }
}
END_TEST

/* A matrix keeps what division keeps. */
START_TEST(structure_passes_through)
{
  static const struct {
    const char* chain;
    pz_structure structure;
  } cases[] = {
      {"skew,spectral_norm", PZ_SKEW},
      {"symmetric,spectral_norm", PZ_SYMMETRIC},
      {"symmetric,matrix_exp,spectral_norm(batched=1)", PZ_SYMMETRIC},
      {"skew,cayley,spectral_norm", PZ_GENERAL},
  };
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); ++k) {
    rig r;
    subject_open(&r, cases[k].chain, PZ_F64, (extents){3, {2, 4, 4}});
    ck_assert_int_eq(r.y.structure, cases[k].structure);
    rig_close(&r);
  }
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
  static const struct {
    const char* chain;
    extents shape;
    pz_status status;
    const char* message;
  } bad[] = {
      {"spectral_norm", {0, {0}}, PZ_MISMATCH, "found 0 dimensions"},
      {"spectral_norm(dim=2)", {2, {3, 5}}, PZ_MISMATCH, "expected at least 3 for dim=2"},
      {"spectral_norm(dim=-3)", {2, {3, 5}}, PZ_MISMATCH, "expected at least 3 for dim=-3"},
      {"spectral_norm(batched=1)", {1, {3}}, PZ_MISMATCH, "expected matrices"},
      {"spectral_norm(batched=1,dim=1)", {2, {3, 5}}, PZ_INVALID, "found dim=1 with batched"},
      {"spectral_norm(n_power_iterations=0)", {2, {3, 5}}, PZ_INVALID, "n_power_iterations"},
      {"spectral_norm(eps=-1)", {2, {3, 5}}, PZ_INVALID, "eps"},
  };
  for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); ++k) {
    rig r;
    ck_assert_fails(subject_try(&r, bad[k].chain, PZ_F64, bad[k].shape), bad[k].status,
                    bad[k].message);
  }
}
END_TEST

TCase*
tests_spectral_edges(void)
{
  TCase* const tests = subject_case("spectral_norm edges");
  tcase_add_test(tests, zeros_give_zeros);
  tcase_add_test(tests, vectors_are_normalized);
  tcase_add_test(tests, vectors_are_those_of_numpy);
  tcase_add_test(tests, samples_are_members);
  tcase_add_test(tests, structure_passes_through);
  tcase_add_test(tests, what_does_not_fit_is_refused);
  return tests;
}
