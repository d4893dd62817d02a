/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Gradients of ten maps and of chains of them against central differences: with J the
   derivative, <G, J D> = <J^T G, D> for random G and D. For maps that are linear in what is
   moved, differences are exact up to rounding, and so must be the identity. */

#include <maps.h>
#include <rig.h>

#include <math.h>
#include <string.h>

/* value(x + step d) for trained tensor k, as a fresh host tensor. */
static pz_tensor
moved_value(rig* const r, const uint32_t k, const pz_tensor* const d, const double step)
{
  const pz_tensor x = rig_trained(r, k);
  const pz_spec spec = pz_spec_of(&x);
  const pz_tensor before = host_zeros(&spec);
  memcpy(before.data, x.data, host_bytes(&x));
  for (int64_t i = 0; i < pz_count(&x); ++i) {
    host_put(&x, i, host_at(&x, i) + step * host_at(d, i));
  }
  pz_state_touch(r->state);
  pz_tensor value;
  ck_assert_ok(pz_eval_forward(r->eval, r->state, 0, NULL, &value));
  const pz_tensor out = host_zeros(pz_chain_value(r->chain));
  ck_assert_ok(pz_queue_download(r->queue, &value, &out));
  memcpy(x.data, before.data, host_bytes(&x));
  pz_state_touch(r->state);
  return out;
}

/* Gradients of all trained tensors, twice from one evaluation: the very same numbers. */
static void
gradients(rig* const r, const pz_tensor* const g, pz_tensor* const out)
{
  const uint32_t n = r->n_tensors;
  const uint64_t all = n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
  pz_tensor again[8];
  pz_tensor value;
  ck_assert_uint_le(n, 8);
  for (uint32_t k = 0; k < n; ++k) {
    const pz_spec spec = rig_trained_spec(r, k);
    out[k] = host_normal(&spec, &r->random, 1.0); /* to be overwritten */
    again[k] = host_normal(&spec, &r->random, 1.0);
  }
  ck_assert_ok(pz_eval_forward(r->eval, r->state, PZ_CALL_SAVING, NULL, &value));
  ck_assert_ok(pz_eval_vjp(r->eval, r->state, g, 1, all, false, out));
  ck_assert_ok(pz_eval_vjp(r->eval, r->state, g, 1, all, false, again));
  for (uint32_t k = 0; k < n; ++k) {
    ck_assert_mem_eq(out[k].data, again[k].data, host_bytes(&out[k]));
  }
}

/* <g, value> by a central difference in trained tensor k along d; `up` is the value above. */
static double
difference_of(rig* const r, const uint32_t k, const pz_tensor* const g, const pz_tensor* const d,
              const double step, pz_tensor* const up)
{
  *up = moved_value(r, k, d, step);
  const pz_tensor down = moved_value(r, k, d, -step);
  return (host_inner(g, up) - host_inner(g, &down)) / (2.0 * step);
}

/* Returns false where a step crosses a jump of the value: half of it then says something else. */
static bool
try_chain(rig* const r, const bool linear)
{
  const pz_tensor g = host_normal(pz_chain_value(r->chain), &r->random, 1.0);
  pz_tensor gx[8];
  gradients(r, &g, gx);
  const double step = linear ? 1.0 : 1e-5;
  for (uint32_t k = 0; k < r->n_tensors; ++k) {
    const pz_spec spec = pz_spec_of(&gx[k]);
    for (int round = 0; round < 3; ++round) {
      const pz_tensor d = host_normal(&spec, &r->random, 1.0);
      pz_tensor up;
      const double near = difference_of(r, k, &g, &d, step / 2.0, &up);
      const double expected = difference_of(r, k, &g, &d, step, &up);
      const double found = host_inner(&gx[k], &d);
      const double scale = sqrt(host_inner(&gx[k], &gx[k]) * host_inner(&d, &d)) +
                           sqrt(host_inner(&g, &g) * host_inner(&up, &up));
      /* Differences lose half the digits; sums of exact ones a few eps per term. */
      const double tolerance = (linear ? 1e-13 : 1e-8) * scale;
      if (!linear && fabs(near - expected) > tolerance) {
        return false;
      }
      ck_assert_msg(fabs(found - expected) <= tolerance,
                    "%s: tensor %u: vjp gives %.15g, differences %.15g, tolerance %.3g",
                    pz_chain_text(r->chain), (unsigned)k, found, expected, tolerance);
    }
  }
  return true;
}

