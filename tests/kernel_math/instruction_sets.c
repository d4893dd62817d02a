/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The loops of a kernel for each instruction set give the same bits, into other memory and in
   place, for any number of items; and an item that reads what it has written finds it. */

#include "each.h"

#include <support.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 4099 };

static bool
runs_here(const int isa)
{
#ifdef PZ_AVX2_
  return isa == AVX512 ? pz_has_avx512_() : isa != AVX2 || pz_has_avx2_();
#else
  return isa == BASELINE;
#endif
}

/* Random bits, which are numbers of every size, then numbers of size 1, then edges. */
static void
fill(const uint32_t dtype, uint64_t* const random, void* const out)
{
  static const double edges[] = {0.0,    -0.0,    1.0,      -1.0,   0.5,   2.5,
                                 -0.5,   -1.5,    709.7,    709.79, -708., -745,
                                 -746.0, 88.7228, -103.972, 0x1p20, 1e300};
  const size_t size = dtype == PZ_F32 ? sizeof(float) : sizeof(double);
  for (int64_t k = 0; k < N; ++k) {
    const uint64_t bits = test_bits(random);
    memcpy((char*)out + (size_t)k * size, &bits, size);
    if (k % 2 == 1) {
      test_put(dtype, out, k, 4.0 * test_normal(random));
    }
  }
  for (size_t k = 0; k < sizeof(edges) / sizeof(edges[0]); ++k) {
    test_put(dtype, out, (int64_t)(7 * k), edges[k]);
  }
  test_put(dtype, out, 500, (double)NAN);
  test_put(dtype, out, 501, (double)INFINITY);
  test_put(dtype, out, 502, -(double)INFINITY);
}

/* The same number to the bit; one NaN is as good as another. */
static bool
same(const uint32_t dtype, const void* const a, const void* const b, const int64_t k)
{
  const size_t size = dtype == PZ_F32 ? sizeof(float) : sizeof(double);
  return (isnan(test_at(dtype, a, k)) && isnan(test_at(dtype, b, k))) ||
         memcmp((const char*)a + (size_t)k * size, (const char*)b + (size_t)k * size, size) == 0;
}

static void
compare(const each* const e, const int which, const int isa, const int64_t n,
        uint64_t* const random)
{
  static double x[N];
  static double expected[N];
  static double found[N];
  const uint32_t dtype = which == 0 ? PZ_F32 : PZ_F64;
  const double t = 0.3;
  fill(dtype, random, x);
  memcpy(expected, x, sizeof(x));
  for (int64_t k = 0; k < n; ++k) { /* one item at a time is a scalar loop */
    e->loops[which][BASELINE](k, k + 1, (void*[]){x, expected}, &t, NULL);
  }
  for (int in_place = 0; in_place < 2; ++in_place) {
    memcpy(found, x, sizeof(x));
    e->loops[which][isa](0, n, (void*[]){in_place ? found : x, found}, &t, NULL);
    for (int64_t k = 0; k < N; ++k) {
      if (!same(dtype, found, expected, k)) {
        ck_abort_msg("%s of %.17g, real%d, instruction set %d%s: found %.17g, expected %.17g",
                     e->kernel->name, test_at(dtype, x, k), which == 0 ? 32 : 64, isa,
                     in_place ? " in place" : "", test_at(dtype, found, k),
                     test_at(dtype, expected, k));
      }
    }
  }
}

START_TEST(results_do_not_depend_on_the_instruction_set)
{
  uint64_t random = test_seed();
  if (!runs_here(_i)) {
    return;
  }
  for (const each* e = each_function; e->kernel; ++e) {
    for (int which = 0; which < 2; ++which) {
      compare(e, which, _i, N, &random);
      for (int64_t n = 0; n < 40; ++n) {
        compare(e, which, _i, n, &random);
      }
    }
  }
}
END_TEST

START_TEST(an_item_reads_what_it_has_written)
{
  double x[2 * 64];
  if (!runs_here(_i)) {
    return;
  }
  for (int k = 0; k < 128; ++k) {
    x[k] = k;
  }
  each_swap.loops[1][_i](0, 64, (void*[]){x, x}, NULL, NULL);
  for (int k = 0; k < 128; ++k) {
    ck_assert_msg(x[k] == (k | 1), "entry %d: found %g, expected %d", k, x[k], k | 1);
  }
}
END_TEST

int
main(void)
{
  TCase* const tcase = tcase_create("instruction_sets");
  tcase_add_loop_test(tcase, results_do_not_depend_on_the_instruction_set, 0, N_ISAS);
  tcase_add_loop_test(tcase, an_item_reads_what_it_has_written, 0, N_ISAS);
  return test_main_case(tcase);
}
