/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 22 and 23: gradients of what a value depends on. */

#include "rig.h"

#include <math.h>
#include <stdlib.h>

static void
gradient(const char* const name, rig_tensor* const out)
{
  pz_tensor there;
  ck_assert_ok(pz_module_gradient(module, name, &there));
  memset(out, 0, sizeof(*out));
  memcpy(out->shape, there.shape, (size_t)there.ndim * sizeof(int64_t));
  out->tensor = pz_host_tensor(there.dtype, &out->data, there.ndim, out->shape);
  if (there.device.type == PZ_DEVICE_CPU) {
    memcpy(&out->data, (const char*)there.data + there.byte_offset,
           (size_t)pz_count(&there) * pz_dtype_size(there.dtype));
  }
}

START_TEST(semantics_22_a_plain_parameter_gets_the_gradient_itself)
{
  rig_tensor w;
  rig_tensor g;
  rig_tensor sum;
  rig_add(module, "weight", 2, 3, &w);
  gradient("weight", &sum);
  ck_assert_double_eq(rig_at(&sum, 1), 0.0); /* zero until the first backward */
  rig_normal(&g, PZ_F32, 2, 3);
  ck_assert_ok(pz_module_backward(module, "weight", &g.tensor)); /* without a read before */
  ck_assert_ok(pz_module_backward(module, "weight", &g.tensor));
  gradient("weight", &sum);
  for (int64_t k = 0; k < 6; ++k) {
    ck_assert_double_eq(rig_at(&sum, k), 2.0 * rig_at(&g, k));
  }
  ck_assert_ok(pz_module_zero_gradients(module));
  gradient("weight", &sum);
  ck_assert_double_eq(rig_at(&sum, 1), 0.0);
}
END_TEST

START_TEST(the_check_mode_shows_what_no_map_wrote)
{
  rig_tensor w;
  rig_tensor now;
  rig_add(module, "weight", 3, 3, &w);
  ck_assert_ok(pz_register_parametrization(module, "weight", "idle", 0));
  pz_module_check_writes(module, true);
  rig_read("weight", &now);
  ck_assert_double_eq(rig_distance(&now, &w), 0.0);
  map_failing = "all";
  ck_assert_ok(pz_module_backward(module, "weight", &w.tensor));
  gradient("parametrizations.weight.original", &now);
  ck_assert(isnan(rig_at(&now, 4)));
  ck_assert_ok(pz_module_touch(module, "weight"));
  rig_read("weight", &now);
  ck_assert(isnan(rig_at(&now, 4)));
  ck_assert_ok(pz_module_set(module, "weight", &w.tensor));
  rig_read("parametrizations.weight.original", &now);
  ck_assert(isnan(rig_at(&now, 4)));
  rig_add(module, "bias", 3, 3, &w); /* registering too */
  ck_assert_ok(pz_register_parametrization(module, "bias", "idle", 0));
  rig_read("parametrizations.bias.original", &now);
  ck_assert(isnan(rig_at(&now, 4)));
  map_failing = NULL;
}
END_TEST

START_TEST(semantics_22_gradients_begin_anew_where_a_list_comes_or_goes)
{
  rig_tensor w;
  rig_tensor sum;
  pz_tensor value;
  rig_add(module, "weight", 3, 3, &w);
  ck_assert_ok(pz_module_backward(module, "weight", &w.tensor));
  ck_assert_ok(pz_register_parametrization(module, "weight", "counting", 0));
  gradient("parametrizations.weight.original", &sum);
  ck_assert_double_eq(rig_at(&sum, 4), 0.0);
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_module_backward(module, "weight", &w.tensor));
  ck_assert_ok(pz_remove_parametrizations(module, "weight", PZ_LEAVE_ORIGINAL));
  gradient("weight", &sum);
  ck_assert_double_eq(rig_at(&sum, 4), 0.0);
}
END_TEST

