/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* log |det| of chains: finer determinants are summed to the coarsest, coordinates that do not meet
   are refused, and gradients reach every stage. The maps are those of maps.h:

     entries  y = exp(x)     log |det| = x of each entry
     scaled   y = exp(p) x   log |det| = K p of each vector
     doubled  y = 2 x        log |det| = log 2 times the entries of a determinant */

#include <maps.h>
#include <rig.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { B = 2, M = 3, K = 4, COUNT = B * M * K };
static const int64_t shape[] = {B, M, K};

static rig r;
static pz_tensor value;

static void
setup(void)
{
  rig_open(&r, &pz_plugin_v1_density_maps, NULL);
  ck_assert_ok(pz_context_add_plugin(r.context, &pz_plugin_v1_test_maps));
}

static void
teardown(void)
{
  rig_close(&r);
}

static void
open_chain(const char* const text)
{
  rig_from_tensor(&r, text, PZ_F64, 3, shape);
  rig_fill(&r, 0.3);
}

/* ... and evaluates it. */
static void
evaluate(const char* const text)
{
  open_chain(text);
  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &value));
}

static double
at(const uint32_t k, const int64_t i)
{
  const pz_tensor x = rig_trained(&r, k);
  return host_at(&x, i);
}

static pz_tensor
numbers(const int32_t ndim)
{
  const pz_spec spec = pz_spec_make(PZ_F64, ndim, shape);
  return host_zeros(&spec);
}

static pz_tensor
log_abs_det(const int32_t ndim)
{
  pz_spec spec;
  const pz_tensor out = numbers(ndim);
  ck_assert_ok(pz_chain_density(r.chain, &spec));
  ck_assert_int_eq(spec.dtype, PZ_F64);
  ck_assert_int_eq(spec.ndim, ndim);
  ck_assert_mem_eq(spec.shape, shape, (size_t)ndim * sizeof(*shape));
  ck_assert_ok(pz_eval_log_abs_det(r.eval, r.state, &out));
  return out;
}

/* c = 100 */
static void
expect(const double found, const double expected)
{
  ck_assert_double_eq_tol(found, expected, 2.3e-14 * (1.0 + fabs(expected)));
}

START_TEST(each_map_has_its_own_dimensions)
{
  evaluate("entries");
  pz_tensor found = log_abs_det(3);
  for (int64_t e = 0; e < COUNT; ++e) {
    expect(host_at(&found, e), at(0, e));
  }
  evaluate("scaled");
  found = log_abs_det(2);
  for (int64_t e = 0; e < B * M; ++e) {
    expect(host_at(&found, e), K * at(1, e));
  }
  evaluate("doubled");
  found = log_abs_det(1);
  for (int64_t e = 0; e < B; ++e) {
    expect(host_at(&found, e), M * K * log(2.0));
  }
}
END_TEST

/* A tensor that is one vector or one matrix has a number without dimensions. */
START_TEST(one_determinant_covers_the_tensor)
{
  for (int32_t dims = 1; dims <= 2; ++dims) {
    pz_spec spec;
    const double g_out = 2.0;
    double sum = 0.0;
    rig_from_tensor(&r, dims == 1 ? "entries,doubled(dims=1)" : "entries,doubled", PZ_F64, dims,
                    shape + 1);
    rig_fill(&r, 0.3);
    double* const y = rig_forward(&r);
    double* const found = rig_log_abs_det(&r, &spec);
    double* const gradient = rig_log_abs_det_gradients(&r, &g_out);
    ck_assert_int_eq(spec.ndim, 0);
    for (int64_t e = 0; e < r.n_x; ++e) {
      sum += at(0, e) + log(2.0);
      expect(gradient[e], g_out);
    }
    expect(*found, sum);
    free(gradient);
    free(found);
    free(y);
  }
}
END_TEST

