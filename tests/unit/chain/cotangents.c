/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What evaluations take and give: several cotangents, entries repeated by strides, tensors of no
   dimensions, and the caller's memory for the value. */

#include <maps.h>
#include <rig.h>

/* The gradients of all trained tensors, by one call. */
static void
compute(rig* const r, const pz_tensor* const g, pz_tensor* const out)
{
  for (uint32_t k = 0; k < r->n_tensors; ++k) {
    const pz_spec spec = rig_trained_spec(r, k);
    out[k] = host_normal(&spec, &r->random, 1.0); /* to be overwritten */
  }
  const uint64_t all = (UINT64_C(1) << r->n_tensors) - 1;
  ck_assert_ok(pz_eval_forward(r->eval, r->state, PZ_CALL_SAVING, NULL, NULL));
  ck_assert_ok(pz_eval_vjp(r->eval, r->state, g, 1, all, false, out));
}

/* Two cotangents in one call give the gradients of two calls. A wrong one changes nothing. */
START_TEST(test_cotangents)
{
  static const int64_t shape[] = {3, 3};
  static const int64_t other[] = {3, 4};
  const pz_spec spec = pz_spec_make(PZ_F64, 2, shape);
  const pz_spec wrong = pz_spec_make(PZ_F64, 2, other);
  rig r;
  rig_open(&r, &pz_plugin_v1_test_maps, NULL);
  rig_from_tensor(&r, "gain,turn", PZ_F64, 2, shape);
  rig_fill(&r, 1.0);
  const pz_tensor g[2] = {host_normal(&spec, &r.random, 1.0), host_normal(&spec, &r.random, 1.0)};
  pz_tensor expected[4];
  compute(&r, &g[0], &expected[0]);
  compute(&r, &g[1], &expected[2]);
  pz_tensor found[4];
  for (uint32_t k = 0; k < 4; ++k) {
    found[k] = host_normal(&spec, &r.random, 1.0);
  }
  ck_assert_uint_eq(r.n_tensors, 2);
  const pz_tensor bad[2] = {g[0], host_normal(&wrong, &r.random, 1.0)};
  const double before = host_at(&found[0], 0);
  ck_assert_int_eq(pz_eval_vjp(r.eval, r.state, bad, 2, 3, false, found), PZ_MISMATCH);
  ck_assert_double_eq(host_at(&found[0], 0), before);
  ck_assert_ok(pz_eval_vjp(r.eval, r.state, g, 2, 3, false, found));
  for (uint32_t k = 0; k < 4; ++k) {
    ck_assert_mem_eq(found[k].data, expected[k].data, host_bytes(&expected[k]));
  }
  ck_assert_ok(pz_eval_vjp(r.eval, r.state, NULL, 0, 3, false, found));
  rig_close(&r);
}
END_TEST

/* A cotangent that repeats its entries by strides of 0, and tensors of no dimensions. */
START_TEST(test_repeated_and_scalar)
{
  static const int64_t shape[] = {3, 3};
  static const int64_t still[] = {0, 0};
  const pz_spec spec = pz_spec_make(PZ_F64, 2, shape);
  rig r;
  rig_open(&r, &pz_plugin_v1_test_maps, NULL);
  rig_from_tensor(&r, "gain", PZ_F64, 2, shape);
  rig_fill(&r, 1.0);
  const pz_tensor whole = host_zeros(&spec);
  for (int64_t i = 0; i < 9; ++i) {
    host_put(&whole, i, 0.5);
  }
  pz_tensor repeated = whole;
  repeated.strides = still;
  pz_tensor expected[2];
  pz_tensor found[2];
  compute(&r, &whole, expected);
  compute(&r, &repeated, found);
  for (int k = 0; k < 2; ++k) {
    ck_assert_mem_eq(found[k].data, expected[k].data, host_bytes(&expected[k]));
  }

  rig_from_tensor(&r, "gain", PZ_F64, 0, NULL);
  rig_fill(&r, 1.0);
  const pz_spec scalar = pz_spec_make(PZ_F64, 0, NULL);
  pz_tensor into = host_zeros(&scalar);
  const pz_tensor one = host_zeros(&scalar);
  host_put(&one, 0, 1.0);
  const pz_tensor x = rig_trained(&r, 0);
  const pz_tensor gain = rig_trained(&r, 1);
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, &into, NULL));
  ck_assert_double_eq(host_at(&into, 0), host_at(&x, 0) * host_at(&gain, 0));
  compute(&r, &one, found);
  ck_assert_double_eq(host_at(&found[0], 0), host_at(&gain, 0));
  rig_close(&r);
}
END_TEST

/* The value goes to the caller's memory too, with strides; wrong memory is refused before. */
START_TEST(test_into)
{
  static const int64_t shape[] = {3, 3};
  static const int64_t column_major[] = {1, 3};
  static const int64_t repeating[] = {0, 1};
  const pz_spec spec = pz_spec_make(PZ_F32, 2, shape);
  const pz_spec wide = pz_spec_make(PZ_F64, 2, shape);
  rig r;
  pz_tensor value;
  rig_open(&r, &pz_plugin_v1_test_maps, NULL);
  rig_from_tensor(&r, "gain,turn", PZ_F32, 2, shape);
  rig_fill(&r, 1.0);
  pz_tensor into = host_zeros(&spec);
  const pz_tensor wrong = host_zeros(&wide);
  into.strides = column_major;
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, &into, &value));
  for (int64_t i = 0; i < 3; ++i) {
    for (int64_t j = 0; j < 3; ++j) {
      ck_assert_float_eq(((const float*)into.data)[3 * j + i],
                         ((const float*)value.data)[3 * i + j]);
    }
  }
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, &into, NULL));
  ck_assert_fails(pz_eval_forward(r.eval, r.state, 0, &wrong, NULL), PZ_MISMATCH,
                  "into: found float64");
  into.strides = repeating;
  ck_assert_fails(pz_eval_forward(r.eval, r.state, 0, &into, NULL), PZ_INVALID, "twice");
  rig_close(&r);
}
END_TEST

int
main(void)
{
  TCase* const tests = tcase_create("cotangents");
  tcase_add_test(tests, test_cotangents);
  tcase_add_test(tests, test_repeated_and_scalar);
  tcase_add_test(tests, test_into);
  return test_main_case(tests);
}
