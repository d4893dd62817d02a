/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A training step on an accelerator, in place: its own kernel on the module's queue. And what a
   program that takes the device for the host gets to read: one line. */

#include "device.h"

#include <parametrize/kernel.h>

#include <float.h>
#include <math.h>
#include <stdio.h>

#define ORIGINAL "parametrizations.weight.original"

enum { N = 24 };

static const int64_t shape[] = {N, N};

/* x <- x - rate g, m <- m + g g */
// clang-format off
PZ_KERNEL(descend, 3, 1, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, g);
  PZ_TENSOR_ARG(2, m);
  PZ_REAL_ARG(0, rate);
  x[i] = x[i] - rate * g[i];
  m[i] = m[i] + g[i] * g[i];
)
// clang-format on

/* "weight", orthogonal, and the buffer "moments" of zeros. */
static pz_module*
new_module(pz_context* const context, pz_queue* const queue, const float* const start)
{
  static float zeros[N * N];
  const pz_tensor weight = pz_host_tensor(PZ_F32, (void*)(uintptr_t)start, 2, shape);
  const pz_tensor moments = pz_host_tensor(PZ_F32, zeros, 2, shape);
  pz_module* m = NULL;
  ck_assert_ok(pz_module_new(context, queue, "Linear", &m));
  ck_assert_ok(pz_module_add(m, "weight", PZ_PARAMETER, &weight));
  ck_assert_ok(pz_module_add(m, "moments", PZ_BUFFER, &moments));
  ck_assert_ok(pz_register_parametrization(m, "weight", "skew,cayley", NULL));
  return m;
}

/* One step on `queue`, for the loss <weight, toward>. */
static void
step(pz_module* const m, pz_queue* const queue, const pz_tensor* const toward)
{
  pz_tensor value;
  pz_tensor x;
  pz_tensor g;
  pz_tensor moments;
  ck_assert_ok(pz_module_get(m, "weight", &value));
  ck_assert_ok(pz_module_zero_gradients(m));
  ck_assert_ok(pz_module_backward(m, "weight", toward));
  ck_assert_ok(pz_module_gradient(m, ORIGINAL, &g));
  ck_assert_ok(pz_module_edit(m, ORIGINAL, &x));
  ck_assert_ok(pz_module_edit(m, "moments", &moments));
  ck_assert_ok(
      pz_queue_launch(queue, &descend, N * N, PZ_TENSORS(&x, &g, &moments), PZ_REALS(0.01), NULL));
  ck_assert_ok(pz_module_commit(m, "moments"));
  ck_assert_ok(pz_module_commit(m, ORIGINAL));
}

/* Trains on a device; the value, the gradient and the moments, to be freed. */
static float*
train(pz_queue* const home, pz_queue* const queue, const float* const start,
      const float* const toward)
{
  float* const out = calloc(3 * N * N, sizeof(float));
  ck_assert_ptr_nonnull(out);
  pz_module* const m = new_module(device_context, home, start);
  const pz_tensor wish = pz_host_tensor(PZ_F32, (void*)(uintptr_t)toward, 2, shape);
  const pz_tensor value = pz_host_tensor(PZ_F32, out, 2, shape);
  const pz_tensor gradient = pz_host_tensor(PZ_F32, out + N * N, 2, shape);
  const pz_tensor moments = pz_host_tensor(PZ_F32, out + 2 * N * N, 2, shape);
  ck_assert_ptr_eq(pz_module_queue(m), home);
  for (int k = 0; k < 5; ++k) {
    step(m, queue, &wish);
  }
  ck_assert_ok(pz_module_read(m, "weight", &value));
  ck_assert_ok(pz_module_read_gradient(m, ORIGINAL, &gradient));
  ck_assert_ok(pz_module_read(m, "moments", &moments));
  pz_module_free(m);
  return out;
}

START_TEST(steps_are_those_of_the_reference)
{
  pz_queue* second = NULL;
  float* const start = life_normal(2 * N * N, 0.2);
  float* const expected = train(reference_queue, reference_queue, start, start + N * N);
  float* const found = train(device_queue, device_queue, start, start + N * N);
  ck_assert_ok(pz_queue_open(device_context, device_name, NULL, &second));
  float* const ordered = train(device_queue, second, start, start + N * N);
  for (int k = 0; k < 3; ++k) {
    // c n eps: five steps, each with an inverse of condition below 10
    ck_assert_double_le(test_relative(PZ_F32, found + k * N * N, expected + k * N * N, N * N),
                        1000.0 * N * FLT_EPSILON);
  }
  ck_assert_mem_eq(ordered, found, 3 * N * N * sizeof(float));
  pz_queue_close(second);
  free(start);
  free(expected);
  free(found);
  free(ordered);
}
END_TEST

/* A context that is made as most are. */
static pz_context*
plain_context(pz_queue** const queue)
{
  pz_context* context = NULL;
  const pz_context_settings settings = {.size = sizeof(settings)};
  ck_assert_ok(pz_context_new(&settings, &context));
  ck_assert_ok(pz_queue_open(context, device_name, NULL, queue));
  return context;
}

static void
check_one_line(void)
{
  ck_assert_ptr_null(strchr(pz_error_message(), '\n'));
  ck_assert_ptr_nonnull(strstr(pz_error_message(), device_name));
}

#define ck_assert_not_shown(call)                               \
  do {                                                          \
    ck_assert_fails(call, PZ_UNSUPPORTED, "is no host memory"); \
    check_one_line();                                           \
  } while (0)

