/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Chains where memory is no pointer and failures come late: the same numbers as on the
   reference, whatever crosses the border. */

#include "eval.h"
#include "opaque.h"
#include <maps.h>
#include <rig.h>

#include <string.h>

static const int64_t shape[] = {2, 5, 5};
static const int64_t strides[] = {26, 1, 5};
static pz_spec spec;

enum { N = 50, ROOM = 64 };

/* A rig on a device of opaque.h or the reference, its random stream at the beginning. */
static void
open_on(rig* const r, const char* const device)
{
  spec = pz_spec_make(PZ_F64, 3, shape);
  rig_open(r, &pz_plugin_v1_test_maps, NULL);
  ck_assert_ok(pz_context_add_plugin(r->context, &pz_plugin_v1_density_maps));
  ck_assert_ok(pz_context_add_plugin(r->context, &pz_plugin_v1_opaque));
  pz_context_seed(r->context, 11); /* the same on every device */
  rig_device(r, device);
}

/* Everything a host can see of one life of a chain, in one list of numbers. */
typedef struct life {
  double number[16 * ROOM];
  size_t n;
} life;

static void
record(life* const l, const rig* const r, const pz_tensor* const tensor)
{
  pz_tensor host = *tensor;
  ck_assert_uint_le(l->n + (size_t)pz_count(tensor), sizeof(l->number) / sizeof(double));
  host.data = l->number + l->n;
  host.device = (pz_device){PZ_DEVICE_CPU, 0};
  host.byte_offset = 0;
  host.strides = NULL;
  ck_assert_ok(pz_queue_download(r->queue, tensor, &host));
  l->n += (size_t)pz_count(tensor);
}

static void
record_host(life* const l, const double* const numbers, const size_t n)
{
  memcpy(l->number + l->n, numbers, n * sizeof(double));
  l->n += n;
}

static void
live(const char* const device, const pz_tensor* const w, const pz_tensor* const g, life* const l)
{
  rig r;
  pz_tensor value;
  double plain[2][N] = {{0}};
  double strided[ROOM] = {0};
  pz_tensor gx[2] = {pz_host_tensor(PZ_F64, plain[0], 3, shape),
                     pz_host_tensor(PZ_F64, strided, 3, shape)};
  gx[1].strides = strides;
  l->n = 0;
  open_on(&r, device);
  rig_chain(&r, "fold,turn,gain,mask(keep=0.8)", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, w));
  rig_write(&r, PZ_ORIGINAL, 0, w->data);
  rig_write(&r, PZ_OWN_PARAMETER, 0, g->data);
  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &value));
  record(l, &r, &value);
  /* Gradients from the host to the host: written, added, through strides. */
  ck_assert_ok(pz_eval_vjp(r.eval, r.state, g, 1, 3, false, gx));
  ck_assert_ok(pz_eval_vjp(r.eval, r.state, g, 1, 3, true, gx));
  record_host(l, plain[0], N);
  record_host(l, strided, ROOM);
  /* On the device: the value serves as gradient, originals of another state take it. */
  pz_state* other = NULL;
  ck_assert_ok(pz_state_new(r.chain, r.queue, &other));
  ck_assert_ok(pz_state_tensor(other, PZ_ORIGINAL, 0, &gx[0]));
  ck_assert_ok(pz_state_tensor(other, PZ_OWN_PARAMETER, 0, &gx[1]));
  ck_assert_ok(pz_eval_vjp(r.eval, r.state, &value, 1, 3, true, gx));
  ck_assert_ok(pz_eval_vjp(r.eval, r.state, &value, 1, 3, true, gx));
  record(l, &r, &gx[0]);
  record(l, &r, &gx[1]);
  pz_state_free(other);
  ck_assert_ok(pz_eval_update(r.eval, r.state));
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, NULL, &value));
  record(l, &r, &value);

  rig_chain(&r, "fold,turn", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  rig_write(&r, PZ_ORIGINAL, 0, w->data);
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, NULL, &value));
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &value));
  const pz_tensor x = rig_tensor(&r, PZ_ORIGINAL, 0);
  record(l, &r, &x);
  ck_assert_ok(pz_eval_sample(r.eval, r.state));
  record(l, &r, &x);

  /* Derivatives, from and to the device and the host. */
  pz_tensor out;
  pz_tensor numbers;
  const pz_tensor host_numbers = pz_host_tensor(PZ_F64, plain[0], 2, shape);
  rig_chain(&r, "scaled,entries", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  rig_write(&r, PZ_ORIGINAL, 0, w->data);
  ck_assert_ok(pz_state_new(r.chain, r.queue, &other));
  ck_assert_ok(pz_state_tensor(other, PZ_ORIGINAL, 0, &out));
  ck_assert_ok(pz_state_tensor(other, PZ_OWN_PARAMETER, 0, &numbers));
  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &value));
  ck_assert_ok(pz_eval_jvp(r.eval, r.state, (const pz_tensor[]){*g, {0}}, 1, &out));
  record(l, &r, &out);
  ck_assert_ok(pz_eval_jvp(r.eval, r.state, (const pz_tensor[]){out, numbers}, 1, &out));
  record(l, &r, &out);
  ck_assert_ok(pz_eval_log_abs_det(r.eval, r.state, &numbers));
  ck_assert_ok(pz_eval_log_abs_det(r.eval, r.state, &host_numbers));
  record(l, &r, &numbers);
  record_host(l, plain[0], 10);
  ck_assert_ok(pz_eval_log_abs_det_vjp(r.eval, r.state, &numbers, 1, true, &out));
  ck_assert_ok(pz_eval_log_abs_det_vjp(r.eval, r.state, &host_numbers, 1, true, &out));
  record(l, &r, &out);
  pz_state_free(other);

  rig_chain(&r, "fold,turn", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  double distance = 0.0;
  ck_assert_ok(pz_eval_residual(r.eval, r.state, 0, w, &distance));
  record_host(l, &distance, 1);
  rig_close(&r);
}

