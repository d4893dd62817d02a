/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The examples of PyTorch's parametrization tutorial. Tolerances: n eps times a constant,
   eps that of float32, n the size of the matrices. */

#include "matrices.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double eps = 1.1920928955078125e-07;

START_TEST(symmetric_linear_layer)
{
  fixture_parametrize(module, "weight", 3, 3, "symmetric");
  const pz_tensor a = fixture_read("weight");
  for (int64_t i = 0; i < 3; ++i) {
    for (int64_t j = 0; j < 3; ++j) {
      ck_assert_double_eq(host_at(&a, 3 * i + j), host_at(&a, 3 * j + i)); /* exactly */
    }
  }
}
END_TEST

START_TEST(skew_kernels_of_a_convolution)
{
  /* 5 -> 8 channels, 3 x 3 kernels: 40 skew matrices at once */
  float data[8 * 5 * 9];
  const int64_t shape[4] = {8, 5, 3, 3};
  pz_tensor value;
  test_fill_normal(&seed, PZ_F32, 360, 1.0, data);
  const pz_tensor kernels = pz_host_tensor(PZ_F32, data, 4, shape);
  ck_assert_ok(pz_module_add(module, "weight", PZ_PARAMETER, &kernels));
  ck_assert_ok(pz_register_parametrization(module, "weight", "skew", NULL));
  ck_assert_ok(pz_module_read(module, "weight", &kernels));
  for (int64_t b = 0; b < 40; ++b) {
    for (int64_t i = 0; i < 3; ++i) {
      for (int64_t j = 0; j < 3; ++j) {
        ck_assert_float_eq(data[9 * b + 3 * i + j], -data[9 * b + 3 * j + i]);
      }
    }
  }
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_int_eq(value.ndim, 4);
}
END_TEST

START_TEST(inspecting_names_and_lists)
{
  char text[4096];
  fixture_add(module, "weight", 3, 3);
  fixture_add(module, "bias", 1, 3);
  ck_assert_ok(pz_register_parametrization(module, "weight", "symmetric", NULL));
  ck_assert_ok(pz_register_parametrization(module, "bias", "counting", NULL));
  pz_tensor_info entry = {.size = sizeof(entry)};
  ck_assert_ok(pz_module_tensor(module, 0, &entry));
  ck_assert_str_eq(entry.name, "parametrizations.weight.original");
  ck_assert_ok(pz_module_tensor(module, 1, &entry));
  ck_assert_str_eq(entry.name, "parametrizations.bias.original");
  ck_assert_int_eq(pz_module_tensor(module, 2, &entry), PZ_NOT_FOUND);
  pz_module_print(module, text, sizeof(text));
  ck_assert_ptr_eq(strstr(text, "ParametrizedLinear(\n  (parametrizations): ModuleDict(\n"
                                "    (weight): ParametrizationList(\n"),
                   text);
}
END_TEST

/* What the demonstration of caching prints, in the order it prints it. */
static char demo[1024];

static void
computing(void)
{
  strcat(demo, "Computing the Parametrization\n");
}

START_TEST(caching_prints_what_pytorch_prints)
{
  pz_tensor value;
  demo[0] = '\0';
  map_callback = computing;
  ck_assert_ok(pz_module_cache_policy(module, PZ_CACHE_SCOPED));
  fixture_parametrize(module, "weight", 4, 4, "counting");
  strcat(demo, "Here, layer.weight is recomputed every time we call it\n");
  ck_assert_ok(pz_module_get(module, "weight", &value)); /* foo = layer.weight + ... */
  ck_assert_ok(pz_module_get(module, "weight", &value)); /* ... layer.weight.T */
  ck_assert_ok(pz_module_get(module, "weight", &value)); /* bar = layer.weight.sum() */
  ck_assert_ok(pz_cached_begin(module));
  strcat(demo, "Here, it is computed just the first time layer.weight is called\n");
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_cached_end(module));
  ck_assert_str_eq(demo, "Computing the Parametrization\n"
                         "Here, layer.weight is recomputed every time we call it\n"
                         "Computing the Parametrization\n"
                         "Computing the Parametrization\n"
                         "Computing the Parametrization\n"
                         "Here, it is computed just the first time layer.weight is called\n"
                         "Computing the Parametrization\n");
}
END_TEST

START_TEST(skew_then_cayley_or_matrix_exp_is_orthogonal)
{
  static const char* const maps[] = {"cayley", "matrix_exp"};
  for (size_t k = 0; k < 2; ++k) {
    fixture_parametrize(module, maps[k], 8, 8, "skew");
    const pz_tensor x = fixture_read(maps[k]);
    ck_assert_ok(pz_register_parametrization(module, maps[k], maps[k], NULL));
    const pz_tensor q = fixture_read(maps[k]);
    ck_assert_double_le(host_orthogonality(&q), 10 * 8 * eps * (1.0 + matrix_norm_one(&x, 8)));
  }
}
END_TEST