static void
check_chain(rig* const r, const bool linear)
{
  ck_assert_msg(try_chain(r, linear), "%s: the value jumps", pz_chain_text(r->chain));
}

typedef struct example {
  const char* text;
  bool linear; /* in each trained tensor */
  double scale;
} example;

/* Square matrices registered on a random tensor, batched and not. */
START_TEST(test_square)
{
  static const example examples[] = {
      {"fold", true, 1.0},
      {"turn", false, 0.08}, /* |X| < 1 */
      {"power", false, 0.05},
      {"power", false, 2.0}, /* more is saved */
      {"mask(keep=0.7)", true, 1.0},
      {"gain", true, 1.0},
      {"base", true, 1.0},
      {"noise", true, 1.0},
      {"factors(rank=2)", true, 1.0},
      {"fold,turn", false, 0.5},
      {"fold,power", false, 0.5},
      {"fold,turn,mask(keep=0.7),gain", false, 0.5},
      {"factors(rank=3),noise,gain,base", true, 0.5},
      {"gain,gain,gain", true, 1.0},
  };
  static const int64_t shapes[][3] = {{1, 1, 1}, {3, 2, 2}, {2, 5, 5}, {1, 13, 13}};
  rig r;
  rig_open(&r, &pz_plugin_v1_test_maps, NULL);
  const example* const e = &examples[_i];
  for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); ++s) {
    const pz_spec spec = pz_spec_make(PZ_F64, 3, shapes[s]);
    const pz_tensor w = host_normal(&spec, &r.random, 1.0);
    rig_chain(&r, e->text, NULL, 0, PZ_FROM_TENSOR, &spec, 1);
    ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &w));
    bool smooth = false;
    for (int draw = 0; draw < 5 && !smooth; ++draw) { /* `power` jumps where it squares once more */
      rig_fill(&r, e->scale);
      smooth = try_chain(&r, e->linear);
    }
    ck_assert_msg(smooth, "%s: the value jumps everywhere", e->text);
  }
  rig_close(&r);
}
END_TEST

START_TEST(test_two_originals)
{
  static const int64_t shape[] = {4, 7};
  rig r;
  rig_open(&r, &pz_plugin_v1_test_maps, NULL);
  rig_from_tensor(&r, "norm", PZ_F64, 2, shape);
  rig_fill(&r, 1.0);
  check_chain(&r, false);
  rig_from_tensor(&r, "norm,gain", PZ_F64, 2, shape);
  rig_fill(&r, 1.0);
  check_chain(&r, false);
  rig_close(&r);
}
END_TEST

START_TEST(test_rows)
{
  static const int64_t shape[] = {2, 8, 3};
  static const int64_t count[] = {4};
  static int64_t index[] = {3, 0, 3, 7}; /* one twice */
  const pz_tensor tensor = pz_host_tensor(PZ_I64, index, 1, count);
  const pz_option_setting settings[] = {
      {.name = "index", .stage = 1, .value = {.type = PZ_TENSOR, .as.tensor = &tensor}}};
  const pz_spec spec = pz_spec_make(PZ_F64, 3, shape);
  rig r;
  rig_open(&r, &pz_plugin_v1_test_maps, NULL);
  rig_chain(&r, "gain,rows", settings, 1, PZ_FROM_INPUT, &spec, 1);
  ck_assert_str_eq(pz_chain_text(r.chain), "gain,rows(index=<tensor>)");
  ck_assert_int_eq(pz_chain_value(r.chain)->shape[1], 4);
  rig_fill(&r, 1.0);
  check_chain(&r, true);
  rig_close(&r);
}
END_TEST

