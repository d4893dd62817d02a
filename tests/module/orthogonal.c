/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* orthogonal on modules: its names beside PyTorch's, what is carried with it, training with a
   base that moves. */

#include "folder.h"
#include "full_module.h"

#include <math.h>
#include <stdlib.h>

/* A module of its own with one tensor. */
static void
add(const char* const chain, const int64_t rows, const int64_t cols)
{
  pz_module_free(module);
  ck_assert_ok(test_module_new(context, getenv("TEST_DEVICE"), "Linear", &module));
  fixture_parametrize(module, "weight", rows, cols, chain);
}

static double
orthogonality(void)
{
  const pz_tensor w = fixture_read("weight");
  return host_orthogonality(&w);
}

/* Without a base X is the original itself, and rounding costs up to n eps (1 + |X|_1): the largest
   column sum of |X|, of which the strict lower triangle is stored. */
static double
original_norm(void)
{
  const pz_tensor x = fixture_read(ORIGINAL);
  double most = 0.0;
  for (int64_t j = 0; j < x.shape[0]; ++j) {
    double sum = 0.0;
    for (int64_t i = 0; i < x.shape[0]; ++i) {
      const int64_t row = i > j ? i : j;
      const int64_t col = i > j ? j : i;
      sum += row != col && col < x.shape[1] ? fabs(host_at(&x, row * x.shape[1] + col)) : 0.0;
    }
    most = fmax(most, sum);
  }
  return most;
}

/* A step of an optimizer: the original against the gradient of <value, g>. */
static void
descend(const pz_tensor* const g, const double rate)
{
  pz_tensor value;
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_module_zero_gradients(module));
  ck_assert_ok(pz_module_backward(module, "weight", g));
  const pz_tensor x = fixture_read(ORIGINAL);
  const pz_tensor gx = fixture_gradient(ORIGINAL);
  for (int64_t k = 0; k < pz_count(&x); ++k) {
    host_f32(&x)[k] -= (float)(rate * host_at(&gx, k));
  }
  ck_assert_ok(pz_module_set(module, ORIGINAL, &x));
}

START_TEST(orthogonal_is_named_as_in_pytorch)
{
  static const struct {
    const char* chain;
    int64_t rows;
    int64_t cols;
    const char* names;
  } cases[] = {
      {"orthogonal", 4, 4, ORIGINAL " parametrizations.weight.0.base "},
      {"orthogonal(base=dense)", 5, 3, ORIGINAL " parametrizations.weight.0.base "},
      {"orthogonal", 5, 3, ORIGINAL " parametrizations.weight.0.reflectors "},
      {"orthogonal", 3, 5, ORIGINAL " parametrizations.weight.0.reflectors "},
      {"orthogonal(rebase=2)", 4, 4,
       ORIGINAL " parametrizations.weight.0.base parametrizations.weight.0.updates "},
      {"orthogonal(rebase=1)", 4, 4, ORIGINAL " parametrizations.weight.0.base "},
      {"orthogonal(map=cayley,trivialization=0)", 5, 3,
       ORIGINAL " parametrizations.weight.0.signs "},
      {"orthogonal(map=cayley,trivialization=0,signs=0)", 5, 3, ORIGINAL " "},
      {"orthogonal(trivialization=0)", 4, 4, ORIGINAL " "},
  };
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); ++k) {
    add(cases[k].chain, cases[k].rows, cases[k].cols);
    fixture_names(cases[k].names);
    const bool based = strstr(cases[k].chain, "trivialization=0") == NULL;
    const double norm = based ? 0.0 : original_norm();
    ck_assert_double_le(orthogonality(), 10.0 * 5.0 * 1.2e-7 * (1.0 + norm));
  }
}
END_TEST

/* Assigned: the factor Q, or a refusal that changes nothing; another shape is refused. */
START_TEST(orthogonal_is_assigned)
{
  add("orthogonal(nearest=0)", 5, 3);
  const pz_tensor w = fixture_normal(PZ_F32, 5, 3);
  char* picture = fixture_picture();
  ck_assert_fails(pz_module_set(module, "weight", &w), PZ_OUTSIDE, "from the identity");
  fixture_unchanged(picture);
  picture = fixture_picture();
  pz_tensor x = fixture_normal(PZ_F32, 5, 5);
  ck_assert_fails(pz_module_set(module, "weight", &x), PZ_MISMATCH, "5x3");
  fixture_unchanged(picture);

  add("orthogonal", 5, 3);
  ck_assert_ok(pz_module_set(module, "weight", &w));
  ck_assert_double_le(orthogonality(), 10.0 * 5.0 * 1.2e-7);
  x = fixture_read("weight");
  for (int i = 0; i < 3; ++i) { /* Q^T W = R, to 1e-5 */
    for (int j = 0; j <= i; ++j) {
      double sum = 0.0;
      for (int r = 0; r < 5; ++r) {
        sum += host_at(&x, r * 3 + i) * host_at(&w, r * 3 + j);
      }
      ck_assert(i == j ? sum > 0.0 : fabs(sum) <= 1e-5);
    }
  }
}
END_TEST

/* A file, a module made of it, and a copy have base and count of updates: the value is the same,
   and moves into the base at the same update. */
