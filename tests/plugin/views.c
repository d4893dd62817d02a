/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* views DEVICE [BACKEND.so]: a chain in a view gives what the chain gives for the tensor permuted
   and reshaped by hand, bit for bit: value, gradients, derivatives along directions, log |det|,
   right inverses, updates, samples. */

#include "layouts.h"

#include <dense.h>
#include <maps.h>
#include <opaque.h>
#include <rig.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char* device;
static const char* backend;
static int64_t share; /* one of so many cases, where each takes long */

enum { TEXT = 128 };

static void
assert_same(const char* const what, const char* const text, const int64_t n, const double* const a,
            const double* const b)
{
  ck_assert_msg(n == 0 || memcmp(a, b, (size_t)n * sizeof(double)) == 0,
                "%s: %s: differs by %g from the permuted chain", text, what,
                largest_difference(n, a, b));
}

/* ... and frees both; a is of the view, b of what it reads, or, where `tensors`, of the tensor. */
static void
compare(const layout* const l, const bool tensors, const char* const what, const char* const text,
        const int64_t n, double* const a, double* const b)
{
  ck_assert_msg((a == NULL) == (b == NULL), "%s: %s: one chain has none", text, what);
  if (a) {
    double* const expected = tensors ? layout_by_hand(l, true, b) : NULL;
    assert_same(what, text, n, a, expected ? expected : b);
    free(expected);
  }
  free(a);
  free(b);
}

/* ---- the two chains ------------------------------------------------------------------ */

static rig viewed;
static rig plain;

static void
setup(void)
{
  rig_open(&viewed, &pz_plugin_v1_test_maps, "reference");
  ck_assert_ok(pz_context_add_plugin(viewed.context, &pz_plugin_v1_density_maps));
  ck_assert_ok(pz_context_add_plugin(viewed.context, &pz_plugin_v1_opaque));
  if (backend) {
    ck_assert_ok(pz_context_add_file(viewed.context, backend));
  }
  rig_device(&viewed, device);
  rig_share(&plain, &viewed);
}

static void
teardown(void)
{
  rig_close(&plain);
  rig_close(&viewed);
}

/* Does trained tensor k lie as in the tensor, with the layout `own`? Else it has the shape that it
   has in the plain chain. */
static bool
lies(const layout* const l, const uint32_t k, layout* const own)
{
  const pz_spec mine = rig_trained_spec(&viewed, k);
  const pz_spec other = rig_trained_spec(&plain, k);
  const bool fits = k < pz_chain_count(viewed.chain, PZ_ORIGINAL) && layout_adapt(l, &other, own);
  const pz_spec expected = fits ? pz_spec_make(other.dtype, own->ndim, own->shape) : other;
  ck_assert(pz_spec_equal(&mine, &expected));
  return fits;
}

static void
copy_buffers(const rig* const from, rig* const to)
{
  for (uint32_t k = 0; k < pz_chain_count(from->chain, PZ_STATE_BUFFER); ++k) {
    double* const buffer = rig_read(from, PZ_STATE_BUFFER, k);
    rig_write(to, PZ_STATE_BUFFER, k, buffer);
    free(buffer);
  }
}

/* Initialises both for the same value, and gives them the same buffers: those may be random. */
static void
initialize_both(const layout* const l)
{
  double* const y = rig_normal(&plain, plain.y.dtype, plain.n_y, 1.0);
  double* const mine = layout_by_hand(l, true, y);
  rig_initialize(&plain, y);
  rig_initialize(&viewed, mine);
  copy_buffers(&plain, &viewed);
  free(mine);
  free(y);
}

