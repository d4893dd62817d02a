/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* spectral_norm: the power method against plain loops, and who steps it. */

#include "norms_known.h"
#include "oracle.h"
#include "subject.h"
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { U, V };
enum { BATCHED = 99 }; /* in place of a dimension */

/* ---- plain loops ------------------------------------------------------------------- */

/* Batch, rows and columns of the matrices, and where their entries are. */
typedef struct matrices {
  int64_t batch;
  int64_t rows;
  int64_t cols;
  int64_t inner; /* entries of w between two rows */
} matrices;

static matrices
matrices_of(const rig* const r, const int dim)
{
  const int32_t n = r->y.ndim;
  const int64_t* const shape = r->y.shape;
  if (dim == BATCHED) {
    return (matrices){pz_shape_count(n - 2, shape), shape[n - 2], shape[n - 1], shape[n - 1]};
  }
  const int at = dim < 0 ? dim + n : dim;
  return (matrices){1, shape[at], shape[at] > 0 ? r->n_y / shape[at] : 0,
                    pz_shape_count(n - at - 1, shape + at + 1)};
}

/* Element (i, j) of matrix k. */
static int64_t
place(const matrices* const m, const int64_t k, const int64_t i, const int64_t j)
{
  return k * m->rows * m->cols + (j / m->inner * m->rows + i) * m->inner + j % m->inner;
}

static void
normalize(const int64_t n, double* const x, const double eps)
{
  const double size = fmax(sqrt(inner(n, x, x)), eps);
  for (int64_t i = 0; i < n; ++i) {
    x[i] /= size;
  }
}

static void
step(const matrices* const m, const double* const w, double* const u, double* const v)
{
  for (int64_t k = 0; k < m->batch; ++k) {
    double* const uk = u + k * m->rows;
    double* const vk = v + k * m->cols;
    for (int64_t i = 0; i < m->rows; ++i) {
      uk[i] = 0.0;
      for (int64_t j = 0; j < m->cols; ++j) {
        uk[i] += w[place(m, k, i, j)] * vk[j];
      }
    }
    normalize(m->rows, uk, 1e-12);
    for (int64_t j = 0; j < m->cols; ++j) {
      vk[j] = 0.0;
      for (int64_t i = 0; i < m->rows; ++i) {
        vk[j] += w[place(m, k, i, j)] * uk[i];
      }
    }
    normalize(m->cols, vk, 1e-12);
  }
}

/* y <- w / s, gw <- (g - <g, y> u v^T) / s. */
static void
apply(const matrices* const m, const double* const w, const double* const u, const double* const v,
      const double* const g, double* const y, double* const gw)
{
  for (int64_t k = 0; k < m->batch; ++k) {
    double s = 0.0;
    double along = 0.0;
    for (int64_t at = 0; at < m->rows * m->cols; ++at) {
      const int64_t i = at / m->cols;
      const int64_t j = at % m->cols;
      s += u[k * m->rows + i] * w[place(m, k, i, j)] * v[k * m->cols + j];
    }
    for (int64_t at = 0; at < m->rows * m->cols; ++at) {
      const int64_t p = place(m, k, at / m->cols, at % m->cols);
      y[p] = w[p] / s;
      along += g[p] * y[p];
    }
    for (int64_t at = 0; at < m->rows * m->cols; ++at) {
      const int64_t i = at / m->cols;
      const int64_t j = at % m->cols;
      const int64_t p = place(m, k, i, j);
      gw[p] = (g[p] - along * u[k * m->rows + i] * v[k * m->cols + j]) / s;
    }
  }
}

/* ---- matrices ----------------------------------------------------------------------- */