START_TEST(orthogonal_is_carried)
{
  pz_tensor value;
  pz_module* others[3] = {NULL};
  add("orthogonal(map=cayley,rebase=3)", 5, 3);
  const pz_tensor g = fixture_normal(PZ_F32, 5, 3);
  descend(&g, 0.1);
  ck_assert_ok(pz_module_update(module, NULL));
  descend(&g, 0.1);
  ck_assert_ok(pz_module_save(module, path, NULL));
  ck_assert_ok(pz_module_copy(module, &others[0]));
  reopen();
  ck_assert_ok(test_module_from_file(context, getenv("TEST_DEVICE"), file, NULL, NULL, &others[1]));
  ck_assert_ok(test_module_new(context, getenv("TEST_DEVICE"), "Linear", &others[2]));
  pz_tensor now = fixture_add(others[2], "weight", 5, 3);
  ck_assert_ok(
      pz_register_parametrization(others[2], "weight", "orthogonal(map=cayley,rebase=3)", NULL));
  ck_assert_ok(test_module_load(others[2], path));
  for (int update = 0; update < 3; ++update) {
    value = fixture_read("weight");
    for (int k = 0; k < 3; ++k) {
      fixture_expect_of(others[k], "weight", &value);
      now = fixture_read_of(others[k], ORIGINAL);
      ck_assert(update == 2 ? host_at(&now, 3) == 0.0 : host_at(&now, 3) != 0.0);
      ck_assert_ok(pz_module_update(others[k], NULL));
    }
    ck_assert_ok(pz_module_update(module, NULL));
  }
  /* and in another dtype the count is a count still */
  ck_assert_ok(pz_module_to_dtype(module, PZ_F64));
  now = fixture_read("weight");
  for (int k = 0; k < 15; ++k) {
    ck_assert_double_eq_tol(host_at(&now, k), host_at(&value, k), 100.0 * 5.0 * 1.2e-7);
  }
  ck_assert_ok(pz_module_update(module, NULL));
  for (int k = 0; k < 3; ++k) {
    pz_module_free(others[k]);
  }
}
END_TEST

/* Every map keeps its columns orthonormal through steps of an optimizer and a base that moves at
   every one of them, and comes nearer to where <value, g> is least, which is -1 times the sum of
   the singular values of g; c = 10. */
/* Of Frobenius norm 1: <value, g> then bends by 4 sqrt(2) at most along a reflector, twice as
   much as along an angle, and a rate below 2 / (4 sqrt(2)) descends. */
static pz_tensor
unit(const int64_t rows, const int64_t cols)
{
  const pz_tensor g = fixture_normal(PZ_F32, rows, cols);
  const double norm = sqrt(host_inner(&g, &g));
  for (int64_t k = 0; k < rows * cols; ++k) {
    host_put(&g, k, host_at(&g, k) / norm);
  }
  return g;
}

START_TEST(orthogonal_trains)
{
  static const char* const chains[] = {
      "orthogonal(map=matrix_exp,rebase=1)", "orthogonal(map=cayley,rebase=1)",
      "orthogonal(map=householder,rebase=1)", "orthogonal(map=householder,trivialization=0)",
      "orthogonal(map=cayley,trivialization=0)"};
  static const int64_t shapes[][2] = {{6, 6}, {8, 3}, {3, 8}};
  for (int c = 0; c < 5; ++c) {
    for (int s = 0; s < 3; ++s) {
      double first = 0.0;
      double last = 0.0;
      add(chains[c], shapes[s][0], shapes[s][1]);
      pz_tensor g = unit(shapes[s][0], shapes[s][1]);
      for (int step = 0; step <= 30; ++step) {
        const pz_tensor w = fixture_read("weight");
        last = 0.0;
        for (int64_t k = 0; k < pz_count(&w); ++k) {
          last += host_at(&w, k) * host_at(&g, k);
        }
        first = step == 0 ? last : first;
        ck_assert_double_le(orthogonality(), 10.0 * 8.0 * 1.2e-7 * 2.0);
        descend(&g, 0.3);
        ck_assert_ok(pz_module_update(module, NULL));
      }
      ck_assert_msg(last < first - 0.1, "%s, %d x ...: from %g to %g", chains[c], (int)shapes[s][0],
                    first, last);
    }
  }
}
END_TEST

START_TEST(orthogonal_comes_off)
{
  for (int leave = 0; leave < 2; ++leave) {
    add("orthogonal", 3, 5);
    const pz_tensor g = fixture_normal(PZ_F32, 3, 5);
    descend(&g, 0.3);
    const pz_tensor expected = fixture_read(leave ? "weight" : ORIGINAL);
    ck_assert_ok(pz_remove_parametrizations(module, "weight",
                                            leave ? PZ_LEAVE_PARAMETRIZED : PZ_LEAVE_ORIGINAL));
    fixture_expect("weight", &expected);
    fixture_names("weight ");
  }
}
END_TEST

int
main(void)
{
  TCase* const tests = folder_case("orthogonal");
  tcase_add_test(tests, orthogonal_is_named_as_in_pytorch);
  tcase_add_test(tests, orthogonal_is_assigned);
  tcase_add_test(tests, orthogonal_is_carried);
  tcase_add_test(tests, orthogonal_trains);
  tcase_add_test(tests, orthogonal_comes_off);
  return test_main_case(tests);
}