/* Only what is wanted is computed; nothing before the first map with anything wanted. */
START_TEST(test_want)
{
  static const int64_t shape[] = {3, 3};
  const pz_spec spec = pz_spec_make(PZ_F64, 2, shape);
  rig r;
  pz_tensor value;
  rig_open(&r, &pz_plugin_v1_test_maps, NULL);
  rig_from_tensor(&r, "fold,gain,turn,gain", PZ_F64, 2, shape);
  rig_fill(&r, 0.5);
  const pz_tensor g = host_normal(&spec, &r.random, 1.0);
  pz_tensor all[3];
  gradients(&r, &g, all);
  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &value));

  static const char* const seen[8][5] = {
      {NULL},
      {"gain vjp", "turn vjp", "gain vjp", "fold vjp"},
      {"gain vjp", "turn vjp", "gain vjp"},
      {"gain vjp", "turn vjp", "gain vjp", "fold vjp"},
      {"gain vjp"},
      {"gain vjp", "turn vjp", "gain vjp", "fold vjp"},
      {"gain vjp", "turn vjp", "gain vjp"},
      {"gain vjp", "turn vjp", "gain vjp", "fold vjp"},
  };
  for (uint64_t want = 0; want < 8; ++want) {
    pz_tensor some[3];
    for (uint32_t k = 0; k < 3; ++k) {
      some[k] = host_zeros(&spec);
      memset(some[k].data, 0x5a, host_bytes(&some[k]));
    }
    map_calls.n = 0;
    ck_assert_ok(pz_eval_vjp(r.eval, r.state, &g, 1, want, false, some));
    uint32_t n = 0;
    for (; n < 5 && seen[want][n]; ++n) {
      ck_assert_uint_lt(n, map_calls.n);
      ck_assert_str_eq(map_calls.entry[n], seen[want][n]);
    }
    ck_assert_uint_eq(n, map_calls.n);
    for (uint32_t k = 0; k < 3; ++k) {
      if (want >> k & 1U) {
        ck_assert_mem_eq(some[k].data, all[k].data, host_bytes(&all[k]));
      } else {
        ck_assert_uint_eq(((const unsigned char*)some[k].data)[0], 0x5a);
      }
    }
  }
  /* The last map's own parameter alone: its input's gradient is not asked for. */
  map_calls.n = 0;
  ck_assert_ok(pz_eval_vjp(r.eval, r.state, &g, 1, 4, false, all));
  ck_assert_uint_eq(map_calls.want[0], 2);
  ck_assert_fails(pz_eval_vjp(r.eval, r.state, &g, 1, 8, false, all), PZ_INVALID, "want 0x8");
  rig_close(&r);
}
END_TEST

