/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* How chains with the words `view` and `back` are planned, changed and described, and that only
   entries that move are copied. What they compute is compared on every device in
   tests/plugin/views.c. */

#include "eval.h"
#include <dense.h>
#include <maps.h>
#include <rig.h>

#include <stdlib.h>
#include <string.h>

static rig r;
static const int64_t kernel[] = {4, 3, 2, 2};

static void
setup(void)
{
  rig_open(&r, &pz_plugin_v1_test_maps, NULL);
  ck_assert_ok(pz_context_add_plugin(r.context, &pz_plugin_v1_density_maps));
  ck_assert_ok(pz_context_add_plugin(r.context, &pz_plugin_v1_triangle_maps));
}

static void
teardown(void)
{
  rig_close(&r);
}

static void
assert_spec(const pz_spec spec, const int32_t ndim, const int64_t* const shape)
{
  const pz_spec expected = pz_spec_make(PZ_F64, ndim, shape);
  ck_assert(pz_spec_equal(&spec, &expected));
}

#define SPEC_IS(spec, ...)                                                         \
  assert_spec(spec, (int32_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), \
              (const int64_t[]){__VA_ARGS__})

static pz_stage_info
stage_of(const pz_chain* const chain, const uint32_t index)
{
  pz_stage_info info = {.size = sizeof(info)};
  ck_assert_ok(pz_chain_stage(chain, index, &info));
  return info;
}

static pz_chain_tensor_info
tensor_of(const pz_chain* const chain, const pz_role role, const uint32_t index)
{
  pz_chain_tensor_info info = {.size = sizeof(info)};
  ck_assert_ok(pz_chain_tensor(chain, role, index, &info));
  return info;
}

START_TEST(test_described)
{
  pz_parametrization_info word = {.size = sizeof(word)};
  pz_option_info option = {.size = sizeof(option)};
  rig_from_tensor(&r, "affine,view(cols=0),gain,back,affine", PZ_F64, 4, kernel);
  ck_assert_uint_eq(pz_chain_length(r.chain), 5);
  const pz_stage_info view = stage_of(r.chain, 1);
  const pz_stage_info gain = stage_of(r.chain, 2);
  const pz_stage_info back = stage_of(r.chain, 3);
  ck_assert_str_eq(view.text, "view(cols=0)");
  ck_assert_str_eq(view.id, "view");
  ck_assert_uint_eq(view.has_density, 1);
  ck_assert_uint_eq(view.density_dims, 0);
  SPEC_IS(view.value, 3, 2, 2, 4);
  SPEC_IS(gain.value, 3, 2, 2, 4);
  ck_assert_uint_eq(gain.has_density, 0);
  ck_assert_str_eq(back.text, "back");
  SPEC_IS(back.value, 4, 3, 2, 2);
  /* words have no tensors, and count as stages in names */
  const pz_chain_tensor_info own = tensor_of(r.chain, PZ_OWN_PARAMETER, 1);
  ck_assert_str_eq(tensor_of(r.chain, PZ_OWN_PARAMETER, 0).name, "0.shift");
  ck_assert_uint_eq(own.stage, 2);
  ck_assert_int_eq(strncmp(own.name, "2.", 2), 0);
  SPEC_IS(own.spec, 3, 2, 2, 4);
  ck_assert_str_eq(tensor_of(r.chain, PZ_OWN_PARAMETER, 2).name, "4.shift");

  ck_assert_ok(pz_context_find(r.context, "view", &word));
  ck_assert_str_eq(word.id, "view");
  ck_assert_str_eq(word.version, pz_version());
  ck_assert_uint_eq(word.flags, 0);
  ck_assert_uint_eq(word.n_options, 0);
  ck_assert_fails(pz_context_option(r.context, "view", 0, &option), PZ_NOT_FOUND, "view");
  ck_assert_ok(pz_context_find(r.context, "back", &word));
}
END_TEST

