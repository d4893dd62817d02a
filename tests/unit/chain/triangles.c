/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Folds that the host leaves out: `half` declares its value as the fold of a triangle, `spin`
   takes triangles; each does what `fold` and `turn` do, which declare nothing (maps.h). */

#include <maps.h>
#include <rig.h>

#include <math.h>
#include <string.h>

static rig r;
static void
setup(void)
{
  map_structure = PZ_SKEW;
  map_triangle = PZ_UPPER;
  map_mistake = MAP_NO_MISTAKE;
  rig_open(&r, &pz_plugin_v1_test_maps, NULL);
  ck_assert_ok(pz_context_add_plugin(r.context, &pz_plugin_v1_triangle_maps));
}

static void
teardown(void)
{
  rig_close(&r);
}

static int
calls_of(const char* const entry)
{
  int n = 0;
  for (uint32_t i = 0; i < map_calls.n; ++i) {
    n += strcmp(map_calls.entry[i], entry) == 0;
  }
  return n;
}

static uint32_t
in_of(const char* const entry)
{
  for (uint32_t i = map_calls.n; i-- > 0;) {
    if (strcmp(map_calls.entry[i], entry) == 0) {
      return map_calls.in[i];
    }
  }
  ck_abort_msg("%s was not called", entry);
}

enum { N = 4, BATCH = 3, COUNT = BATCH * N * N };

/* Value and gradients of a chain on originals with what is not in the triangle `poisoned`. */
static void
evaluate(const char* const text, const double* const x, const bool poisoned, const double* const g,
         double* const value, double* const gradient)
{
  static const int64_t shape[] = {BATCH, N, N};
  pz_tensor y;
  rig_from_tensor(&r, text, PZ_F64, 3, shape);
  rig_fill(&r, 0.5); /* own parameters, the same for every chain by the seed below */
  const uint32_t n = r.n_tensors;
  const pz_tensor original = rig_tensor(&r, PZ_ORIGINAL, 0);
  for (int64_t e = 0; e < COUNT; ++e) {
    const int64_t i = e / N % N;
    const int64_t j = e % N;
    const bool there = map_triangle == PZ_UPPER ? i < j : i > j;
    const bool diagonal = i == j && map_structure == PZ_SYMMETRIC;
    ((double*)original.data)[e] = poisoned && !there && !diagonal ? NAN : x[e];
  }
  for (uint32_t k = 1; k < n; ++k) {
    const pz_tensor own = rig_trained(&r, k);
    for (int64_t e = 0; e < pz_count(&own); ++e) {
      ((double*)own.data)[e] = 0.3 + 0.1 * (double)(e % 5);
    }
  }
  pz_state_touch(r.state);
  map_calls.n = 0;
  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &y));
  memcpy(value, y.data, COUNT * sizeof(double));
  const int64_t* const s = shape;
  const pz_tensor gy = pz_host_tensor(PZ_F64, (void*)(uintptr_t)g, 3, s);
  pz_tensor gx[8];
  ck_assert_uint_le(n, 8);
  for (uint32_t k = 0; k < n; ++k) {
    const pz_spec spec = rig_trained_spec(&r, k);
    gx[k] = host_normal(&spec, &r.random, 1.0);
  }
  ck_assert_ok(pz_eval_vjp(r.eval, r.state, &gy, 1, (UINT64_C(1) << n) - 1, false, gx));
  memcpy(gradient, gx[0].data, COUNT * sizeof(double));
}

static void
expect_near(const char* const what, const double* const a, const double* const b)
{
  for (int e = 0; e < COUNT; ++e) {
    ck_assert_msg(fabs(a[e] - b[e]) <= 1e-12 * (1.0 + fabs(b[e])),
                  "%s: entry %d is %.17g, expected %.17g", what, e, a[e], b[e]);
  }
}

static double x[COUNT];
static double g[COUNT];
static double value[2][COUNT];
static double gradient[2][COUNT];

static void
draw(void)
{
  test_fill_normal(&r.random, PZ_F64, COUNT, 0.2, x);
  test_fill_normal(&r.random, PZ_F64, COUNT, 1.0, g);
}

/* Neither entry of the fold runs, what lies outside its triangle is not read, and value and
   gradient are those of the maps one by one. */
START_TEST(test_left_out)
{
  draw();
  for (int k = 0; k < 4; ++k) {
    map_triangle = k % 2 ? PZ_LOWER : PZ_UPPER;
    map_structure = k / 2 ? PZ_SYMMETRIC : PZ_SKEW;
    evaluate("half,spin", x, true, g, value[0], gradient[0]);
    ck_assert_int_eq(calls_of("half forward") + calls_of("half vjp"), 0);
    const uint32_t by = k % 2 ? PZ_BY_LOWER : PZ_BY_UPPER;
    ck_assert_uint_eq(in_of("spin forward"), map_structure | by);
    ck_assert_uint_eq(in_of("spin vjp"), map_structure | by);
    evaluate("half,turn", x, true, g, value[1], gradient[1]);
    ck_assert_int_eq(calls_of("half forward") + calls_of("half vjp"), 2);
    ck_assert_uint_eq(in_of("turn forward"), map_structure);
    expect_near("value", value[0], value[1]);
    expect_near("gradient", gradient[0], gradient[1]);
  }
}
END_TEST

