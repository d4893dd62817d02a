/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* weight_norm and spectral_norm on modules: what PyTorch's own tests of them look at. */

#include "folder.h"
#include "full_module.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A second module with the same list on a tensor of its own. */
static pz_module*
another(const char* const chain, const int64_t rows, const int64_t cols)
{
  pz_module* made = NULL;
  ck_assert_ok(test_module_new(context, getenv("TEST_DEVICE"), "Linear", &made));
  fixture_parametrize(made, "weight", rows, cols, chain);
  return made;
}

static void
expect_shape(const char* const name, const int32_t ndim, const int64_t rows, const int64_t cols)
{
  const pz_tensor t = fixture_read(name);
  ck_assert_int_eq(t.ndim, ndim);
  ck_assert_int_eq(t.shape[0], rows);
  ck_assert(ndim < 2 || t.shape[1] == cols);
}

/* What an optimizer does: every element of a stored tensor moves. */
static void
move(const char* const name, const double by)
{
  const pz_tensor t = fixture_read(name);
  for (int64_t k = 0; k < pz_count(&t); ++k) {
    host_f32(&t)[k] += (float)by;
  }
  ck_assert_ok(pz_module_set(module, name, &t));
}

/* The gradient of a stored tensor, copied to the host. */
/* The largest singular value of a rows x cols matrix, rows <= 6, by 2000 steps of its own. */
static double
largest_singular(const pz_tensor* const t)
{
  enum { STEPS = 2000 };
  const int64_t rows = t->shape[0];
  const int64_t cols = t->shape[1];
  double u[6] = {1.0, 0.9, 0.8, 0.7, 0.6, 0.5};
  double size = 0.0;
  for (int step = 0; step < STEPS; ++step) {
    double moved[6] = {0.0}; /* T T^T u */
    for (int64_t j = 0; j < cols; ++j) {
      double v = 0.0;
      for (int64_t i = 0; i < rows; ++i) {
        v += host_at(t, i * cols + j) * u[i];
      }
      for (int64_t i = 0; i < rows; ++i) {
        moved[i] += host_at(t, i * cols + j) * v;
      }
    }
    size = 0.0;
    for (int64_t i = 0; i < rows; ++i) {
      size += moved[i] * moved[i];
    }
    for (int64_t i = 0; i < rows; ++i) {
      u[i] = moved[i] / sqrt(size);
    }
  }
  return sqrt(sqrt(size));
}

/* ---- weight_norm ---------------------------------------------------------------- */

START_TEST(weight_norm_keeps_the_value)
{
  static const struct {
    const char* chain;
    int32_t ndim;
    int64_t rows;
    int64_t cols;
  } cases[] = {
      {"weight_norm", 2, 5, 1},
      {"weight_norm(dim=1)", 2, 1, 3},
  };
  for (int k = 0; k < 2; ++k) {
    char name[16];
    (void)snprintf(name, sizeof(name), "weight%d", k);
    pz_tensor w = fixture_add(module, name, 5, 3);
    ck_assert_ok(pz_register_parametrization(module, name, cases[k].chain, NULL));
    const pz_tensor value = fixture_read(name);
    // g (v / |v|): three roundings and those of a norm of at most 5 terms
    ck_assert_double_le(host_distance(&value, &w), 10.0 * 1.2e-7 * 5.0);
    char g[64];
    char v[64];
    (void)snprintf(g, sizeof(g), "parametrizations.%s.original0", name);
    (void)snprintf(v, sizeof(v), "parametrizations.%s.original1", name);
    expect_shape(g, cases[k].ndim, cases[k].rows, cases[k].cols);
    expect_shape(v, 2, 5, 3);
    /* the direction does not mind its length, the magnitude is the value's */
    w = fixture_read(v);
    for (int i = 0; i < 15; ++i) {
      host_f32(&w)[i] *= 4.0F;
    }
    ck_assert_ok(pz_module_set(module, v, &w));
    pz_tensor same = fixture_read(name);
    ck_assert_double_le(host_distance(&value, &same), 10.0 * 1.2e-7 * 5.0);
    move(g, 1.0);
    same = fixture_read(name);
    ck_assert_double_ge(host_distance(&value, &same), 0.1);
  }
}
END_TEST

START_TEST(weight_norm_over_all_is_one_number)
{
  const pz_tensor w = fixture_parametrize(module, "weight", 5, 3, "weight_norm(dim=all)");
  const pz_tensor g = fixture_read("parametrizations.weight.original0");
  double squares = 0.0;
  for (int k = 0; k < 15; ++k) {
    squares += host_at(&w, k) * host_at(&w, k);
  }
  ck_assert_int_eq(g.ndim, 0);
  ck_assert_double_le(fabs(host_at(&g, 0) - sqrt(squares)), 15.0 * 1.2e-7 * sqrt(squares));
}
END_TEST

