/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* PZ_CHECK_PLUGINS: a map with one planted mistake after the other, on the host and on a device with
   handles. The call that makes it says PZ_PLUGIN and names map, callback and mistake; without the
   mistake, and without the flag, all calls succeed. */

#include "opaque.h"

#include <maps.h>
#include <rig.h>

#include <stdlib.h>
#include <string.h>

/* Where the map errs. */
static struct {
  const char* callback; /* NULL: nowhere */
  enum {
    WRITES_BEHIND,
    WRITES_BEFORE,
    WRITES_SCRATCH,
    WRITES_RELEASED,
    WRITES_RECORD,
    LEAVES_ENTRY,
    CHANGES, /* `victim` */
    CHANGES_BUFFER,
    CHANGES_SAVED,
  } what;
} mistake;

static uint32_t promised = PZ_GENERAL;
static bool folds;       /* the upper triangle, */
static bool folds_lower; /* or the lower one, of which plan does not say so */

// clang-format off
PZ_KERNEL(add_one, 1, 0, 1,
  PZ_TENSOR_ARG(0, y);
  PZ_INTEGER_ARG(0, at);
  y[i + at] = y[i + at] + (real)1;
)

PZ_KERNEL(copy_some, 2, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  y[i] = x[i];
)
// clang-format on

static pz_status
disturb(pz_call* const c, pz_tensor* const t, const int64_t at)
{
  return pz_launch(c, &add_one, 1, PZ_TENSORS(t), NULL, PZ_INTEGERS(at));
}

/* out <- x, with the mistake of this callback, of which `victim` is an input. */
static pz_status
copy(pz_call* const c, const char* const callback, const pz_tensor* const victim,
     const pz_tensor* const x, pz_tensor* const out)
{
  const int64_t n = pz_count(out);
  const bool errs = mistake.callback && strcmp(mistake.callback, callback) == 0;
  const int what = errs ? (int)mistake.what : -1;
  pz_tensor t = *victim;
  void* record = NULL;
  PZ_TRY(
      pz_launch(c, &copy_some, what == LEAVES_ENTRY ? n - 1 : n, PZ_TENSORS(x, out), NULL, NULL));
  switch (what) {
  case WRITES_BEHIND:
    return disturb(c, out, n);
  case WRITES_BEFORE:
    return disturb(c, out, -1);
  case WRITES_SCRATCH:
  case WRITES_RELEASED: {
    const uint64_t mark = c->host->work_mark(c);
    PZ_TRY(pz_work_like(c, out, &t));
    PZ_TRY(disturb(c, &t, n));
    if (what == WRITES_RELEASED) {
      pz_work_release(c, mark);
    }
    return PZ_OK;
  }
  case WRITES_RECORD:
    PZ_TRY(pz_work_host(c, 12, &record));
    ((char*)record)[12] = 1;
    return PZ_OK;
  case CHANGES:
    return disturb(c, &t, 0);
  case CHANGES_BUFFER:
    t = c->buffer[0];
    return disturb(c, &t, 0);
  case CHANGES_SAVED:
    PZ_TRY(pz_saved(c, 0, &t));
    return disturb(c, &t, 0);
  default:
    return PZ_OK;
  }
}

static pz_status
plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(folds ? PZ_OK : pz_declare_buffer(c, "b", given)); /* a fold has no other tensor */
  PZ_TRY(pz_declare_value(c, given, promised));
  return folds ? pz_declare_fold(c, PZ_UPPER) : PZ_OK;
}

static pz_status
forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  pz_tensor saved;
  PZ_TRY(pz_save_like(c, x, &saved));
  PZ_TRY(pz_copy(c, x, &saved));
  if (folds) {
    return pz_fold(c, folds_lower ? PZ_LOWER : PZ_UPPER, 1, x, y);
  }
  return copy(c, "forward", x, x, y);
}

static pz_status
vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y, const pz_tensor* const gy,
    pz_tensor* const gx)
{
  (void)x;
  return copy(c, "vjp", pz_wants(c, 0) && mistake.what == CHANGES ? gy : y, gy, gx);
}

static pz_status
jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y, const pz_tensor* const dx,
    pz_tensor* const dy)
{
  (void)x;
  return copy(c, "jvp", y, dx, dy);
}

static pz_status
right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  return copy(c, "right_inverse", y, y, x);
}

static pz_status
residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  pz_tensor t;
  *distance = 0.0;
  PZ_TRY(pz_work_like(c, y, &t));
  return copy(c, "residual", y, y, &t);
}

static const pz_parametrization planted = {
    .size = sizeof(planted),
    .id = "planted",
    .summary = "A copy",
    .plan = plan,
    .forward = forward,
    .right_inverse = right_inverse,
    .vjp = vjp,
    .jvp = jvp,
    .residual = residual,
};

PZ_PLUGIN(planted, "1.0.0", PZ_PARAMETRIZATION(&planted));

