/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Parametrizations that decide on failed factorizations: the same on the device as on the
   reference, which knows at once. */

#include "device.h"

#include <parametrize/plugin.h>

#include <math.h>

enum { N = 3, BATCH = 2, COUNT = BATCH * N * N };

static pz_status told[3]; /* what potrf returned in init, right_inverse and forward */
enum { INIT, RIGHT_INVERSE, FORWARD };

static pz_status
plan(pz_call* const c, const pz_spec* const given)
{
  const pz_spec one = pz_spec_make(given->dtype, 0, NULL);
  PZ_TRY(pz_expect_square(c, given));
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_declare_buffer(c, "refused", &one));
  return pz_declare_value(c, given, PZ_LOWER_TRIANGULAR);
}

/* The buffer says whether the tensor is positive definite. */
static pz_status
init(pz_call* const c, const pz_tensor* const tensor)
{
  pz_tensor l;
  PZ_TRY(pz_work_like(c, tensor, &l));
  told[INIT] = pz_potrf(c, PZ_LOWER, tensor, &l);
  return pz_fill(c, told[INIT] == PZ_SINGULAR ? 1.0 : 0.0, &c->new_buffer[0]);
}

static pz_status
forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  told[FORWARD] = pz_potrf(c, PZ_LOWER, x, y);
  return told[FORWARD];
}

/* The Cholesky factor of y; without one, sevens. */
static pz_status
right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  told[RIGHT_INVERSE] = pz_potrf(c, PZ_LOWER, y, x);
  return told[RIGHT_INVERSE] == PZ_SINGULAR ? pz_fill(c, 7.0, x) : told[RIGHT_INVERSE];
}

static const pz_parametrization decider = {
    .size = sizeof(decider),
    .id = "decider",
    .summary = "Decides on failed factorizations",
    .plan = plan,
    .init = init,
    .forward = forward,
    .right_inverse = right_inverse,
};

static const pz_item items[] = {PZ_PARAMETRIZATION(&decider)};
static const pz_plugin plugin = {
    .size = sizeof(plugin),
    .item_size = sizeof(pz_item),
    .abi = PZ_ABI_INITIALIZER,
    .name = "decider",
    .version = "1.0.0",
    .items = items,
    .n_items = 1,
};

static float
number_in(pz_queue* const queue, const pz_state* const state, const pz_role role)
{
  pz_tensor tensor;
  ck_assert_ok(pz_state_tensor(state, role, 0, &tensor));
  float* const numbers = life_read(&tensor, queue);
  const float first = numbers[0];
  free(numbers);
  return first;
}

static void
decide(pz_queue* const queue)
{
  life l;
  pz_tensor value;
  float out[COUNT] = {0};
  float x[COUNT] = {4, 0, 0, 0, 9, 0, 0, 0, 16, 1, 0, 0, 0, -1, 0, 0, 0, 1}; /* the second is not */
  const int64_t shape[] = {BATCH, N, N};
  const pz_tensor bad = pz_host_tensor(PZ_F32, x, 3, shape);
  const pz_tensor into = pz_host_tensor(PZ_F32, out, 3, shape);
  life_open(&l, queue, "decider", BATCH, N);

  ck_assert_ok(pz_eval_initialize(l.eval, l.state, 0, &bad));
  ck_assert_int_eq(told[INIT], PZ_SINGULAR);
  ck_assert_float_eq(number_in(queue, l.state, PZ_STATE_BUFFER), 1.0F);
  ck_assert_ok(pz_eval_assign(l.eval, l.state, PZ_ASSIGN, &bad));
  ck_assert_int_eq(told[RIGHT_INVERSE], PZ_SINGULAR);
  ck_assert_float_eq(number_in(queue, l.state, PZ_ORIGINAL), 7.0F);

  life_write(&l, x);
  ck_assert_ok(pz_eval_forward(l.eval, l.state, 0, NULL, &value));
  ck_assert_int_eq(told[FORWARD], PZ_OK);
  float* const y = life_read(&value, queue);
  for (int k = 0; k < COUNT; ++k) {
    const float expected = k == 0 ? 2.0F : k == 4 ? 3.0F : k == 8 ? 4.0F : 0.0F;
    ck_assert_msg(k < N * N ? fabsf(y[k] - expected) < 1e-5F : isnan(y[k]), "entry %d is %g", k,
                  (double)y[k]);
  }
  free(y);
  ck_assert_fails(pz_eval_check(l.eval), PZ_SINGULAR, "decider: ");
  ck_assert_ptr_nonnull(strstr(pz_error_message(), "matrix 1 of the batch"));
  ck_assert_ok(pz_eval_check(l.eval)); /* once */
  ck_assert_fails(pz_eval_forward(l.eval, l.state, 0, &into, NULL), PZ_SINGULAR, "matrix 1");
  ck_assert_float_eq(out[0], 0.0F);

  /* an unread failure of forward is not taken for one of init and right_inverse */
  ck_assert_ok(pz_eval_forward(l.eval, l.state, 0, NULL, &value));
  x[13] = 1.0F;
  ck_assert_ok(pz_eval_initialize(l.eval, l.state, 0, &bad));
  ck_assert_int_eq(told[INIT], PZ_OK);
  ck_assert_ok(pz_eval_assign(l.eval, l.state, PZ_ASSIGN, &bad));
  ck_assert_int_eq(told[RIGHT_INVERSE], PZ_OK);
  ck_assert_float_eq(number_in(queue, l.state, PZ_STATE_BUFFER), 0.0F);
  ck_assert_fails(pz_eval_check(l.eval), PZ_SINGULAR, "matrix 1");
  life_close(&l);
}

START_TEST(decisions_are_the_same_on_every_device)
{
  pz_queue* cpu = NULL;
  ck_assert_ok(pz_context_add_plugin(device_context, &plugin));
  ck_assert_ok(pz_queue_open(device_context, NULL, NULL, &cpu));
  decide(reference_queue);
  decide(cpu);
  decide(device_queue);
  pz_queue_close(cpu);
}
END_TEST

TCase*
deciding_case(void)
{
  TCase* const t = tcase_create("deciding");
  tcase_set_timeout(t, 120.0);
  tcase_add_checked_fixture(t, device_start, device_finish);
  tcase_add_test(t, decisions_are_the_same_on_every_device);
  return t;
}
