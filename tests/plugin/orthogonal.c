/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* orthogonal: its value against dense matrices in long double, what its inverse reaches and
   refuses, its samples, and the base that moves. */

#include "members.h"
#include "oracle.h"
#include "subject.h"
#include "suites.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char* const maps[] = {"matrix_exp", "cayley", "householder"};

/* ---- values ------------------------------------------------------------------- */

/* y (n x n) <- the map of tall x in full, its columns past k of no concern. */
static void
dense_map(const int map, const tall s, double* const x, const int64_t b, double* const y)
{
  const int64_t n = s.n;
  double* const a = reals(n * n);
  for (int64_t j = 0; j < s.k; ++j) {
    for (int64_t i = j + 1; i < n; ++i) {
      const double at = *tall_at(s, x, b, i, j) * (map == 1 ? 0.5 : 1.0);
      a[i * n + j] = at;
      a[j * n + i] = -at;
    }
  }
  if (map == 0) {
    oracle_exp(n, a, y);
  } else if (map == 1) {
    oracle_cayley(n, a, y);
  } else {
    double* const h = reals(n * n);
    double* const product = reals(n * n);
    for (int64_t k = 0; k < n * n; ++k) {
      y[k] = k % (n + 1) == 0 ? 1.0 : 0.0;
    }
    for (int64_t j = 0; j < s.k; ++j) {
      double norm = 1.0;
      for (int64_t i = j + 1; i < n; ++i) {
        norm += a[i * n + j] * a[i * n + j];
      }
      for (int64_t r = 0; r < n; ++r) {
        for (int64_t t = 0; t < n; ++t) {
          const double u = r == j ? 1.0 : r > j ? a[r * n + j] : 0.0;
          const double v = t == j ? 1.0 : t > j ? a[t * n + j] : 0.0;
          h[r * n + t] = (r == t ? 1.0 : 0.0) - 2.0 / norm * u * v;
        }
      }
      oracle_product(n, false, false, y, h, product);
      memcpy(y, product, (size_t)(n * n) * sizeof(double));
    }
    for (int64_t r = 0; r < n; ++r) {
      for (int64_t j = 0; j < s.k; ++j) {
        y[r * n + j] *= *tall_at(s, x, b, j, j);
      }
    }
    free(h);
    free(product);
  }
  free(a);
}

/* Originals, the diagonal of householder's +1 and -1. */
static double*
originals(rig* const r, const int map, const tall s)
{
  double* const x = rig_normal(r, PZ_F64, r->n_x, 0.5);
  for (int64_t b = 0; map == 2 && b < s.batch; ++b) {
    for (int64_t j = 0; j < s.k; ++j) {
      *tall_at(s, x, b, j, j) = (b + j) % 2 == 0 ? 1.0 : -1.0;
    }
  }
  rig_write(r, PZ_ORIGINAL, 0, x);
  return x;
}

/* c = 100 */
START_TEST(values_are_the_dense_ones)
{
  for (int map = 0; map < 3; ++map) {
    for (int base = 0; base < 2; ++base) {
      for (int k = 0; k < TALL_SHAPES; ++k) {
        const tall s = tall_of(tall_shapes[k]);
        char chain[96];
        rig r;
        (void)snprintf(chain, sizeof(chain), "orthogonal(map=%s,trivialization=%d,base=dense)",
                       maps[map], base);
        subject_open(&r, chain, PZ_F64, tall_shapes[k]);
        double* const x = originals(&r, map, s);
        double* const bases = reals(s.batch * s.n * s.n);
        double* const full = reals(s.n * s.n);
        double* const product = reals(s.n * s.n);
        for (int64_t b = 0; b < s.batch; ++b) {
          double* const q = orthogonal_matrix(s.n, PZ_F64, -1.0);
          memcpy(bases + b * s.n * s.n, q, (size_t)(s.n * s.n) * sizeof(double));
          free(q);
        }
        if (base) {
          rig_write(&r, PZ_STATE_BUFFER, 0, bases);
        } else if (map == 1) { /* which keeps the signs of what it was registered on */
          double* const signs = reals(s.batch * s.k);
          for (int64_t i = 0; i < s.batch * s.k; ++i) {
            signs[i] = 1.0;
          }
          rig_write(&r, PZ_STATE_BUFFER, 0, signs);
          free(signs);
        }
        double* const y = rig_forward(&r);
        double most = 0.0;
        for (int64_t b = 0; b < s.batch; ++b) {
          dense_map(map, s, x, b, full);
          oracle_product(s.n, false, false, bases + b * s.n * s.n, full, product);
          for (int64_t i = 0; i < s.n; ++i) {
            for (int64_t j = 0; j < s.k; ++j) {
              const double expected = (base ? product : full)[i * s.n + j];
              most = fmax(most, fabs(*tall_at(s, y, b, i, j) - expected));
            }
          }
        }
        ck_assert_msg(most <= 100.0 * tall_unit(PZ_F64, s), "%s, shape %d: %g", chain, k, most);
        free(x);
        free(y);
        free(bases);
        free(full);
        free(product);
        rig_close(&r);
      }
    }
  }
}
END_TEST

