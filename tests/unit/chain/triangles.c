/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Folds that the host leaves out: `half` declares its value as the fold of a triangle, `spin`
   takes triangles; each does what `fold` and `turn` of maps.h do, which declare nothing. */

#include <maps.h>
#include <rig.h>

#include <math.h>
#include <string.h>

static rig r;
static uint32_t structure = PZ_SKEW; /* of the value that `half` declares */
static uint32_t triangle = PZ_UPPER;
static int mistake; /* in the plan of `half` */
static double seen; /* by init and update of `spin`: the largest |x + x^T| */

static pz_status
half_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_declare_original(c, NULL, given));
  if (mistake == 1) {
    PZ_TRY(pz_declare_buffer(c, "own", given));
  }
  if (mistake == 2) {
    PZ_TRY(pz_declare_original(c, NULL, given));
  }
  PZ_TRY(pz_declare_fold(c, (pz_triangle)triangle));
  return pz_declare_value(c, given, (pz_structure)structure);
}

static int
parity(void)
{
  return structure == PZ_SKEW ? -1 : 1;
}

static pz_status
half_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  map_note(c, "half forward");
  if (mistake == 3) {
    return pz_declare_fold(c, PZ_UPPER);
  }
  return c->ops->fold(c, (pz_triangle)triangle, parity(), x, y);
}

static pz_status
half_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  map_note(c, "half vjp");
  return c->ops->fold_adjoint(c, (pz_triangle)triangle, parity(), gy, gx);
}

static const pz_parametrization half = {
    .size = sizeof(half),
    .id = "half",
    .summary = "Declares what it does",
    .plan = half_plan,
    .forward = half_forward,
    .vjp = half_vjp,
};

static pz_status
spin_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_take_triangle(c));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static pz_status
look(pz_call* const c, const pz_tensor* const x)
{
  const pz_spec scalar = pz_spec_make(x->dtype, 0, NULL);
  pz_tensor sum;
  pz_tensor norm;
  PZ_TRY(pz_work_like(c, x, &sum));
  PZ_TRY(pz_work(c, &scalar, &norm));
  PZ_TRY(c->ops->symmetrize(c, 1.0, -parity(), x, &sum));
  PZ_TRY(c->ops->norm(c, PZ_NORM_MAX, PZ_OVER_BOTH, &sum, &norm));
  return c->ops->read(c, &norm, &seen);
}

static pz_status
spin_init(pz_call* const c, const pz_tensor* const tensor)
{
  map_note(c, "spin init");
  return look(c, tensor);
}

static pz_status
spin_update(pz_call* const c, const pz_tensor* const x)
{
  map_note(c, "spin update");
  return look(c, x);
}

static pz_status
spin_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  map_note(c, "spin forward");
  return pz_shifted_inverse(c, c->in, -1.0, 2.0, 1.0, -1.0, x, y);
}

static pz_status
spin_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  map_note(c, "spin vjp");
  return pz_shifted_inverse_adjoint(c, c->in, -1.0, 2.0, -1.0, y, gy, gx);
}

static pz_status
spin_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  (void)y;
  map_note(c, "spin residual");
  *distance = 0.0;
  return PZ_OK;
}

static const pz_parametrization spin = {
    .size = sizeof(spin),
    .id = "spin",
    .summary = "Takes triangles",
    .plan = spin_plan,
    .init = spin_init,
    .forward = spin_forward,
    .vjp = spin_vjp,
    .update = spin_update,
    .residual = spin_residual,
};

/* The fold of the other triangle, which takes a triangle too. */
static pz_triangle
other_triangle(void)
{
  return triangle == PZ_UPPER ? PZ_LOWER : PZ_UPPER;
}

static pz_status
both_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_declare_fold(c, other_triangle()));
  PZ_TRY(pz_take_triangle(c));
  return pz_declare_value(c, given, (pz_structure)structure);
}

static pz_status
both_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  pz_tensor whole = *x;
  if ((c->in & PZ_BY_TRIANGLE) != 0) {
    PZ_TRY(pz_work_like(c, x, &whole));
    PZ_TRY(c->ops->fold(c, (pz_triangle)triangle, parity(), x, &whole));
  }
  return c->ops->fold(c, other_triangle(), parity(), &whole, y);
}

static pz_status
both_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  pz_tensor whole;
  (void)x;
  (void)y;
  if ((c->in & PZ_BY_TRIANGLE) == 0) {
    return c->ops->fold_adjoint(c, other_triangle(), parity(), gy, gx);
  }
  PZ_TRY(pz_work_like(c, gx, &whole));
  PZ_TRY(c->ops->fold_adjoint(c, other_triangle(), parity(), gy, &whole));
  return c->ops->fold_adjoint(c, (pz_triangle)triangle, parity(), &whole, gx);
}

