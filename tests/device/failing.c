/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Allocation, compilation, launch and copy made to fail at every point of a read, an
   assignment and a move, one call after the other until none fails: a status with its message,
   the module as it was, and in the end nothing left alive on the device.

   usage: device-failing-BACKEND [all]: first reads of longer lists too, which compile more */

#include "failing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 2, N = 40, COUNT = BATCH * N * N, MOST_CALLS = 5000 };

typedef enum step { READ, ASSIGN, AWAY, THERE, STEPS } step;

static const int64_t shape[] = {BATCH, N, N};
static const char* const lists[] = {"skew,cayley", "symmetric,matrix_exp"};

/* Of one trial. */
static pz_context* context;
static pz_queue* queue;
static pz_module* module;

static pz_status
read_value(float* const out)
{
  const pz_tensor to = pz_host_tensor(PZ_F32, out, 3, shape);
  return pz_module_read(module, "weight", &to);
}

/* `module` with a parametrized weight, on a queue or, for NULL, on the host. */
static pz_status
furnish(pz_queue* const on, const char* const list)
{
  static float start[COUNT];
  uint64_t random = 7;
  test_fill_normal(&random, PZ_F32, COUNT, 0.02, start);
  const pz_tensor weight = pz_host_tensor(PZ_F32, start, 3, shape);
  pz_status status = on ? pz_module_new(context, on, "Linear", &module)
                        : test_module_new(context, "reference", "Linear", &module);
  status = status == PZ_OK ? pz_module_add(module, "weight", PZ_PARAMETER, &weight) : status;
  return status == PZ_OK ? pz_register_parametrization(module, "weight", list, NULL) : status;
}

static pz_status
take(const step what, float* const data)
{
  const pz_tensor tensor = pz_host_tensor(PZ_F32, data, 3, shape);
  switch (what) {
  case READ:
    ck_assert_ok(pz_module_touch(module, "weight"));
    return pz_module_read(module, "weight", &tensor);
  case ASSIGN:
    return pz_module_set(module, "weight", &tensor);
  case AWAY:
    return test_module_to(context, module, "reference");
  case THERE:
  case STEPS:
    break;
  }
  return test_module_to(context, module, failing_device);
}

static void
expect_clear(const long n, const pz_status status)
{
  const char* const message = pz_error_message();
  ck_assert_msg(status == PZ_NO_MEMORY || status == PZ_DEVICE, "call %ld: status %d, \"%s\"", n,
                (int)status, message);
  ck_assert_msg(message[0] != '\0' && !strchr(message, '\n'), "call %ld: message \"%s\"", n,
                message);
}

static void
nothing_left(const long n, const long expected)
{
  ck_assert_msg(failing_alive() == expected, "call %ld: %ld things alive, expected %ld", n,
                failing_alive(), expected);
}

static void
close_all(void)
{
  pz_module_free(module);
  failing_queue_close(queue);
  pz_context_free(context);
  module = NULL;
  queue = NULL;
}

/* One step with its n-th call failing (0: none); true where it had fewer. */
static bool
trial(const char* const list, const step what, const long n)
{
  static float before[COUNT];
  static float after[COUNT];
  static float data[COUNT];
  ck_assert_ok(furnish(what == THERE ? NULL : queue, list));
  ck_assert_ok(read_value(before));
  memcpy(data, before, sizeof(data));
  failing_at(n);
  const pz_status status = take(what, data);
  const bool done = failing_calls() < n;
  failing_at(0);
  ck_assert_msg(status != PZ_OK || done || n == 0, "call %ld: a failure that nobody saw", n);
  if (status != PZ_OK) {
    expect_clear(n, status);
    ck_assert_ok(pz_module_touch(module, "weight")); /* a failed read is remembered */
    ck_assert_ok(read_value(after));
    ck_assert_msg(memcmp(before, after, sizeof(before)) == 0, "call %ld: the value changed", n);
  }
  pz_module_free(module);
  module = NULL;
  return done;
}

