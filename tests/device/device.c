/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What holds on any accelerator: modules move there and back, failures come late but come,
   queues keep order, and what is asked for in error is refused in one line. */

#include "device.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

enum { N = 48 };

/* ---- moving -------------------------------------------------------------------- */

START_TEST(modules_move_there_and_back)
{
  const int64_t shape[] = {N, N};
  float* const x = life_normal(N * N, 1.0 / sqrt((double)N));
  float before[N * N];
  float there[N * N];
  float after[N * N];
  const pz_tensor start = pz_host_tensor(PZ_F32, x, 2, shape);
  const pz_tensor tensors[] = {pz_host_tensor(PZ_F32, before, 2, shape),
                               pz_host_tensor(PZ_F32, there, 2, shape),
                               pz_host_tensor(PZ_F32, after, 2, shape)};
  pz_module* m = NULL;
  ck_assert_ok(pz_module_new(device_context, NULL, "Linear", &m));
  ck_assert_ok(pz_module_add(m, "weight", PZ_PARAMETER, &start));
  ck_assert_ok(pz_register_parametrization(m, "weight", "skew,cayley,pruning(p_drop=0.3)", NULL));
  ck_assert_ok(pz_module_read(m, "weight", &tensors[0]));

  ck_assert_ok(test_module_to(device_context, m, device_name));
  pz_tensor value;
  pz_device where;
  (void)pz_queue_device(device_queue, &where);
  ck_assert_ok(pz_module_get(m, "weight", &value));
  ck_assert_int_eq(value.device.type, where.type);
  ck_assert_int_eq(value.device.id, where.id);
  ck_assert_ok(pz_module_read(m, "weight", &tensors[1]));
  ck_assert_ok(pz_module_backward(m, "weight", &start));

  ck_assert_ok(test_module_to(device_context, m, "cpu"));
  ck_assert_ok(pz_module_read(m, "weight", &tensors[2]));
  // c n eps cond: an inverse of I - X, whose condition is below 10 here
  ck_assert_double_le(test_relative(PZ_F32, there, before, N * N), 500.0 * N * FLT_EPSILON);
  ck_assert_mem_eq(after, before, sizeof(before));
  pz_module_free(m);
  free(x);
}
END_TEST

/* ---- late failures ----------------------------------------------------------------- */

/* Matrix 1 of 3 is the identity, of which I - X has no inverse. */
static void
spoil(float* const x)
{
  for (int k = 0; k < N * N; ++k) {
    x[N * N + k] = k / N == k % N ? 1.0F : 0.0F;
  }
}

START_TEST(singular_matrices_become_nan_and_a_status)
{
  life l;
  pz_tensor value;
  life_open(&l, device_queue, "cayley", 3, N);
  float* const x = life_normal(3 * N * N, 0.1 / sqrt((double)N));
  spoil(x);
  life_write(&l, x);
  ck_assert_ok(pz_eval_forward(l.eval, l.state, 0, NULL, &value));
  float* const y = life_read(&value, device_queue);
  for (int k = 0; k < 3 * N * N; ++k) {
    ck_assert_msg(isnan(y[k]) == (k / (N * N) == 1), "entry %d is %g", k, (double)y[k]);
  }
  ck_assert_fails(pz_eval_check(l.eval), PZ_SINGULAR, "matrix 1 of the batch");
  ck_assert_ok(pz_eval_check(l.eval)); /* once */

  /* and a good matrix afterwards is good */
  memset(x, 0, 3 * N * N * sizeof(*x));
  life_write(&l, x);
  ck_assert_ok(pz_eval_forward(l.eval, l.state, 0, NULL, &value));
  ck_assert_ok(pz_eval_check(l.eval));
  free(x);
  free(y);
  life_close(&l);
}
END_TEST

START_TEST(modules_report_late_failures_where_they_are_checked)
{
  const int64_t shape[] = {2, 2};
  float x[] = {0.0F, 1.0F, -1.0F, 0.0F};
  const pz_tensor start = pz_host_tensor(PZ_F32, x, 2, shape);
  pz_module* m = NULL;
  pz_tensor original;
  pz_tensor value;
  // on the queue of the upload, which comes after what registering has written
  ck_assert_ok(pz_module_new(device_context, device_queue, "Linear", &m));
  ck_assert_ok(pz_module_add(m, "weight", PZ_PARAMETER, &start));
  ck_assert_ok(pz_register_parametrization(m, "weight", "cayley", NULL));
  ck_assert_ok(pz_module_edit(m, "parametrizations.weight.original", &original));
  const float one[] = {1.0F, 0.0F, 0.0F, 1.0F};
  const pz_tensor identity = pz_host_tensor(PZ_F32, (void*)(uintptr_t)one, 2, shape);
  ck_assert_ok(pz_queue_upload(device_queue, &identity, &original));
  ck_assert_ok(pz_module_commit(m, "parametrizations.weight.original"));
  ck_assert_ok(pz_module_get(m, "weight", &value));
  ck_assert_fails(pz_module_check(m), PZ_SINGULAR, "singular");
  pz_module_free(m);
}
END_TEST

/* ---- order ---------------------------------------------------------------------------- */

