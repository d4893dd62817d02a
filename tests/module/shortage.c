/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Threads with small stacks; and the cpu backend in hundreds of threads at once, and in processes with
   little address space. */

#include <host_tensor.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Frames are larger under a sanitizer, which also reserves address space of its own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STACK_FACTOR = 8, SANITIZED = 1 };
#else
enum { STACK_FACTOR = 1, SANITIZED = 0 };
#endif

static pz_context* context;
static uint64_t seed;

static const char* const chains[] = {"skew,cayley", "skew,matrix_exp", "orthogonal",
                                     "symmetric,matrix_exp"};
static const int64_t orders[] = {3, 33, 100, 300};
static const size_t stacks[] = {128, 1024, 2048}; /* KiB */
enum {
  N_CHAINS = sizeof(chains) / sizeof(chains[0]),
  N_ORDERS = sizeof(orders) / sizeof(orders[0]),
  N_STACKS = sizeof(stacks) / sizeof(stacks[0]),
};

/* A training of one matrix in a thread. */
typedef struct training {
  pthread_t thread;
  const char* device;
  const char* text;
  const char* file;           /* where to save it, to load it again and to remove it, or NULL */
  pz_tensor start;            /* normal */
  pz_tensor far;              /* what the original becomes for cayley: inverses then need pivots */
  pz_tensor values;           /* where values are read into: three matrices */
  pthread_barrier_t* barrier; /* where to wait before the first step, or NULL */
  pz_status status;
  char message[256];
} training;

static training
training_of(const char* const text, const uint32_t dtype, const int64_t n)
{
  const pz_spec square = {.ndim = 2, .dtype = dtype, .shape = {n, n}};
  const pz_spec values = {.ndim = 2, .dtype = dtype, .shape = {3 * n, n}};
  const training t = {
      .device = "cpu",
      .text = text,
      .start = host_normal(&square, &seed, 1.0 / sqrt((double)n)),
      .far = host_normal(&square, &seed, 1.0),
      .values = host_zeros(&values),
  };
  return t;
}

/* Reads the value into place k. */
static pz_status
read_value(const training* const t, pz_module* const m, const int k)
{
  pz_tensor to = t->start;
  const size_t bytes = host_bytes(&t->start);
  to.data = (char*)t->values.data + (size_t)k * bytes;
  to.byte_offset = 0;
  return pz_module_read(m, "weight", &to);
}

/* Registers, computes values and a gradient, assigns, samples. */
static pz_status
run_steps(const training* const t, pz_module* const m)
{
  pz_tensor value = t->start;
  value.data = t->values.data;
  PZ_TRY(pz_module_add(m, "weight", PZ_PARAMETER, &t->start));
  PZ_TRY(pz_register_parametrization(m, "weight", t->text, NULL));
  PZ_TRY(read_value(t, m, 0));
  if (strcmp(t->text, "skew,cayley") == 0) {
    PZ_TRY(pz_module_set(m, "parametrizations.weight.original", &t->far));
  }
  PZ_TRY(read_value(t, m, 1));
  PZ_TRY(pz_module_backward(m, "weight", &t->start));
  PZ_TRY(pz_module_set(m, "weight", &value));
  PZ_TRY(pz_module_sample(m, "weight"));
  return read_value(t, m, 2);
}

static pz_status
save_and_load(const training* const t, pz_module* const m)
{
  pz_file* file = NULL;
  pz_module* other = NULL;
  PZ_TRY(pz_module_save(m, t->file, NULL));
  PZ_TRY(pz_file_open(t->file, &file));
  pz_status status = pz_module_load(m, file, NULL);
  if (status == PZ_OK) {
    status = pz_module_from_file(context, pz_module_queue(m), file, NULL, NULL, &other);
  }
  if (status == PZ_OK) {
    status = pz_module_bake(other);
  }
  pz_module_free(other);
  pz_file_close(file);
  (void)remove(t->file);
  return status;
}

static pz_status
train_on_device(const training* const t)
{
  pz_queue* queue = NULL;
  pz_module* m = NULL;
  PZ_TRY(pz_queue_open(context, t->device, NULL, &queue));
  pz_status status = pz_module_new(context, queue, "Linear", &m);
  if (status == PZ_OK) {
    status = run_steps(t, m);
  }
  if (status == PZ_OK && t->file) {
    status = save_and_load(t, m);
  }
  pz_module_free(m);
  pz_queue_close(queue);
  return status;
}

static void*
train(void* const user)
{
  training* const t = user;
  if (t->barrier) {
    pthread_barrier_wait(t->barrier);
  }
  t->status = train_on_device(t);
  snprintf(t->message, sizeof(t->message), "%s", pz_error_message());
  return NULL;
}

static void
start(training* const t, const size_t kibibytes)
{
  pthread_attr_t attributes;
  ck_assert_int_eq(pthread_attr_init(&attributes), 0);
  ck_assert_int_eq(pthread_attr_setstacksize(&attributes, STACK_FACTOR * (kibibytes << 10)), 0);
  ck_assert_int_eq(pthread_create(&t->thread, &attributes, train, t), 0);
  pthread_attr_destroy(&attributes);
}

static void
finish(training* const t)
{
  pthread_join(t->thread, NULL);
  ck_assert_msg(t->status == PZ_OK, "%s of %lld: %s: %s", t->text, (long long)t->start.shape[0],
                pz_status_text(t->status), t->message);
}

