/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What operations promise beside their results: what is refused and how it is said, empty
   operands, coefficients that are zero, routes and their counts, failures of backends. */

#include "fault.h"
#include "op_runner.h"
#include "opaque.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static pz_context* context;
static pz_queue* queue;
static op_runner runner_memory;
static op_runner* const runner = &runner_memory;

static void
open_on(const char* const device)
{
  context = test_context();
  ck_assert_ok(pz_context_add_plugin(context, &pz_plugin_v1_opaque));
  ck_assert_ok(pz_queue_open(context, device, NULL, &queue));
  runner_open(runner, queue, PZ_F64, PLAIN, test_seed());
}

static void
close_all(void)
{
  runner_close(runner);
  pz_queue_close(queue);
  pz_context_free(context);
}

static const char* const both[] = {"reference", "lean"};

#define OP(name, ...) runner->call.ops->name(&runner->call, __VA_ARGS__)
#define MATRIX(rows, cols) runner_inout(runner, 2, (const int64_t[]){rows, cols}, NULL)

static pz_op_report
report_of(const char* const name)
{
  pz_op_report report = {.size = sizeof(report)};
  for (uint32_t k = 0; pz_queue_op(queue, k, &report) == PZ_OK; ++k) {
    if (strcmp(report.name, name) == 0) {
      return report;
    }
  }
  ck_abort_msg("no operation %s", name);
}

/* ---- refusals ------------------------------------------------------------------- */

START_TEST(test_shapes_are_checked)
{
  open_on(both[_i]);
  pz_tensor* const a = MATRIX(3, 4);
  pz_tensor* const b = MATRIX(4, 5);
  pz_tensor* const y = MATRIX(3, 6);
  pz_tensor* const line = runner_inout(runner, 1, (const int64_t[]){4}, NULL);
  pz_tensor* const batch = runner_inout(runner, 3, (const int64_t[]){2, 4, 5}, NULL);
  ck_assert_fails(OP(gemm, PZ_N, PZ_N, 1.0, a, b, 0.0, y), PZ_MISMATCH,
                  "gemm: y: found float64 3x6, expected float64 3x5");
  ck_assert_fails(OP(gemm, PZ_T, PZ_N, 1.0, a, b, 0.0, y), PZ_MISMATCH,
                  "gemm: b: found float64 4x5, expected float64 3x5");
  ck_assert_fails(OP(gemm, PZ_N, PZ_N, 1.0, a, batch, 0.0, y), PZ_MISMATCH,
                  "gemm: b: found float64 2x4x5, expected float64 4x5");
  ck_assert_fails(OP(gemm, PZ_N, PZ_N, 1.0, a, line, 0.0, y), PZ_MISMATCH,
                  "gemm: b: found 1 dimension, expected 2 or more");
  ck_assert_fails(OP(axpby, 1.0, a, 0.0, b), PZ_MISMATCH,
                  "axpby: y: found float64 4x5, expected float64 3x4");
  ck_assert_fails(OP(fold, PZ_UPPER, 1, a, y), PZ_MISMATCH, "expected square matrices");
  ck_assert_fails(OP(get_diagonal, a, line), PZ_MISMATCH,
                  "get_diagonal: d: found float64 4, expected float64 3");
  ck_assert_fails(OP(norm, PZ_NORM_TWO, PZ_OVER_COLS, a, line), PZ_MISMATCH, "expected float64 3");
  ck_assert_fails(OP(copy, NULL, a), PZ_INVALID, "copy: x: found no tensor");
  ck_assert_fails(OP(combine, 0.0, 2, NULL, NULL, a), PZ_INVALID, "combine: found no terms");
  ck_assert_fails(OP(svd, a, y, line, NULL), PZ_INVALID, "one of u and vt");
  ck_assert_fails(OP(random, PZ_BERNOULLI, 1, 0, 1.5, 0.0, a), PZ_INVALID, "outside 0 .. 1");
  close_all();
}
END_TEST