START_TEST(test_same)
{
  static const char* const devices[] = {"bare", "inverter", "later"};
  static life expected;
  static life found;
  double numbers[2][N];
  uint64_t random = test_seed();
  spec = pz_spec_make(PZ_F64, 3, shape);
  test_fill_normal(&random, PZ_F64, N, 0.3, numbers[0]);
  test_fill_normal(&random, PZ_F64, N, 1.0, numbers[1]);
  const pz_tensor w = pz_host_tensor(PZ_F64, numbers[0], 3, shape);
  const pz_tensor g = pz_host_tensor(PZ_F64, numbers[1], 3, shape);
  live("reference", &w, &g, &expected);
  live(devices[_i], &w, &g, &found);
  ck_assert_uint_eq(found.n, expected.n);
  for (size_t k = 0; k < found.n; ++k) { /* inverses of matrices of condition < 10, n = 5 */
    ck_assert_double_eq_tol(found.number[k], expected.number[k], 1e-12);
  }
  ck_assert_int_eq(opaque_allocations(), 0);
}
END_TEST

START_TEST(test_tensor_option)
{
  static int64_t index[] = {4, 0};
  static const int64_t count[] = {2};
  const pz_tensor tensor = pz_host_tensor(PZ_I64, index, 1, count);
  const pz_option_setting settings[] = {
      {.name = "index", .stage = 0, .value = {.type = PZ_TENSOR, .as.tensor = &tensor}},
      {.name = "of", .stage = 0, .value = {.type = PZ_INTEGER, .as.integer = 5}}};
  rig r;
  pz_tensor value;
  life l = {.n = 0};
  open_on(&r, "bare");
  const pz_tensor w = host_normal(&spec, &r.random, 1.0);
  rig_chain(&r, "rows", settings, 2, PZ_FROM_INPUT, &spec, 1);
  rig_write(&r, PZ_ORIGINAL, 0, w.data);
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, NULL, &value));
  record(&l, &r, &value);
  for (size_t k = 0; k < 20; ++k) {
    const size_t row = (size_t)index[k / 5 % 2];
    ck_assert_double_eq(l.number[k], ((const double*)w.data)[k / 10 * 25 + row * 5 + k % 5]);
  }
  rig_close(&r);
}
END_TEST

static void
fill_diagonal(double* const matrices, const double diagonal)
{
  memset(matrices, 0, N * sizeof(double));
  for (size_t k = 0; k < 5; ++k) {
    matrices[6 * k] = diagonal;
    matrices[25 + 6 * k] = diagonal;
  }
}

/* A failure that shows only in the fault word stops an assignment before it commits; a read
   is not held up for it; and one does not disturb the other. */