START_TEST(addresses_of_the_device_are_no_host_pointers)
{
  pz_queue* queue = NULL;
  pz_slot* slot = NULL;
  pz_context* const context = plain_context(&queue);
  float* const start = life_normal(N * N, 0.2);
  pz_module* const m = new_module(context, queue, start);
  pz_tensor out = pz_host_tensor(PZ_F32, start, 2, shape);
  const pz_tensor before = out;
  ck_assert_ok(pz_module_slot(m, "weight", &slot));
  ck_assert_not_shown(pz_module_get(m, "weight", &out));
  ck_assert_not_shown(pz_slot_get(slot, &out));
  ck_assert_not_shown(pz_module_get(m, "moments", &out));
  ck_assert_not_shown(pz_module_edit(m, ORIGINAL, &out));
  ck_assert_not_shown(pz_module_gradient(m, ORIGINAL, &out));
  ck_assert_mem_eq(&out, &before, sizeof(out));
  ck_assert_fails(pz_module_commit(m, ORIGINAL), PZ_INVALID, "not open");

  /* what copies is as on the host */
  ck_assert_ok(pz_module_read(m, "weight", &out));
  ck_assert_ok(pz_module_backward(m, "weight", &out));
  ck_assert_ok(pz_module_read_gradient(m, ORIGINAL, &out));
  ck_assert_ok(pz_module_set(m, ORIGINAL, &out));
  pz_module_free(m);

  const pz_spec spec = pz_spec_make(PZ_F32, 2, shape);
  pz_chain* chain = NULL;
  pz_state* state = NULL;
  pz_eval* eval = NULL;
  ck_assert_ok(pz_chain_new(context, "skew", NULL, 0, PZ_FROM_TENSOR, &spec, 1, &chain));
  ck_assert_ok(pz_state_new(chain, queue, &state));
  ck_assert_ok(pz_eval_new(chain, queue, &eval));
  ck_assert_not_shown(pz_state_tensor(state, PZ_ORIGINAL, 0, &out));
  ck_assert_not_shown(pz_eval_forward(eval, state, 0, NULL, &out));
  ck_assert_ok(pz_eval_forward(eval, state, 0, &out, NULL));
  pz_eval_free(eval);
  pz_state_free(state);
  pz_chain_free(chain);
  pz_queue_close(queue);
  pz_context_free(context);
  free(start);
}
END_TEST

START_TEST(wrong_steps_are_refused_in_one_line)
{
  pz_tensor out;
  float* const start = life_normal(N * N, 0.2);
  pz_module* const m = new_module(device_context, device_queue, start);
  const pz_tensor host = pz_host_tensor(PZ_F32, start, 2, shape);

  ck_assert_fails(pz_module_backward(m, "weight", &host), PZ_STALE, "read");
  ck_assert_fails(pz_module_read_gradient(m, ORIGINAL, &host), PZ_INVALID,
                  "\"" ORIGINAL "\": found no gradient yet, expected a backward before");
  ck_assert_fails(pz_module_read_gradient(m, "moments", &host), PZ_INVALID, "a buffer");
  ck_assert_fails(pz_module_read_gradient(m, "weight", &host), PZ_INVALID, "unlike its originals");

  ck_assert_ok(pz_module_gradient(m, ORIGINAL, &out)); /* zeros, to be written */
  ck_assert_ok(pz_module_read_gradient(m, ORIGINAL, &host));
  ck_assert_float_eq(start[N * N / 2], 0.0F);
  ck_assert_ok(pz_module_edit(m, ORIGINAL, &out));
  ck_assert_fails(pz_module_edit(m, ORIGINAL, &out), PZ_INVALID, "open for writing already");
  ck_assert_fails(pz_module_read(m, "weight", &host), PZ_INVALID, "open for writing");
  ck_assert_fails(pz_module_read_gradient(m, ORIGINAL, &out), PZ_MISMATCH, "expected host memory");

  const double rate[] = {0.0};
  const pz_tensor* tensors[] = {&out, &out, &out};
  char found[96];
  (void)snprintf(found, sizeof(found), "launch of descend: tensor 0: found on %s, expected",
                 pz_queue_device(device_queue, NULL));
  ck_assert_fails(pz_queue_launch(reference_queue, &descend, N * N, tensors, rate, NULL),
                  PZ_MISMATCH, found);
  tensors[2] = &host;
  ck_assert_fails(pz_queue_launch(device_queue, &descend, N * N, tensors, rate, NULL), PZ_MISMATCH,
                  "launch of descend: tensor 2: found on the host, expected on");
  check_one_line();
  ck_assert_ok(pz_module_commit(m, ORIGINAL));
  ck_assert_ok(pz_module_read(m, "weight", &host));

  pz_context* const other = test_context();
  pz_module* none = NULL;
  ck_assert_fails(pz_module_new(other, device_queue, NULL, &none), PZ_INVALID,
                  "found a queue of another context");
  pz_queue* queue = NULL;
  ck_assert_ok(pz_queue_open(other, device_name, NULL, &queue));
  pz_module* const stranger = new_module(other, queue, start);
  ck_assert_fails(pz_module_add_child(m, "child", stranger), PZ_MISMATCH,
                  "a child of another context");
  ck_assert_fails(pz_module_to(m, queue), PZ_INVALID, "a queue of another context");
  pz_module_free(stranger);
  pz_queue_close(queue);
  pz_context_free(other);
  pz_module_free(m);
  free(start);
}
END_TEST

TCase*
steps_case(void)
{
  TCase* const t = tcase_create("steps");
  tcase_add_checked_fixture(t, device_start, device_finish);
  tcase_add_test(t, steps_are_those_of_the_reference);
  tcase_add_test(t, addresses_of_the_device_are_no_host_pointers);
  tcase_add_test(t, wrong_steps_are_refused_in_one_line);
  return t;
}