START_TEST(test_dtypes_and_devices_are_checked)
{
  open_on(both[_i]);
  pz_tensor* const a = MATRIX(2, 2);
  float few[4] = {0};
  const int64_t shape[] = {2, 2};
  pz_tensor other = *a;
  other.dtype = PZ_F32;
  ck_assert_fails(OP(axpby, 1.0, &other, 0.0, a), PZ_MISMATCH,
                  "axpby: y: found float64, expected float32");
  other.dtype = PZ_I64;
  ck_assert_fails(OP(scale, 2.0, &other), PZ_MISMATCH, "found int64, expected float32 or float64");
  other.dtype = PZ_DTYPE(4, 16);
  ck_assert_fails(OP(scale, 2.0, &other), PZ_UNSUPPORTED, "bfloat16");
  other = pz_host_tensor(PZ_F32, few, 2, shape);
  other.device.type = PZ_DEVICE_CUDA;
  ck_assert_fails(OP(scale, 2.0, &other), PZ_MISMATCH, "found on cuda:0, expected on");
  if (strcmp(both[_i], "lean") == 0) {
    other.device.type = PZ_DEVICE_CPU;
    ck_assert_fails(OP(scale, 2.0, &other), PZ_MISMATCH, "found on the host, expected on lean:0");
  }
  close_all();
}
END_TEST

START_TEST(test_overlaps_are_refused)
{
  open_on(both[_i]);
  pz_tensor* const a = MATRIX(6, 6);
  pz_tensor* const b = MATRIX(3, 3);
  pz_view v[4];
  pz_tensor* const left = pz_view_block(&v[0], a, 0, 6, 0, 3);
  pz_tensor* const right = pz_view_block(&v[1], a, 0, 6, 3, 3);
  pz_tensor* const middle = pz_view_block(&v[2], a, 0, 6, 2, 3);
  pz_tensor* const transposed = pz_view_transposed(&v[3], a);
  ck_assert_ok(OP(gemm, PZ_N, PZ_N, 1.0, left, b, 0.0, right));
  ck_assert_ok(OP(copy, left, right));
  ck_assert_fails(OP(gemm, PZ_N, PZ_N, 1.0, left, b, 0.0, middle), PZ_INVALID,
                  "gemm: y overlaps a");
  ck_assert_fails(OP(copy, left, middle), PZ_INVALID, "copy: y overlaps x");
  ck_assert_fails(OP(axpby, 1.0, transposed, 1.0, a), PZ_INVALID, "axpby: y overlaps x");
  ck_assert_fails(OP(fold, PZ_UPPER, 1, a, a), PZ_INVALID, "fold: y overlaps x");
  ck_assert_ok(OP(axpby, 1.0, a, 1.0, a));
  v[0].strides[0] = 0;
  ck_assert_fails(OP(fill, 1.0, left), PZ_INVALID, "names an element twice");
  close_all();
}
END_TEST

START_TEST(test_indices_are_checked)
{
  open_on(both[_i]);
  const int64_t three = 3;
  pz_tensor* const index = runner_integers(runner, 1, &three, (const int64_t[]){0, 4, 1});
  pz_tensor* const x = MATRIX(4, 2);
  pz_tensor* const y = MATRIX(3, 2);
  pz_tensor* const none = MATRIX(0, 2);
  ck_assert_int_eq(OP(take, index, x, y), PZ_INVALID);
  ck_assert_int_eq(OP(put, true, index, y, x), PZ_INVALID);
  ck_assert_fails(OP(take, index, none, y), PZ_INVALID, "x has no rows");
  ck_assert_fails(OP(take, y, x, y), PZ_MISMATCH, "take: index: found float64, expected int64");
  close_all();
}
END_TEST

/* ---- empty operands, zero coefficients --------------------------------------------- */