START_TEST(test_late)
{
  static double numbers[N];
  rig r;
  pz_tensor value;
  life before = {.n = 0};
  life after = {.n = 0};
  uint32_t flags = 0;
  open_on(&r, "later");
  const pz_tensor w = pz_host_tensor(PZ_F64, numbers, 3, shape);
  double gradient[N] = {0};
  pz_tensor gx = pz_host_tensor(PZ_F64, gradient, 3, shape);
  rig_chain(&r, "turn,gain", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  const pz_tensor x = rig_tensor(&r, PZ_ORIGINAL, 0);
  fill_diagonal(numbers, 0.25);
  rig_write(&r, PZ_ORIGINAL, 0, w.data);
  record(&before, &r, &x);

  /* I + Q = 0 */
  fill_diagonal(numbers, -1.0);
  const uint64_t version = pz_state_version(r.state);
  ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &w), PZ_SINGULAR,
                  "turn: shifted_inverse: matrix 0 of the batch is singular");
  ck_assert_uint_eq(pz_state_version(r.state), version);
  record(&after, &r, &x);
  ck_assert_mem_eq(before.number, after.number, N * sizeof(double));

  /* I - X = 0: a forward that fails, reported once, not by the assignment after it. */
  fill_diagonal(numbers, 1.0);
  rig_write(&r, PZ_ORIGINAL, 0, w.data);
  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &value));
  ck_assert_uint_eq(pzi_eval_version(r.eval, &flags), pz_state_version(r.state));
  ck_assert_uint_eq(flags, PZ_CALL_SAVING);
  ck_assert_fails(pz_eval_vjp(r.eval, r.state, &w, 1, 1, false, &gx), PZ_SINGULAR, "singular");
  ck_assert_double_eq(gradient[0], 0.0);
  ck_assert_ok(pz_eval_check(r.eval));
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, NULL, &value));
  fill_diagonal(numbers, 0.5);
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &w));
  ck_assert_fails(pz_eval_check(r.eval), PZ_SINGULAR, "singular");
  ck_assert_ok(pz_eval_check(r.eval));

  /* The device's failure comes before the answer of the next map; the next assignment knows nothing
     of either. */
  rig_chain(&r, "mask,turn", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  fill_diagonal(numbers, -1.0);
  map_mask_answer = PZ_INVALID;
  ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &w), PZ_SINGULAR, "turn: ");
  map_mask_answer = PZ_OK;
  fill_diagonal(numbers, 0.5);
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &w));

  /* Registering takes the tensor itself. */
  rig_chain(&r, "turn", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  fill_diagonal(numbers, -1.0);
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_REGISTER, &w));
  const pz_tensor original = rig_tensor(&r, PZ_ORIGINAL, 0);
  after.n = 0;
  record(&after, &r, &original);
  ck_assert_mem_eq(after.number, numbers, sizeof(numbers));
  rig_close(&r);
}
END_TEST

/* What belongs to another device is refused by name. */
START_TEST(test_elsewhere)
{
  static double numbers[N];
  rig r;
  pz_queue* host = NULL;
  pz_eval* eval = NULL;
  pz_tensor value;
  open_on(&r, "bare");
  ck_assert_ok(pz_queue_open(r.context, "reference", NULL, &host));
  rig_chain(&r, "fold", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_eval_new(r.chain, host, &eval));
  ck_assert_fails(pz_eval_forward(eval, r.state, 0, NULL, &value), PZ_MISMATCH,
                  "found a state on queue bare:0, expected its own reference");
  const pz_tensor w = pz_host_tensor(PZ_F64, numbers, 3, shape);
  ck_assert_fails(pz_state_bind(r.state, PZ_ORIGINAL, 0, &w), PZ_MISMATCH, "bare");
  pz_tensor stranger = w;
  stranger.device.type = PZ_DEVICE_CUDA;
  ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &stranger), PZ_MISMATCH, "bare");
  pz_eval_free(eval);
  pz_queue_close(host);
  rig_close(&r);
}
END_TEST

int
main(void)
{
  TCase* const tests = tcase_create("devices");
  tcase_add_loop_test(tests, test_same, 0, 3);
  tcase_add_test(tests, test_tensor_option);
  tcase_add_test(tests, test_late);
  tcase_add_test(tests, test_elsewhere);
  return test_main_case(tests);
}