/* On one queue, where programs and scratch are after the first trial. */
START_TEST(test_steps)
{
  const char* const list = lists[_i / STEPS];
  const step what = (step)(_i % STEPS);
  bool done = false;
  long n = 0;
  context = test_context();
  ck_assert_ok(failing_queue(context, &queue));
  (void)trial(list, what, 0);
  const long kept = failing_alive();
  while (!done) {
    done = trial(list, what, ++n);
    nothing_left(n, kept);
    ck_assert_msg(n < MOST_CALLS, "no end of calls");
  }
  close_all();
  nothing_left(n, 0);
  ck_assert_int_gt(n, 1);
  fprintf(stderr, "%s, step %d: %ld calls\n", list, (int)what, n - 1);
}
END_TEST

/* From a queue to the first read, which is where programs are compiled and functions found. */
START_TEST(test_first_read)
{
  static const char* const firsts[] = {"skew", "skew,cayley", "symmetric,matrix_exp"};
  static float data[COUNT];
  unsigned failures = 0;
  bool done = false;
  for (long n = 1; !done; ++n) {
    context = test_context();
    failing_at(n);
    pz_status status = failing_queue(context, &queue);
    status = status == PZ_OK ? furnish(queue, firsts[_i]) : status;
    status = status == PZ_OK ? read_value(data) : status;
    done = failing_calls() < n;
    failing_at(0);
    if (status != PZ_OK) {
      failures += 1;
      expect_clear(n, status);
    }
    close_all();
    nothing_left(n, 0);
    ck_assert_msg(n < MOST_CALLS, "no end of calls");
  }
  ck_assert_uint_gt(failures, 10);
  fprintf(stderr, "%s, first read: %u failures\n", firsts[_i], failures);
}
END_TEST

/* A device that offers no float64 is given none, and goes on in float32. */
START_TEST(test_without_float64)
{
  static float narrow[COUNT];
  static double wide[COUNT];
  const pz_tensor weight = pz_host_tensor(PZ_F64, wide, 3, shape);
  const pz_spec spec = pz_spec_of(&weight);
  pz_chain* chain = NULL;
  pz_state* state = NULL;
  (void)failing_single(true);
  context = test_context();
  ck_assert_ok(failing_queue(context, &queue));
  ck_assert_ok(furnish(queue, lists[0]));
  ck_assert_fails(pz_module_add(module, "wide", PZ_BUFFER, &weight), PZ_UNSUPPORTED,
                  "\"wide\": found float64, which device opencl:0 has not");
  ck_assert_fails(pz_module_to_dtype(module, PZ_F64), PZ_UNSUPPORTED, "found float64");
  ck_assert_ok(pz_chain_new(context, "skew", NULL, 0, PZ_FROM_TENSOR, &spec, 1, &chain));
  ck_assert_fails(pz_state_new(chain, queue, &state), PZ_UNSUPPORTED, "found float64");
  ck_assert_ptr_null(state);
  ck_assert_ok(read_value(narrow));
  pz_chain_free(chain);
  close_all();
  nothing_left(0, 0);
  (void)failing_single(false);
}
END_TEST

int
main(const int argc, char** const argv)
{
  const char* const reason = failing_open();
  if (reason) {
    printf("1..0 # SKIP %s\n", reason);
    return EXIT_SUCCESS;
  }
  TCase* const t = tcase_create(failing_device);
  tcase_set_timeout(t, 0.0);
  tcase_add_loop_test(t, test_steps, 0, STEPS * (int)(sizeof(lists) / sizeof(lists[0])));
  tcase_add_loop_test(t, test_first_read, 0, argc > 1 && strcmp(argv[1], "all") == 0 ? 3 : 1);
  test_add_or_skip(t, test_without_float64,
                   failing_single(false) ? NULL : "every device has float64");
  return test_main_case(t);
}