/* One number for each matrix, from all three. */
START_TEST(finer_determinants_are_summed)
{
  static const char* const chains[] = {"entries,scaled,doubled", "entries,doubled,scaled"};
  for (size_t c = 0; c < 2; ++c) {
    evaluate(chains[c]);
    const pz_tensor found = log_abs_det(1);
    for (int64_t b = 0; b < B; ++b) {
      double sum = M * K * log(2.0);
      for (int64_t e = 0; e < M * K; ++e) {
        sum += at(0, b * M * K + e);
      }
      for (int64_t i = 0; i < M; ++i) {
        sum += K * at(1, b * M + i);
      }
      expect(host_at(&found, b), sum);
    }
  }
  evaluate("scaled,entries"); /* entries of vectors */
  const pz_tensor found = log_abs_det(2);
  for (int64_t i = 0; i < B * M; ++i) {
    double sum = K * at(1, i);
    for (int64_t j = 0; j < K; ++j) {
      sum += exp(at(1, i)) * at(0, i * K + j);
    }
    expect(host_at(&found, i), sum);
  }
}
END_TEST

/* For `scaled,entries`: x gets g exp(p), p gets g (K + the sum of exp(p) x). */
static void
expect_gradients(const pz_tensor* const g, const pz_tensor* const gx, const pz_tensor* const gp,
                 const double times)
{
  for (int64_t i = 0; i < B * M; ++i) {
    double sum = K;
    for (int64_t j = 0; j < K; ++j) {
      sum += exp(at(1, i)) * at(0, i * K + j);
      expect(host_at(gx, i * K + j), times * host_at(g, i) * exp(at(1, i)));
    }
    expect(host_at(gp, i), times * host_at(g, i) * sum);
  }
}

START_TEST(gradients_reach_every_stage)
{
  const pz_spec rows = pz_spec_make(PZ_F64, 2, shape);
  evaluate("scaled,entries");
  const pz_tensor g = host_normal(&rows, &r.random, 1.0);
  pz_tensor gradients[2] = {host_normal(&r.x, &r.random, 1.0), host_normal(&rows, &r.random, 1.0)};
  ck_assert_ok(pz_eval_log_abs_det_vjp(r.eval, r.state, &g, 3, false, gradients));
  expect_gradients(&g, &gradients[0], &gradients[1], 1.0);
  ck_assert_ok(pz_eval_log_abs_det_vjp(r.eval, r.state, &g, 3, true, gradients));
  expect_gradients(&g, &gradients[0], &gradients[1], 2.0);
  ck_assert_ok(pz_eval_log_abs_det_vjp(r.eval, r.state, &g, 1, false, gradients));
  ck_assert_ok(pz_eval_log_abs_det_vjp(r.eval, r.state, &g, 2, false, gradients));
  expect_gradients(&g, &gradients[0], &gradients[1], 1.0);
  ck_assert_ok(pz_eval_log_abs_det_vjp(r.eval, r.state, &g, 0, false, NULL));
}
END_TEST

/* A cotangent of a matrix goes to every entry and vector of it. */
START_TEST(gradients_of_sums)
{
  evaluate("entries,scaled,doubled");
  const pz_spec one = pz_spec_make(PZ_F64, 1, shape);
  const pz_spec rows = pz_spec_make(PZ_F64, 2, shape);
  const pz_tensor g = host_normal(&one, &r.random, 1.0);
  const pz_tensor gradients[2] = {host_zeros(&r.x), host_zeros(&rows)};
  ck_assert_ok(pz_eval_log_abs_det_vjp(r.eval, r.state, &g, 3, false, gradients));
  for (int64_t e = 0; e < COUNT; ++e) {
    expect(host_at(&gradients[0], e), host_at(&g, e / (M * K)));
  }
  for (int64_t e = 0; e < B * M; ++e) {
    expect(host_at(&gradients[1], e), K * host_at(&g, e / M));
  }
}
END_TEST