/* ---- signs, bases, refusals --------------------------------------------------- */

/* Every orthogonal matrix is reached without a base; weight decay of what the gradient does
   not touch changes nothing. */
START_TEST(every_orthogonal_matrix_has_originals)
{
  static const char* const chains[] = {"orthogonal(map=cayley,trivialization=0)",
                                       "orthogonal(map=householder,trivialization=0)",
                                       "orthogonal(map=householder,trivialization=0,signs=0)"};
  static const int64_t orders[] = {1, 2, 5, 48, 50};
  for (int c = 0; c < 3; ++c) {
    for (int o = 0; o < 5; ++o) {
      const int64_t n = orders[o];
      double* const minus = reals(n);
      for (int64_t k = 0; k < n; ++k) {
        minus[k] = -1.0;
      }
      double* const cases[] = {diagonal_matrix(n, minus), orthogonal_matrix(n, PZ_F64, -1.0),
                               orthogonal_matrix(n, PZ_F64, 1.0)};
      for (int k = 0; k < 3; ++k) {
        rig r;
        subject_open(&r, chains[c], PZ_F64, square_shape(n));
        double* const back = rig_assigned(&r, cases[k]);
        const double found = largest_difference(n * n, back, cases[k]);
        ck_assert_msg(found <= 100.0 * rig_unit(&r), "%s, n = %d, case %d: %g", chains[c], (int)n,
                      k, found);
        double* const x = rig_read(&r, PZ_ORIGINAL, 0);
        for (int64_t i = 0; i < n; ++i) {
          x[i * n + i] *= 0.3;
        }
        rig_write(&r, PZ_ORIGINAL, 0, x);
        double* const decayed = rig_forward(&r);
        ck_assert_mem_eq(back, decayed, (size_t)(n * n) * sizeof(double));
        free(back);
        free(decayed);
        free(x);
        rig_close(&r);
      }
      free(minus);
      for (int k = 0; k < 3; ++k) {
        free(cases[k]);
      }
    }
  }
}
END_TEST

/* So is every one that is tall or wide, with columns turned round: all of them, one, and those
   of a random one; with a base too, in float32 and float64. */
START_TEST(reflected_ones_have_originals)
{
  static const char* const chains[] = {
      "orthogonal(map=cayley,trivialization=0)",
      "orthogonal(map=householder,trivialization=0)",
      "orthogonal(map=householder,trivialization=0,signs=0)",
      "orthogonal(map=matrix_exp,base=reflectors)",
      "orthogonal(map=matrix_exp,base=dense)",
      "orthogonal(map=cayley,base=reflectors)",
      "orthogonal(map=cayley,base=dense)",
      "orthogonal(map=householder,base=reflectors)",
      "orthogonal(map=householder,base=dense)",
  };
  for (size_t c = 0; c < sizeof(chains) / sizeof(chains[0]); ++c) {
    for (int k = 0; k < 2 * TALL_SHAPES; ++k) {
      const tall s = tall_of(tall_shapes[k / 2]);
      rig r;
      subject_open(&r, chains[c], k % 2 ? PZ_F64 : PZ_F32, tall_shapes[k / 2]);
      for (int turned = 0; turned < 4; ++turned) {
        double* const random = rig_normal(&r, r.y.dtype, r.n_y, 1.0);
        double* const q = rig_assigned(&r, random); /* its factor Q */
        for (int64_t b = 0; b < s.batch; ++b) {
          for (int64_t j = 0; j < s.k; ++j) {
            const double sign = turned % 2 == 0 || j == 0 ? -1.0 : 1.0;
            for (int64_t i = 0; i < s.n; ++i) {
              double* const at = tall_at(s, q, b, i, j);
              *at = sign * (turned >= 2 ? *at : i == j ? 1.0 : 0.0);
            }
          }
        }
        double* const back = rig_assigned(&r, q);
        ck_assert_msg(largest_difference(r.n_y, back, q) <= 100.0 * tall_unit(r.y.dtype, s),
                      "%s, shape %d, case %d: %g", chains[c], k / 2, turned,
                      largest_difference(r.n_y, back, q));
        free(q);
        free(random);
        free(back);
      }
      rig_close(&r);
    }
  }
}
END_TEST

