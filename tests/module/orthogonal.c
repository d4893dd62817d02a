/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* orthogonal on modules: its names beside PyTorch's, what is carried with it, training with a
   base that moves. */

#include "folder.h"
#include "furniture.h"

#include <math.h>
#include <stdlib.h>

#define ORIGINAL "parametrizations.weight.original"

/* A module of its own with one tensor. */
static void
add(const char* const chain, const int64_t rows, const int64_t cols)
{
  rig_tensor w;
  pz_module_free(module);
  ck_assert_ok(pz_module_new(context, getenv("TEST_DEVICE"), "Linear", &module));
  rig_add(module, "weight", rows, cols, &w);
  ck_assert_ok(pz_register_parametrization(module, "weight", chain, 0));
}

/* The largest entry of |W^T W - I|, or of |W W^T - I| where W is wide. */
static double
orthogonality(void)
{
  rig_tensor w;
  rig_read("weight", &w);
  const int64_t rows = w.shape[0];
  const int64_t cols = w.shape[1];
  const bool wide = rows < cols;
  const int64_t n = wide ? cols : rows;
  const int64_t k = wide ? rows : cols;
  double most = 0.0;
  for (int64_t i = 0; i < k; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      double sum = i == j ? -1.0 : 0.0;
      for (int64_t r = 0; r < n; ++r) {
        sum += rig_at(&w, wide ? i * n + r : r * k + i) * rig_at(&w, wide ? j * n + r : r * k + j);
      }
      most = fabs(sum) <= most ? most : fabs(sum);
    }
  }
  return most;
}

/* A step of an optimizer: the original against the gradient of <value, g>. */
static void
descend(const rig_tensor* const g, const double rate)
{
  rig_tensor x;
  rig_tensor gx;
  pz_tensor value;
  pz_tensor there;
  pz_queue* queue = NULL;
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_module_zero_gradients(module));
  ck_assert_ok(pz_module_backward(module, "weight", &g->tensor));
  ck_assert_ok(pz_module_gradient(module, ORIGINAL, &there));
  rig_read(ORIGINAL, &x);
  rig_read(ORIGINAL, &gx);
  ck_assert_ok(pz_queue_open(context, getenv("TEST_DEVICE"), &queue));
  ck_assert_ok(pz_queue_download(queue, &there, &gx.tensor));
  pz_queue_close(queue);
  for (int64_t k = 0; k < pz_count(&x.tensor); ++k) {
    x.data.f32[k] -= (float)(rate * rig_at(&gx, k));
  }
  ck_assert_ok(pz_module_set(module, ORIGINAL, &x.tensor));
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
    rig_names(cases[k].names);
    ck_assert_double_le(orthogonality(), 10.0 * 5.0 * 1.2e-7);
  }
}
END_TEST

/* Assigned: the factor Q, or a refusal that changes nothing; another shape is refused. */
START_TEST(orthogonal_is_assigned)
{
  rig_tensor w;
  rig_tensor x;
  add("orthogonal(nearest=0)", 5, 3);
  rig_normal(&w, PZ_F32, 5, 3);
  char* picture = rig_picture();
  ck_assert_fails(pz_module_set(module, "weight", &w.tensor), PZ_OUTSIDE, "from the identity");
  rig_unchanged(picture);
  picture = rig_picture();
  rig_normal(&x, PZ_F32, 5, 5);
  ck_assert_fails(pz_module_set(module, "weight", &x.tensor), PZ_MISMATCH, "5x3");
  rig_unchanged(picture);

  add("orthogonal", 5, 3);
  ck_assert_ok(pz_module_set(module, "weight", &w.tensor));
  ck_assert_double_le(orthogonality(), 10.0 * 5.0 * 1.2e-7);
  rig_read("weight", &x);
  for (int i = 0; i < 3; ++i) { /* Q^T W = R, to 1e-5 */
    for (int j = 0; j <= i; ++j) {
      double sum = 0.0;
      for (int r = 0; r < 5; ++r) {
        sum += rig_at(&x, r * 3 + i) * rig_at(&w, r * 3 + j);
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
  rig_tensor g;
  rig_tensor value;
  rig_tensor now;
  pz_module* others[3] = {NULL};
  pz_file* file = NULL;
  add("orthogonal(map=cayley,rebase=3)", 5, 3);
  rig_normal(&g, PZ_F32, 5, 3);
  descend(&g, 0.1);
  ck_assert_ok(pz_module_update(module, NULL));
  descend(&g, 0.1);
  ck_assert_ok(pz_module_save(module, path));
  ck_assert_ok(pz_module_copy(module, &others[0]));
  ck_assert_ok(pz_file_open(path, &file));
  ck_assert_ok(pz_module_from_file(context, getenv("TEST_DEVICE"), file, NULL, NULL, &others[1]));
  pz_file_close(file);
  ck_assert_ok(pz_module_new(context, getenv("TEST_DEVICE"), "Linear", &others[2]));
  rig_add(others[2], "weight", 5, 3, &now);
  ck_assert_ok(
      pz_register_parametrization(others[2], "weight", "orthogonal(map=cayley,rebase=3)", 0));
  ck_assert_ok(pz_module_load(others[2], path));
  for (int update = 0; update < 3; ++update) {
    rig_read("weight", &value);
    for (int k = 0; k < 3; ++k) {
      read_of(others[k], "weight", &now);
      ck_assert_double_eq(rig_distance(&now, &value), 0.0);
      read_of(others[k], ORIGINAL, &now);
      ck_assert(update == 2 ? rig_at(&now, 3) == 0.0 : rig_at(&now, 3) != 0.0);
      ck_assert_ok(pz_module_update(others[k], NULL));
    }
    ck_assert_ok(pz_module_update(module, NULL));
  }
  /* and in another dtype the count is a count still */
  ck_assert_ok(pz_module_to_dtype(module, PZ_F64));
  rig_read("weight", &now);
  for (int k = 0; k < 15; ++k) {
    ck_assert_double_eq_tol(rig_at(&now, k), rig_at(&value, k), 100.0 * 5.0 * 1.2e-7);
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
static void
unit(rig_tensor* const g, const int64_t rows, const int64_t cols)
{
  double sum = 0.0;
  rig_normal(g, PZ_F32, rows, cols);
  for (int64_t k = 0; k < rows * cols; ++k) {
    sum += rig_at(g, k) * rig_at(g, k);
  }
  for (int64_t k = 0; k < rows * cols; ++k) {
    g->data.f32[k] = (float)(rig_at(g, k) / sqrt(sum));
  }
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
      rig_tensor g;
      rig_tensor w;
      double first = 0.0;
      double last = 0.0;
      add(chains[c], shapes[s][0], shapes[s][1]);
      unit(&g, shapes[s][0], shapes[s][1]);
      for (int step = 0; step <= 30; ++step) {
        rig_read("weight", &w);
        last = 0.0;
        for (int64_t k = 0; k < pz_count(&w.tensor); ++k) {
          last += rig_at(&w, k) * rig_at(&g, k);
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
    rig_tensor g;
    rig_tensor expected;
    rig_tensor left;
    add("orthogonal", 3, 5);
    rig_normal(&g, PZ_F32, 3, 5);
    descend(&g, 0.3);
    rig_read(leave ? "weight" : ORIGINAL, &expected);
    ck_assert_ok(pz_remove_parametrizations(module, "weight",
                                            leave ? PZ_LEAVE_PARAMETRIZED : PZ_LEAVE_ORIGINAL));
    rig_read("weight", &left);
    ck_assert_double_eq(rig_distance(&left, &expected), 0.0);
    rig_names("weight ");
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