/* Makes both chains, with the same numbers in their trained tensors. */
static bool
open_both(const layout* const l, const uint32_t dtype, const char* const map, char text[TEXT])
{
  const pz_spec tensor = pz_spec_make(dtype, l->ndim, l->shape);
  const pz_spec read = pz_spec_make(dtype, l->n_read, l->read);
  snprintf(text, TEXT, "%s,%s", l->view, map);
  const pz_status status = rig_try_chain(&plain, map, NULL, 0, PZ_FROM_TENSOR, &read, 1);
  const pz_status other = rig_try_chain(&viewed, text, NULL, 0, PZ_FROM_TENSOR, &tensor, 1);
  ck_assert_msg(status == other, "%s: %s: %s", text, pz_status_text(other), pz_error_message());
  if (status != PZ_OK) {
    return false;
  }
  ck_assert(pz_spec_equal(pz_chain_value(viewed.chain), &tensor));
  ck_assert_uint_eq(viewed.n_tensors, plain.n_tensors);
  initialize_both(l);
  const uint32_t n_original = pz_chain_count(plain.chain, PZ_ORIGINAL);
  for (uint32_t k = 0; k < plain.n_tensors; ++k) {
    const pz_role role = k < n_original ? PZ_ORIGINAL : PZ_OWN_PARAMETER;
    const uint32_t index = k < n_original ? k : k - n_original;
    const pz_spec spec = rig_trained_spec(&plain, k);
    double* const numbers = rig_normal(&plain, dtype, pz_spec_count(&spec), 0.5);
    layout own;
    double* const mine = lies(l, k, &own) ? layout_by_hand(&own, true, numbers) : NULL;
    rig_write(&plain, role, index, numbers);
    rig_write(&viewed, role, index, mine ? mine : numbers);
    free(mine);
    free(numbers);
  }
  return true;
}

static void
compare_trained(const layout* const l, const char* const what, const char* const text)
{
  const uint32_t n_original = pz_chain_count(plain.chain, PZ_ORIGINAL);
  for (uint32_t k = 0; k < plain.n_tensors; ++k) {
    const pz_role role = k < n_original ? PZ_ORIGINAL : PZ_OWN_PARAMETER;
    const uint32_t index = k < n_original ? k : k - n_original;
    const pz_spec spec = rig_trained_spec(&plain, k);
    layout own;
    const bool tensors = lies(l, k, &own);
    compare(&own, tensors, what, text, pz_spec_count(&spec), rig_read(&viewed, role, index),
            rig_read(&plain, role, index));
  }
}

/* ---- what is compared ------------------------------------------------------------------- */

static void
compare_derivatives(const layout* const l, const uint32_t dtype, const char* const text)
{
  double* const g = rig_normal(&plain, dtype, plain.n_y, 1.0);
  double* const mine = layout_by_hand(l, true, g);
  for (int32_t round = 0; round < 2; ++round) { // the second finds its memory
    compare(l, true, "value", text, plain.n_y, rig_forward(&viewed), rig_forward(&plain));
    for (uint32_t k = 0; k < plain.n_tensors; ++k) {
      const pz_spec spec = rig_trained_spec(&plain, k);
      layout own;
      const bool tensors = lies(l, k, &own);
      compare(&own, tensors, "vjp", text, pz_spec_count(&spec), rig_vjp(&viewed, mine, k),
              rig_vjp(&plain, g, k));
    }
  }
  if (pz_chain_count(plain.chain, PZ_ORIGINAL) == 1 && plain.n_x == plain.n_y) {
    compare(l, true, "jvp", text, plain.n_y, rig_jvp(&viewed, mine), rig_jvp(&plain, g));
  }
  pz_spec spec = {0};
  pz_spec other = {0};
  double* const ld = rig_log_abs_det(&viewed, &spec);
  double* const expected = rig_log_abs_det(&plain, &other);
  ck_assert_msg((ld == NULL) == (expected == NULL), "%s: log |det|: one chain has none", text);
  if (ld) {
    ck_assert(pz_spec_equal(&spec, &other));
    assert_same("log |det|", text, pz_spec_count(&spec), ld, expected);
    compare(l, true, "gradient of log |det|", text, plain.n_x,
            rig_log_abs_det_gradients(&viewed, ld), rig_log_abs_det_gradients(&plain, ld));
  }
  free(expected);
  free(ld);
  free(mine);
  free(g);
}