/* A chain that is made longer, shorter or of another dtype keeps its originals. */
START_TEST(test_changed)
{
  pz_chain* longer = NULL;
  pz_chain* shorter = NULL;
  rig_from_tensor(&r, "view,factors(rank=2)", PZ_F64, 4, kernel);
  SPEC_IS(tensor_of(r.chain, PZ_ORIGINAL, 0).spec, 4, 2); // not as in a tensor
  SPEC_IS(tensor_of(r.chain, PZ_ORIGINAL, 1).spec, 2, 3, 2, 2);
  ck_assert_ok(pz_chain_append(r.chain, "gain,back,affine", NULL, 0, &longer));
  ck_assert_str_eq(pz_chain_text(longer), "view(rows=0,cols=*),factors(rank=2),gain,back,affine");
  SPEC_IS(*pz_chain_value(longer), 4, 3, 2, 2);
  SPEC_IS(tensor_of(longer, PZ_OWN_PARAMETER, 0).spec, 4, 12);
  ck_assert_ok(pz_chain_without(longer, 2, &shorter));
  ck_assert_str_eq(pz_chain_text(shorter), "view(rows=0,cols=*),factors(rank=2),back,affine");
  SPEC_IS(*pz_chain_value(shorter), 4, 3, 2, 2);
  pz_chain_free(shorter);
  ck_assert_ok(pzi_chain_with_dtype(longer, PZ_F32, &shorter));
  ck_assert_uint_eq(pz_chain_value(shorter)->dtype, PZ_F32);
  ck_assert_int_eq(pz_chain_value(shorter)->ndim, 4);
  pz_chain_free(shorter);
  shorter = NULL;
  ck_assert_fails(pz_chain_without(longer, 0, &shorter), PZ_INVALID,
                  "back: found no view before it");
  ck_assert_fails(pz_chain_append(longer, "view", NULL, 0, &shorter), PZ_INVALID,
                  "view: found no parametrization after it");
  ck_assert_fails(pz_chain_append(r.chain, "view,gain", NULL, 0, &shorter), PZ_INVALID,
                  "view: found a view in a view");
  ck_assert_fails(pz_chain_without(r.chain, 1, &shorter), PZ_INVALID,
                  "view: found no parametrization after it");
  pz_chain_free(longer);

  rig_from_tensor(&r, "view(rows=1),power", PZ_F64, 4, kernel);
  ck_assert_ok(pz_chain_without(r.chain, 0, &shorter));
  ck_assert_str_eq(pz_chain_text(shorter), "power");
  SPEC_IS(tensor_of(shorter, PZ_ORIGINAL, 0).spec, 4, 3, 2, 2);
  pz_chain_free(shorter);
}
END_TEST

/* The tensor whose joined dimensions are those of an original. */
START_TEST(test_from_originals)
{
  static const int64_t rows[] = {4};
  const pz_spec given[] = {pz_spec_make(PZ_F64, 1, rows), pz_spec_make(PZ_F64, 4, kernel)};
  rig_chain(&r, "view,norm", NULL, 0, PZ_FROM_INPUT, given, 2);
  SPEC_IS(*pz_chain_value(r.chain), 4, 3, 2, 2);
  SPEC_IS(tensor_of(r.chain, PZ_ORIGINAL, 1).spec, 4, 3, 2, 2);
  rig_chain(&r, "view(rows=1,cols=-1),gain", NULL, 0, PZ_FROM_INPUT, given + 1, 1);
  SPEC_IS(tensor_of(r.chain, PZ_OWN_PARAMETER, 0).spec, 4, 2, 3, 2);
}
END_TEST

/* The originals of a chain that was made from a tensor make the same chain again, also where the
   first map changes an extent. */
START_TEST(test_originals_again)
{
  static int64_t taken[] = {5, 1, 0};
  static const int64_t n = 3;
  static const int64_t shapes[][3] = {{2, 3, 4}, {4, 3, 2}, {2, 3, 3}, {6, 2, 4}};
  static const char* const texts[] = {
      "view(rows=1,cols=0),rows(of=8),gain", "view(rows=1,cols=0+2),rows(of=8),gain",
      "view(rows=-1,cols=1),rows(of=8),back,gain", "view(split=0:2,rows=1,cols=0+2+3),rows(of=8)"};
  const pz_tensor index = pz_host_tensor(PZ_I64, taken, 1, &n);
  const pz_option_setting setting = {
      .name = "index", .stage = 1, .value = {.type = PZ_TENSOR, .as.tensor = &index}};
  for (int k = 0; k < 4; ++k) {
    const pz_spec value = pz_spec_make(PZ_F64, 3, shapes[k]);
    rig_chain(&r, texts[k], &setting, 1, PZ_FROM_TENSOR, &value, 1);
    const pz_spec original = tensor_of(r.chain, PZ_ORIGINAL, 0).spec;
    const pz_stage_info before = stage_of(r.chain, 1);
    ck_assert_int_eq(original.ndim, 3);
    ck_assert(!pz_spec_equal(&original, &value));
    rig_chain(&r, texts[k], &setting, 1, PZ_FROM_INPUT, &original, 1);
    const pz_stage_info after = stage_of(r.chain, 1);
    ck_assert(pz_spec_equal(&before.value, &after.value));
    ck_assert(pz_spec_equal(pz_chain_value(r.chain), &value));
  }
}
END_TEST

