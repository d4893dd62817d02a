/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Overlap of tensors with strides, against a look at every element. */

#include "overlap.h"

#include <parametrize/view.h>
#include <support.h>

#include <string.h>

enum { ROOM = 400 };

static void
random_view(uint64_t* const random, char* const base, pz_view* const v)
{
  v->tensor = pz_host_tensor(PZ_F32, base, (int32_t)(test_bits(random) % 4), v->shape);
  v->tensor.strides = v->strides;
  int64_t low = 0;
  for (int32_t i = 0; i < v->tensor.ndim; ++i) {
    v->shape[i] = (int64_t)(test_bits(random) % 5);
    v->strides[i] = (int64_t)(test_bits(random) % 19) - 5;
    low += v->strides[i] < 0 ? v->strides[i] * 4 : 0;
  }
  v->tensor.byte_offset = ((uint64_t)-low + test_bits(random) % 40) * sizeof(float);
}

static void
mark_elements(const pz_view* const v, const char* const base, bool* const seen)
{
  memset(seen, 0, ROOM * sizeof(bool));
  for (int64_t e = 0; e < pz_count(&v->tensor); ++e) {
    int64_t at = ((const char*)v->tensor.data - base + (int64_t)v->tensor.byte_offset) / 4;
    int64_t rest = e;
    for (int32_t i = v->tensor.ndim; i-- > 0;) {
      at += rest % v->shape[i] * v->strides[i];
      rest /= v->shape[i];
    }
    seen[at] = true;
  }
}

/* Against looking at every element. */
START_TEST(test_overlap)
{
  static float base[ROOM];
  uint64_t random = test_seed();
  int found = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    pz_view a;
    pz_view b;
    bool in_a[ROOM];
    bool in_b[ROOM];
    random_view(&random, (char*)base, &a);
    random_view(&random, (char*)base + 4 * (test_bits(&random) % 40), &b);
    mark_elements(&a, (char*)base, in_a);
    mark_elements(&b, (char*)base, in_b);
    bool expected = false;
    for (int k = 0; k < ROOM; ++k) {
      expected = expected || (in_a[k] && in_b[k]);
    }
    if (pzi_overlap(true, &a.tensor, &b.tensor) != expected) {
      ck_abort_msg("trial %d: overlap is %d", trial, expected);
    }
    found += expected;
  }
  ck_assert_int_gt(found, 1000);
  ck_assert_int_lt(found, 19000);
}
END_TEST

START_TEST(test_handles_overlap_by_offset)
{
  const int64_t shape[] = {4};
  pz_tensor a = pz_host_tensor(PZ_F64, (void*)(uintptr_t)101, 1, shape);
  pz_tensor b = a;
  b.byte_offset = 32;
  ck_assert(!pzi_overlap(false, &a, &b));
  b.byte_offset = 24;
  ck_assert(pzi_overlap(false, &a, &b));
  b.byte_offset = 36; /* not a multiple of the size */
  a.byte_offset = 8;
  ck_assert(pzi_overlap(false, &a, &b));
  b.data = (void*)(uintptr_t)103;
  ck_assert(!pzi_overlap(false, &a, &b));
}
END_TEST

int
main(void)
{
  TCase* const tcase = tcase_create("overlap");
  tcase_add_test(tcase, test_overlap);
  tcase_add_test(tcase, test_handles_overlap_by_offset);
  return test_main_case(tcase);
}