START_TEST(semantics_22_gradients_add_up_along_the_chain)
{
  rig_tensor w;
  rig_tensor g;
  rig_tensor sum;
  pz_tensor value;
  rig_add(module, "weight", 3, 3, &w);
  ck_assert_ok(pz_register_parametrization(module, "weight", "affine,affine", 0));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  rig_normal(&g, PZ_F32, 3, 3);
  for (int times = 1; times <= 3; ++times) { /* any number of times per evaluation */
    ck_assert_ok(pz_module_backward(module, "weight", &g.tensor));
    gradient("parametrizations.weight.original", &sum);
    ck_assert_double_eq(rig_at(&sum, 4), (float)(4 * times * rig_at(&g, 4)));
    gradient("parametrizations.weight.0.shift", &sum);
    ck_assert_double_eq(rig_at(&sum, 4), (float)(2 * times * rig_at(&g, 4)));
    gradient("parametrizations.weight.1.shift", &sum);
    ck_assert_double_eq_tol(rig_at(&sum, 4), times * rig_at(&g, 4), 4e-7 * fabs(rig_at(&sum, 4)));
  }
  ck_assert_ok(pz_module_zero_gradients(module));
  gradient("parametrizations.weight.0.shift", &sum);
  ck_assert_double_eq(rig_at(&sum, 4), 0.0);
}
END_TEST

START_TEST(semantics_22_several_originals)
{
  rig_tensor w;
  rig_tensor g;
  rig_tensor v;
  rig_tensor sum;
  pz_tensor value;
  rig_add(module, "weight", 3, 3, &w);
  ck_assert_ok(pz_register_parametrization(module, "weight", "weighted", 0));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  rig_normal(&g, PZ_F32, 3, 3);
  ck_assert_ok(pz_module_backward(module, "weight", &g.tensor));
  rig_read("parametrizations.weight.original1", &v);
  double dot = 0.0;
  double size = 0.0;
  for (int64_t k = 0; k < 9; ++k) {
    dot += rig_at(&g, k) * rig_at(&v, k);
    size += fabs(rig_at(&g, k) * rig_at(&v, k));
  }
  gradient("parametrizations.weight.original0", &sum);
  ck_assert_double_eq_tol(rig_at(&sum, 0), dot, 9 * 1.2e-7 * size);
  gradient("parametrizations.weight.original1", &sum);
  ck_assert_double_eq(rig_at(&sum, 6), 2.0 * rig_at(&g, 6));
}
END_TEST

START_TEST(semantics_22_backward_is_stale_after_a_change)
{
  rig_tensor w;
  rig_tensor g;
  pz_tensor value;
  rig_add(module, "weight", 3, 3, &w);
  ck_assert_ok(pz_register_parametrization(module, "weight", "affine", 0));
  rig_normal(&g, PZ_F32, 3, 3);
  ck_assert_fails(pz_module_backward(module, "weight", &g.tensor), PZ_STALE, "not read yet");
  for (int change = 0; change < 6; ++change) {
    ck_assert_ok(pz_module_get(module, "weight", &value));
    ck_assert_ok(pz_module_backward(module, "weight", &g.tensor));
    switch (change) {
    case 0:
      ck_assert_ok(pz_module_touch(module, "parametrizations.weight.original"));
      break;
    case 1:
      ck_assert_ok(pz_module_set(module, "weight", &w.tensor));
      break;
    case 2:
      ck_assert_ok(pz_module_set(module, "parametrizations.weight.0.shift", &w.tensor));
      break;
    case 3:
      ck_assert_ok(pz_module_update(module, NULL));
      break;
    case 4:
      pz_module_train(module, false);
      break;
    default:
      ck_assert_ok(pz_register_parametrization(module, "weight", "counting", 0));
      break;
    }
    rig_tensor before;
    rig_tensor after;
    gradient("parametrizations.weight.original", &before);
    ck_assert_int_eq(pz_module_backward(module, "weight", &g.tensor), PZ_STALE);
    gradient("parametrizations.weight.original", &after);
    ck_assert_double_eq(rig_distance(&before, &after), 0.0);
  }
}
END_TEST