/* Numbers and gradients in memory with strides. */
START_TEST(strides_are_honoured)
{
  static const int64_t strides[] = {2 * M, 2};
  static const int64_t places[] = {2 * M * K, 2 * K, 2};
  double room[2 * B * M] = {0};
  double gradient[2 * COUNT] = {0};
  evaluate("scaled,entries");
  const pz_tensor expected = log_abs_det(2);
  pz_tensor out = pz_host_tensor(PZ_F64, room, 2, shape);
  out.strides = strides;
  ck_assert_ok(pz_eval_log_abs_det(r.eval, r.state, &out));
  for (int64_t i = 0; i < B * M; ++i) {
    ck_assert_double_eq(room[2 * i], host_at(&expected, i));
    ck_assert_double_eq(room[2 * i + 1], 0.0);
  }
  pz_tensor gx = pz_host_tensor(PZ_F64, gradient, 3, shape);
  gx.strides = places;
  ck_assert_ok(pz_eval_log_abs_det_vjp(r.eval, r.state, &out, 1, false, &gx));
  for (int64_t e = 0; e < COUNT; ++e) {
    expect(gradient[2 * e], room[2 * (e / K)] * exp(at(1, e / K)));
    ck_assert_double_eq(gradient[2 * e + 1], 0.0);
  }
  out.strides = (const int64_t[]){0, 1};
  ck_assert_fails(pz_eval_log_abs_det(r.eval, r.state, &out), PZ_INVALID, "twice");
}
END_TEST

/* ---- what is refused ---------------------------------------------------------------- */

static void
refused(const char* const text, const char* const message)
{
  static const int64_t square[] = {2, 3, 3};
  pz_spec spec;
  rig_from_tensor(&r, text, PZ_F64, 3, square);
  ck_assert_fails(pz_chain_density(r.chain, &spec), PZ_UNSUPPORTED, message);
  rig_fill(&r, 0.3);
  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &value));
  double sum[18] = {7.0};
  const pz_tensor out = pz_host_tensor(PZ_F64, sum, 1, square);
  const pz_tensor gradients[2] = {pz_host_tensor(PZ_F64, sum, 3, square)};
  ck_assert_fails(pz_eval_log_abs_det(r.eval, r.state, &out), PZ_UNSUPPORTED, message);
  ck_assert_fails(pz_eval_log_abs_det_vjp(r.eval, r.state, &out, 1, false, gradients),
                  PZ_UNSUPPORTED, message);
  ck_assert(sum[0] == 7.0);
}

START_TEST(coordinates_must_meet)
{
  char text[128];
  char message[128];
  static const char* const names[] = {
      "all entries",
      "the upper triangle",
      "the lower triangle",
      "the strict upper triangle",
      "the strict lower triangle",
      "the strict triangle of Q^T dQ",
      "all entries but the last",
      "its own",
  };
  for (int out = 0; out <= 8; ++out) {
    for (int in = 0; in <= 8; ++in) {
      for (int structure = PZ_GENERAL; structure <= PZ_SPD; ++structure) {
        const bool lower = out == PZ_LOWER_TRIANGLE || out == PZ_STRICT_LOWER;
        const int mirrored = out == PZ_UPPER_TRIANGLE || out == PZ_STRICT_UPPER ? out + 1
                             : lower                                            ? out - 1
                                                                                : out;
        const bool meets = (out == in && out < PZ_OWN_COORDINATES) ||
                           (in == mirrored && out != in && structure != PZ_GENERAL);
        (void)snprintf(text, sizeof(text), "doubled(out=%d,structure=%d),doubled(in=%d)", out,
                       structure, in);
        (void)snprintf(message, sizeof(message),
                       "the coordinates of the value of doubled are %s, but doubled reads %s",
                       names[out < 7 ? out : 7], names[in < 7 ? in : 7]);
        if (meets) {
          pz_spec spec;
          rig_from_tensor(&r, text, PZ_F64, 3, (const int64_t[]){2, 3, 3});
          ck_assert_ok(pz_chain_density(r.chain, &spec));
        } else {
          refused(text, message);
        }
      }
    }
  }
}
END_TEST

START_TEST(stages_without_log_abs_det_are_named)
{
  refused("entries,gain", "gain: has no log |det|");
  refused("bare,entries", "bare: has no log |det|");
  refused("entries,doubled(declared=0)", "doubled: has no log |det| for this input");
}
END_TEST