START_TEST(weight_norm_comes_off)
{
  fixture_parametrize(module, "weight", 4, 3, "weight_norm");
  move("parametrizations.weight.original1", 0.25);
  const pz_tensor value = fixture_read("weight");
  ck_assert_fails(pz_remove_parametrizations(module, "weight", PZ_LEAVE_ORIGINAL), PZ_INVALID,
                  "2 originals");
  ck_assert_ok(pz_remove_parametrizations(module, "weight", PZ_LEAVE_PARAMETRIZED));
  fixture_expect("weight", &value);
  ck_assert(!pz_is_parametrized(module, "weight"));
}
END_TEST

/* A file and a copy hold both originals. */
START_TEST(weight_norm_is_carried)
{
  pz_module* copy = NULL;
  fixture_parametrize(module, "weight", 4, 3, "weight_norm");
  move("parametrizations.weight.original0", 0.5);
  const pz_tensor value = fixture_read("weight");
  ck_assert_ok(pz_module_save(module, path, NULL));
  ck_assert_ok(pz_module_copy(module, &copy));
  pz_module* const other = another("weight_norm", 4, 3);
  ck_assert_ok(test_module_load(other, path));
  fixture_expect_of(other, "weight", &value);
  fixture_expect_of(copy, "weight", &value);
  pz_module_free(copy);
  pz_module_free(other);
}
END_TEST

/* ---- spectral_norm -------------------------------------------------------------- */

static const char* const u_name = "parametrizations.weight.0._u";
static const char* const v_name = "parametrizations.weight.0._v";

START_TEST(spectral_norm_is_named_as_in_pytorch)
{
  const pz_tensor w = fixture_parametrize(module, "weight", 7, 5, "spectral_norm");
  expect_shape(u_name, 1, 7, 0);
  expect_shape(v_name, 1, 5, 0);
  fixture_expect("parametrizations.weight.original", &w);
  ck_assert_ok(pz_remove_parametrizations(module, "weight", PZ_LEAVE_ORIGINAL));
  /* the dimension of outputs of a transposed convolution */
  ck_assert_ok(pz_register_parametrization(module, "weight", "spectral_norm(dim=1)", NULL));
  expect_shape(u_name, 1, 5, 0);
  expect_shape(v_name, 1, 7, 0);
}
END_TEST

/* Of diag(3, -5) the norm is 5: registration finds it, c = 100. */
START_TEST(spectral_norm_of_a_diagonal)
{
  const pz_tensor w = fixture_zeros(PZ_F32, 2, 2);
  host_f32(&w)[0] = 3.0F;
  host_f32(&w)[3] = -5.0F;
  ck_assert_ok(pz_module_add(module, "weight", PZ_PARAMETER, &w));
  ck_assert_ok(pz_register_parametrization(module, "weight", "spectral_norm", NULL));
  const pz_tensor value = fixture_read("weight");
  for (int k = 0; k < 4; ++k) {
    host_f32(&w)[k] /= 5.0F;
  }
  ck_assert_double_le(host_distance(&value, &w), 100.0 * 2.0 * 1.2e-7);
}
END_TEST

/* Reads leave u and v alone in either mode; an update steps, and outdates the value. */
START_TEST(spectral_norm_steps_by_update)
{
  pz_tensor after;
  pz_tensor value;
  pz_tensor w = fixture_add(module, "weight", 6, 4);
  const pz_tensor g = fixture_normal(PZ_F32, 6, 4);
  ck_assert_ok(pz_register_parametrization(module, "weight", "spectral_norm", NULL));
  move("parametrizations.weight.original", 0.5);
  const pz_tensor before = fixture_read(u_name);
  for (int training = 0; training < 2; ++training) {
    ck_assert_ok(pz_module_train(module, training == 1));
    value = fixture_read("weight");
    value = fixture_read("weight");
    ck_assert_ok(pz_module_backward(module, "weight", &g));
    fixture_expect(u_name, &before);
  }
  ck_assert_ok(pz_module_update(module, "weight"));
  ck_assert_fails(pz_module_backward(module, "weight", &g), PZ_STALE, "weight");
  after = fixture_read(u_name);
  ck_assert_double_gt(host_distance(&before, &after), 0.0);
  w = fixture_read("weight");
  ck_assert_double_gt(host_distance(&w, &value), 0.0);
  ck_assert_ok(pz_module_backward(module, "weight", &g));
}
END_TEST

/* PyTorch's policy: every read in training mode is an update and a read, of a module that has
   the same state; no read in evaluation mode is. */
START_TEST(spectral_norm_steps_at_reads)
{
  pz_module* explicit = NULL;
  pz_slot* slot = NULL;
  pz_tensor there;
  const pz_tensor w =
      fixture_parametrize(module, "weight", 6, 4, "spectral_norm(n_power_iterations=2)");
  move("parametrizations.weight.original", 0.5);
  ck_assert_ok(pz_module_copy(module, &explicit));
  ck_assert_ok(pz_module_update_policy(module, PZ_UPDATE_ON_READ));
  for (int step = 0; step < 4; ++step) {
    const bool training = step != 2;
    ck_assert_ok(pz_module_train(module, training));
    if (training) {
      ck_assert_ok(pz_module_update(explicit, "weight"));
    }
    const pz_tensor expected = fixture_read_of(explicit, "weight");
    ck_assert_ok(pz_module_slot(module, "weight", &slot));
    ck_assert_ok(pz_slot_get(slot, &there));                /* one read */
    ck_assert_ok(pz_module_backward(module, "weight", &w)); /* of what was read */
    ck_assert_ok(pz_module_train(module, false));
    fixture_expect("weight", &expected);
  }
  pz_module_free(explicit);
}
END_TEST