// clang-format off
PZ_KERNEL(twice, 1, 1, 1,
  PZ_TENSOR_ARG(0, x);
  PZ_REAL_ARG(0, a);
  PZ_INTEGER_ARG(0, n);
  x[i] = a * (real)n * x[i];
)
// clang-format on

START_TEST(test_kernels_get_all_their_arguments)
{
  open_on(both[_i]);
  pz_tensor* const y = MATRIX(2, 2);
  const pz_tensor* const tensors[] = {y};
  const double a = 2.0;
  const int64_t n = 1;
  ck_assert_fails(OP(launch, &twice, 4, NULL, &a, &n), PZ_INVALID, "no tensors, expected 1");
  ck_assert_fails(OP(launch, &twice, 4, tensors, NULL, &n), PZ_INVALID, "no reals, expected 1");
  ck_assert_fails(OP(launch, &twice, 4, tensors, &a, NULL), PZ_INVALID, "no integers, expected 1");
  ck_assert_ok(OP(launch, &twice, 4, tensors, &a, &n));
  pz_kernel newer = twice;
  newer.dialect = PZ_KERNEL_DIALECT + 1;
  ck_assert_fails(OP(launch, &newer, 4, tensors, &a, &n), PZ_UNSUPPORTED,
                  "launch of twice: found kernel dialect 2, expected 1");
  close_all();
}
END_TEST

START_TEST(test_empty_operands)
{
  open_on(both[_i]);
  pz_tensor* const a = MATRIX(3, 0);
  pz_tensor* const b = MATRIX(0, 2);
  pz_tensor* const y = MATRIX(3, 2);
  pz_tensor* const z = MATRIX(0, 0);
  pz_tensor* const per_row = runner_output(runner, 1, (const int64_t[]){3});
  pz_tensor* const nothing = runner_output(runner, 1, (const int64_t[]){0});
  double* const before = runner_values(runner, y);
  ck_assert_ok(OP(gemm, PZ_N, PZ_N, 1.0, a, b, 2.0, y));
  double* const doubled = runner_values(runner, y);
  ck_assert_ok(OP(gemm, PZ_N, PZ_N, 1.0, a, b, 0.0, y));
  ck_assert_ok(OP(norm, PZ_NORM_TWO, PZ_OVER_COLS, a, per_row));
  double* const zeros = runner_values(runner, y);
  double* const norms = runner_values(runner, per_row);
  for (int k = 0; k < 6; ++k) {
    ck_assert_double_eq(doubled[k], 2.0 * before[k]);
    ck_assert_double_eq(zeros[k], 0.0);
    ck_assert_double_eq(norms[k / 2], 0.0);
  }
  free(before), free(doubled), free(zeros), free(norms);
  pz_tensor* const w = MATRIX(0, 0);
  ck_assert_ok(OP(shifted_inverse, PZ_SKEW, &(pz_shift){-1.0, 2.0, 1.0, -1.0}, z, w));
  ck_assert_ok(OP(eigh, z, nothing, w));
  ck_assert_ok(OP(qr, a, a, z));
  ck_assert_ok(OP(svd, a, a, nothing, z));
  ck_assert_ok(OP(add_identity, 1.0, a));
  ck_assert_ok(OP(set_diagonal, nothing, a));
  ck_assert_ok(OP(solve, PZ_GENERAL, z, b, runner_output(runner, 2, (const int64_t[]){0, 2})));
  close_all();
}
END_TEST