START_TEST(symmetric_then_matrix_exp_is_positive_definite)
{
  double l[5][5] = {{0}};
  fixture_parametrize(module, "weight", 5, 5, "symmetric,matrix_exp");
  const pz_tensor a = fixture_read("weight");
  for (int64_t j = 0; j < 5; ++j) { /* Cholesky's pivots stay positive */
    double pivot = host_at(&a, 6 * j);
    for (int64_t k = 0; k < j; ++k) {
      pivot -= l[j][k] * l[j][k];
    }
    ck_assert_double_gt(pivot, 0.0);
    l[j][j] = sqrt(pivot);
    for (int64_t i = j + 1; i < 5; ++i) {
      ck_assert_double_eq(host_at(&a, 5 * i + j), host_at(&a, 5 * j + i));
      double sum = host_at(&a, 5 * i + j);
      for (int64_t k = 0; k < j; ++k) {
        sum -= l[i][k] * l[j][k];
      }
      l[i][j] = sum / l[j][j];
    }
  }
}
END_TEST

START_TEST(assigning_a_skew_matrix)
{
  fixture_parametrize(module, "weight", 3, 3, "skew");
  const pz_tensor x = fixture_zeros(PZ_F32, 3, 3);
  for (int64_t i = 0; i < 3; ++i) {
    for (int64_t j = 0; j < i; ++j) {
      const double entry = test_normal(&seed);
      test_put(PZ_F32, x.data, 3 * i + j, entry);
      test_put(PZ_F32, x.data, 3 * j + i, -entry);
    }
  }
  ck_assert_ok(pz_module_set(module, "weight", &x));
  fixture_expect("weight", &x);
}
END_TEST

START_TEST(assigning_a_rotation_through_cayley)
{
  fixture_parametrize(module, "weight", 3, 3, "skew,cayley");
  const float third = 1.0F / 3.0F; /* by 60 degrees about (1, 1, 1): far from -1 */
  const float entries[9] = {2 * third, -third, 2 * third, 2 * third, 2 * third,
                            -third,    -third, 2 * third, 2 * third};
  const pz_tensor q = fixture_zeros(PZ_F32, 3, 3);
  memcpy(q.data, entries, sizeof(entries));
  ck_assert_ok(pz_module_set(module, "weight", &q));
  const pz_tensor now = fixture_read("weight");
  ck_assert_double_le(host_distance(&now, &q), 100 * 3 * eps);
}
END_TEST

START_TEST(orthogonal_initialization_has_determinant_minus_one_half_the_time)
{
  fixture_add(module, "weight", 6, 6);
  fixture_add(module, "signed", 6, 6);
  ck_assert_ok(pz_register_parametrization(module, "weight", "skew,cayley", NULL));
  ck_assert_ok(pz_register_parametrization(module, "signed", "skew,cayley(signs=1)", NULL));
  pz_tensor q = matrix_orthogonal(6, -1);
  char* const picture = fixture_picture();
  ck_assert_int_eq(pz_module_set(module, "weight", &q), PZ_SINGULAR);
  ck_assert_ptr_nonnull(strstr(pz_error_message(), "\"weight\": cayley: "));
  fixture_unchanged(picture);
  for (int sign = -1; sign <= 1; sign += 2) {
    q = matrix_orthogonal(6, sign);
    ck_assert_ok(pz_module_set(module, "signed", &q));
    const pz_tensor now = fixture_read("signed");
    ck_assert_double_le(host_distance(&now, &q), 100 * 6 * eps * 36); /* cond <= n^2 */
  }
}
END_TEST

START_TEST(a_map_of_ones_own_needs_no_shared_object)
{
  char text[2048];
  const pz_tensor w = fixture_parametrize(module, "weight", 3, 3, "affine");
  fixture_expect("weight", &w);
  pz_module_print(module, text, sizeof(text));
  ck_assert_ptr_nonnull(strstr(text, "(given by the host)"));
}
END_TEST

START_TEST(pruning_comes_back_pruned)
{
  fixture_parametrize(module, "weight", 6, 6, "skew");
  ck_assert_ok(pz_register_parametrization(module, "weight", "cayley", NULL));
  const pz_tensor before = fixture_read("weight");
  ck_assert_ok(pz_register_parametrization(module, "weight", "pruning(p_drop=0.3)", NULL));
  pz_tensor mask = fixture_read("parametrizations.weight.2.mask");
  pz_tensor now = fixture_read("weight");
  for (int64_t k = 0; k < 36; ++k) {
    ck_assert_double_eq(host_at(&now, k), host_at(&mask, k) * host_at(&before, k));
  }
  ck_assert_ok(pz_remove_parametrizations(module, "weight", PZ_LEAVE_PARAMETRIZED));
  ck_assert_ok(pz_register_parametrization(module, "weight", "pruning(p_drop=0.3)", NULL));
  mask = fixture_read("parametrizations.weight.0.mask");
  const pz_tensor q = fixture_normal(PZ_F32, 6, 6);
  ck_assert_ok(pz_module_set(module, "weight", &q));
  now = fixture_read("weight");
  for (int64_t k = 0; k < 36; ++k) {
    ck_assert_double_eq(host_at(&now, k), host_at(&mask, k) * host_at(&q, k));
  }
}
END_TEST

