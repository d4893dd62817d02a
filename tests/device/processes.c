/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A device in processes: opened first by many threads at once, and inherited by fork. This program
   itself opens no device; each test does so in a child.

   usage: device-processes DEVICE */

#include <support.h>

#include <parametrize/kernel.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char* device;

/* Runs a part of a test in a child, which ends it with a line on standard error and false. */
static void
expect_child(bool (*const part)(void))
{
  const pid_t child = fork();
  int status = 0;
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    (void)alarm(120); /* ends a hang */
    _exit(part() ? 0 : 1);
  }
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %s %d",
                WIFEXITED(status) ? "status" : "signal",
                WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

/* In a child, where nothing of the test library may be used. */
#define EXPECT(condition)                                                                     \
  do {                                                                                        \
    if (!(condition)) {                                                                       \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, pz_error_message()); \
      return false;                                                                           \
    }                                                                                         \
  } while (0)

/* ---- many threads ----------------------------------------------------------------- */

enum { THREADS = 8 };

static pthread_barrier_t barrier;

/* Opens the device in one of three ways, in a context of its own. */
static void*
open_first(void* const user)
{
  /* The double of CUDA runs on PoCL, and a list of all devices would open that a second time. */
  const char* const all[] = {device, "auto", NULL};
  const char* const name = strncmp(device, "cuda", 4) == 0 ? device : all[*(const int*)user % 3];
  const pz_context_settings settings = {.size = sizeof(settings), .devices = device};
  pz_device_report report = {.size = sizeof(report)};
  pz_context* context = NULL;
  pz_queue* queue = NULL;
  pz_status status = pz_context_new(&settings, &context);
  (void)pthread_barrier_wait(&barrier);
  if (status == PZ_OK) {
    status =
        name ? pz_queue_open(context, name, NULL, &queue) : pz_context_device(context, 0, &report);
  }
  pz_queue_close(queue);
  pz_context_free(context);
  return status == PZ_OK ? NULL : user;
}

static bool
open_at_once(void)
{
  pthread_t threads[THREADS];
  int number[THREADS];
  bool good = pthread_barrier_init(&barrier, NULL, THREADS) == 0;
  for (int k = 0; k < THREADS; ++k) {
    number[k] = k;
    good = pthread_create(&threads[k], NULL, open_first, &number[k]) == 0 && good;
  }
  for (int k = 0; k < THREADS; ++k) {
    void* failed = NULL;
    good = pthread_join(threads[k], &failed) == 0 && !failed && good;
  }
  return good;
}

START_TEST(many_threads_open_the_first_queue)
{
  for (int k = 0; k < 5; ++k) {
    expect_child(open_at_once);
  }
}
END_TEST

/* ---- fork ------------------------------------------------------------------------------ */

enum { N = 40 };

// clang-format off
PZ_KERNEL(negate, 1, 0, 0,
  PZ_TENSOR_ARG(0, x);
  x[i] = -x[i];
)
// clang-format on

static pz_context* context;
static pz_queue* queue;
static pz_module* module;
static pz_event* event;
static float value[N * N];
static const int64_t shape[] = {N, N};

static bool
open_module(const char* const name)
{
  float x[N * N];
  uint64_t random = 7;
  test_fill_normal(&random, PZ_F32, N * N, 0.1, x);
  const pz_tensor host = pz_host_tensor(PZ_F32, x, 2, shape);
  const pz_tensor out = pz_host_tensor(PZ_F32, value, 2, shape);
  const pz_context_settings settings = {.size = sizeof(settings), .flags = PZ_DEVICE_TENSORS};
  EXPECT(pz_context_new(&settings, &context) == PZ_OK);
  EXPECT(pz_queue_open(context, name, NULL, &queue) == PZ_OK);
  EXPECT(pz_module_new(context, queue, NULL, &module) == PZ_OK);
  EXPECT(pz_module_add(module, "weight", PZ_PARAMETER, &host) == PZ_OK);
  EXPECT(pz_register_parametrization(module, "weight", "skew,cayley", NULL) == PZ_OK);
  EXPECT(pz_module_read(module, "weight", &out) == PZ_OK);
  EXPECT(pz_module_backward(module, "weight", &out) == PZ_OK);
  EXPECT(pz_queue_record(queue, &event) == PZ_OK);
  return true;
}

static void
close_module(void)
{
  pz_event_free(event);
  pz_module_free(module);
  pz_queue_close(queue);
  pz_context_free(context);
}

