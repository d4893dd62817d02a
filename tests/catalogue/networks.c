/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* usage: networks DEVICE: masks and changes of matrices: what is refused and with which words, which entries
   stay, what assignments and updates do to buffers. */

#include <dense.h>
#include <rig.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char* device;

static void
expect_buffer(const rig* const r, const int64_t n, const double* const expected)
{
  double* const found = rig_read(r, PZ_STATE_BUFFER, 0);
  for (int64_t k = 0; k < n; ++k) {
    ck_assert_msg(found[k] == expected[k], "entry %lld is %g, expected %g", (long long)k, found[k],
                  expected[k]);
  }
  free(found);
}

/* ---- masks ------------------------------------------------------------------------------ */

/* Of equal magnitudes the first stays, and NaN is larger than infinity. */
START_TEST(ties_and_nan)
{
  static const struct {
    const char* chain;
    double x[8];
    double mask[8];
  } all[] = {
      {"magnitude", {3, -1, 0.5, -2, 1, 1, 1, 1}, {1, 1, 0, 1, 1, 0, 0, 0}},
      {"magnitude", {1, NAN, INFINITY, 5, NAN, 2, 3, 4}, {0, 1, 1, 1, 1, 0, 0, 0}},
      {"magnitude(amount=6)", {1, NAN, INFINITY, 5, NAN, 2, 3, 4}, {0, 1, 0, 0, 1, 0, 0, 0}},
      {"magnitude(amount=0)", {0, 0, 0, 0, 0, 0, 0, 0}, {1, 1, 1, 1, 1, 1, 1, 1}},
      {"magnitude(amount=8)", {1, 2, 3, 4, 5, 6, 7, NAN}, {0, 0, 0, 0, 0, 0, 0, 0}},
      {"magnitude(amount=0.5,dim=-1)", {1, 9, 1, 0, 1, 9, 1, 0}, {1, 1, 0, 0, 1, 1, 0, 0}},
      {"magnitude(amount=1,dim=0)",
       {1e300, 0, 0, 0, 1e300, 1, INFINITY, 1},
       {0, 0, 0, 0, 1, 1, 1, 1}},
      {"n_of_m", {3, -1, 0.5, -2, 1, 1, 1, 1}, {1, 0, 0, 1, 1, 1, 0, 0}},
      {"n_of_m", {1, NAN, INFINITY, 5, NAN, NAN, NAN, 4}, {0, 1, 1, 0, 1, 1, 0, 0}},
      {"n_of_m(n=1,m=8)", {0, 0, 0, 0, 0, 0, 0, 0}, {1, 0, 0, 0, 0, 0, 0, 0}},
      {"mask", {0, NAN, -0.0, 1e-300, 0, INFINITY, 0, -1}, {0, 1, 0, 1, 0, 1, 0, 1}},
  };
  rig r;
  rig_open(&r, NULL, device);
  for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); ++k) {
    const bool rows = strstr(all[k].chain, "m=8") == NULL;
    rig_from_tensor(&r, all[k].chain, PZ_F64, rows ? 2 : 1,
                    rows ? (const int64_t[]){2, 4} : (const int64_t[]){8});
    rig_initialize(&r, all[k].x);
    expect_buffer(&r, 8, all[k].mask);
  }
  rig_close(&r);
}
END_TEST

START_TEST(refused)
{
  static const struct {
    const char* chain;
    double start[4];
    double y[4];
    pz_status status;
    const char* message;
  } all[] = {
      {"magnitude",
       {1, 2, 3, 4},
       {1, 2, 3, 0},
       PZ_OUTSIDE,
       "found 1 entry off the mask that is not 0"},
      {"n_of_m(n=1,m=2)", {1, 2, 3, 4}, {1, 2, NAN, 4}, PZ_OUTSIDE, "found 2 entries off the mask"},
      {"mask",
       {1, 0, 3, 4},
       {1, 2, 3, 4},
       PZ_OUTSIDE,
       "1 entry off the mask that is not 0, the largest 2"},
      {"lora(rank=1,frozen=1)",
       {1, 0, 0, 1},
       {3, 0, 0, 5},
       PZ_OUTSIDE,
       "distance 2 from one of rank 1"},
      {"lora(rank=1,frozen=1)", {1, 0, 0, 1}, {NAN, 0, 0, 5}, PZ_OUTSIDE, "from one of rank 1"},
      {"oft(frozen=1)", {1, 0, 0, 1}, {2, 0, 0, 2}, PZ_OUTSIDE, "distance 1 from W0 turned"},
      {"oft(frozen=1)", {1, 0, 0, 1}, {0, 1, 1, 0}, PZ_OUTSIDE, "from W0 turned"},
      {"oft(frozen=1)", {1, 0, 0, 1}, {-1, 0, 0, -1}, PZ_SINGULAR, "an eigenvalue close to -1"},
  };
  rig r;
  rig_open(&r, NULL, device);
  for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); ++k) {
    rig_from_tensor(&r, all[k].chain, PZ_F64, 2, (const int64_t[]){2, 2});
    rig_initialize(&r, all[k].start);
    ck_assert_ok(rig_assign(&r, PZ_REGISTER, all[k].start));
    double* const before = rig_read(&r, PZ_STATE_BUFFER, 0);
    ck_assert_fails(rig_assign(&r, PZ_ASSIGN, all[k].y), all[k].status, all[k].message);
    expect_buffer(&r, 4, before);
    free(before);
  }
  rig_close(&r);
}
END_TEST