START_TEST(test_zero_coefficients_read_nothing)
{
  open_on(both[_i]);
  const double bad[4] = {(double)NAN, (double)INFINITY, (double)NAN, 1.0};
  const int64_t shape[] = {2, 2};
  pz_tensor* const nan = runner_inout(runner, 2, shape, bad);
  pz_tensor* const a = MATRIX(2, 2);
  pz_tensor* const y[] = {runner_inout(runner, 2, shape, bad),
                          runner_inout(runner, 2, shape, bad),
                          runner_inout(runner, 2, shape, bad),
                          runner_inout(runner, 2, shape, bad),
                          MATRIX(2, 2),
                          MATRIX(2, 2),
                          runner_output(runner, 2, shape)};
  const pz_tensor* const terms[] = {nan, a};
  const double weights[] = {0.0, 1.0};
  ck_assert_ok(OP(gemm, PZ_N, PZ_N, 1.0, a, a, 0.0, y[0]));
  ck_assert_ok(OP(axpby, 1.0, a, 0.0, y[1]));
  ck_assert_ok(OP(hadamard, 1.0, a, a, 0.0, y[2]));
  ck_assert_ok(OP(scale, 0.0, y[3]));
  ck_assert_ok(OP(gemm, PZ_N, PZ_N, 0.0, nan, nan, 1.0, y[4]));
  ck_assert_ok(OP(axpby, 0.0, nan, 1.0, y[5]));
  ck_assert_ok(OP(combine, 1.0, 2, weights, terms, y[6]));
  for (size_t k = 0; k < sizeof(y) / sizeof(y[0]); ++k) {
    double* const v = runner_values(runner, y[k]);
    ck_assert_msg(isfinite(v[0] + v[1] + v[2] + v[3]), "result %zu is not finite", k);
    free(v);
  }
  /* and with other coefficients NaN does propagate */
  ck_assert_ok(OP(gemm, PZ_N, PZ_N, 1.0, nan, a, 0.0, y[0]));
  double* const v = runner_values(runner, y[0]);
  ck_assert(isnan(v[0]) && isnan(v[1]));
  free(v);
  close_all();
}
END_TEST

/* ---- routes ----------------------------------------------------------------------- */

START_TEST(test_routes_are_counted)
{
  open_on("lean");
  ck_assert_uint_eq(report_of("gemm").f32, PZ_ROUTE_NATIVE);
  ck_assert_uint_eq(report_of("syrk").f64, PZ_ROUTE_COMPOSED);
  ck_assert_uint_eq(report_of("eigh").f32, PZ_ROUTE_HOST);
  pz_tensor* const a = MATRIX(3, 3);
  pz_tensor* const y = MATRIX(3, 3);
  pz_tensor* const w = runner_output(runner, 1, (const int64_t[]){3});
  ck_assert_ok(OP(gemm, PZ_N, PZ_N, 1.0, a, a, 0.0, y));
  ck_assert_ok(OP(syrk, PZ_N, 1.0, a, 0.0, y));
  const uint64_t before = opaque_host_bytes();
  ck_assert_ok(OP(eigh, y, w, NULL));
  ck_assert_uint_eq(opaque_host_bytes() - before, (9 + 3) * sizeof(double));
  ck_assert_uint_eq(report_of("gemm").count[PZ_ROUTE_NATIVE], 2); /* one inside syrk */
  ck_assert_uint_eq(report_of("syrk").count[PZ_ROUTE_COMPOSED], 1);
  ck_assert_uint_eq(report_of("eigh").count[PZ_ROUTE_HOST], 1);

  pz_queue_forbid_host_fallback(queue, true);
  ck_assert_uint_eq(report_of("eigh").f64, PZ_ROUTE_UNSUPPORTED);
  ck_assert_fails(OP(eigh, y, w, NULL), PZ_UNSUPPORTED, "eigh of float64 on lean:0");
  ck_assert_ok(OP(syrk, PZ_N, 1.0, a, 0.0, y));
  ck_assert_uint_eq(report_of("eigh").count[PZ_ROUTE_HOST], 1);
  ck_assert_fails(pz_queue_op(queue, 1000, &(pz_op_report){.size = sizeof(pz_op_report)}),
                  PZ_NOT_FOUND, "operation 1000");
  close_all();
}
END_TEST