static void
compare_inverses(const layout* const l, const uint32_t dtype, const char* const text)
{
  static const pz_intent intents[] = {PZ_REGISTER, PZ_CHAIN, PZ_ASSIGN};
  double* const y = rig_normal(&plain, dtype, plain.n_y, 1.0);
  double* const value = rig_forward(&plain); // a member, for assignments
  for (size_t k = 0; k < 3; ++k) {
    const double* const from = intents[k] == PZ_ASSIGN ? value : y;
    double* const mine = layout_by_hand(l, true, from);
    double distance = 0.0;
    double other = 0.0;
    const pz_status status = rig_assign(&plain, intents[k], from);
    ck_assert_int_eq(rig_assign(&viewed, intents[k], mine), status);
    compare_trained(l, "right inverse", text);
    ck_assert_int_eq(rig_residual(&viewed, mine, &distance), rig_residual(&plain, from, &other));
    ck_assert(memcmp(&distance, &other, sizeof(other)) == 0);
    free(mine);
  }
  free(value);
  free(y);
}

START_TEST(test_layout)
{
  static const char* const chains[] = {
      "gain",
      "norm",
      "factors(rank=2)",
      "affine,gain",
      "scaled,entries",
      "skew,cayley",
      "orthogonal",
      "weight_norm,gain",
      "symmetric,matrix_exp",
      "spectral_norm",
      "fold,turn,affine",
  };
  const layout* const l = &layouts[_i];
  uint32_t taken = 0;
  for (uint32_t dtype = PZ_F32; dtype <= PZ_F64; ++dtype) {
    for (size_t k = 0; k < sizeof(chains) / sizeof(chains[0]); ++k) {
      char text[TEXT];
      if (!test_takes((int64_t)k + _i + dtype, share)) {
        continue;
      }
      if (open_both(l, dtype, chains[k], text)) {
        compare_derivatives(l, dtype, text);
        compare_inverses(l, dtype, text);
        ++taken;
      }
    }
  }
  ck_assert_uint_ge(taken, share > 3 && !test_thorough() ? 0 : 2);
}
END_TEST

/* An update moves the originals of the first map, a sample sets them. */
START_TEST(test_steps)
{
  const layout* const l = &layouts[_i];
  char text[TEXT];
  if (!test_takes(_i, share) || !open_both(l, PZ_F64, "orthogonal(rebase=1)", text)) {
    return;
  }
  for (int32_t step = 0; step < 2; ++step) {
    ck_assert_ok(pz_eval_update(plain.eval, plain.state));
    ck_assert_ok(pz_eval_update(viewed.eval, viewed.state));
    compare_trained(l, "original after update", text);
    compare(l, true, "value after update", text, plain.n_y, rig_forward(&viewed),
            rig_forward(&plain));
  }
  pz_context_seed(plain.context, 5);
  ck_assert_ok(pz_eval_sample(plain.eval, plain.state));
  pz_context_seed(plain.context, 5);
  ck_assert_ok(pz_eval_sample(viewed.eval, viewed.state));
  compare(l, true, "sample", text, plain.n_y, rig_forward(&viewed), rig_forward(&plain));
}
END_TEST