START_TEST(refused_shapes)
{
  static const struct {
    const char* chain;
    int64_t rows;
    int64_t cols;
    const char* message;
  } all[] = {
      {"magnitude(amount=2.5)", 3, 2, "found amount=2.5 of 6 entries, expected a share below 1"},
      {"magnitude(amount=7)", 3, 2, "found amount=7 of 6 entries"},
      {"magnitude(amount=4,dim=0)", 3, 2, "found amount=4 of 3 slices"},
      {"magnitude(dim=2)", 3, 2, "found 2 dimensions, expected at least 3 for dim=2"},
      {"n_of_m", 3, 6, "found 6 entries in the last dimension, expected a multiple of m=4"},
      {"n_of_m(n=5)", 3, 4, "found n=5, expected at most m=4"},
      {"lora(rank=3)", 3, 2, "found 3x2 matrices, expected at least rank=3 rows and columns"},
      {"dora", 9, 7, "found 9x7 matrices, expected at least rank=8 rows and columns"},
      {"oft(block=2,across=4)", 3, 4, "found 3 rows, expected a multiple of block=2"},
      {"oft(block=2,side=right,across=4)", 4, 3, "found 3 columns, expected a multiple of block=2"},
      {"oft", 3, 2, "found 3x2 matrices, expected 3 columns as across=0 says"},
  };
  static const double mask[] = {1, 0, 1};
  static const int64_t three = 3;
  const pz_tensor tensor = pz_host_tensor(PZ_F64, (void*)mask, 1, &three);
  const pz_option_setting setting = {.name = "mask",
                                     .value = {.type = PZ_TENSOR, .as = {.tensor = &tensor}}};
  rig r;
  rig_open(&r, NULL, device);
  for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); ++k) {
    const pz_spec spec = pz_spec_make(PZ_F64, 2, (const int64_t[]){all[k].rows, all[k].cols});
    ck_assert_fails(rig_try_chain(&r, all[k].chain, NULL, 0, PZ_FROM_TENSOR, &spec, 1), PZ_MISMATCH,
                    all[k].message);
  }
  const pz_spec four = pz_spec_make(PZ_F64, 1, (const int64_t[]){4});
  ck_assert_fails(rig_try_chain(&r, "mask", &setting, 1, PZ_FROM_TENSOR, &four, 1), PZ_MISMATCH,
                  "found a mask of 3 entries in 1 dimensions, expected the shape of the value");
  rig_close(&r);
}
END_TEST

/* A mask of any dtype. */
START_TEST(given_masks)
{
  static const float single[] = {0.5F, 0.0F, -1.0F};
  static const int64_t whole[] = {7, 0, -1};
  static const double expected[] = {1, 0, 1};
  static const int64_t three = 3;
  const pz_tensor masks[] = {pz_host_tensor(PZ_F32, (void*)single, 1, &three),
                             pz_host_tensor(PZ_I64, (void*)whole, 1, &three)};
  const pz_spec spec = pz_spec_make(PZ_F64, 1, &three);
  for (int k = 0; k < 2; ++k) {
    const pz_option_setting setting = {.name = "mask",
                                       .value = {.type = PZ_TENSOR, .as = {.tensor = &masks[k]}}};
    rig r;
    rig_open(&r, NULL, device);
    rig_chain(&r, "mask", &setting, 1, PZ_FROM_TENSOR, &spec, 1);
    rig_initialize(&r, (const double[]){0, 0, 0});
    expect_buffer(&r, 3, expected);
    rig_close(&r);
  }
}
END_TEST

