/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Every operation on every device there is, test doubles included, against the reference
   in float64 on plain tensors: natively, composed, on the host; sizes, batches, layouts,
   both dtypes; guards around every tensor. */

#include "cases.h"
#include "opaque.h"

#include <string.h>

static const char* const devices[] = {"reference", "cpu",    "bare",     "lean",
                                      "kernels",   "single", "inverter", "solver"};
enum { N_DEVICES = sizeof(devices) / sizeof(devices[0]) };

static pz_context* context;
static pz_queue* reference;

static void
setup(void)
{
  context = test_context();
  ck_assert_ok(pz_context_add_plugin(context, &pz_plugin_v1_opaque));
  ck_assert_ok(pz_queue_open(context, "reference", NULL, &reference));
}

static void
teardown(void)
{
  pz_queue_close(reference);
  pz_context_free(context);
  ck_assert_int_eq(opaque_allocations(), 0);
}

static pz_queue*
open_device(const int k)
{
  pz_queue* queue = NULL;
  ck_assert_ok(pz_queue_open(context, devices[k], NULL, &queue));
  return queue;
}

/* One case on a queue against the reference. */
static void
compare(pz_queue* const queue, const ops_case* const one, const uint32_t dtype,
        const runner_layout layout, const int32_t nb, const int64_t* const batch, const int64_t n)
{
  static op_runner found;
  static op_runner expected;
  const uint64_t seed = test_seed() + (uint64_t)n;
  runner_open(&found, queue, dtype, layout, seed);
  /* the kernels case skips a result where tensors have strides */
  runner_open(&expected, reference, PZ_F64, layout <= OFFSET ? PLAIN : PADDED, seed);
  one->run(&found, nb, batch, n);
  one->run(&expected, nb, batch, n);
  runner_compare(&found, &expected, 50.0 * one->conditioning * (double)(n > 0 ? n : 1), one->name);
  runner_close(&found);
  runner_close(&expected);
}

START_TEST(test_sizes)
{
  static const int64_t sizes[] = {1, 2, 5, 17, 33};
  static const int64_t three[] = {3};
  pz_queue* const queue = open_device(_i);
  for (size_t c = 0; c < n_ops_cases; ++c) {
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); ++s) {
      compare(queue, &ops_cases[c], PZ_F32, PLAIN, 0, NULL, sizes[s]);
      compare(queue, &ops_cases[c], PZ_F64, PLAIN, 1, three, sizes[s]);
    }
  }
  pz_queue_close(queue);
}
END_TEST

START_TEST(test_batches)
{
  static const int64_t shapes[][2] = {{0, 2}, {1, 1}, {2, 3}};
  pz_queue* const queue = open_device(_i);
  for (size_t c = 0; c < n_ops_cases; ++c) {
    for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); ++s) {
      compare(queue, &ops_cases[c], PZ_F32, OFFSET, 2, shapes[s], 4);
      compare(queue, &ops_cases[c], PZ_F64, RAGGED, 2, shapes[s], 4);
    }
  }
  pz_queue_close(queue);
}
END_TEST

START_TEST(test_layouts)
{
  static const int64_t batch[] = {2, 2};
  pz_queue* const queue = open_device(_i);
  for (size_t c = 0; c < n_ops_cases; ++c) {
    for (int layout = PLAIN; layout < LAYOUTS; ++layout) {
      compare(queue, &ops_cases[c], PZ_F64, (runner_layout)layout, 2, batch, 3);
      compare(queue, &ops_cases[c], PZ_F32, (runner_layout)layout, 0, NULL, 6);
    }
  }
  pz_queue_close(queue);
}
END_TEST

/* In steady state nothing is allocated on the device. */
START_TEST(test_steady_state)
{
  static const int64_t two[] = {2};
  for (int k = 0; k < N_DEVICES; ++k) {
    pz_queue* const queue = open_device(k);
    uint64_t held[3] = {0};
    for (int round = 0; round < 3; ++round) {
      for (size_t c = 0; c < n_ops_cases; ++c) {
        compare(queue, &ops_cases[c], PZ_F64, SPACED, 1, two, 20);
      }
      held[round] = queue->scratch.allocations + queue->staging.allocations;
    }
    ck_assert_uint_eq(held[1], held[0]);
    ck_assert_uint_eq(held[2], held[0]);
    pz_queue_close(queue);
  }
}
END_TEST

int
main(void)
{
  TCase* const tcase = tcase_create("routes");
  tcase_add_checked_fixture(tcase, setup, teardown);
  tcase_add_loop_test(tcase, test_sizes, 0, N_DEVICES);
  tcase_add_loop_test(tcase, test_batches, 0, N_DEVICES);
  tcase_add_loop_test(tcase, test_layouts, 0, N_DEVICES);
  tcase_add_test(tcase, test_steady_state);
  return test_main_case(tcase);
}