/* At any place of a chain, and several times. */
START_TEST(test_within)
{
  static const char* const chains[][2] = {
      {"gain,half,spin", "gain,fold,turn"},
      {"half,spin,gain", "fold,turn,gain"},
      {"gain,half,spin,gain,half,spin,gain", "gain,fold,turn,gain,fold,turn,gain"},
      {"half,half,spin,spin", "fold,fold,turn,turn"},
      {"half,gain,spin", "fold,gain,turn"},
      {"half", "fold"},
  };
  draw();
  for (size_t k = 0; k < sizeof(chains) / sizeof(chains[0]); ++k) {
    evaluate(chains[k][0], x, false, g, value[0], gradient[0]);
    evaluate(chains[k][1], x, false, g, value[1], gradient[1]);
    expect_near(chains[k][0], value[0], value[1]);
    expect_near(chains[k][0], gradient[0], gradient[1]);
  }
}
END_TEST

/* A fold that is handed a triangle is itself not left out. */
START_TEST(test_folds_in_a_row)
{
  static const char* const chains[][2] = {
      {"half,both,spin", "fold,half,turn"},
      {"half,both,both,spin", "fold,half,half,turn"},
      {"gain,half,both,gain,both,spin", "gain,fold,half,gain,half,turn"},
  };
  draw();
  for (size_t k = 0; k < sizeof(chains) / sizeof(chains[0]); ++k) {
    map_triangle = PZ_UPPER;
    evaluate(chains[k][0], x, false, g, value[0], gradient[0]);
    map_triangle = PZ_LOWER; // of `half`; `fold` takes the upper one
    evaluate(chains[k][1], x, false, g, value[1], gradient[1]);
    expect_near(chains[k][0], value[0], value[1]);
    expect_near(chains[k][0], gradient[0], gradient[1]);
  }
}
END_TEST

/* init, update and residual see whole matrices, and a gradient after them is still right. */
START_TEST(test_others_see_the_whole)
{
  static const int64_t shape[] = {N, N};
  double again[2][N * N];
  pz_tensor y;
  double distance = -1.0;
  rig_from_tensor(&r, "half,spin", PZ_F64, 2, shape);
  rig_fill(&r, 0.3);
  const pz_spec spec = *pz_chain_value(r.chain);
  const pz_tensor w = host_normal(&spec, &r.random, 1.0);
  pz_tensor out[2] = {pz_host_tensor(PZ_F64, again[0], 2, shape),
                      pz_host_tensor(PZ_F64, again[1], 2, shape)};
  map_calls.n = 0;
  map_asymmetry = -1.0;
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 1, &w));
  ck_assert_uint_eq(in_of("spin init"), PZ_SKEW);
  ck_assert(map_asymmetry == 0.0);
  map_asymmetry = -1.0;
  ck_assert_ok(pz_eval_update(r.eval, r.state));
  ck_assert_uint_eq(in_of("spin update"), PZ_SKEW);
  ck_assert(map_asymmetry == 0.0);

  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &y));
  ck_assert_ok(pz_eval_vjp(r.eval, r.state, &w, 1, 1, false, &out[0]));
  ck_assert_ok(pz_eval_residual(r.eval, r.state, 1, &y, &distance));
  ck_assert_uint_eq(in_of("spin residual"), PZ_SKEW);
  ck_assert_ok(pz_eval_vjp(r.eval, r.state, &w, 1, 1, false, &out[1]));
  ck_assert_mem_eq(again[0], again[1], sizeof(again[0]));
}
END_TEST

START_TEST(test_bad_declarations)
{
  static const int64_t shape[] = {N, N};
  const pz_spec spec = pz_spec_make(PZ_F64, 2, shape);
  pz_chain* chain = NULL;
  pz_tensor y;
  const pz_spec two[] = {spec, spec};
  map_structure = PZ_ORTHOGONAL;
  ck_assert_fails(
      pz_chain_new(r.context, "half", NULL, 0, PZ_FROM_INPUT, &spec, 1, &chain), PZ_PLUGIN,
      "half: plan: declared a fold and a value that is orthogonal, expected symmetric or skew");
  map_structure = PZ_SKEW;
  map_mistake = MAP_FOLD_AND_BUFFER;
  ck_assert_fails(pz_chain_new(r.context, "half", NULL, 0, PZ_FROM_INPUT, &spec, 1, &chain),
                  PZ_PLUGIN, "half: plan: declared a fold, expected one original");
  map_mistake = MAP_FOLD_OF_TWO;
  ck_assert_fails(pz_chain_new(r.context, "halves", NULL, 0, PZ_FROM_INPUT, two, 2, &chain),
                  PZ_PLUGIN, "halves: plan: declared a fold, expected one original");
  ck_assert_fails(pz_chain_new(r.context, "half", NULL, 0, PZ_FROM_INPUT, &spec, 1, &chain),
                  PZ_PLUGIN, "half: plan: declared 2 originals, expected 1");
  map_mistake = MAP_NO_MISTAKE;
  map_triangle = 7;
  ck_assert_fails(pz_chain_new(r.context, "half", NULL, 0, PZ_FROM_INPUT, &spec, 1, &chain),
                  PZ_PLUGIN, "half: plan: fold: found triangle 7, expected PZ_UPPER or PZ_LOWER");
  map_triangle = PZ_UPPER;
  map_mistake = MAP_FOLD_IN_FORWARD;
  rig_from_tensor(&r, "half", PZ_F64, 2, shape);
  ck_assert_fails(pz_eval_forward(r.eval, r.state, 0, NULL, &y), PZ_PLUGIN,
                  "half: forward: declared a fold outside plan");
}
END_TEST

int
main(void)
{
  TCase* const t = tcase_create("triangles");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, test_left_out);
  tcase_add_test(t, test_within);
  tcase_add_test(t, test_folds_in_a_row);
  tcase_add_test(t, test_others_see_the_whole);
  tcase_add_test(t, test_bad_declarations);
  return test_main_case(t);
}