START_TEST(calls_that_are_refused)
{
  pz_tensor gradients[2] = {{0}};
  open_chain("scaled,entries");
  const pz_tensor out = numbers(2);
  const pz_tensor wrong = numbers(1);
  pz_spec spec;
  ck_assert_fails(pz_chain_density(NULL, &spec), PZ_INVALID, "NULL");
  ck_assert_fails(pz_chain_density(r.chain, NULL), PZ_INVALID, "NULL");
  ck_assert_fails(pz_eval_log_abs_det(NULL, r.state, &out), PZ_INVALID, "NULL");
  ck_assert_fails(pz_eval_log_abs_det(r.eval, NULL, &out), PZ_INVALID, "NULL");
  ck_assert_fails(pz_eval_log_abs_det(r.eval, r.state, &out), PZ_INVALID, "no evaluation");
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, NULL, &value));
  ck_assert_fails(pz_eval_log_abs_det(r.eval, r.state, &out), PZ_INVALID, "did not save");
  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &value));
  ck_assert_fails(pz_eval_log_abs_det(r.eval, r.state, NULL), PZ_INVALID, "no tensor");
  ck_assert_fails(pz_eval_log_abs_det(r.eval, r.state, &wrong), PZ_MISMATCH, "log |det|");
  ck_assert_fails(pz_eval_log_abs_det_vjp(r.eval, r.state, &wrong, 0, false, NULL), PZ_MISMATCH,
                  "gradient of log |det|");
  ck_assert_fails(pz_eval_log_abs_det_vjp(r.eval, r.state, &out, 4, false, gradients), PZ_INVALID,
                  "expected 2 bits");
  ck_assert_fails(pz_eval_log_abs_det_vjp(r.eval, r.state, &out, 1, false, NULL), PZ_INVALID,
                  "without gradients");
  gradients[0] = out;
  ck_assert_fails(pz_eval_log_abs_det_vjp(r.eval, r.state, &out, 1, false, gradients), PZ_MISMATCH,
                  "gradient of original");
  pz_state_touch(r.state);
  ck_assert_fails(pz_eval_log_abs_det(r.eval, r.state, &out), PZ_STALE, "changed");
  ck_assert_fails(pz_eval_log_abs_det_vjp(r.eval, r.state, &out, 0, false, NULL), PZ_STALE,
                  "changed");
  ck_assert_double_eq(host_at(&out, 0), 0.0);
}
END_TEST

/* Declarations that no determinant can have. */
START_TEST(bad_declarations)
{
  static const int64_t cube[] = {2, 3, 4};
  const pz_spec spec = pz_spec_make(PZ_F64, 3, cube);
  const pz_spec vector = pz_spec_make(PZ_F64, 1, cube);
  ck_assert_fails(rig_try_chain(&r, "doubled(dims=3)", NULL, 0, PZ_FROM_TENSOR, &spec, 1),
                  PZ_PLUGIN, "found 3 dimensions, expected at most 2");
  ck_assert_fails(rig_try_chain(&r, "doubled(twice=1)", NULL, 0, PZ_FROM_TENSOR, &spec, 1),
                  PZ_PLUGIN, "found a second one");
  ck_assert_fails(rig_try_chain(&r, "doubled", NULL, 0, PZ_FROM_TENSOR, &vector, 1), PZ_PLUGIN,
                  "declared a density over 2 dimensions");
  ck_assert_fails(rig_try_chain(&r, "doubled(turned=1)", NULL, 0, PZ_FROM_TENSOR, &spec, 1),
                  PZ_PLUGIN, "expected the batch of its value");
  open_chain("doubled(late=1)");
  ck_assert_fails(pz_eval_forward(r.eval, r.state, 0, NULL, &value), PZ_PLUGIN, "outside plan");
}
END_TEST

int
main(void)
{
  TCase* const tests = tcase_create("densities");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, each_map_has_its_own_dimensions);
  tcase_add_test(tests, one_determinant_covers_the_tensor);
  tcase_add_test(tests, finer_determinants_are_summed);
  tcase_add_test(tests, gradients_reach_every_stage);
  tcase_add_test(tests, gradients_of_sums);
  tcase_add_test(tests, strides_are_honoured);
  tcase_add_test(tests, coordinates_must_meet);
  tcase_add_test(tests, stages_without_log_abs_det_are_named);
  tcase_add_test(tests, calls_that_are_refused);
  tcase_add_test(tests, bad_declarations);
  return test_main_case(tests);
}