static const pz_parametrization both = {
    .size = sizeof(both),
    .id = "both",
    .summary = "Declares a fold, and takes triangles",
    .plan = both_plan,
    .forward = both_forward,
    .vjp = both_vjp,
};

PZ_PLUGIN(triangles, "1.0.0", PZ_PARAMETRIZATION(&half), PZ_PARAMETRIZATION(&spin),
          PZ_PARAMETRIZATION(&both));

static void
setup(void)
{
  structure = PZ_SKEW;
  triangle = PZ_UPPER;
  mistake = 0;
  rig_open(&r, &pz_plugin_v1_test_maps, NULL);
  ck_assert_ok(pz_context_add_plugin(r.context, &pz_plugin_v1_triangles));
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
    const bool there = triangle == PZ_UPPER ? i < j : i > j;
    const bool diagonal = i == j && structure == PZ_SYMMETRIC;
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
  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, &y));
  memcpy(value, y.data, COUNT * sizeof(double));
  const int64_t* const s = shape;
  const pz_tensor gy = pz_host_tensor(PZ_F64, (void*)(uintptr_t)g, 3, s);
  pz_tensor gx[8];
  ck_assert_uint_le(n, 8);
  for (uint32_t k = 0; k < n; ++k) {
    const pz_spec spec = rig_trained_spec(&r, k);
    gx[k] = host_normal(&spec, &r.random, 1.0);
  }
  ck_assert_ok(pz_eval_vjp(r.eval, r.state, &gy, (UINT64_C(1) << n) - 1, false, gx));
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
    triangle = k % 2 ? PZ_LOWER : PZ_UPPER;
    structure = k / 2 ? PZ_SYMMETRIC : PZ_SKEW;
    evaluate("half,spin", x, true, g, value[0], gradient[0]);
    ck_assert_int_eq(calls_of("half forward") + calls_of("half vjp"), 0);
    const uint32_t by = k % 2 ? PZ_BY_LOWER : PZ_BY_UPPER;
    ck_assert_uint_eq(in_of("spin forward"), structure | by);
    ck_assert_uint_eq(in_of("spin vjp"), structure | by);
    evaluate("half,turn", x, true, g, value[1], gradient[1]);
    ck_assert_int_eq(calls_of("half forward") + calls_of("half vjp"), 2);
    ck_assert_uint_eq(in_of("turn forward"), structure);
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
    triangle = PZ_UPPER;
    evaluate(chains[k][0], x, false, g, value[0], gradient[0]);
    triangle = PZ_LOWER; // of `half`; `fold` takes the upper one
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
  seen = -1.0;
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 1, &w));
  ck_assert_uint_eq(in_of("spin init"), PZ_SKEW);
  ck_assert(seen == 0.0);
  seen = -1.0;
  ck_assert_ok(pz_eval_update(r.eval, r.state));
  ck_assert_uint_eq(in_of("spin update"), PZ_SKEW);
  ck_assert(seen == 0.0);

  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, &y));
  ck_assert_ok(pz_eval_vjp(r.eval, r.state, &w, 1, false, &out[0]));
  ck_assert_ok(pz_eval_residual(r.eval, r.state, 1, &y, &distance));
  ck_assert_uint_eq(in_of("spin residual"), PZ_SKEW);
  ck_assert_ok(pz_eval_vjp(r.eval, r.state, &w, 1, false, &out[1]));
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
  structure = PZ_ORTHOGONAL;
  ck_assert_fails(
      pz_chain_new(r.context, "half", NULL, 0, PZ_FROM_INPUT, &spec, 1, &chain), PZ_PLUGIN,
      "half: plan: declared a fold and a value that is orthogonal, expected symmetric or skew");
  structure = PZ_SKEW;
  mistake = 1;
  ck_assert_fails(pz_chain_new(r.context, "half", NULL, 0, PZ_FROM_INPUT, &spec, 1, &chain),
                  PZ_PLUGIN, "half: plan: declared a fold, expected one original");
  mistake = 2;
  ck_assert_fails(pz_chain_new(r.context, "half", NULL, 0, PZ_FROM_INPUT, two, 2, &chain),
                  PZ_PLUGIN, "half: plan: declared a fold, expected one original");
  mistake = 0;
  triangle = 7;
  ck_assert_fails(pz_chain_new(r.context, "half", NULL, 0, PZ_FROM_INPUT, &spec, 1, &chain),
                  PZ_PLUGIN, "half: plan: fold: found triangle 7, expected PZ_UPPER or PZ_LOWER");
  triangle = PZ_UPPER;
  mistake = 3;
  rig_from_tensor(&r, "half", PZ_F64, 2, shape);
  ck_assert_fails(pz_eval_forward(r.eval, r.state, 0, &y), PZ_PLUGIN,
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