/* An assignment moves the mask to where the value is not 0; an update does so with straight_through alone. */
START_TEST(masks_move)
{
  static const struct {
    const char* chain;
    double mask[4];
  } all[] = {
      {"magnitude", {1, 1, 0, 0}},
      {"n_of_m", {1, 1, 0, 0}},
      {"magnitude(straight_through=1)", {0, 0, 1, 1}},
      {"n_of_m(straight_through=1)", {0, 0, 1, 1}},
  };
  rig r;
  rig_open(&r, NULL, device);
  for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); ++k) {
    rig_from_tensor(&r, all[k].chain, PZ_F64, 1, (const int64_t[]){4});
    rig_initialize(&r, (const double[]){1, 2, 3, 4});
    expect_buffer(&r, 4, (const double[]){0, 0, 1, 1});
    ck_assert_ok(rig_assign(&r, PZ_ASSIGN, (const double[]){4, 3, 0, 0}));
    expect_buffer(&r, 4, (const double[]){1, 1, 0, 0});
    rig_write_originals(&r, (const double[]){1, 2, 3, 4});
    ck_assert_ok(pz_eval_update(r.eval, r.state));
    expect_buffer(&r, 4, all[k].mask);
  }
  rig_close(&r);
}
END_TEST

/* ---- changes of matrices ---------------------------------------------------------------- */

/* Every matrix is a value, of any rank, and comes back: to the bit where the norms of rows are not taken. */
START_TEST(restarts)
{
  static const char* const chains[] = {"lora(rank=2,rslora=1)", "oft(block=3,across=4)",
                                       "oft(block=2,side=right,across=6)", "dora(rank=2)"};
  rig r;
  rig_open(&r, NULL, device);
  double* const w = rig_normal(&r, PZ_F64, 48, 1.0);
  double* const other = rig_normal(&r, PZ_F64, 48, 1e8);
  for (int k = 0; k < 4; ++k) {
    rig_from_tensor(&r, chains[k], PZ_F64, 3, (const int64_t[]){2, 6, 4});
    rig_initialize(&r, w);
    ck_assert_ok(rig_assign(&r, PZ_REGISTER, w));
    ck_assert_ok(rig_assign(&r, PZ_ASSIGN, other));
    expect_buffer(&r, 48, other);
    double* const y = rig_forward(&r);
    ck_assert_msg(largest_difference(48, y, other) <= (k < 3 ? 0.0 : 1e-7), "%s", chains[k]);
    free(y);
  }
  free(w);
  free(other);
  rig_close(&r);
}
END_TEST

/* Frozen ones find their originals again, also where W0 has fewer directions than a block. */
START_TEST(frozen)
{
  static const struct {
    const char* chain;
    int64_t shape[2];
  } all[] = {
      {"lora(rank=2,frozen=1)", {6, 4}},
      {"lora(rank=3,alpha=1,rslora=1,frozen=1)", {3, 9}},
      {"oft(frozen=1,across=3)", {7, 3}},
      {"oft(frozen=1,across=9)", {4, 9}},
      {"oft(frozen=1,block=4,side=right,across=3)", {3, 8}},
  };
  rig r;
  rig_open(&r, NULL, device);
  for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); ++k) {
    const int64_t n = all[k].shape[0] * all[k].shape[1];
    double distance = NAN;
    rig_from_tensor(&r, all[k].chain, PZ_F64, 2, all[k].shape);
    double* const w = rig_normal(&r, PZ_F64, n, 1.0);
    rig_initialize(&r, w);
    ck_assert_ok(rig_assign(&r, PZ_REGISTER, w));
    double* const x = rig_normal(&r, PZ_F64, r.n_x, 0.5);
    rig_write_originals(&r, x);
    double* const y = rig_forward(&r);
    ck_assert_ok(rig_residual(&r, y, &distance));
    ck_assert(distance <= 1e-12);
    ck_assert_ok(rig_assign(&r, PZ_ASSIGN, y));
    expect_buffer(&r, n, w);
    double* const back = rig_forward(&r);
    ck_assert_msg(largest_difference(n, y, back) <= 1e-12, "%s", all[k].chain);
    free(w);
    free(x);
    free(y);
    free(back);
  }
  rig_close(&r);
}
END_TEST

int
main(const int argc, char** const argv)
{
  device = argc > 1 ? argv[1] : "reference";
  if (test_skips_device(device)) {
    return EXIT_SUCCESS;
  }
  TCase* const tcase = tcase_create("networks");
  tcase_add_test(tcase, ties_and_nan);
  tcase_add_test(tcase, refused);
  tcase_add_test(tcase, refused_shapes);
  tcase_add_test(tcase, given_masks);
  tcase_add_test(tcase, masks_move);
  tcase_add_test(tcase, restarts);
  tcase_add_test(tcase, frozen);
  return test_main_case(tcase);
}