START_TEST(semantics_22_a_failed_call_is_no_change)
{
  rig_tensor w;
  rig_tensor bad;
  rig_tensor g;
  pz_tensor value;
  rig_add(module, "weight", 3, 3, &w);
  ck_assert_ok(pz_register_parametrization(module, "weight", "skew,fragile", 0));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  rig_normal(&bad, PZ_F32, 3, 2);
  ck_assert_int_ne(pz_module_set(module, "weight", &bad.tensor), PZ_OK);
  map_failing = "update";
  ck_assert_int_ne(pz_module_update(module, "weight"), PZ_OK);
  map_failing = NULL;
  rig_normal(&g, PZ_F32, 3, 3);
  ck_assert_ok(pz_module_backward(module, "weight", &g.tensor));
}
END_TEST

START_TEST(semantics_22_frozen_tensors_are_skipped)
{
  rig_tensor w;
  rig_tensor g;
  rig_tensor sum;
  pz_tensor value;
  rig_add(module, "weight", 3, 3, &w);
  rig_add(module, "plain", 3, 3, &w);
  ck_assert_ok(pz_register_parametrization(module, "weight", "affine", 0));
  ck_assert_ok(pz_module_require_grad(module, "weight", false));
  ck_assert_ok(pz_module_require_grad(module, "plain", false));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  rig_normal(&g, PZ_F32, 3, 3);
  ck_assert_ok(pz_module_backward(module, "weight", &g.tensor));
  ck_assert_ok(pz_module_backward(module, "plain", &g.tensor));
  gradient("parametrizations.weight.0.shift", &sum); /* trained still */
  ck_assert_double_eq(rig_at(&sum, 2), rig_at(&g, 2));
  ck_assert_fails(pz_module_gradient(module, "parametrizations.weight.original", &value),
                  PZ_INVALID, "frozen");
  ck_assert_fails(pz_module_gradient(module, "plain", &value), PZ_INVALID, "frozen");
  ck_assert_fails(pz_module_gradient(module, "parametrizations.weight.0.scale", &value), PZ_INVALID,
                  "buffer");
  ck_assert_fails(pz_module_gradient(module, "weight", &value), PZ_INVALID, "originals");

  ck_assert_ok(pz_module_require_grad(module, "parametrizations.weight.0.shift", false));
  ck_assert_ok(pz_module_touch(module, "weight"));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_module_backward(module, "weight", &g.tensor)); /* nothing to do */
  ck_assert_ok(pz_module_require_grad(module, "weight", true));
  ck_assert_ok(pz_module_backward(module, "weight", &g.tensor)); /* evaluated again, saving */
  gradient("parametrizations.weight.original", &sum);
  ck_assert_double_eq(rig_at(&sum, 2), 2.0 * rig_at(&g, 2));
}
END_TEST

START_TEST(semantics_22_gradients_are_checked)
{
  rig_tensor w;
  rig_tensor g;
  pz_tensor value;
  rig_add(module, "weight", 3, 3, &w);
  rig_add(module, "plain", 3, 3, &w);
  ck_assert_ok(pz_module_add(module, "buffer", PZ_BUFFER, &w.tensor));
  ck_assert_ok(pz_register_parametrization(module, "weight", "affine", 0));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  static const char* const names[] = {"plain", "weight"};
  for (size_t k = 0; k < 2; ++k) {
    rig_normal(&g, PZ_F32, 3, 4);
    ck_assert_fails(pz_module_backward(module, names[k], &g.tensor), PZ_MISMATCH, "float32 3x4");
    rig_normal(&g, PZ_F64, 3, 3);
    ck_assert_fails(pz_module_backward(module, names[k], &g.tensor), PZ_MISMATCH, "float64 3x3");
    ck_assert_int_ne(pz_module_backward(module, names[k], NULL), PZ_OK);
  }
  ck_assert_fails(pz_module_backward(module, "buffer", &w.tensor), PZ_INVALID, "buffer");
}
END_TEST