/* Sums, into plain and strided memory, and a strided gradient coming in. */
START_TEST(test_accumulate)
{
  static const int64_t shape[] = {3, 4};
  static const int64_t column_major[] = {1, 3};
  const pz_spec spec = pz_spec_make(PZ_F32, 2, shape);
  rig r;
  pz_tensor value;
  rig_open(&r, &pz_plugin_v1_test_maps, NULL);
  rig_from_tensor(&r, "gain", PZ_F32, 2, shape);
  rig_fill(&r, 1.0);
  const pz_tensor g = host_normal(&spec, &r.random, 1.0);
  pz_tensor once[2];
  gradients(&r, &g, once);

  pz_tensor turned = host_zeros(&spec); /* g in column-major order, off alignment */
  float room[13] = {0};
  turned.strides = column_major;
  for (int64_t i = 0; i < 3; ++i) {
    for (int64_t j = 0; j < 4; ++j) {
      room[1 + j * 3 + i] = ((const float*)g.data)[i * 4 + j];
    }
  }
  const pz_tensor strided_g = {.data = room,
                               .device = {PZ_DEVICE_CPU, 0},
                               .ndim = 2,
                               .dtype = PZ_F32,
                               .shape = shape,
                               .strides = column_major,
                               .byte_offset = sizeof(float)};
  pz_tensor sums[2] = {host_zeros(&spec), turned};
  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &value));
  for (int round = 1; round <= 3; ++round) {
    ck_assert_ok(pz_eval_vjp(r.eval, r.state, &strided_g, 1, 3, true, sums));
    for (int64_t i = 0; i < 3; ++i) {
      for (int64_t j = 0; j < 4; ++j) {
        const float plain = ((const float*)sums[0].data)[i * 4 + j];
        const float strided = ((const float*)sums[1].data)[j * 3 + i];
        const float first = ((const float*)once[0].data)[i * 4 + j];
        const float second = ((const float*)once[1].data)[i * 4 + j];
        ck_assert_float_eq_tol(plain, (float)round * first, 1e-6F * fabsf(first));
        ck_assert_float_eq_tol(strided, (float)round * second, 1e-6F * fabsf(second));
      }
    }
  }
  /* Written, not added. */
  ck_assert_ok(pz_eval_vjp(r.eval, r.state, &strided_g, 1, 1, false, sums));
  ck_assert_mem_eq(sums[0].data, once[0].data, host_bytes(&once[0]));
  rig_close(&r);
}
END_TEST

/* Gradients are written where they are wanted, without memory beside them, also over what they are
   computed from. */
START_TEST(test_in_place)
{
  static const int64_t shape[] = {40, 40};
  const pz_spec spec = pz_spec_make(PZ_F64, 2, shape);
  rig r;
  pz_tensor value;
  pz_eval_usage usage = {.size = sizeof(usage)};
  rig_open(&r, &pz_plugin_v1_test_maps, NULL);
  rig_from_tensor(&r, "fold", PZ_F64, 2, shape);
  const pz_tensor g = host_normal(&spec, &r.random, 1.0);
  const pz_tensor x = rig_tensor(&r, PZ_ORIGINAL, 0);
  const pz_tensor apart = host_zeros(&spec);
  const pz_tensor over = host_zeros(&spec);
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_REGISTER, &g));
  pz_eval_free(r.eval);
  ck_assert_ok(pz_eval_new(r.chain, r.queue, &r.eval));
  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &value));
  ck_assert_ok(pz_eval_vjp(r.eval, r.state, &g, 1, 1, false, &apart));
  ck_assert_ok(pz_eval_memory(r.eval, &usage));
  ck_assert_uint_lt(usage.work_bytes, host_bytes(&apart));
  memcpy(over.data, g.data, host_bytes(&g));
  ck_assert_ok(pz_eval_vjp(r.eval, r.state, &over, 1, 1, false, &over));
  ck_assert_mem_eq(over.data, apart.data, host_bytes(&apart));
  ck_assert_ok(pz_eval_vjp(r.eval, r.state, &g, 1, 1, false, &x));
  ck_assert_mem_eq(x.data, apart.data, host_bytes(&apart));
  ck_assert_ok(pz_context_add_plugin(r.context, &pz_plugin_v1_density_maps));
  rig_from_tensor(&r, "entries", PZ_F64, 2, shape);
  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &value));
  ck_assert_ok(pz_eval_jvp(r.eval, r.state, &g, 1, &apart));
  ck_assert_ok(pz_eval_jvp(r.eval, r.state, &g, 1, &g));
  ck_assert_mem_eq(g.data, apart.data, host_bytes(&apart));
  rig_close(&r);
}
END_TEST