/* Two steps from one state, then value and gradient, c = 100. */
static void
check_steps(const char* const chain, const int dim, const uint32_t dtype, const extents shape)
{
  rig r;
  subject_open(&r, chain, dtype, shape);
  const matrices m = matrices_of(&r, dim);
  double* const w = rig_normal(&r, dtype, r.n_y, 1.0);
  double* const g = rig_normal(&r, dtype, r.n_y, 1.0);
  double* const u = rig_read(&r, PZ_STATE_BUFFER, U);
  double* const v = rig_read(&r, PZ_STATE_BUFFER, V);
  double* const y_expected = reals(r.n_y);
  double* const gw_expected = reals(r.n_y);
  for (int k = 0; k < 2; ++k) {
    step(&m, w, u, v);
  }
  apply(&m, w, u, v, g, y_expected, gw_expected);
  rig_write(&r, PZ_ORIGINAL, 0, w);
  ck_assert_ok(pz_eval_update(r.eval, r.state));
  double* const u_found = rig_read(&r, PZ_STATE_BUFFER, U);
  double* const v_found = rig_read(&r, PZ_STATE_BUFFER, V);
  double* const y = rig_forward(&r);
  double* const gw = rig_vjp(&r, g, 0);
  const double tolerance =
      100.0 * (double)(m.rows + m.cols) * pz_dtype_epsilon(dtype) * fmax(1.0, largest(r.n_y, y));
  const double found[] = {
      largest_difference(m.batch * m.rows, u, u_found),
      largest_difference(m.batch * m.cols, v, v_found),
      largest_difference(r.n_y, y, y_expected),
      largest_difference(r.n_y, gw, gw_expected) / fmax(1.0, largest(r.n_y, gw)),
  };
  for (int k = 0; k < 4; ++k) {
    ck_assert_msg(found[k] <= tolerance, "%s, %d dimensions, result %d: %g > %g", chain,
                  (int)shape.ndim, k, found[k], tolerance);
  }
  free(w);
  free(g);
  free(u);
  free(v);
  free(y_expected);
  free(gw_expected);
  free(u_found);
  free(v_found);
  free(y);
  free(gw);
  rig_close(&r);
}

START_TEST(steps_are_those_of_the_power_method)
{
  static const struct {
    const char* chain;
    int dim;
    extents shape;
  } cases[] = {
      {"spectral_norm(n_power_iterations=2)", 0, {2, {4, 4}}},
      {"spectral_norm(n_power_iterations=2)", 0, {2, {5, 3}}},
      {"spectral_norm(n_power_iterations=2)", 0, {2, {3, 5}}},
      {"spectral_norm(n_power_iterations=2)", 0, {4, {5, 3, 2, 4}}},
      {"spectral_norm(n_power_iterations=2,dim=1)", 1, {2, {5, 3}}},
      {"spectral_norm(n_power_iterations=2,dim=1)", 1, {3, {4, 5, 3}}},
      {"spectral_norm(n_power_iterations=2,dim=1)", 1, {4, {3, 4, 2, 3}}},
      {"spectral_norm(n_power_iterations=2,dim=-1)", -1, {3, {4, 5, 3}}},
      {"spectral_norm(n_power_iterations=2,dim=-2)", -2, {4, {2, 3, 4, 3}}},
      {"spectral_norm(n_power_iterations=2,batched=1)", BATCHED, {2, {5, 3}}},
      {"spectral_norm(n_power_iterations=2,batched=1)", BATCHED, {3, {6, 3, 5}}},
      {"spectral_norm(n_power_iterations=2,batched=1)", BATCHED, {4, {2, 3, 4, 4}}},
  };
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); ++k) {
    check_steps(cases[k].chain, cases[k].dim, PZ_F64, cases[k].shape);
    check_steps(cases[k].chain, cases[k].dim, PZ_F32, cases[k].shape);
  }
}
END_TEST