START_TEST(semantics_22_strided_gradients)
{
  rig_tensor w;
  rig_tensor g;
  rig_tensor sum;
  pz_tensor value;
  static const char* const names[] = {"plain", "weight"};
  static const char* const sums[] = {"plain", "parametrizations.weight.original"};
  rig_add(module, "weight", 2, 3, &w);
  rig_add(module, "plain", 2, 3, &w);
  ck_assert_ok(pz_register_parametrization(module, "weight", "counting", 0));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  rig_normal(&g, PZ_F32, 3, 2);
  g.tensor.shape = (const int64_t[]){2, 3};
  g.tensor.strides = (const int64_t[]){1, 2};
  for (size_t k = 0; k < 2; ++k) {
    ck_assert_ok(pz_module_backward(module, names[k], &g.tensor));
    gradient(sums[k], &sum);
    ck_assert_double_eq(rig_at(&sum, 3), rig_at(&g, 1));
  }
}
END_TEST

START_TEST(semantics_23_a_map_without_vjp_refuses)
{
  rig_tensor w;
  rig_tensor sum;
  pz_tensor value;
  rig_add(module, "weight", 3, 3, &w);
  ck_assert_ok(pz_register_parametrization(module, "weight", "affine,bare,affine", 0));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_fails(pz_module_backward(module, "weight", &w.tensor), PZ_UNSUPPORTED,
                  "\"weight\": bare: has no vjp");
  gradient("parametrizations.weight.2.shift", &sum); /* all or nothing */
  ck_assert_double_eq(rig_at(&sum, 0), 0.0);
}
END_TEST

START_TEST(semantics_23_a_failing_vjp_adds_nothing)
{
  rig_tensor w;
  rig_tensor sum;
  pz_tensor value;
  rig_add(module, "weight", 3, 3, &w);
  ck_assert_ok(pz_register_parametrization(module, "weight", "fragile,affine", 0));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  map_failing = "vjp";
  ck_assert_fails(pz_module_backward(module, "weight", &w.tensor), PZ_DEVICE, "fragile");
  map_failing = NULL;
  gradient("parametrizations.weight.1.shift", &sum);
  ck_assert_double_eq(rig_at(&sum, 0), 0.0);
  ck_assert_ok(pz_module_backward(module, "weight", &w.tensor));
  gradient("parametrizations.weight.1.shift", &sum);
  ck_assert_double_eq(rig_at(&sum, 0), rig_at(&w, 0));
}
END_TEST

int
main(void)
{
  TCase* const tcase = rig_case("gradients");
  tcase_add_test(tcase, semantics_22_a_plain_parameter_gets_the_gradient_itself);
  tcase_add_test(tcase, the_check_mode_shows_what_no_map_wrote);
  tcase_add_test(tcase, semantics_22_gradients_begin_anew_where_a_list_comes_or_goes);
  tcase_add_test(tcase, semantics_22_gradients_add_up_along_the_chain);
  tcase_add_test(tcase, semantics_22_several_originals);
  tcase_add_test(tcase, semantics_22_backward_is_stale_after_a_change);
  tcase_add_test(tcase, semantics_22_a_failed_call_is_no_change);
  tcase_add_test(tcase, semantics_22_frozen_tensors_are_skipped);
  tcase_add_test(tcase, semantics_22_gradients_are_checked);
  tcase_add_test(tcase, semantics_22_strided_gradients);
  tcase_add_test(tcase, semantics_23_a_map_without_vjp_refuses);
  tcase_add_test(tcase, semantics_23_a_failing_vjp_adds_nothing);
  return test_main_case(tcase);
}