/* A map may change the extent of a list of one dimension. */
START_TEST(test_extents)
{
  static int64_t taken[] = {5, 1, 0};
  static const int64_t n = 3;
  static const int64_t shape[] = {3, 2, 2};
  static const int64_t before[] = {8, 2, 2};
  static const int64_t joined[] = {4, 2, 2};
  const pz_tensor index = pz_host_tensor(PZ_I64, taken, 1, &n);
  pz_option_setting setting = {
      .name = "index", .stage = 1, .value = {.type = PZ_TENSOR, .as.tensor = &index}};
  const pz_spec value = pz_spec_make(PZ_F64, 3, shape);
  const pz_spec original = pz_spec_make(PZ_F64, 3, before);
  const pz_spec pairs = pz_spec_make(PZ_F64, 3, joined);
  rig_chain(&r, "view,rows(of=8)", &setting, 1, PZ_FROM_TENSOR, &value, 1);
  SPEC_IS(tensor_of(r.chain, PZ_ORIGINAL, 0).spec, 8, 2, 2);
  rig_chain(&r, "view,rows(of=8)", &setting, 1, PZ_FROM_INPUT, &original, 1);
  SPEC_IS(tensor_of(r.chain, PZ_ORIGINAL, 0).spec, 8, 2, 2);
  SPEC_IS(*pz_chain_value(r.chain), 3, 2, 2);
  setting.stage = 2;
  rig_chain(&r, "power,view,rows(of=8),back,power", &setting, 1, PZ_FROM_TENSOR, &value, 1);
  SPEC_IS(tensor_of(r.chain, PZ_ORIGINAL, 0).spec, 8, 2, 2);
  /* a dimension that was cut grows by its rest, not by its parts */
  static const int64_t split[] = {6, 2};
  const pz_spec heads = pz_spec_make(PZ_F64, 2, split);
  rig_chain(&r, "power,view(split=0:2,rows=1,cols=2),rows(of=8)", &setting, 1, PZ_FROM_TENSOR,
            &heads, 1);
  SPEC_IS(tensor_of(r.chain, PZ_ORIGINAL, 0).spec, 16, 2);
  ck_assert_fails(rig_try_chain(&r, "power,view(split=0:3,rows=0,cols=2),rows(of=8)", &setting, 1,
                                PZ_FROM_TENSOR, &heads, 1),
                  PZ_MISMATCH, "view: found float64 2x8x2, expected float64 2x3x2, or another");
  setting.stage = 1;
  ck_assert_fails(
      rig_try_chain(&r, "view(rows=0+1,cols=2),rows(of=8)", &setting, 1, PZ_FROM_INPUT, &pairs, 1),
      PZ_MISMATCH,
      "view: found float64 3x2, expected float64 8x2, or another extent where a list "
      "has one dimension");
}
END_TEST

/* ---- evaluations -------------------------------------------------------------------- */

static pz_eval_usage
usage_after(const char* const text, const int32_t ndim, const int64_t* const shape)
{
  pz_eval_usage before = {.size = sizeof(before)};
  pz_eval_usage usage = {.size = sizeof(usage)};
  rig_from_tensor(&r, text, PZ_F64, ndim, shape);
  rig_fill(&r, 1.0);
  for (int k = 0; k < 3; ++k) {
    double* const y = rig_forward(&r);
    free(rig_gradients(&r, y));
    free(y);
    before = usage;
    ck_assert_ok(pz_eval_memory(r.eval, &usage));
  }
  ck_assert_uint_eq(before.allocations, usage.allocations);
  return usage;
}