/* Stored numbers to 1e-13. */
START_TEST(values_are_those_of_numpy)
{
  static const int dims[] = {0, 1, 2, 0, 1, 2, 0, BATCHED, BATCHED};
  static const struct {
    const char* chain;
    const double* u;
    const double* v;
    const double* value;
    const double* gw;
  } known[] = {
      {"spectral_norm", spectral_u_0, spectral_v_0, spectral_value_0, spectral_gw_0},
      {"spectral_norm(dim=1)", spectral_u_1, spectral_v_1, spectral_value_1, spectral_gw_1},
      {"spectral_norm(dim=2)", spectral_u_2, spectral_v_2, spectral_value_2, spectral_gw_2},
      {"spectral_norm(dim=-3,n_power_iterations=2)", spectral_u_0, spectral_v_0, spectral_value_0,
       spectral_gw_0},
      {"spectral_norm(dim=-2)", spectral_u_1, spectral_v_1, spectral_value_1, spectral_gw_1},
      {"spectral_norm(dim=-1)", spectral_u_2, spectral_v_2, spectral_value_2, spectral_gw_2},
      {"spectral_norm(eps=2.5)", spectral_u_eps, spectral_v_eps, spectral_value_eps,
       spectral_gw_eps},
      {"spectral_norm(batched=1,n_power_iterations=2)", spectral_u_batched, spectral_v_batched,
       spectral_value_batched, spectral_gw_batched},
      {"spectral_norm(batched=1)", spectral_u_batched, spectral_v_batched, spectral_value_batched,
       spectral_gw_batched},
  };
  enum { COUNT = 12, MOST = 6 };
  double w[COUNT];
  double g[COUNT];
  for (int i = 0; i < COUNT; ++i) {
    w[i] = sin(i + 1.0);
    g[i] = cos(2.0 * (i + 1.0));
  }
  for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); ++k) {
    double v[MOST];
    rig r;
    subject_open(&r, known[k].chain, PZ_F64, (extents){3, {2, 2, 3}});
    const matrices m = matrices_of(&r, dims[k]);
    for (int64_t i = 0; i < m.batch * m.cols; ++i) {
      v[i] = (double)(i % m.cols + 1);
    }
    for (int64_t b = 0; b < m.batch; ++b) {
      normalize(m.cols, v + b * m.cols, 0.0);
    }
    rig_write(&r, PZ_ORIGINAL, 0, w);
    rig_write(&r, PZ_STATE_BUFFER, V, v);
    ck_assert_ok(pz_eval_update(r.eval, r.state));
    if (!strstr(known[k].chain, "n_power_iterations=2")) {
      ck_assert_ok(pz_eval_update(r.eval, r.state));
    }
    double* const u_found = rig_read(&r, PZ_STATE_BUFFER, U);
    double* const v_found = rig_read(&r, PZ_STATE_BUFFER, V);
    double* const y = rig_forward(&r);
    double* const gw = rig_vjp(&r, g, 0);
    ck_assert_double_le(largest_difference(m.batch * m.rows, u_found, known[k].u), 1e-13);
    ck_assert_double_le(largest_difference(m.batch * m.cols, v_found, known[k].v), 1e-13);
    ck_assert_double_le(largest_difference(COUNT, y, known[k].value), 1e-13);
    ck_assert_double_le(largest_difference(COUNT, gw, known[k].gw), 1e-13);
    free(u_found);
    free(v_found);
    free(y);
    free(gw);
    rig_close(&r);
  }
}
END_TEST

/* ---- state ---------------------------------------------------------------------------- */

START_TEST(buffers_are_named_as_in_pytorch)
{
  static const struct {
    const char* chain;
    extents u;
    extents v;
  } expected[] = {
      {"spectral_norm", {1, {3}}, {1, {20}}},
      {"spectral_norm(dim=1)", {1, {4}}, {1, {15}}},
      {"spectral_norm(dim=-1)", {1, {5}}, {1, {12}}},
      {"spectral_norm(batched=1)", {2, {3, 4}}, {2, {3, 5}}},
  };
  for (size_t k = 0; k < sizeof(expected) / sizeof(expected[0]); ++k) {
    pz_chain_tensor_info u = {.size = sizeof(u)};
    pz_chain_tensor_info v = {.size = sizeof(v)};
    rig r;
    subject_open(&r, expected[k].chain, PZ_F64, (extents){3, {3, 4, 5}});
    ck_assert_ok(pz_chain_tensor(r.chain, PZ_STATE_BUFFER, U, &u));
    ck_assert_ok(pz_chain_tensor(r.chain, PZ_STATE_BUFFER, V, &v));
    const pz_spec u_spec = pz_spec_make(PZ_F64, expected[k].u.ndim, expected[k].u.shape);
    const pz_spec v_spec = pz_spec_make(PZ_F64, expected[k].v.ndim, expected[k].v.shape);
    ck_assert_str_eq(u.name, "0._u");
    ck_assert_str_eq(v.name, "0._v");
    ck_assert_msg(pz_spec_equal(&u.spec, &u_spec) && pz_spec_equal(&v.spec, &v_spec), "%s",
                  expected[k].chain);
    rig_close(&r);
  }
  rig r;
  subject_open(&r, "spectral_norm", PZ_F64, (extents){1, {3}});
  ck_assert_int_eq(pz_chain_count(r.chain, PZ_STATE_BUFFER), 0);
  rig_close(&r);
}
END_TEST

/* 15 steps at registration: |sigma_2 / sigma_1|^29 of the angle is left, here 2^-29 of one
   below 1000 unless the random start was that nearly orthogonal. */
START_TEST(registration_takes_steps)
{
  enum { N = 5 };
  double w[N * N] = {0};
  for (int i = 0; i < N; ++i) {
    w[i * N + i] = i == 2 ? 4.0 : -2.0;
  }
  rig r;
  subject_open(&r, "spectral_norm", PZ_F64, (extents){2, {N, N}});
  const int64_t shape[] = {N, N};
  const pz_tensor tensor = pz_host_tensor(PZ_F64, w, 2, shape);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &tensor));
  double* const u = rig_read(&r, PZ_STATE_BUFFER, U);
  double* const v = rig_read(&r, PZ_STATE_BUFFER, V);
  ck_assert_double_le(fabs(inner(N, u, u) - 1.0), 10.0 * rig_unit(&r));
  ck_assert_double_le(fabs(inner(N, v, v) - 1.0), 10.0 * rig_unit(&r));
  ck_assert(fabs(fabs(u[2]) - 1.0) < 1e-6 && fabs(fabs(v[2]) - 1.0) < 1e-6);
  free(u);
  free(v);
  rig_close(&r);
}
END_TEST