START_TEST(test_float64_goes_to_the_host_of_a_float32_device)
{
  open_on("single");
  ck_assert_uint_eq(report_of("gemm").f32, PZ_ROUTE_NATIVE);
  ck_assert_uint_eq(report_of("gemm").f64, PZ_ROUTE_HOST);
  pz_tensor* const a = MATRIX(3, 3);
  pz_tensor* const y = MATRIX(3, 3);
  ck_assert_ok(OP(gemm, PZ_N, PZ_N, 1.0, a, a, 0.0, y));
  ck_assert_uint_eq(report_of("gemm").count[PZ_ROUTE_HOST], 1);
  close_all();
}
END_TEST

/* A growing elimination without pivoting is left to the host. */
START_TEST(test_large_skew_matrices_are_pivoted)
{
  open_on("lean");
  const double large[4] = {0.0, 1e6, -1e6, 0.0};
  const int64_t shape[] = {2, 2};
  pz_tensor* const small = runner_input(runner, 2, shape, (const double[]){0.0, 1.0, -1.0, 0.0});
  pz_tensor* const x = runner_input(runner, 2, shape, large);
  pz_tensor* const y = runner_output(runner, 2, shape);
  ck_assert_ok(OP(shifted_inverse, PZ_SKEW, &(pz_shift){-1.0, 2.0, 1.0, -1.0}, small, y));
  ck_assert_uint_eq(report_of("shifted_inverse").count[PZ_ROUTE_COMPOSED], 1);
  ck_assert_ok(OP(shifted_inverse, PZ_SKEW, &(pz_shift){-1.0, 2.0, 1.0, -1.0}, x, y));
  ck_assert_uint_eq(report_of("shifted_inverse").count[PZ_ROUTE_HOST], 1);
  close_all();
}
END_TEST

/* ---- failures ---------------------------------------------------------------------- */

START_TEST(test_singular_matrices_are_named)
{
  static const char* const devices[] = {"reference", "lean", "inverter", "solver"};
  open_on(devices[_i]);
  const int64_t shape[] = {3, 2, 2};
  const double values[12] = {1, 2, 3, 4, 1, 2, 2, 4, 1, 0, 0, 1};
  const double triangles[12] = {1, 2, 0, 4, 1, 2, 0, 0, 1, 0, 0, 1};
  pz_tensor* const a = runner_input(runner, 3, shape, values);
  pz_tensor* const t = runner_input(runner, 3, shape, triangles);
  pz_tensor* const b = runner_inout(runner, 3, shape, NULL);
  pz_tensor* const y = runner_output(runner, 3, shape);
  ck_assert_fails(OP(shifted_inverse, PZ_GENERAL, &(pz_shift){0.0, 1.0, 0.0, 1.0}, a, y),
                  PZ_SINGULAR, "1");
  ck_assert_fails(OP(solve, PZ_GENERAL, a, b, y), PZ_SINGULAR, "1");
  ck_assert_fails(OP(trsm, PZ_LEFT, PZ_UPPER, PZ_N, PZ_NON_UNIT, 1.0, t, b), PZ_SINGULAR, "1");
  ck_assert_fails(OP(shifted_inverse, PZ_GENERAL, &(pz_shift){0.0, 1.0, 0.0, 0.0}, a, y),
                  PZ_SINGULAR, "matrix 0");
  close_all();
}
END_TEST

START_TEST(test_fault_word)
{
  open_on("later");
  pzi_fault fault;
  ck_assert_ok(pzi_fault_new(queue, &fault));
  pzi_ops_table_init_call(&runner->call, &runner->frame, queue, &fault);
  const int64_t shape[] = {2, 1, 1};
  pz_tensor* const a = runner_input(runner, 3, shape, (const double[]){2.0, 0.0});
  pz_tensor* const y = runner_output(runner, 3, shape);
  ck_assert_ok(OP(shifted_inverse, PZ_GENERAL, &(pz_shift){0.0, 1.0, 0.0, 1.0}, a, y));
  double* const v = runner_values(runner, y);
  ck_assert_double_eq(v[0], 0.5);
  ck_assert_double_nan(v[1]);
  free(v);
  ck_assert_fails(pzi_fault_check(queue, &fault), PZ_SINGULAR, "matrix 1 of the batch is singular");
  ck_assert_ok(pzi_fault_check(queue, &fault)); /* said once */
  pzi_fault_free(queue, &fault);
  close_all();
}
END_TEST