START_TEST(masks_differ_unless_seeded_alike)
{
  static const char* const texts[] = {"pruning(p_drop=0.5)", "pruning(p_drop=0.5,seed=9)"};
  for (size_t k = 0; k < 2; ++k) {
    char one[8];
    char two[8];
    char path[64];
    snprintf(one, sizeof(one), "a%zu", k);
    snprintf(two, sizeof(two), "b%zu", k);
    fixture_add(module, one, 16, 16);
    fixture_add(module, two, 16, 16);
    ck_assert_ok(pz_register_parametrization(module, one, texts[k], NULL));
    ck_assert_ok(pz_register_parametrization(module, two, texts[k], NULL));
    snprintf(path, sizeof(path), "parametrizations.%s.0.mask", one);
    const pz_tensor a = fixture_read(path);
    snprintf(path, sizeof(path), "parametrizations.%s.0.mask", two);
    const pz_tensor b = fixture_read(path);
    ck_assert_int_eq(host_distance(&a, &b) == 0.0, k == 1); /* by chance: 2^-256 */
  }
}
END_TEST

START_TEST(removal_with_both_settings)
{
  fixture_parametrize(module, "weight", 4, 4, "skew,cayley");
  const pz_tensor q = fixture_read("weight");
  ck_assert_ok(pz_remove_parametrizations(module, "weight", PZ_LEAVE_PARAMETRIZED));
  fixture_expect("weight", &q);
  ck_assert_ok(pz_register_parametrization(module, "weight", "skew", NULL));
  const pz_tensor x = fixture_read("parametrizations.weight.original");
  ck_assert_ok(pz_remove_parametrizations(module, "weight", PZ_LEAVE_ORIGINAL));
  fixture_expect("weight", &x);
}
END_TEST

START_TEST(training_an_orthogonal_weight)
{
  /* gradient descent on |Q - T|^2 / 2 through skew and cayley */
  pz_tensor q;
  pz_tensor x;
  pz_tensor gx;
  const char* const original = "parametrizations.weight.original";
  double first = 0.0;
  double loss = 0.0;
  const pz_tensor w = fixture_zeros(PZ_F32, 4, 4);
  ck_assert_ok(pz_module_add(module, "weight", PZ_PARAMETER, &w));
  ck_assert_ok(pz_register_parametrization(module, "weight", "skew,cayley", NULL));
  const pz_tensor target = fixture_zeros(PZ_F32, 4, 4);
  for (int64_t b = 0; b < 2; ++b) { /* a turn by 1 and by 2 */
    const double angle = 1.0 + (double)b;
    test_put(PZ_F32, target.data, 10 * b, cos(angle));
    test_put(PZ_F32, target.data, 10 * b + 1, sin(angle));
    test_put(PZ_F32, target.data, 10 * b + 4, -sin(angle));
    test_put(PZ_F32, target.data, 10 * b + 5, cos(angle));
  }
  for (int step = 0; step < 200; ++step) {
    q = fixture_read("weight");
    const pz_tensor g = fixture_zeros(PZ_F32, 4, 4);
    loss = 0.0;
    for (int64_t k = 0; k < 16; ++k) {
      const double difference = host_at(&q, k) - host_at(&target, k);
      test_put(PZ_F32, g.data, k, difference);
      loss += 0.5 * difference * difference;
    }
    first = step == 0 ? loss : first;
    ck_assert_ok(pz_module_zero_gradients(module));
    ck_assert_ok(pz_module_backward(module, "weight", &g));
    ck_assert_ok(pz_module_gradient(module, original, &gx));
    ck_assert_ok(pz_module_edit(module, original, &x));
    for (int64_t k = 0; k < 16; ++k) {
      ((float*)x.data)[k] -= 0.2F * ((const float*)gx.data)[k];
    }
    ck_assert_ok(pz_module_commit(module, original));
  }
  ck_assert_double_lt(loss, 0.01 * first);
  ck_assert_double_le(host_orthogonality(&q), 10 * 4 * eps * 8);
}
END_TEST

int
main(void)
{
  TCase* const tcase = fixture_case("tutorial");
  tcase_add_test(tcase, symmetric_linear_layer);
  tcase_add_test(tcase, skew_kernels_of_a_convolution);
  tcase_add_test(tcase, inspecting_names_and_lists);
  tcase_add_test(tcase, caching_prints_what_pytorch_prints);
  tcase_add_test(tcase, skew_then_cayley_or_matrix_exp_is_orthogonal);
  tcase_add_test(tcase, symmetric_then_matrix_exp_is_positive_definite);
  tcase_add_test(tcase, assigning_a_skew_matrix);
  tcase_add_test(tcase, assigning_a_rotation_through_cayley);
  tcase_add_test(tcase, orthogonal_initialization_has_determinant_minus_one_half_the_time);
  tcase_add_test(tcase, a_map_of_ones_own_needs_no_shared_object);
  tcase_add_test(tcase, pruning_comes_back_pruned);
  tcase_add_test(tcase, masks_differ_unless_seeded_alike);
  tcase_add_test(tcase, removal_with_both_settings);
  tcase_add_test(tcase, training_an_orthogonal_weight);
  return test_main_case(tcase);
}