/* ---- tests -------------------------------------------------------------------------------------- */

static rig r;
static const int64_t shape[] = {3, 3};
static double zeros[9]; /* given to calls, and changed by mistakes */

static const char* const devices[] = {"reference", "lean"};

static void
open_rig(const char* const device, const uint32_t flags)
{
  const pz_context_settings settings = {.size = sizeof(settings),
                                        .flags = PZ_ONLY_GIVEN_FOLDERS | PZ_DEVICE_TENSORS | flags,
                                        .seed = 1};
  r = (rig){.random = test_seed()};
  ck_assert_ok(pz_context_new(&settings, &r.context));
  ck_assert_ok(pz_context_add_plugin(r.context, &pz_plugin_v1_planted));
  ck_assert_ok(pz_context_add_plugin(r.context, &pz_plugin_v1_opaque));
  rig_device(&r, device);
}

/* Every call in turn; the first status that is not PZ_OK. */
static pz_status
call_all(void)
{
  double numbers[9];
  double distance = 0.0;
  pz_tensor out = pz_host_tensor(PZ_F64, numbers, 2, shape);
  const pz_tensor in = pz_host_tensor(PZ_F64, zeros, 2, shape);
  memset(zeros, 0, sizeof(zeros));
  PZ_TRY(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &in));
  PZ_TRY(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, &out, NULL));
  PZ_TRY(pz_eval_vjp(r.eval, r.state, &in, 1, 1, false, &out));
  PZ_TRY(pz_eval_jvp(r.eval, r.state, &in, 1, &out));
  return pz_eval_residual(r.eval, r.state, 0, &in, &distance);
}

static void
expect(const char* const message)
{
  const pz_status status = call_all();
  ck_assert_str_eq(status == PZ_OK ? "" : pz_error_message(), message);
  ck_assert_int_eq(status, *message ? PZ_PLUGIN : PZ_OK);
}

START_TEST(test_mistakes)
{
  static const struct {
    const char* callback;
    int what;
    const char* message;
  } cases[] = {
      {NULL, 0, ""},
      {"forward", WRITES_BEHIND, "planted: forward: wrote behind a value of 72 bytes"},
      {"forward", WRITES_BEFORE, "planted: forward: wrote before a value of 72 bytes"},
      {"forward", WRITES_SCRATCH, "planted: forward: wrote behind scratch of 72 bytes"},
      {"forward", WRITES_RELEASED, "planted: forward: wrote behind scratch of 72 bytes"},
      {"forward", WRITES_RECORD, "planted: forward: wrote behind scratch of 12 bytes"},
      {"forward", LEAVES_ENTRY,
       "planted: forward: left entry 8 of output 0 unwritten, or read what nobody wrote "
       "(float64 3x3)"},
      {"forward", CHANGES,
       "planted: forward: changed an original, own parameter or input, expected that it is only "
       "read"},
      {"forward", CHANGES_BUFFER,
       "planted: forward: changed a buffer, expected that it is only read"},
      {"vjp", WRITES_BEHIND, "planted: vjp: wrote behind a result of 72 bytes"},
      {"vjp", LEAVES_ENTRY,
       "planted: vjp: left entry 8 of output 0 unwritten, or read what nobody wrote (float64 3x3)"},
      {"vjp", CHANGES,
       "planted: vjp: changed the gradient, tangent or value that it was given, expected that it "
       "is only read"},
      {"vjp", CHANGES_SAVED, "planted: vjp: changed a saved tensor, expected that it is only read"},
      {"jvp", CHANGES, "planted: jvp: changed the value, expected that it is only read"},
      {"jvp", WRITES_BEFORE, "planted: jvp: wrote before a result of 72 bytes"},
      {"right_inverse", CHANGES,
       "planted: right_inverse: changed the gradient, tangent or value that it was given, expected "
       "that it is only read"},
      {"right_inverse", WRITES_BEHIND, "planted: right_inverse: wrote behind a result of 72 bytes"},
      {"residual", WRITES_SCRATCH, "planted: residual: wrote behind scratch of 72 bytes"},
  };
  promised = PZ_GENERAL;
  open_rig(devices[_i], PZ_CHECK_PLUGINS);
  rig_from_tensor(&r, "planted", PZ_F64, 2, shape);
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); ++k) {
    mistake.what = (unsigned)cases[k].what;
    mistake.callback = cases[k].callback;
    expect(cases[k].message);
    mistake.callback = NULL;
    expect(""); /* the evaluation is as good as new */
  }
  rig_close(&r);
}
END_TEST