START_TEST(test_rude_backends)
{
  open_on("rude");
  pz_tensor* const a = MATRIX(2, 2);
  pz_tensor* const y = MATRIX(2, 2);
  ck_assert_fails(OP(gemm, PZ_N, PZ_N, 1.0, a, a, 0.0, y), PZ_PLUGIN,
                  "backend rude returned the unknown status 999 from gemm");
  ck_assert_fails(OP(axpby, 2.0, a, 0.0, y), PZ_DEVICE, "axpby on rude:0: device or driver failed");
  ck_assert_fails(OP(fold, PZ_UPPER, 1, a, y), PZ_DEVICE, "the device is on fire");
  ck_assert_ok(OP(hadamard, 1.0, a, a, 0.0, y));
  ck_assert_uint_eq(report_of("hadamard").count[PZ_ROUTE_HOST], 1);
  close_all();
}
END_TEST

/* Stride 0 over a batch repeats a matrix. */
START_TEST(test_repeated_matrices)
{
  open_on(both[_i]);
  const int64_t shape[] = {3, 2, 2};
  const int64_t strides[] = {0, 2, 1};
  pz_tensor* const one = MATRIX(2, 2);
  pz_tensor* const b = runner_input(runner, 3, shape, NULL);
  pz_tensor* const y = runner_output(runner, 3, shape);
  pz_tensor* const z = runner_output(runner, 3, shape);
  pz_tensor* const copied = runner_output(runner, 3, shape);
  pz_tensor repeated = *one;
  repeated.ndim = 3;
  repeated.shape = shape;
  repeated.strides = strides;
  ck_assert_ok(OP(copy, &repeated, copied));
  ck_assert_ok(OP(gemm, PZ_N, PZ_T, 1.0, &repeated, b, 0.0, y));
  ck_assert_ok(OP(gemm, PZ_N, PZ_T, 1.0, copied, b, 0.0, z));
  double* const v = runner_values(runner, y);
  double* const w = runner_values(runner, z);
  for (int k = 0; k < 12; ++k) {
    ck_assert_double_eq_tol(v[k], w[k], 1e-14 * (1.0 + fabs(w[k])));
  }
  free(v), free(w);
  close_all();
}
END_TEST

int
main(void)
{
  TCase* const tcase = tcase_create("contract");
  tcase_add_loop_test(tcase, test_shapes_are_checked, 0, 2);
  tcase_add_loop_test(tcase, test_dtypes_and_devices_are_checked, 0, 2);
  tcase_add_loop_test(tcase, test_overlaps_are_refused, 0, 2);
  tcase_add_loop_test(tcase, test_indices_are_checked, 0, 2);
  tcase_add_loop_test(tcase, test_kernels_get_all_their_arguments, 0, 2);
  tcase_add_loop_test(tcase, test_empty_operands, 0, 2);
  tcase_add_loop_test(tcase, test_zero_coefficients_read_nothing, 0, 2);
  tcase_add_test(tcase, test_routes_are_counted);
  tcase_add_test(tcase, test_float64_goes_to_the_host_of_a_float32_device);
  tcase_add_test(tcase, test_large_skew_matrices_are_pivoted);
  tcase_add_loop_test(tcase, test_singular_matrices_are_named, 0, 4);
  tcase_add_test(tcase, test_fault_word);
  tcase_add_test(tcase, test_rude_backends);
  tcase_add_loop_test(tcase, test_repeated_matrices, 0, 2);
  return test_main_case(tcase);
}