/* A view ends, another begins, and what follows reads the tensor. */
START_TEST(test_two_views)
{
  static const layout first = {"",        3,         {4, 3, 2}, LAYOUT_WHOLE, 3,
                               {4, 3, 2}, {1, 0, 2}, 2,         {3, 8},       {1, 2}};
  static const layout second = {"",        3,         {4, 3, 2}, LAYOUT_WHOLE, 3,
                                {4, 3, 2}, {2, 1, 0}, 2,         {6, 4},       {2, 1}};
  static const char text[] = "view(rows=1),gain,back,view(rows=2+1,cols=0),orthogonal,back,gain";
  rig_from_tensor(&viewed, text, PZ_F64, 3, first.shape);
  ck_assert_str_eq(pz_chain_text(viewed.chain),
                   "view(rows=1,cols=*),gain,back,view(rows=2+1,cols=0),orthogonal,back,"
                   "gain");
  double* const x = rig_normal(&viewed, PZ_F64, 24, 1.0);
  double* const g = rig_normal(&viewed, PZ_F64, 24, 1.0);
  double* const c = rig_normal(&viewed, PZ_F64, 24, 1.0);
  double* const d = rig_normal(&viewed, PZ_F64, 24, 1.0);
  rig_initialize(&viewed, g);
  rig_write_originals(&viewed, x);
  rig_write(&viewed, PZ_OWN_PARAMETER, 0, c);
  rig_write(&viewed, PZ_OWN_PARAMETER, 1, d);
  double* const y = rig_forward(&viewed);
  double* const gx = rig_gradients(&viewed, g);

  double* const x1 = layout_by_hand(&first, false, x);
  rig_from_tensor(&plain, "gain", PZ_F64, 2, first.read);
  rig_write_originals(&plain, x1);
  rig_write(&plain, PZ_OWN_PARAMETER, 0, c);
  double* const y1 = rig_forward(&plain);
  double* const t1 = layout_by_hand(&first, true, y1);
  double* const x2 = layout_by_hand(&second, false, t1);
  rig_from_tensor(&plain, "orthogonal", PZ_F64, 2, second.read);
  rig_write_originals(&plain, x2);
  copy_buffers(&viewed, &plain);
  double* const y2 = rig_forward(&plain);
  double* const t2 = layout_by_hand(&second, true, y2);
  rig_from_tensor(&plain, "gain", PZ_F64, 3, first.shape);
  rig_write_originals(&plain, t2);
  rig_write(&plain, PZ_OWN_PARAMETER, 0, d);
  double* const y3 = rig_forward(&plain);
  assert_same("value", text, 24, y, y3);

  double* const g3 = rig_vjp(&plain, g, 0);
  double* const g2 = layout_by_hand(&second, false, g3);
  rig_from_tensor(&plain, "orthogonal", PZ_F64, 2, second.read);
  rig_write_originals(&plain, x2);
  copy_buffers(&viewed, &plain);
  free(rig_forward(&plain));
  double* const h2 = rig_vjp(&plain, g2, 0);
  double* const s2 = layout_by_hand(&second, true, h2);
  double* const g1 = layout_by_hand(&first, false, s2);
  rig_from_tensor(&plain, "gain", PZ_F64, 2, first.read);
  rig_write_originals(&plain, x1);
  rig_write(&plain, PZ_OWN_PARAMETER, 0, c);
  free(rig_forward(&plain));
  double* const h1 = rig_vjp(&plain, g1, 0);
  double* const s1 = layout_by_hand(&first, true, h1);
  assert_same("vjp", text, 24, gx, s1);

  /* a value of the second view's map; the right inverse of gain sets its own parameter to 1 */
  ck_assert_int_eq(rig_assign(&viewed, PZ_ASSIGN, t2), PZ_OK);
  double* const again = rig_forward(&viewed);
  ck_assert_double_le(largest_difference(24, again, t2), 1e-12);
  double* const all[] = {x,  c,  d,  g,  y,  gx, x1, y1, t1, x2,   y2,
                         t2, y3, g3, g2, h2, s2, g1, h1, s1, again};
  for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); ++k) {
    free(all[k]);
  }
}
END_TEST

int
main(int argc, char** argv)
{
  if (argc != 2 && argc != 3) {
    fprintf(stderr, "usage: views DEVICE [BACKEND.so]\n");
    return EXIT_FAILURE;
  }
  device = argv[1];
  backend = argv[2];
  const bool may_be_absent = strncmp(device, "cuda", 4) == 0 || strncmp(device, "opencl", 6) == 0;
  share = may_be_absent ? 16 : 3;
  if (test_skips_device(device)) {
    return EXIT_SUCCESS;
  }
  TCase* const tcase = tcase_create("views");
  tcase_add_checked_fixture(tcase, setup, teardown);
  tcase_add_loop_test(tcase, test_layout, 0, LAYOUTS);
  tcase_add_loop_test(tcase, test_steps, 0, LAYOUTS);
  tcase_add_test(tcase, test_two_views);
  return test_main_case(tcase);
}