/* Values as they are in memory; the first breaks the promise, the second keeps it. */
START_TEST(test_promises)
{
  static const struct {
    uint32_t structure;
    double bad[9];
    double good[9];
    const char* found;
  } cases[] = {
      {PZ_SYMMETRIC,
       {1, 2, 3, 2, 1, 4, 3, 5, 1},
       {1, 2, 3, 2, 1, 4, 3, 4, 1},
       "symmetric, and entry (2, 1) is 5 and (1, 2) is 4"},
      {PZ_SKEW,
       {0, 2, 3, -2, 1, 4, -3, -4, 0},
       {0, 2, 3, -2, 0, 4, -3, -4, 0},
       "skew, and entry (1, 1) is 1"},
      {PZ_UPPER_TRIANGULAR,
       {1, 2, 3, 0, 1, 4, 5, 0, 1},
       {1, 2, 3, 0, 1, 4, 0, 0, 1},
       "upper triangular, and entry (2, 0) is 5"},
      {PZ_LOWER_TRIANGULAR,
       {1, 0, 7, 1, 1, 0, 5, 2, 1},
       {1, 0, 0, 1, 1, 0, 5, 2, 1},
       "lower triangular, and entry (0, 2) is 7"},
      {PZ_DIAGONAL,
       {1, 0, 0, 0, 1, 0, 0, 2, 1},
       {1, 0, 0, 0, 1, 0, 0, 0, 1},
       "diagonal, and entry (2, 1) is 2"},
      {PZ_ORTHOGONAL,
       {0.6, -0.8, 0, 0.8, 0.6, 0, 0, 0.1, 1},
       {0.6, -0.8, 0, 0.8, 0.6, 0, 0, 0, 1},
       "orthogonal, and its Gram matrix is off by 0."},
      {PZ_SPD,
       {1, 2, 0, 2, 1, 0, 0, 0, 1},
       {2, 1, 0, 1, 2, 0, 0, 0, 1},
       "positive definite, and rows 0 and 1 have a negative minor"},
  };
  open_rig(devices[_i], PZ_CHECK_PLUGINS);
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); ++k) {
    pz_tensor value;
    promised = cases[k].structure;
    rig_from_tensor(&r, "planted", PZ_F64, 2, shape);
    rig_write(&r, PZ_ORIGINAL, 0, cases[k].bad);
    ck_assert_int_eq(pz_eval_forward(r.eval, r.state, 0, NULL, &value), PZ_PLUGIN);
    ck_assert_ptr_nonnull(strstr(pz_error_message(), cases[k].found));
    ck_assert_ptr_nonnull(strstr(pz_error_message(), "planted: forward: plan promised"));
    rig_write(&r, PZ_ORIGINAL, 0, cases[k].good);
    ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, NULL, &value));
  }
  promised = PZ_GENERAL;
  rig_close(&r);
}
END_TEST

/* A fold of the other triangle than plan declared, also where the next map does without its value. */
START_TEST(test_folds)
{
  static const double x[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  static const char* const chains[] = {"planted", "planted,taken"};
  pz_tensor value;
  promised = PZ_SYMMETRIC;
  folds = true;
  open_rig(devices[_i], PZ_CHECK_PLUGINS);
  ck_assert_ok(pz_context_add_plugin(r.context, &pz_plugin_v1_triangle_maps));
  for (int k = 0; k < 2; ++k) {
    rig_from_tensor(&r, chains[k], PZ_F64, 2, shape);
    rig_write(&r, PZ_ORIGINAL, 0, x);
    folds_lower = true;
    ck_assert_int_eq(pz_eval_forward(r.eval, r.state, 0, NULL, &value), PZ_PLUGIN);
    ck_assert_str_eq(pz_error_message(), "planted: forward: plan declared a fold of the upper "
                                         "triangle, and entry 1 is off by 2");
    folds_lower = false;
    double* const y = rig_forward(&r);
    ck_assert_double_eq(y[3], 2.0);
    free(y);
  }
  folds = false;
  promised = PZ_GENERAL;
  rig_close(&r);
}
END_TEST

/* On by the environment too; otherwise off, and mistakes pass. */
START_TEST(test_switch)
{
  static const struct {
    const char* word;
    bool on;
  } words[] = {{"1", true}, {"yes", true}, {"0", false}, {"", false}, {NULL, false}};
  mistake.what = CHANGES_BUFFER;
  for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); ++k) {
    if (words[k].word) {
      ck_assert_int_eq(setenv("PARAMETRIZE_CHECK", words[k].word, 1), 0);
    } else {
      unsetenv("PARAMETRIZE_CHECK");
    }
    open_rig("reference", 0);
    rig_from_tensor(&r, "planted", PZ_F64, 2, shape);
    mistake.callback = "forward";
    ck_assert_int_eq(call_all(), words[k].on ? PZ_PLUGIN : PZ_OK);
    rig_close(&r);
  }
  mistake.callback = NULL;
}
END_TEST

int
main(void)
{
  TCase* const tests = tcase_create("checks");
  tcase_add_loop_test(tests, test_mistakes, 0, 2);
  tcase_add_loop_test(tests, test_promises, 0, 2);
  tcase_add_loop_test(tests, test_folds, 0, 2);
  tcase_add_test(tests, test_switch);
  return test_main_case(tests);
}