START_TEST(test_refused)
{
  static const int64_t shape[] = {3, 3};
  static const int64_t other[] = {3, 4};
  static const int64_t repeating[] = {0, 1};
  const pz_spec spec = pz_spec_make(PZ_F64, 2, shape);
  const pz_spec wrong = pz_spec_make(PZ_F64, 2, other);
  rig r;
  pz_tensor value;
  rig_open(&r, &pz_plugin_v1_test_maps, NULL);
  rig_from_tensor(&r, "fold,turn", PZ_F64, 2, shape);
  const pz_tensor g = host_normal(&spec, &r.random, 1.0);
  const pz_tensor bad = host_normal(&wrong, &r.random, 1.0);
  pz_tensor gx = host_zeros(&spec);
  ck_assert_fails(pz_eval_vjp(r.eval, r.state, &g, 1, 1, false, &gx), PZ_INVALID, "no evaluation");
  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_TRAINING, NULL, &value));
  ck_assert_fails(pz_eval_vjp(r.eval, r.state, &g, 1, 1, false, &gx), PZ_INVALID, "did not save");
  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &value));
  ck_assert_ok(pz_eval_vjp(r.eval, r.state, &g, 1, 1, false, &gx));
  ck_assert_fails(pz_eval_vjp(r.eval, r.state, &bad, 1, 1, false, &gx), PZ_MISMATCH,
                  "gradient: found float64 3x4, expected float64 3x3");
  ck_assert_fails(pz_eval_vjp(r.eval, r.state, &g, 1, 1, false, &bad), PZ_MISMATCH,
                  "gradient of original: found float64 3x4");
  gx.strides = repeating;
  ck_assert_fails(pz_eval_vjp(r.eval, r.state, &g, 1, 1, false, &gx), PZ_INVALID, "twice");
  gx.strides = NULL;
  ck_assert_fails(pz_eval_vjp(r.eval, r.state, &g, 1, 1, false, NULL), PZ_INVALID, "without");
  ck_assert_fails(pz_eval_vjp(r.eval, r.state, NULL, 1, 1, false, &gx), PZ_INVALID, "gradient");
  ck_assert_ok(pz_eval_vjp(r.eval, r.state, &g, 1, 0, false, NULL));
  pz_state_touch(r.state);
  ck_assert_fails(pz_eval_vjp(r.eval, r.state, &g, 1, 1, false, &gx), PZ_STALE, "changed");

  /* The evaluation has run on another state of the same chain in between. */
  pz_state* second = NULL;
  ck_assert_ok(pz_state_new(r.chain, r.queue, &second));
  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &value));
  ck_assert_fails(pz_eval_vjp(r.eval, second, &g, 1, 1, false, &gx), PZ_STALE, "changed");
  ck_assert_ok(pz_eval_assign(r.eval, second, PZ_REGISTER, &g));
  ck_assert_fails(pz_eval_vjp(r.eval, r.state, &g, 1, 1, false, &gx), PZ_STALE, "changed");
  pz_state_free(second);

  rig_from_tensor(&r, "gain,bare,gain", PZ_F64, 2, shape);
  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &value));
  pz_tensor three[3] = {gx, gx, gx};
  ck_assert_fails(pz_eval_vjp(r.eval, r.state, &g, 1, 1, false, three), PZ_UNSUPPORTED,
                  "bare: has no vjp");
  /* Behind it there is no need for it. */
  ck_assert_ok(pz_eval_vjp(r.eval, r.state, &g, 1, 4, false, three));
  rig_close(&r);
}
END_TEST

int
main(void)
{
  TCase* const tests = tcase_create("gradients");
  tcase_add_loop_test(tests, test_square, 0, 14);
  tcase_add_test(tests, test_two_originals);
  tcase_add_test(tests, test_rows);
  tcase_add_test(tests, test_want);
  tcase_add_test(tests, test_accumulate);
  tcase_add_test(tests, test_in_place);
  tcase_add_test(tests, test_refused);
  return test_main_case(tests);
}
