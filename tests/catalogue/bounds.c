/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* usage: bounds DEVICE: bounds that are tensors: one for each entry of the last dimension, or of the
   value. Every entry is what it is with its bound as a number, to the bit. */

#include <rig.h>

#include <math.h>
#include <stdlib.h>

static const char* device;

enum { ROWS = 3, COLS = 5 };
static const int64_t shape[] = {ROWS, COLS};

static pz_option_setting
bound(const char* const name, const pz_tensor* const tensor)
{
  return (pz_option_setting){.name = name, .value = {.type = PZ_TENSOR, .as = {.tensor = tensor}}};
}

/* Opens a chain with these bounds, at the same originals each time; returns its value, and its
   gradient for the value itself as cotangent in *gx. */
static double*
value_of(rig* const r, const char* const chain, const pz_option_setting* const settings,
         const uint32_t n, double** const gx)
{
  const pz_spec spec = pz_spec_make(PZ_F64, 2, shape);
  rig_open(r, NULL, device);
  rig_chain(r, chain, settings, n, PZ_FROM_TENSOR, &spec, 1);
  double* const x = rig_normal(r, PZ_F64, ROWS * COLS, 1.0);
  rig_initialize(r, x);
  rig_write_originals(r, x);
  double* const y = rig_forward(r);
  *gx = rig_gradients(r, y);
  ck_assert_ok(rig_assign(r, PZ_ASSIGN, y)); /* all inside their own bounds */
  free(x);
  rig_close(r);
  return y;
}

/* `per_row` bounds for the entries of the last dimension, or one for each entry. */
static void
check(const char* const chain, const char* const lower, const char* const upper, const bool per_row)
{
  double a[ROWS * COLS];
  double b[ROWS * COLS];
  rig r;
  double* gx = NULL;
  const int64_t* const extents = per_row ? shape + 1 : shape;
  const int32_t ndim = per_row ? 1 : 2;
  const int n = per_row ? COLS : ROWS * COLS;
  for (int k = 0; k < n; ++k) {
    a[k] = k - 2.5;
    b[k] = k + 1.0;
  }
  const pz_tensor low = pz_host_tensor(PZ_F64, a, ndim, extents);
  const pz_tensor high = pz_host_tensor(PZ_F64, b, ndim, extents);
  const pz_option_setting settings[] = {bound(lower, &low), bound(upper ? upper : lower, &high)};
  double* const y = value_of(&r, chain, settings, upper ? 2 : 1, &gx);
  for (int k = 0; k < n; ++k) {
    const pz_tensor one_low = pz_host_tensor(PZ_F64, &a[k], 0, NULL);
    const pz_tensor one_high = pz_host_tensor(PZ_F64, &b[k], 0, NULL);
    const pz_option_setting one[] = {bound(lower, &one_low),
                                     bound(upper ? upper : lower, &one_high)};
    double* one_gx = NULL;
    double* const all = value_of(&r, chain, one, upper ? 2 : 1, &one_gx);
    for (int e = k; e < ROWS * COLS; e += n) {
      ck_assert(y[e] == all[e] && gx[e] == one_gx[e]);
    }
    free(all);
    free(one_gx);
  }
  free(y);
  free(gx);
}

START_TEST(tensors_of_bounds)
{
  check("lower_bound", "bound", NULL, _i);
  check("upper_bound(map=softplus)", "bound", NULL, _i);
  check("interval", "lower", "upper", _i);
}
END_TEST

START_TEST(bad_bounds)
{
  static const double numbers[] = {1.0, 2.0, 3.0, NAN};
  const pz_spec spec = pz_spec_make(PZ_F64, 2, shape);
  const int64_t three = 3;
  const int64_t one = 1;
  const pz_tensor wrong = pz_host_tensor(PZ_F64, (void*)numbers, 1, &three);
  const pz_tensor nan = pz_host_tensor(PZ_F64, (void*)&numbers[3], 1, &one);
  const pz_option_setting settings[] = {bound("bound", &wrong), bound("bound", &nan)};
  rig r;
  rig_open(&r, NULL, device);
  ck_assert_fails(rig_try_chain(&r, "lower_bound", &settings[0], 1, PZ_FROM_TENSOR, &spec, 1),
                  PZ_MISMATCH, "found 3 bounds, expected one");
  ck_assert_fails(rig_try_chain(&r, "lower_bound", &settings[1], 1, PZ_FROM_TENSOR, &spec, 1),
                  PZ_INVALID, "found bound nan, expected a finite number");
  ck_assert_fails(rig_try_chain(&r, "interval(lower=2,upper=2)", NULL, 0, PZ_FROM_TENSOR, &spec, 1),
                  PZ_INVALID, "found bounds 2 and 2, expected lower < upper");
  rig_close(&r);
}
END_TEST

/* What is not finite is no member, on whichever side of the bound it lies. */
START_TEST(not_finite)
{
  static const char* const chains[] = {"positive", "lower_bound", "upper_bound", "interval",
                                       "stable_diagonal(form=s4d)"};
  const double values[] = {INFINITY, -INFINITY, NAN};
  const int64_t one = 1;
  const pz_spec spec = pz_spec_make(PZ_F64, 1, &one);
  for (size_t k = 0; k < sizeof(chains) / sizeof(chains[0]); ++k) {
    rig r;
    rig_open(&r, NULL, device);
    rig_chain(&r, chains[k], NULL, 0, PZ_FROM_TENSOR, &spec, 1);
    rig_initialize(&r, (const double[]){0.5});
    ck_assert_fails(rig_assign(&r, PZ_ASSIGN, &values[_i]), PZ_OUTSIDE, "that is not finite");
    rig_close(&r);
  }
}
END_TEST

int
main(const int argc, char** const argv)
{
  device = argc > 1 ? argv[1] : "reference";
  if (test_skips_device(device)) {
    return EXIT_SUCCESS;
  }
  TCase* const tcase = tcase_create("bounds");
  tcase_add_loop_test(tcase, tensors_of_bounds, 0, 2);
  tcase_add_test(tcase, bad_bounds);
  tcase_add_loop_test(tcase, not_finite, 0, 3);
  return test_main_case(tcase);
}
