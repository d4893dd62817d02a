/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The CUDA backend on the double as devices and drivers differ; tests/device makes its calls
   fail. Run with the double's folder in LD_LIBRARY_PATH; each mode is a process, since a
   library is opened once.

   usage: test-cuda pools|newer|absent|shortage */

#include <support.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { BATCH = 2, N = 40, COUNT = BATCH * N * N };

static long (*alive)(void);

static const int64_t shape[] = {BATCH, N, N};

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
  find(library, "cuda_double_alive", &alive);
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
  const pz_tensor weight = pz_host_tensor(PZ_F32, start, 3, shape);
  ck_assert_ok(test_module_new(context, device, "Linear", &module));
  ck_assert_ok(pz_module_add(module, "weight", PZ_PARAMETER, &weight));
  ck_assert_ok(pz_register_parametrization(module, "weight", list, NULL));
  return module;
}

static void
read_value(pz_module* const module, float* const out)
{
  const pz_tensor to = pz_host_tensor(PZ_F32, out, 3, shape);
  ck_assert_ok(pz_module_read(module, "weight", &to));
}

/* Without memory pools, or on a device newer than NVRTC: the same values. */
START_TEST(test_same_value)
{
  static float here[COUNT];
  static float there[COUNT];
  pz_context* const context = test_context();
  pz_module* const module = module_on(context, "cuda:0", "skew,cayley");
  open_double();
  read_value(module, there);
  ck_assert_ok(test_module_to(context, module, "reference"));
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
  ck_assert_int_eq(pz_queue_open(context, "cuda:0", NULL, &queue), PZ_DEVICE);
  ck_assert_ptr_nonnull(strstr(pz_error_message(), "no device: "));
  ck_assert_ptr_nonnull(strstr(pz_error_message(), getenv("TEST_REASON")));
  ck_assert_ok(pz_queue_open(context, "reference", NULL, &queue));
  pz_queue_close(queue);
  pz_context_free(context);
}
END_TEST

/* A driver that cannot be opened for lack of descriptors is looked for again. */
START_TEST(test_shortage)
{
  struct rlimit limit;
  pz_context* const context = test_context();
  pz_plugin_report report = {.size = sizeof(report)};
  pz_queue* queue = NULL;
  ck_assert_ok(pz_context_plugin(context, 0, &report)); /* opens all */
  ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
  ck_assert_int_ge(next, 0);
  ck_assert_int_eq(close(next), 0);
  const struct rlimit none = {.rlim_cur = (rlim_t)next, .rlim_max = limit.rlim_max};
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
  ck_assert_int_eq(pz_queue_open(context, "cuda:0", NULL, &queue), PZ_DEVICE);
  ck_assert_msg(strstr(pz_error_message(), getenv("TEST_REASON")) != NULL, "%s",
                pz_error_message());
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
  ck_assert_ok(pz_queue_open(context, "cuda:0", NULL, &queue));
  pz_queue_close(queue);
  pz_context_free(context);
}
END_TEST

int
main(const int argc, char** const argv)
{
  const char* const mode = argc > 1 ? argv[1] : "";
  TCase* const t = tcase_create(mode);
  tcase_set_timeout(t, 0.0);
  if (strcmp(mode, "absent") == 0) {
    tcase_add_test(t, test_absent);
  } else if (strcmp(mode, "shortage") == 0) {
    tcase_add_test(t, test_shortage);
  } else {
    tcase_add_test(t, test_same_value);
  }
  return test_main_case(t);
}