/* Everything else on the device is refused at once, by name; all of it can be freed. */
static bool
use_inherited_device(void)
{
  float x[N * N];
  pz_tensor out = pz_host_tensor(PZ_F32, x, 2, shape);
  pz_tensor own;
  pz_event* another = NULL;
  pz_queue* opened = NULL;
  pz_module* copy = NULL;
  const char* const weight = "parametrizations.weight.original";
  EXPECT(pz_module_touch(module, weight) == PZ_OK);
  EXPECT(pz_module_read(module, "weight", &out) == PZ_DEVICE);
  EXPECT(strstr(pz_error_message(), "opened before fork") && strstr(pz_error_message(), device));
  EXPECT(pz_module_get(module, "weight", &own) == PZ_DEVICE);
  EXPECT(pz_module_get(module, weight, &own) == PZ_OK); /* computes nothing */
  EXPECT(pz_queue_download(queue, &own, &out) == PZ_DEVICE);
  EXPECT(pz_queue_launch(queue, &negate, N * N, PZ_TENSORS(&own), NULL, NULL) == PZ_DEVICE);
  EXPECT(pz_module_read_gradient(module, weight, &out) == PZ_DEVICE);
  EXPECT(strstr(pz_error_message(), "opened before fork"));
  EXPECT(pz_module_set(module, weight, &out) == PZ_DEVICE);
  EXPECT(pz_module_copy(module, &copy) == PZ_DEVICE);
  EXPECT(pz_queue_synchronize(queue) == PZ_DEVICE);
  EXPECT(pz_queue_record(queue, &another) == PZ_DEVICE);
  EXPECT(pz_queue_wait(queue, event) != PZ_INVALID);
  EXPECT(pz_queue_open(context, device, NULL, &opened) != PZ_OK && !opened);
  EXPECT(strstr(pz_error_message(), "before fork"));
  pz_context* fresh = NULL;
  EXPECT(pz_context_new(NULL, &fresh) == PZ_OK);
  EXPECT(pz_queue_open(fresh, device, NULL, &opened) != PZ_OK);
  EXPECT(pz_queue_open(fresh, "auto", NULL, &opened) == PZ_OK); /* the host's */
  EXPECT(strncmp(pz_queue_device(opened, NULL), device, strlen(device)) != 0);
  pz_queue_close(opened);
  pz_context_free(fresh);
  close_module();
  return true;
}

/* The child runs while the parent lives, and the parent goes on afterwards. */
static bool
wait_for(bool (*const part)(void))
{
  const pid_t child = fork();
  int status = 0;
  EXPECT(child >= 0);
  if (child == 0) {
    (void)alarm(60);
    _exit(part() ? 0 : 1);
  }
  EXPECT(waitpid(child, &status, 0) == child);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  return true;
}

static bool
same_again(void)
{
  float x[N * N];
  const pz_tensor out = pz_host_tensor(PZ_F32, x, 2, shape);
  EXPECT(pz_module_touch(module, "parametrizations.weight.original") == PZ_OK);
  EXPECT(pz_module_refresh(module, 4) == PZ_OK);
  EXPECT(pz_module_read(module, "weight", &out) == PZ_OK);
  EXPECT(memcmp(x, value, sizeof(x)) == 0);
  return true;
}

static bool
fork_on_device(void)
{
  EXPECT(open_module(device) && wait_for(use_inherited_device) && same_again());
  close_module();
  return true;
}

START_TEST(children_are_refused_and_parents_go_on)
{
  expect_child(fork_on_device);
}
END_TEST

/* Host memory belongs to both: the same values, with threads of the child's own. */
static bool
fork_on_host(void)
{
  static const char* const names[] = {"reference", "cpu"};
  for (size_t k = 0; k < 2; ++k) {
    EXPECT(open_module(names[k]) && same_again() && wait_for(same_again) && same_again());
    close_module();
  }
  return true;
}

START_TEST(children_use_modules_on_the_host)
{
  expect_child(fork_on_host);
}
END_TEST

/* The device is the child's if the parent has not asked for it. */
static bool
open_in_child(void)
{
  EXPECT(open_module(device) && same_again());
  close_module();
  return true;
}

static bool
fork_before_opening(void)
{
  EXPECT(pz_context_new(NULL, &context) == PZ_OK);
  pz_context_free(context);
  return wait_for(open_in_child);
}

START_TEST(children_open_what_the_parent_did_not)
{
  expect_child(fork_before_opening);
}
END_TEST

static bool
is_missing(void)
{
  return test_device_missing(device) != NULL;
}

int
main(const int argc, char** const argv)
{
  if (argc != 2) {
    fprintf(stderr, "usage: device-processes DEVICE\n");
    return EXIT_FAILURE;
  }
  device = argv[1];
  const pid_t child = fork();
  int status = 0;
  if (child == 0) {
    _exit(is_missing());
  }
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    printf("1..0 # SKIP there is no device %s\n", device);
    return EXIT_SUCCESS;
  }
  Suite* const suite = suite_create("processes");
  TCase* const t = tcase_create(device);
  tcase_set_timeout(t, 300.0);
  tcase_add_test(t, many_threads_open_the_first_queue);
  tcase_add_test(t, children_are_refused_and_parents_go_on);
  tcase_add_test(t, children_use_modules_on_the_host);
  tcase_add_test(t, children_open_what_the_parent_did_not);
  suite_add_tcase(suite, t);
  return test_main(suite);
}