/* Without entries that move a view takes no memory; else that of one copy each way. */
START_TEST(test_memory)
{
  static const int64_t wide[] = {64, 1024};
  static const int64_t tensor[] = {64, 32, 32};
  static const uint64_t bytes = sizeof(double) * 64 * 1024;
  const pz_eval_usage plain = usage_after("affine", 2, wide);
  const pz_eval_usage same = usage_after("view,affine", 3, tensor);
  const pz_eval_usage moved = usage_after("view(rows=1),affine", 3, tensor);
  ck_assert_uint_le(same.value_bytes, plain.value_bytes + 4096);
  ck_assert_uint_le(same.work_bytes, plain.work_bytes + 4096);
  ck_assert_uint_ge(moved.value_bytes, plain.value_bytes + 2 * bytes);
  ck_assert_uint_le(moved.value_bytes, plain.value_bytes + 3 * bytes);
}
END_TEST

/* A fold before a view is computed: a transposed triangle is another triangle. */
START_TEST(test_folds)
{
  enum { TEXTS = 4 };
  static const char* const texts[TEXTS] = {
      "half,spin", "half,view(rows=1,cols=0),spin", "half,view(rows=0,cols=1),spin",
      "view(rows=0,cols=1),half,back,view(rows=-2,cols=-1),spin"};
  static const int64_t shape[] = {5, 5};
  double* value[TEXTS];
  double* gradient[TEXTS];
  double* const x = rig_normal(&r, PZ_F64, 25, 0.5);
  double* const g = rig_normal(&r, PZ_F64, 25, 1.0);
  map_structure = PZ_SKEW;
  map_triangle = PZ_UPPER;
  for (int k = 0; k < TEXTS; ++k) {
    rig_from_tensor(&r, texts[k], PZ_F64, 2, shape);
    rig_write_originals(&r, x);
    value[k] = rig_forward(&r);
    gradient[k] = rig_gradients(&r, g);
  }
  /* spin of the transpose is the transpose, and the view transposes back */
  for (int k = 1; k < TEXTS; ++k) {
    ck_assert_double_le(largest_difference(25, value[k], value[0]), 1e-14);
    ck_assert_double_le(largest_difference(25, gradient[k], gradient[0]), 1e-13);
  }
  ck_assert_uint_eq(stage_of(r.chain, 1).value.structure, PZ_SKEW); // read as it is
  for (int k = 0; k < TEXTS; ++k) {
    free(value[k]);
    free(gradient[k]);
  }
  free(x);
  free(g);
}
END_TEST

static void
density_of(const char* const text, const char* const message)
{
  pz_spec spec;
  rig_from_tensor(&r, text, PZ_F64, 4, kernel);
  ck_assert_fails(pz_chain_density(r.chain, &spec), PZ_UNSUPPORTED, message);
}

START_TEST(test_densities)
{
  pz_spec spec;
  static const int64_t one_each[] = {3, 2, 2};
  rig_from_tensor(&r, "view(cols=0),scaled,entries", PZ_F64, 4, kernel);
  ck_assert_ok(pz_chain_density(r.chain, &spec));
  assert_spec(spec, 3, one_each);
  /* one determinant for all of the tensor sums whatever is read */
  rig_from_tensor(&r, "entries,view(cols=*),doubled(dims=1),back,entries", PZ_F64, 4, kernel);
  rig_fill(&r, 0.3);
  double* const y = rig_forward(&r);
  double* const found = rig_log_abs_det(&r, &spec);
  ck_assert_int_eq(spec.ndim, 0);
  rig plain;
  rig_share(&plain, &r);
  const int64_t n = 48;
  rig_from_tensor(&plain, "entries,doubled(dims=1),entries", PZ_F64, 1, &n);
  double* const x = rig_read_originals(&r);

  rig_write_originals(&plain, x);

  free(rig_forward(&plain));
  double* const expected = rig_log_abs_det(&plain, &spec);
  ck_assert_double_eq(*found, *expected);
  rig_close(&plain);
  free(expected);
  free(x);
  free(found);
  free(y);

  /* a view that begins again reads what the one before it read */
  static const char* const same[] = {"view(cols=0),scaled,entries",
                                     "view(cols=0),scaled,back,view(cols=-4),entries"};
  double* values[2];
  double* dets[2];
  double* const x0 = rig_normal(&r, PZ_F64, 48, 0.5);
  for (int k = 0; k < 2; ++k) {
    rig_from_tensor(&r, same[k], PZ_F64, 4, kernel);
    rig_write_originals(&r, x0);
    values[k] = rig_forward(&r);
    dets[k] = rig_log_abs_det(&r, &spec);
    ck_assert_ptr_nonnull(dets[k]);
    assert_spec(spec, 3, one_each);
  }
  ck_assert_mem_eq(values[0], values[1], 48 * sizeof(double));
  ck_assert_mem_eq(dets[0], dets[1], 12 * sizeof(double));
  for (int k = 0; k < 2; ++k) {
    free(values[k]);
    free(dets[k]);
  }
  free(x0);

  density_of("entries,view(cols=0),scaled",
             "log |det|: entries and scaled read the tensor differently, and neither has one "
             "determinant for all of it");
  density_of("doubled(dims=2,out=1),view(rows=-1,cols=-2),doubled(dims=2,in=1)",
             "the coordinates of the value of doubled");
}
END_TEST