/* Reading and differentiating leave u and v alone, an update does not, and a gradient of the
   value before it is refused. */
START_TEST(only_updates_step)
{
  rig r;
  pz_tensor value;
  subject_open(&r, "spectral_norm", PZ_F32, (extents){2, {6, 4}});
  double* const w = rig_normal(&r, PZ_F32, r.n_x, 1.0);
  double* const u = rig_read(&r, PZ_STATE_BUFFER, U);
  rig_write(&r, PZ_ORIGINAL, 0, w);
  for (uint32_t k = 0; k < 4; ++k) {
    const uint32_t flags = (k & 1 ? PZ_CALL_TRAINING : 0U) | (k & 2 ? PZ_CALL_SAVING : 0U);
    ck_assert_ok(pz_eval_forward(r.eval, r.state, flags, NULL, &value));
  }
  double* const first = rig_forward(&r);
  free(rig_vjp(&r, w, 0));
  double* const same = rig_read(&r, PZ_STATE_BUFFER, U);
  ck_assert_int_eq(memcmp(u, same, 6 * sizeof(double)), 0);
  ck_assert_ok(rig_assign(&r, PZ_ASSIGN, w));
  double* const assigned = rig_read(&r, PZ_STATE_BUFFER, U);
  ck_assert_int_eq(memcmp(u, assigned, 6 * sizeof(double)), 0);
  double* const again = rig_forward(&r);
  ck_assert_int_eq(memcmp(first, again, (size_t)r.n_y * sizeof(double)), 0);

  ck_assert_ok(pz_eval_update(r.eval, r.state));
  float g[24] = {0.0F};
  const int64_t shape[] = {6, 4};
  const pz_tensor gradient = pz_host_tensor(PZ_F32, g, 2, shape);
  pz_tensor out = gradient;
  ck_assert_fails(pz_eval_vjp(r.eval, r.state, &gradient, 1, 1, false, &out), PZ_STALE, "");
  double* const moved = rig_read(&r, PZ_STATE_BUFFER, U);
  ck_assert_int_ne(memcmp(u, moved, 6 * sizeof(double)), 0);
  free(w);
  free(u);
  free(first);
  free(same);
  free(assigned);
  free(again);
  free(moved);
  rig_close(&r);
}
END_TEST

/* With enough steps the largest singular value is 1, c = 100, and the residual, the smaller
   the nearer, has seen so all along. */
START_TEST(steps_converge)
{
  enum { N = 6 };
  for (int b = 0; b < 2; ++b) {
    rig r;
    subject_open(&r, b ? "spectral_norm(batched=1)" : "spectral_norm", PZ_F64,
                 (extents){2, {N, N}});
    double* const q = rig_normal(&r, PZ_F64, N * N, 0.1);
    for (int i = 0; i < N; ++i) {
      q[i * N + i] += i == 3 ? 5.0 : 1.0;
    }
    rig_write(&r, PZ_ORIGINAL, 0, q);
    double distance = 0.0;
    double gram[N * N];
    double w[N];
    for (int k = 0; k < 60; ++k) {
      ck_assert_ok(pz_eval_update(r.eval, r.state));
      double* const y = rig_forward(&r);
      ck_assert_ok(rig_residual(&r, y, &distance));
      oracle_product(N, true, false, y, y, gram);
      oracle_eigenvalues(N, gram, w);
      ck_assert_double_le(fabs(distance - fabs(sqrt(largest(N, w)) - 1.0)), 100.0 * rig_unit(&r));
      free(y);
    }
    ck_assert_double_le(distance, 100.0 * rig_unit(&r));
    free(q);
    rig_close(&r);
  }
}
END_TEST

TCase*
tests_spectral_norm(void)
{
  TCase* const tests = subject_case("spectral_norm");
  tcase_add_test(tests, steps_are_those_of_the_power_method);
  tcase_add_test(tests, values_are_those_of_numpy);
  tcase_add_test(tests, buffers_are_named_as_in_pytorch);
  tcase_add_test(tests, registration_takes_steps);
  tcase_add_test(tests, only_updates_step);
  tcase_add_test(tests, steps_converge);
  return tests;
}
