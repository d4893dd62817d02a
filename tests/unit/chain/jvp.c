/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Derivatives of chains along directions, of originals and own parameters. For `scaled,entries`,
   y = exp(exp(p) x):  dy = y exp(p) (dx + x dp). */

#include <maps.h>
#include <rig.h>

#include <math.h>
#include <string.h>

enum { M = 3, K = 4, COUNT = M * K };
static const int64_t shape[] = {M, K};

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
evaluate(const char* const text)
{
  rig_from_tensor(&r, text, PZ_F64, 2, shape);
  rig_fill(&r, 0.3);
  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &value));
}

/* NULL tangents are zero; c = 100. */
static void
expect(const pz_tensor* const dx, const pz_tensor* const dp, const pz_tensor* const dy)
{
  const pz_tensor x = rig_trained(&r, 0);
  const pz_tensor p = rig_trained(&r, 1);
  for (int64_t e = 0; e < COUNT; ++e) {
    const double factor = host_at(&value, e) * exp(host_at(&p, e / K));
    const double along =
        (dx ? host_at(dx, e) : 0.0) + host_at(&x, e) * (dp ? host_at(dp, e / K) : 0.0);
    ck_assert_double_eq_tol(host_at(dy, e), factor * along, 2.3e-14 * (1.0 + fabs(factor * along)));
  }
}

START_TEST(directions_of_originals_and_own_parameters)
{
  const pz_spec rows = pz_spec_make(PZ_F64, 1, shape);
  evaluate("scaled,entries");
  const pz_tensor dx = host_normal(&r.x, &r.random, 1.0);
  const pz_tensor dp = host_normal(&rows, &r.random, 1.0);
  const pz_tensor none = {0};
  const pz_tensor tangents[] = {dx, dp, dx, none, none, dp, none, none};
  const pz_tensor out[] = {host_zeros(&r.y), host_zeros(&r.y), host_zeros(&r.y),
                           host_normal(&r.y, &r.random, 1.0)};
  ck_assert_ok(pz_eval_jvp(r.eval, r.state, tangents, 4, out));
  expect(&dx, &dp, &out[0]);
  expect(&dx, NULL, &out[1]);
  expect(NULL, &dp, &out[2]);
  expect(NULL, NULL, &out[3]);
  ck_assert_ok(pz_eval_jvp(r.eval, r.state, NULL, 0, NULL));
}
END_TEST

/* Stages before the first tangent need no jvp. */
START_TEST(the_first_tangent_counts)
{
  evaluate("gain,scaled");
  const pz_spec rows = pz_spec_make(PZ_F64, 1, shape);
  const pz_tensor dp = host_normal(&rows, &r.random, 1.0);
  const pz_tensor dx = host_normal(&r.x, &r.random, 1.0);
  const pz_tensor none = {0};
  const pz_tensor out = host_zeros(&r.y);
  ck_assert_ok(pz_eval_jvp(r.eval, r.state, (const pz_tensor[]){none, none, dp}, 1, &out));
  for (int64_t e = 0; e < COUNT; ++e) {
    ck_assert_double_eq_tol(host_at(&out, e), host_at(&value, e) * host_at(&dp, e / K), 1e-14);
  }
  ck_assert_fails(pz_eval_jvp(r.eval, r.state, (const pz_tensor[]){dx, none, dp}, 1, &out),
                  PZ_UNSUPPORTED, "gain: has no jvp");
}
END_TEST

START_TEST(strides_are_honoured)
{
  static const int64_t strides[] = {1, M};
  double in[COUNT];
  double to[COUNT];
  evaluate("scaled,entries");
  pz_tensor dx = pz_host_tensor(PZ_F64, in, 2, shape);
  pz_tensor dy = pz_host_tensor(PZ_F64, to, 2, shape);
  test_fill_normal(&r.random, PZ_F64, COUNT, 1.0, in);
  const pz_tensor plain = host_zeros(&r.x);
  const pz_tensor turned = host_zeros(&r.y);
  dx.strides = strides;
  dy.strides = strides;
  ck_assert_ok(pz_eval_jvp(r.eval, r.state, (const pz_tensor[]){dx, {0}}, 1, &dy));
  for (int64_t e = 0; e < COUNT; ++e) {
    host_put(&plain, e, in[e % K * M + e / K]);
    host_put(&turned, e, to[e % K * M + e / K]);
  }
  expect(&plain, NULL, &turned);
  dy.strides = (const int64_t[]){0, 1};
  ck_assert_fails(pz_eval_jvp(r.eval, r.state, (const pz_tensor[]){dx, {0}}, 1, &dy), PZ_INVALID,
                  "twice");
}
END_TEST

START_TEST(calls_that_are_refused)
{
  const pz_spec rows = pz_spec_make(PZ_F64, 1, shape);
  const pz_tensor wrong = host_zeros(&rows);
  rig_from_tensor(&r, "scaled,entries", PZ_F64, 2, shape);
  const pz_tensor out = host_normal(&r.y, &r.random, 1.0);
  const double before = host_at(&out, 0);
  const pz_tensor tangents[] = {host_zeros(&r.x), wrong, wrong, wrong};
  ck_assert_fails(pz_eval_jvp(NULL, r.state, tangents, 1, &out), PZ_INVALID, "NULL");
  ck_assert_fails(pz_eval_jvp(r.eval, r.state, tangents, 1, &out), PZ_INVALID, "no evaluation");
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, NULL, &value));
  ck_assert_fails(pz_eval_jvp(r.eval, r.state, tangents, 1, &out), PZ_INVALID, "did not save");
  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &value));
  ck_assert_fails(pz_eval_jvp(r.eval, r.state, NULL, 1, &out), PZ_INVALID, "no tangents");
  ck_assert_fails(pz_eval_jvp(r.eval, r.state, tangents, 1, NULL), PZ_INVALID, "no output");
  ck_assert_fails(pz_eval_jvp(r.eval, r.state, tangents, 1, &wrong), PZ_MISMATCH, "output");
  /* the second direction is wrong: the first is not written either */
  const pz_tensor outs[] = {out, out};
  ck_assert_fails(pz_eval_jvp(r.eval, r.state, tangents, 2, outs), PZ_MISMATCH, "original");
  pz_state_touch(r.state);
  ck_assert_fails(pz_eval_jvp(r.eval, r.state, tangents, 1, &out), PZ_STALE, "changed");
  ck_assert_double_eq(host_at(&out, 0), before);
}
END_TEST

int
main(void)
{
  TCase* const tests = tcase_create("jvp");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, directions_of_originals_and_own_parameters);
  tcase_add_test(tests, the_first_tangent_counts);
  tcase_add_test(tests, strides_are_honoured);
  tcase_add_test(tests, calls_that_are_refused);
  return test_main_case(tests);
}