/* A structure lasts through a view that ends and begins again. */
START_TEST(test_structures)
{
  static const int64_t shape[] = {4, 4, 3};
  map_structure = PZ_SKEW;
  map_triangle = PZ_UPPER;
  rig_from_tensor(&r, "view(rows=0,cols=1),half,back,view(rows=0,cols=1),spin", PZ_F64, 3, shape);
  ck_assert_uint_eq(stage_of(r.chain, 2).value.structure, PZ_GENERAL);
  ck_assert_uint_eq(stage_of(r.chain, 3).value.structure, PZ_SKEW);
  rig_from_tensor(&r, "view(rows=0,cols=1),half,back,view(rows=1,cols=0),spin", PZ_F64, 3, shape);
  ck_assert_uint_eq(stage_of(r.chain, 3).value.structure, PZ_GENERAL);
}
END_TEST

START_TEST(test_residuals)
{
  static const int64_t shape[] = {3, 3, 2};
  double distance = 0.0;
  rig_from_tensor(&r, "view(rows=1,cols=0),fold,back,gain", PZ_F64, 3, shape);
  (void)distance;
  const pz_spec t = pz_spec_make(PZ_F64, 3, shape);
  const int64_t read[] = {2, 3, 3};
  const pz_spec m = pz_spec_make(PZ_F64, 3, read);
  pz_tensor whole = host_zeros(&t);
  pz_tensor matrices = host_zeros(&m);
  host_put(&whole, 2 * 3 * 1 + 2 * 0 + 1, 4.0); // (1, 0, 1), which is read as (1, 0, 1)
  host_put(&matrices, 9 * 1 + 3 * 0 + 1, 4.0);
  double other = 0.0;
  ck_assert_ok(pz_eval_residual(r.eval, r.state, 1, &matrices, &distance));
  ck_assert_ok(pz_eval_residual(r.eval, r.state, 2, &whole, &other));
  ck_assert_double_gt(distance, 1.0);
  ck_assert_double_eq(distance, other);
  /* also where the next view undoes the end of the first */
  rig_from_tensor(&r, "view(rows=1,cols=0),fold,back,view(rows=1,cols=0),gain", PZ_F64, 3, shape);
  ck_assert_ok(pz_eval_residual(r.eval, r.state, 2, &whole, &distance));
  ck_assert_double_eq(distance, other);
  ck_assert_fails(pz_eval_residual(r.eval, r.state, 0, &matrices, &distance), PZ_UNSUPPORTED,
                  "view: has no residual");
  ck_assert_fails(pz_eval_residual(r.eval, r.state, 1, &whole, &distance), PZ_MISMATCH, "value");
  /* the last stage has the chain's value */
  rig_from_tensor(&r, "view(rows=1,cols=0),fold", PZ_F64, 3, shape);
  ck_assert_ok(pz_eval_residual(r.eval, r.state, 1, &whole, &distance));
  ck_assert_double_eq(distance, other);
}
END_TEST

int
main(void)
{
  TCase* const tests = tcase_create("views");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, test_described);
  tcase_add_test(tests, test_changed);
  tcase_add_test(tests, test_from_originals);
  tcase_add_test(tests, test_originals_again);
  tcase_add_test(tests, test_extents);
  tcase_add_test(tests, test_memory);
  tcase_add_test(tests, test_folds);
  tcase_add_test(tests, test_densities);
  tcase_add_test(tests, test_structures);
  tcase_add_test(tests, test_residuals);
  return test_main_case(tests);
}