START_TEST(refusals_say_what_and_why)
{
  const double off[] = {1.0, 0.5, 0.0, 1.0};
  const double flip[] = {1.0, 0.0, 0.0, -1.0};
  const double column[] = {1.0, 0.0, 0.0};
  const double bad[] = {1.0, NAN, 0.0, 1.0};
  const extents two = {2, {2, 2}};
  rig r;
  subject_open(&r, "orthogonal(nearest=0)", PZ_F64, two);
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, off), PZ_OUTSIDE,
                  "found matrix 0 of the batch with Q^T Q at distance 0.5 from the identity");
  ck_assert_ok(subject_change(&r, "orthogonal", PZ_F64, two));
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, bad), PZ_OUTSIDE, "not finite");
  ck_assert_ok(rig_assign(&r, PZ_ASSIGN, flip));
  ck_assert_ok(subject_change(&r, "orthogonal(trivialization=0)", PZ_F64, two));
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, flip), PZ_SINGULAR, "determinant -1");
  ck_assert_ok(subject_change(&r, "orthogonal(map=cayley,trivialization=0,signs=0)", PZ_F64, two));
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, flip), PZ_SINGULAR, "eigenvalue -1");
  ck_assert_ok(subject_change(&r, "orthogonal(map=matrix_exp,trivialization=0)", PZ_F64,
                              (extents){2, {3, 1}}));
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, column), PZ_UNSUPPORTED, "expected trivialization=1");
  rig_close(&r);
  ck_assert_fails(subject_try(&r, "orthogonal", PZ_F64, (extents){1, {3}}), PZ_MISMATCH,
                  "found 1 dimension, expected matrices");
  ck_assert_fails(subject_try(&r, "orthogonal(map=foo)", PZ_F64, two), PZ_INVALID,
                  "auto|matrix_exp|cayley|householder");
}
END_TEST

/* Samples are uniform: of either determinant, the mean square of an entry 1/n; 2000 of them,
   at 6 standard deviations. */
START_TEST(samples_are_uniform)
{
  enum { COUNT = 2000, N = 3 };
  const extents many = {3, {COUNT, N, N}};
  double sum[N * N] = {0};
  int reflections = 0;
  rig r;
  subject_open(&r, "orthogonal(map=householder)", PZ_F64, many);
  ck_assert_ok(pz_eval_sample(r.eval, r.state));
  double* const q = rig_forward(&r);
  for (int b = 0; b < COUNT; ++b) {
    reflections += oracle_determinant(N, q + b * N * N) < 0.0 ? 1 : 0;
    for (int k = 0; k < N * N; ++k) {
      sum[k] += q[b * N * N + k] * q[b * N * N + k] / COUNT;
    }
  }
  ck_assert_int_le(abs(reflections - COUNT / 2), 6 * 23);
  for (int k = 0; k < N * N; ++k) { /* variance of q^2: 1/5 - 1/9 */
    ck_assert_double_le(fabs(sum[k] - 1.0 / N), 6.0 * sqrt(0.09 / COUNT));
  }
  free(q);
  rig_close(&r);
}
END_TEST

/* ---- rebase ------------------------------------------------------------------- */

START_TEST(updates_move_the_value_into_the_base)
{
  for (int map = 0; map < 3; ++map) {
    for (int k = 0; k < TALL_SHAPES; ++k) {
      const tall s = tall_of(tall_shapes[k]);
      char chain[96];
      rig r;
      (void)snprintf(chain, sizeof(chain), "orthogonal(map=%s,rebase=2)", maps[map]);
      subject_open(&r, chain, PZ_F64, tall_shapes[k]);
      double* const x = rig_read(&r, PZ_ORIGINAL, 0);
      double* const step = rig_normal(&r, PZ_F64, r.n_x, 0.3);
      for (int64_t b = 0; b < s.batch; ++b) {
        for (int64_t j = 0; j < s.k; ++j) {
          *tall_at(s, x, b, j, j) = map == 2 ? -1.0 : 0.0;
          for (int64_t i = j + 1; i < s.n; ++i) {
            *tall_at(s, x, b, i, j) = *tall_at(s, step, b, i, j);
          }
        }
      }
      rig_write(&r, PZ_ORIGINAL, 0, x);
      double* const y = rig_forward(&r);
      for (int update = 1; update <= 2; ++update) {
        ck_assert_ok(pz_eval_update(r.eval, r.state));
        double* const now = rig_read(&r, PZ_ORIGINAL, 0);
        double* const value = rig_forward(&r);
        for (int64_t b = 0; b < s.batch; ++b) {
          for (int64_t i = 0; i < s.n; ++i) {
            for (int64_t j = 0; j < s.k; ++j) {
              const double origin = i == j && map == 2 ? -1.0 : 0.0;
              ck_assert(update == 1 || *tall_at(s, now, b, i, j) == origin);
            }
          }
        }
        ck_assert(update == 2 || largest_difference(r.n_x, now, x) == 0.0);
        ck_assert_double_le(largest_difference(r.n_y, value, y), 100.0 * tall_unit(PZ_F64, s));
        free(now);
        free(value);
      }
      free(x);
      free(step);
      free(y);
      rig_close(&r);
    }
  }
  rig r;
  subject_open(&r, "skew,orthogonal(rebase=1)", PZ_F64, (extents){2, {4, 4}});
  ck_assert_fails(pz_eval_update(r.eval, r.state), PZ_UNSUPPORTED,
                  "found a parametrization before this one");
  rig_close(&r);
}
END_TEST

TCase*
tests_orthogonal(void)
{
  TCase* const tests = subject_case("orthogonal");
  tcase_add_test(tests, values_are_the_dense_ones);
  tcase_add_test(tests, every_orthogonal_matrix_has_originals);
  tcase_add_test(tests, reflected_ones_have_originals);
  tcase_add_test(tests, refusals_say_what_and_why);
  tcase_add_test(tests, samples_are_uniform);
  tcase_add_test(tests, updates_move_the_value_into_the_base);
  return tests;
}
