/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The CUDA backend on the double: everything that can fail made to, one call after the other.
   Run with the double's folder in LD_LIBRARY_PATH; each mode is a process, since a library is
   opened once.

   usage: test-cuda failing|pools|older|absent */

#include <support.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 2, N = 40, COUNT = BATCH * N * N };

static void (*fail_at)(long n);
static long (*calls)(void);
static long (*alive)(void);

static void
find(void* const library, const char* const name, void* const function)
{
  void* const symbol = library ? dlsym(library, name) : NULL;
  ck_assert_msg(symbol != NULL, "the double has no %s", name);
  memcpy(function, &symbol, sizeof(symbol));
}

static void
open_double(void)
{
  void* const library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  find(library, "cuda_double_fail_at", &fail_at);
  find(library, "cuda_double_calls", &calls);
  find(library, "cuda_double_alive", &alive);
}

static pz_tensor
host(float* const data)
{
  static const int64_t shape[] = {BATCH, N, N};
  return pz_host_tensor(PZ_F32, data, 3, shape);
}

static void
fill(float* const data, const double scale)
{
  uint64_t random = 7;
  test_fill_normal(&random, PZ_F32, COUNT, scale, data);
}

static pz_module*
module_on(pz_context* const context, const char* const device, const char* const list)
{
  static float start[COUNT];
  pz_module* module = NULL;
  fill(start, 0.02);
  const pz_tensor weight = host(start);
  ck_assert_ok(pz_module_new(context, device, "Linear", &module));
  ck_assert_ok(pz_module_add(module, "weight", PZ_PARAMETER, &weight));
  ck_assert_ok(pz_register_parametrization(module, "weight", list, 0));
  return module;
}

static void
read_value(pz_module* const module, float* const out)
{
  const pz_tensor to = host(out);
  ck_assert_ok(pz_module_read(module, "weight", &to));
}

static pz_status
step(pz_module* const module, const int what, float* const data)
{
  const pz_tensor tensor = host(data);
  switch (what) {
  case 0:
    ck_assert_ok(pz_module_touch(module, "weight"));
    return pz_module_read(module, "weight", &tensor);
  case 1:
    return pz_module_set(module, "weight", &tensor);
  default:
    return pz_module_to(module, "reference");
  }
}

/* Reads, assignments and moves, with the n-th call failing for every n until none fails: a
   status with its message, the value as it was, and in the end nothing left alive. Module and
   context are new for each, so that opening and compiling fail too. */
static void
fail_everywhere(const char* const list, const int what)
{
  static float before[COUNT];
  static float after[COUNT];
  static float data[COUNT];
  unsigned failures = 0;
  bool done = false;
  for (long n = 1; !done; ++n) {
    pz_context* const context = test_context();
    pz_module* const module = module_on(context, "cuda:0", list);
    read_value(module, before);
    memcpy(data, before, sizeof(data));
    fail_at(n);
    const pz_status status = step(module, what, data);
    done = calls() < n;
    fail_at(0);
    if (status != PZ_OK) {
      failures += 1;
      ck_assert_msg(strlen(pz_error_message()) > 0, "call %ld: no message", n);
      ck_assert_msg(status == PZ_NO_MEMORY || status == PZ_DEVICE, "call %ld: status %d, %s", n,
                    (int)status, pz_error_message());
      ck_assert_ok(pz_module_touch(module, "weight")); /* a failed read is remembered */
      read_value(module, after);
      ck_assert_msg(memcmp(before, after, sizeof(before)) == 0, "call %ld: the value changed", n);
    }
    ck_assert_msg(n < 5000, "no end of calls");
    pz_module_free(module);
    pz_context_free(context);
    ck_assert_msg(alive() == 0, "call %ld: %ld things left", n, alive());
  }
  ck_assert_uint_gt(failures, 1);
  fprintf(stderr, "%s, step %d: %u failures\n", list, what, failures);
}

START_TEST(test_failing)
{
  static const char* const lists[] = {"skew,cayley", "symmetric,matrix_exp"};
  open_double();
  fail_everywhere(lists[_i / 3], _i % 3);
}
END_TEST

/* Opening, compiling and the first read, which is where libraries and programs are made. */
START_TEST(test_opening)
{
  static float data[COUNT];
  unsigned failures = 0;
  bool done = false;
  open_double();
  for (long n = 1; !done; ++n) {
    pz_context* const context = test_context();
    pz_module* module = NULL;
    fill(data, 0.02);
    const pz_tensor weight = host(data);
    fail_at(n);
    pz_status status = pz_module_new(context, "cuda:0", "Linear", &module);
    status = status == PZ_OK ? pz_module_add(module, "weight", PZ_PARAMETER, &weight) : status;
    status =
        status == PZ_OK ? pz_register_parametrization(module, "weight", "skew,cayley", 0) : status;
    status = status == PZ_OK ? pz_module_read(module, "weight", &weight) : status;
    done = calls() < n;
    fail_at(0);
    failures += status != PZ_OK;
    ck_assert_msg(status == PZ_OK || strlen(pz_error_message()) > 0, "call %ld: no message", n);
    ck_assert_msg(n < 5000, "no end of calls");
    pz_module_free(module);
    pz_context_free(context);
    ck_assert_msg(alive() == 0, "call %ld: %ld things left", n, alive());
  }
  ck_assert_uint_gt(failures, 10);
}
END_TEST

/* Without memory pools, or on a device newer than NVRTC: the same values. */
START_TEST(test_same_value)
{
  static float here[COUNT];
  static float there[COUNT];
  pz_context* const context = test_context();
  pz_module* const module = module_on(context, "cuda:0", "skew,cayley");
  open_double();
  read_value(module, there);
  ck_assert_ok(pz_module_to(module, "reference"));
  ck_assert_ok(pz_module_touch(module, "weight"));
  read_value(module, here);
  for (int k = 0; k < COUNT; ++k) {
    ck_assert_float_eq_tol(here[k], there[k], 1e-4F);
  }
  pz_module_free(module);
  pz_context_free(context);
  ck_assert_int_eq(alive(), 0);
}
END_TEST

/* What the driver says stands in the list of devices; everything else goes on. */
START_TEST(test_absent)
{
  pz_context* const context = test_context();
  pz_queue* queue = NULL;
  ck_assert_int_eq(pz_queue_open(context, "cuda:0", &queue), PZ_DEVICE);
  ck_assert_ptr_nonnull(strstr(pz_error_message(), "no device: "));
  ck_assert_ptr_nonnull(strstr(pz_error_message(), getenv("TEST_REASON")));
  ck_assert_ok(pz_queue_open(context, "reference", &queue));
  pz_queue_close(queue);
  pz_context_free(context);
}
END_TEST

int
main(const int argc, char** const argv)
{
  const char* const mode = argc > 1 ? argv[1] : "";
  Suite* const suite = suite_create("cuda");
  TCase* const t = tcase_create(mode);
  tcase_set_timeout(t, 0.0);
  if (strcmp(mode, "failing") == 0) {
    tcase_add_loop_test(t, test_failing, 0, 6);
    tcase_add_test(t, test_opening);
  } else if (strcmp(mode, "absent") == 0) {
    tcase_add_test(t, test_absent);
  } else {
    tcase_add_test(t, test_same_value);
  }
  suite_add_tcase(suite, t);
  return test_main(suite);
}