/* A long computation on one queue, its value fetched through another as soon as that may. */
START_TEST(events_order_queues)
{
  enum { LARGE = 300 };
  pz_queue* other = NULL;
  pz_event* event = NULL;
  pz_tensor value;
  life l;
  ck_assert_ok(pz_queue_open(device_context, device_name, NULL, &other));
  life_open(&l, device_queue, "skew,cayley", 1, LARGE);
  float* const x = life_normal(LARGE * LARGE, 1.0 / sqrt((double)LARGE));
  life_write(&l, x);
  ck_assert_ok(pz_eval_forward(l.eval, l.state, 0, NULL, &value));
  ck_assert_ok(pz_queue_record(device_queue, &event));
  ck_assert_ok(pz_queue_wait(other, event));
  float* const early = life_read(&value, other);
  float* const late = life_read(&value, device_queue);
  ck_assert_mem_eq(early, late, LARGE * LARGE * sizeof(float));

  /* the other way round: the value is overwritten only when its reader is done */
  pz_event_free(event);
  ck_assert_ok(pz_queue_record(other, &event));
  ck_assert_ok(pz_queue_wait(device_queue, event));
  ck_assert_ok(pz_queue_wait(device_queue, event));
  ck_assert_ok(pz_queue_wait(other, event));
  ck_assert_ok(pz_queue_wait(reference_queue, event));
  pz_state_touch(l.state);
  ck_assert_ok(pz_eval_forward(l.eval, l.state, 0, NULL, &value));
  ck_assert_ok(pz_eval_check(l.eval));
  pz_event_free(event);
  pz_event_free(NULL);
  free(x);
  free(early);
  free(late);
  life_close(&l);
  pz_queue_close(other);
}
END_TEST

/* ---- refusals --------------------------------------------------------------------------- */

START_TEST(devices_that_are_not_there)
{
  pz_queue* queue = NULL;
  char name[64];
  snprintf(name, sizeof(name), "%s:99", device_backend);
  ck_assert_fails(pz_queue_open(device_context, name, NULL, &queue), PZ_NOT_FOUND, "expected ");
  snprintf(name, sizeof(name), "%s:0x", device_backend);
  ck_assert_fails(pz_queue_open(device_context, name, NULL, &queue), PZ_NOT_FOUND, name);
  snprintf(name, sizeof(name), "%s:", device_backend);
  ck_assert_fails(pz_queue_open(device_context, name, NULL, &queue), PZ_NOT_FOUND, name);
  ck_assert_ptr_null(queue);
}
END_TEST

/* A real Schur form is computed on the host on every device. */
START_TEST(the_host_is_no_fallback_where_it_is_forbidden)
{
  life l;
  float x[36] = {0};
  life_open(&l, device_queue, "skew,matrix_exp", 1, 6);
  const pz_tensor rotation = pz_host_tensor(PZ_F32, x, 3, l.spec.shape);
  for (int k = 0; k < 6; ++k) {
    x[7 * k] = k < 2 ? -1.0F : 1.0F;
  }
  pz_queue_forbid_host_fallback(device_queue, true);
  ck_assert_fails(pz_eval_assign(l.eval, l.state, PZ_ASSIGN, &rotation), PZ_UNSUPPORTED,
                  "schur of float32 on");
  ck_assert_ptr_nonnull(strstr(pz_error_message(), "forbidden"));
  pz_queue_forbid_host_fallback(device_queue, false);
  ck_assert_ok(pz_eval_assign(l.eval, l.state, PZ_ASSIGN, &rotation));
  life_close(&l);
}
END_TEST

START_TEST(memory_that_is_not_there)
{
  const int64_t shape[] = {(int64_t)1 << 21, (int64_t)1 << 21};
  const pz_spec spec = pz_spec_make(PZ_F32, 2, shape);
  pz_chain* chain = NULL;
  pz_state* state = NULL;
  ck_assert_ok(pz_chain_new(device_context, "pruning", NULL, 0, PZ_FROM_TENSOR, &spec, 1, &chain));
  ck_assert_fails(pz_state_new(chain, device_queue, &state), PZ_NO_MEMORY, "bytes");
  ck_assert_ptr_null(strchr(pz_error_message(), '\n'));
  ck_assert_ptr_null(state);
  pz_chain_free(chain);
}
END_TEST

START_TEST(host_tensors_where_device_ones_are_due)
{
  life l;
  float x[16] = {0};
  const int64_t shape[] = {1, 4, 4};
  const pz_tensor host = pz_host_tensor(PZ_F32, x, 3, shape);
  life_open(&l, device_queue, "skew", 1, 4);
  ck_assert_fails(pz_state_bind(l.state, PZ_ORIGINAL, 0, &host), PZ_MISMATCH,
                  "found on the host, expected on");
  ck_assert_ptr_null(strchr(pz_error_message(), '\n'));
  life_close(&l);
}
END_TEST

TCase*
device_case(void)
{
  TCase* const t = tcase_create("device");
  tcase_add_checked_fixture(t, device_start, device_finish);
  tcase_add_test(t, modules_move_there_and_back);
  tcase_add_test(t, singular_matrices_become_nan_and_a_status);
  tcase_add_test(t, modules_report_late_failures_where_they_are_checked);
  tcase_add_test(t, events_order_queues);
  tcase_add_test(t, devices_that_are_not_there);
  tcase_add_test(t, the_host_is_no_fallback_where_it_is_forbidden);
  tcase_add_test(t, memory_that_is_not_there);
  tcase_add_test(t, host_tensors_where_device_ones_are_due);
  return t;
}