/* BLAS with as many threads as it likes keeps their jobs on the stack of the caller. */
START_TEST(small_stacks_are_enough)
{
  ck_assert_int_eq(setenv("OPENBLAS_NUM_THREADS", "2", 1), 0);
  for (int k = 0; k < N_CHAINS * N_ORDERS; ++k) {
    training t = training_of(chains[k % N_CHAINS], k % 2 ? PZ_F64 : PZ_F32, orders[k / N_CHAINS]);
    t.file = "shortage.safetensors";
    start(&t, stacks[_i]);
    finish(&t);
  }
}
END_TEST

/* The reference has no Schur form, so it cannot assign to skew,matrix_exp. */
START_TEST(small_stacks_are_enough_for_the_reference)
{
  static const char* const texts[] = {"skew,cayley", "symmetric,matrix_exp"};
  for (int k = 0; k < 4; ++k) {
    training t = training_of(texts[k % 2], k % 2 ? PZ_F64 : PZ_F32, orders[k / 2]);
    t.device = "reference";
    t.file = "shortage.safetensors";
    start(&t, stacks[0]);
    finish(&t);
  }
}
END_TEST

/* Of hundreds of threads each gets what it gets alone; those with even numbers need LAPACK. */
START_TEST(hundreds_of_threads_are_served)
{
  enum { MOST = 300 };
  static const struct {
    int threads;
    const char* of_blas;
  } cases[] = {{64, "1"}, {64, "2"}, {MOST, "1"}, {MOST, "2"}};
  static training all[MOST];
  const int n = cases[_i].threads;
  pthread_barrier_t barrier;
  training alone[2] = {training_of(chains[3], PZ_F64, 40), training_of(chains[0], PZ_F64, 100)};
  ck_assert_int_eq(setenv("OPENBLAS_NUM_THREADS", cases[_i].of_blas, 1), 0);
  ck_assert_int_eq(pthread_barrier_init(&barrier, NULL, (unsigned)n), 0);
  for (int k = 0; k < 2; ++k) {
    start(&alone[k], 2048);
    finish(&alone[k]);
  }
  for (int k = 0; k < n; ++k) {
    all[k] = alone[k % 2];
    const int64_t order = all[k].start.shape[0];
    const pz_spec values = {.ndim = 2, .dtype = PZ_F64, .shape = {3 * order, order}};
    all[k].values = host_zeros(&values);
    all[k].barrier = &barrier;
    start(&all[k], 128);
  }
  for (int k = 0; k < n; ++k) {
    pz_tensor mine = all[k].start;
    pz_tensor expected = mine;
    finish(&all[k]);
    mine.data = all[k].values.data; /* the value; samples depend on the module */
    expected.data = alone[k % 2].values.data;
    ck_assert_double_le(host_distance(&mine, &expected), 1e-9 * host_scale(&expected));
  }
  pthread_barrier_destroy(&barrier);
}
END_TEST

/* Trains within little address space. Returns 0 if all went well: eigenvalues without LAPACK are slower,
   a Schur form without it is refused with a message. */
static int
live_within(const rlim_t mebibytes, const training* const all, const int n)
{
  const struct rlimit limit = {mebibytes << 20, mebibytes << 20};
  alarm(30); /* ends a hang */
  if (setrlimit(RLIMIT_AS, &limit) != 0) {
    return 1;
  }
  for (int k = 0; k < n; ++k) {
    const bool may_fail = strstr(all[k].text, "matrix_exp") && !strstr(all[k].text, "symmetric");
    const pz_status status = train_on_device(&all[k]);
    const char* const message = pz_error_message();
    if (status != PZ_OK &&
        !(may_fail && strstr(message, "no Schur form: no LAPACK: ") && !strchr(message, '\n'))) {
      fprintf(stderr, "%s: %s\n", all[k].text, message);
      return 2 + k;
    }
  }
  return 0;
}

/* OpenBLAS maps 128 MiB for every thread, tries for ever where it cannot, and raises SIGINT where it
   cannot start its threads. */
START_TEST(address_space_may_be_short)
{
  static const char* const threads[] = {"1", "2", "8"};
  training all[N_CHAINS + 1];
  for (int k = 0; k < N_CHAINS; ++k) {
    all[k] = training_of(chains[k], PZ_F64, 40);
  }
  all[N_CHAINS] = training_of("matrix_exp", PZ_F64, 40);
  ck_assert_int_eq(setenv("OPENBLAS_NUM_THREADS", threads[_i], 1), 0);
  for (rlim_t mebibytes = 60; mebibytes <= 600; mebibytes += 45) {
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
      _exit(live_within(mebibytes, all, N_CHAINS + 1));
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(status == 0, "%lld MiB, %s threads: found status %#x", (long long)mebibytes,
                  threads[_i], (unsigned)status);
  }
}
END_TEST

static void
setup(void)
{
  seed = test_seed();
  context = test_context();
}

static void
teardown(void)
{
  pz_context_free(context);
  host_free();
}

int
main(void)
{
  const char* const missing = test_device_missing("cpu");
  TCase* const tcase = tcase_create("shortage");
  tcase_add_checked_fixture(tcase, setup, teardown);
  tcase_add_test(tcase, small_stacks_are_enough_for_the_reference);
  if (missing) {
    test_add_or_skip(tcase, small_stacks_are_enough, missing);
    return test_main_case(tcase);
  }
  tcase_add_loop_test(tcase, small_stacks_are_enough, 0, N_STACKS);
  tcase_add_loop_test(tcase, hundreds_of_threads_are_served, 0, 4);
  if (SANITIZED) {
    test_add_or_skip(tcase, address_space_may_be_short, "a sanitizer reserves address space");
  } else {
    tcase_add_loop_test(tcase, address_space_may_be_short, 0, 3);
  }
  return test_main_case(tcase);
}