/* Steps of an optimizer with an update each: the norm follows, to 1 in 100 whatever the
   gap to the second largest singular value. */
START_TEST(spectral_norm_follows_training)
{
  pz_tensor value;
  const pz_tensor w =
      fixture_parametrize(module, "weight", 6, 4, "spectral_norm(n_power_iterations=5)");
  for (int step = 0; step < 20; ++step) {
    ck_assert_ok(pz_module_update(module, NULL));
    value = fixture_read("weight");
    ck_assert_ok(pz_module_zero_gradients(module));
    ck_assert_ok(pz_module_backward(module, "weight", &w));
    const pz_tensor gradient = fixture_gradient("parametrizations.weight.original");
    const pz_tensor original = fixture_read("parametrizations.weight.original");
    for (int k = 0; k < 24; ++k) {
      host_f32(&original)[k] -= 0.1F * host_f32(&gradient)[k];
    }
    ck_assert_ok(pz_module_set(module, "parametrizations.weight.original", &original));
  }
  for (int k = 0; k < 40; ++k) {
    ck_assert_ok(pz_module_update(module, "weight"));
  }
  value = fixture_read("weight");
  ck_assert_double_le(fabs(largest_singular(&value) - 1.0), 1e-2);
}
END_TEST

/* Removal leaves the value that was read, without a step, or the original. */
START_TEST(spectral_norm_comes_off)
{
  fixture_add(module, "weight", 4, 3);
  for (int leave = 0; leave < 2; ++leave) {
    ck_assert_ok(pz_register_parametrization(module, "weight", "spectral_norm", NULL));
    const pz_tensor value = fixture_read(leave ? "weight" : "parametrizations.weight.original");
    ck_assert_ok(pz_remove_parametrizations(module, "weight",
                                            leave ? PZ_LEAVE_PARAMETRIZED : PZ_LEAVE_ORIGINAL));
    fixture_expect("weight", &value);
  }
}
END_TEST

/* A file and a copy hold u and v: the value is the same at once, and steps alike. */
START_TEST(spectral_norm_is_carried)
{
  pz_module* copy = NULL;
  fixture_parametrize(module, "weight", 4, 3, "spectral_norm");
  move("parametrizations.weight.original", 0.5);
  ck_assert_ok(pz_module_save(module, path, NULL));
  ck_assert_ok(pz_module_copy(module, &copy));
  pz_module* const other = another("spectral_norm", 4, 3);
  ck_assert_ok(test_module_load(other, path));
  for (int step = 0; step < 3; ++step) {
    const pz_tensor value = fixture_read("weight");
    fixture_expect_of(other, "weight", &value);
    fixture_expect_of(copy, "weight", &value);
    ck_assert_ok(pz_module_update(module, NULL));
    ck_assert_ok(pz_module_update(other, NULL));
    ck_assert_ok(pz_module_update(copy, NULL));
  }
  pz_module_free(copy);
  pz_module_free(other);
}
END_TEST

/* Twice is a list of two, whose second finds next to nothing to do. */
START_TEST(spectral_norm_twice)
{
  const pz_tensor w = fixture_zeros(PZ_F32, 3, 3);
  host_f32(&w)[0] = 4.0F;
  host_f32(&w)[4] = 1.0F;
  ck_assert_ok(pz_module_add(module, "weight", PZ_PARAMETER, &w));
  ck_assert_ok(pz_register_parametrization(module, "weight", "spectral_norm", NULL));
  const pz_tensor once = fixture_read("weight");
  ck_assert_ok(pz_register_parametrization(module, "weight", "spectral_norm", NULL));
  const pz_tensor twice = fixture_read("weight");
  expect_shape("parametrizations.weight.1._u", 1, 3, 0);
  ck_assert_double_le(host_distance(&once, &twice), 100.0 * 3.0 * 1.2e-7);
  ck_assert_ok(pz_remove_stage(module, "weight", 0));
  expect_shape(u_name, 1, 3, 0);
}
END_TEST

int
main(void)
{
  TCase* const tests = folder_case("norms");
  tcase_add_test(tests, weight_norm_keeps_the_value);
  tcase_add_test(tests, weight_norm_over_all_is_one_number);
  tcase_add_test(tests, weight_norm_comes_off);
  tcase_add_test(tests, weight_norm_is_carried);
  tcase_add_test(tests, spectral_norm_is_named_as_in_pytorch);
  tcase_add_test(tests, spectral_norm_of_a_diagonal);
  tcase_add_test(tests, spectral_norm_steps_by_update);
  tcase_add_test(tests, spectral_norm_steps_at_reads);
  tcase_add_test(tests, spectral_norm_follows_training);
  tcase_add_test(tests, spectral_norm_comes_off);
  tcase_add_test(tests, spectral_norm_is_carried);
  tcase_add_test(tests, spectral_norm_twice);
  return test_main_case(tests);
}
