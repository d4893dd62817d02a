/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Row kernels on devices of all kinds, against sums over the entries of each row in long double:
   rows along every dimension, slices of every dimension, whole tensors; rows of several lengths,
   numbers per row, absent tensors, copies in tiles. */

#include "op_runner.h"
#include "opaque.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// clang-format off
PZ_ROW_KERNEL(all_of_it, 3, 3, 1, 1,
  PZ_ROW_IN(0, x);
  PZ_VALUE_IN(1, v);
  PZ_ROW_IN(2, z);
  PZ_ROW_OUT(0, y);
  PZ_ROW_OUT(1, running);
  PZ_REAL_ARG(0, a);
  PZ_INTEGER_ARG(0, more);
  PZ_ROW_MAX(top, j, n, x[j][r]);
  PZ_ROW_SCAN(running, j, PZ_LENGTH_OUT(1), x[j][r] * v[r]);
  PZ_ROW_EACH(j, n) {
    y[j][r] = x[j][r] * v[r];
  }
  PZ_ROW_REVERSE_SCAN(y, j, n, 2 * y[j][r]);
  /* reads what another work item wrote */
  PZ_ROW_EACH(j, n) {
    y[j][r] = a * x[j][r] + running[n - 1 - j][r] + y[j][r] + (real)more;
  }
  PZ_ROW_SUM(squares, j, PZ_LENGTH_IN(2), z[j][r] * z[j][r]);
  PZ_VALUE_OUT(2, top[r] + squares[r]);
)
// clang-format on

static const char* const devices[] = {"reference", "cpu", "bare", "lean"};
enum { N_DEVICES = sizeof(devices) / sizeof(devices[0]) };

static const int64_t shapes[][4] = {
    {5}, {1, 7}, {4, 6}, {3, 4, 5}, {2, 3, 4, 3}, {0, 3}, {3, 0}, {2, 300}, {300, 2}, {64, 80, 33},
};
static const int32_t ndims[] = {1, 2, 2, 3, 4, 2, 2, 2, 2, 3};
enum { N_SHAPES = sizeof(ndims) / sizeof(ndims[0]) };

/* Where element `e` of a tensor belongs: its row, and its place in it. `filled` counts the entries
   of each row so far; elements come in C order. */
static void
locate(const pz_row_kind kind, const int32_t dim, const int32_t ndim, const int64_t* const shape,
       const int64_t e, int64_t* const filled, int64_t* const row, int64_t* const place)
{
  int64_t index[PZ_MAX_DIMS];
  int64_t rest = e;
  for (int32_t i = ndim; i-- > 0;) {
    index[i] = rest % shape[i];
    rest /= shape[i];
  }
  *row = kind == PZ_SLICES_OF_DIM ? index[dim] : 0;
  for (int32_t i = 0; i < ndim && kind == PZ_ALONG_DIM; ++i) {
    *row = i == dim ? *row : *row * shape[i] + index[i];
  }
  *place = filled[*row]++;
}

/* The entries of a tensor sorted by rows, rows x length; to be freed. */
static double*
by_rows(op_runner* const runner, const pz_row_kind kind, const int32_t dim,
        const pz_tensor* const t, const int64_t rows, const int64_t length)
{
  double* const values = runner_values(runner, t);
  double* const out = calloc((size_t)(rows * length) + 1, sizeof(*out));
  int64_t* const filled = calloc((size_t)rows + 1, sizeof(*filled));
  for (int64_t e = 0; e < pz_count(t); ++e) {
    int64_t row = 0;
    int64_t place = 0;
    locate(kind, dim, t->ndim, t->shape, e, filled, &row, &place);
    if (row >= rows || place >= length) {
      ck_abort_msg("element %lld is outside %lld x %lld", (long long)e, (long long)rows,
                   (long long)length);
    }
    out[row * length + place] = values[e];
  }
  free(filled);
  free(values);
  return out;
}

static void
check_near(const double found, const long double expected, const long double size,
           const double epsilon, const int64_t n)
{
  const double bound = 4.0 * (double)(n + 4) * epsilon * (double)(1.0L + size);
  if (!(fabs(found - (double)expected) <= bound)) {
    ck_abort_msg("found %.17g, expected %.17Lg", found, expected);
  }
}

typedef struct trial {
  pz_row_kind kind;
  int32_t dim;
  const int64_t* shape;
  int32_t ndim;
  bool reduced; /* numbers per row have only the dimensions that count the rows */
  bool absent;  /* z, and the output of the running sum's twin */
} trial;

static void
run_trial(op_runner* const runner, const trial* const t)
{
  int64_t one[PZ_MAX_DIMS];
  int64_t other[PZ_MAX_DIMS];
  int32_t n_one = 0;
  int64_t rows = 1;
  int64_t length = 1;
  for (int32_t i = 0; i < t->ndim; ++i) {
    const bool counts =
        t->kind == PZ_WHOLE ? false : (i == t->dim) == (t->kind == PZ_SLICES_OF_DIM);
    other[i] = counts ? t->shape[i] : t->shape[i] > 1 ? 2 : 1;
    rows *= counts ? t->shape[i] : 1;
    length *= counts ? 1 : t->shape[i];
    if (counts || !t->reduced) {
      one[n_one++] = counts ? t->shape[i] : 1;
    }
  }
  int64_t z_length = 1;
  for (int32_t i = 0; i < t->ndim; ++i) {
    z_length *= other[i];
  }
  z_length = rows > 0 ? z_length / rows : 0;

  pz_tensor* const x = runner_input(runner, t->ndim, t->shape, NULL);
  pz_tensor* const v = runner_input(runner, n_one, one, NULL);
  pz_tensor* const z = runner_input(runner, t->ndim, other, NULL);
  pz_tensor* const y = runner_output(runner, t->ndim, t->shape);
  pz_tensor* const running = runner_output(runner, t->ndim, t->shape);
  pz_tensor* const number = runner_output(runner, n_one, one);
  pz_tensor no_z = *z;
  pz_tensor no_running = *running;
  no_z.data = NULL;
  no_running.data = NULL;
  const double a = 1.25;
  const int64_t more = 3;
  const int32_t dim = (t->ndim + t->dim) % 2 ? t->dim : t->dim - t->ndim;
  ck_assert_ok(runner->call.ops->launch_rows(
      &runner->call, &all_of_it, t->kind, dim, PZ_TENSORS(x, v, t->absent ? &no_z : z),
      PZ_OUTPUTS(y, t->absent ? &no_running : running, number), &a, &more));

  const double epsilon = pz_dtype_epsilon(runner->dtype);
  double* const xs = by_rows(runner, t->kind, t->dim, x, rows, length);
  double* const zs = by_rows(runner, t->kind, t->dim, z, rows, z_length);
  double* const ys = by_rows(runner, t->kind, t->dim, y, rows, length);
  double* const sums = by_rows(runner, t->kind, t->dim, running, rows, length);
  double* const vs = runner_values(runner, v);
  double* const numbers = runner_values(runner, number);
  for (int64_t r = 0; r < rows; ++r) {
    long double sum = 0;
    long double size = 0;
    long double top = -HUGE_VALL;
    long double squares = 0;
    for (int64_t j = 0; j < length; ++j) {
      const double* const entry = &xs[r * length + j];
      sum += (long double)*entry * vs[r];
      size += fabsl((long double)*entry * vs[r]);
      top = fmaxl(top, *entry);
      if (!t->absent) {
        check_near(sums[r * length + j], sum, size, epsilon, length);
      } else if (!isnan(sums[r * length + j])) {
        ck_abort_msg("an absent output was written");
      }
      /* the running sum of the entry that stands as far from the end, and twice that from the end */
      long double ends = 0;
      long double ends_size = 0;
      for (int64_t i = 0; length <= 64 && i < length; ++i) {
        const long double term = (long double)xs[r * length + i] * vs[r];
        ends += (i < length - j ? term : 0) + (i >= j ? 2 * term : 0);
        ends_size += 3 * fabsl(term);
      }
      if (length <= 64) {
        check_near(ys[r * length + j], 1.25L * *entry + ends + 3, 40.0L + ends_size, epsilon,
                   length);
      }
    }
    for (int64_t j = 0; j < z_length && !t->absent; ++j) {
      squares += (long double)zs[r * z_length + j] * zs[r * z_length + j];
    }
    if (length > 0) {
      check_near(numbers[r], top + squares, squares, epsilon, z_length);
    } else {
      ck_assert(isinf(numbers[r]) && numbers[r] < 0);
    }
  }
  free(xs);
  free(zs);
  free(ys);
  free(sums);
  free(vs);
  free(numbers);
  runner_check(runner);
}

static pz_context* context;

static pz_queue*
open_queue(const char* const device)
{
  pz_queue* queue = NULL;
  context = test_context();
  ck_assert_ok(pz_context_add_plugin(context, &pz_plugin_v1_opaque));
  ck_assert_ok(pz_queue_open(context, device, NULL, &queue));
  return queue;
}

static void
close_queue(pz_queue* const queue)
{
  pz_queue_close(queue);
  pz_context_free(context);
  ck_assert_int_eq(opaque_allocations(), 0);
}

START_TEST(test_every_kind_of_rows)
{
  static op_runner runner;
  pz_queue* const queue = open_queue(devices[_i]);
  for (int s = 0; s < 2 * N_SHAPES; ++s) {
    const int64_t* const shape = shapes[s / 2];
    const int32_t ndim = ndims[s / 2];
    runner_open(&runner, queue, s % 2 ? PZ_F32 : PZ_F64, s % 3 ? OFFSET : PLAIN,
                test_seed() + (uint64_t)s);
    for (int32_t dim = 0; dim < ndim; ++dim) {
      for (int way = 0; way < 4; way += shape[0] == 64 ? 3 : 1) { /* the large one takes longer */
        const bool reduced = way % 2;
        const bool absent = way / 2;
        run_trial(&runner, &(trial){PZ_ALONG_DIM, dim, shape, ndim, reduced, absent});
        run_trial(&runner, &(trial){PZ_SLICES_OF_DIM, dim, shape, ndim, reduced, absent});
        run_trial(&runner, &(trial){PZ_WHOLE, dim, shape, ndim, reduced, absent});
      }
    }
    runner_close(&runner);
  }
  close_queue(queue);
}
END_TEST

PZ_ROW_KERNEL(
    double_it, 1, 1, 0, 0, PZ_ROW_IN(0, x); PZ_ROW_OUT(0, y);
    PZ_ROW_EACH(j, n) { y[j][r] = 2 * x[j][r]; })

START_TEST(test_refusals)
{
  static op_runner runner;
  pz_queue* const queue = open_queue(devices[_i ? 3 : 0]);
  runner_open(&runner, queue, PZ_F64, PLAIN, test_seed());
  pz_tensor* const x = runner_input(&runner, 2, (const int64_t[]){3, 4}, NULL);
  pz_tensor* const y = runner_output(&runner, 2, (const int64_t[]){3, 4});
  pz_tensor* const tall = runner_output(&runner, 2, (const int64_t[]){5, 4});
  const pz_tensor* const in[] = {x};
#define LAUNCH(kernel, kind, dim, in, out) \
  runner.call.ops->launch_rows(&runner.call, kernel, kind, dim, in, out, NULL, NULL)
  ck_assert_fails(LAUNCH(NULL, PZ_WHOLE, 0, in, PZ_OUTPUTS(y)), PZ_INVALID, "found no kernel");
  ck_assert_fails(LAUNCH(&double_it, PZ_WHOLE, 0, NULL, PZ_OUTPUTS(y)), PZ_INVALID,
                  "launch of double_it: found no inputs, expected 1");
  ck_assert_fails(LAUNCH(&double_it, PZ_WHOLE, 0, in, NULL), PZ_INVALID, "found no outputs");
  ck_assert_fails(LAUNCH(&double_it, PZ_ALONG_DIM, 2, in, PZ_OUTPUTS(y)), PZ_INVALID,
                  "found rows of kind 0, dimension 2 of 2");
  ck_assert_fails(LAUNCH(&double_it, PZ_SLICES_OF_DIM, -3, in, PZ_OUTPUTS(y)), PZ_INVALID,
                  "dimension -3 of 2");
  ck_assert_fails(LAUNCH(&double_it, (pz_row_kind)3, 0, in, PZ_OUTPUTS(y)), PZ_INVALID,
                  "found rows of kind 3");
  ck_assert_fails(LAUNCH(&double_it, PZ_ALONG_DIM, 1, in, PZ_OUTPUTS(tall)), PZ_MISMATCH,
                  "tensor 1: found float64 5x4, whose rows are not those of float64 3x4");
  ck_assert_fails(LAUNCH(&double_it, PZ_WHOLE, 0, in, PZ_OUTPUTS(x)), PZ_INVALID,
                  "output 0 overlaps tensor 0");
  pz_row_kernel newer = double_it;
  newer.dialect = PZ_KERNEL_DIALECT + 1;
  ck_assert_fails(LAUNCH(&newer, PZ_WHOLE, 0, in, PZ_OUTPUTS(y)), PZ_UNSUPPORTED,
                  "launch of double_it: found kernel dialect 2, expected 1");
  newer = double_it;
  newer.n_outputs = 0;
  ck_assert_fails(LAUNCH(&newer, PZ_WHOLE, 0, in, PZ_OUTPUTS(y)), PZ_INVALID, "and 0 outputs");
  newer.n_outputs = PZ_KERNEL_MAX_ARGS;
  ck_assert_fails(LAUNCH(&newer, PZ_WHOLE, 0, in, PZ_OUTPUTS(y)), PZ_INVALID, "found 9 tensors");
  ck_assert_ok(LAUNCH(&double_it, PZ_ALONG_DIM, 0, in, PZ_OUTPUTS(y)));
  runner_close(&runner);
  close_queue(queue);
}
END_TEST

/* NaN in one row stays in it; the largest of a row that holds NaN is NaN. */
START_TEST(test_nan)
{
  static op_runner runner;
  pz_queue* const queue = open_queue(devices[_i]);
  runner_open(&runner, queue, PZ_F32, PLAIN, test_seed());
  double values[3 * 40];
  for (int k = 0; k < 3 * 40; ++k) {
    values[k] = k == 57 ? (double)NAN : k;
  }
  const int64_t shape[] = {3, 40};
  const double a = 1.0;
  const int64_t more = 0;
  pz_tensor* const x = runner_input(&runner, 2, shape, values);
  pz_tensor* const v = runner_input(&runner, 1, shape, (const double[]){1.0, 1.0, 1.0});
  pz_tensor* const y = runner_output(&runner, 2, shape);
  pz_tensor* const running = runner_output(&runner, 2, shape);
  pz_tensor* const number = runner_output(&runner, 1, shape);
  ck_assert_ok(runner.call.ops->launch_rows(&runner.call, &all_of_it, PZ_ALONG_DIM, -1,
                                            PZ_TENSORS(x, v, v), PZ_OUTPUTS(y, running, number), &a,
                                            &more));
  double* const numbers = runner_values(&runner, number);
  double* const sums = runner_values(&runner, running);
  ck_assert(numbers[0] == 40.0 && isnan(numbers[1]) && numbers[2] == 120.0);
  ck_assert(!isnan(sums[56]) && isnan(sums[57]) && isnan(sums[79]) && sums[80] == 80.0);
  free(numbers);
  free(sums);
  runner_close(&runner);
  close_queue(queue);
}
END_TEST

// clang-format off
PZ_ROW_KERNEL(norm_of, 1, 2, 0, 0,
  PZ_ROW_IN(0, x);
  PZ_ROW_NORM(size, scale, j, n, x[j][r]);
  PZ_VALUE_OUT(0, size[r]);
  PZ_VALUE_OUT(1, scale[r]);
)
// clang-format on

/* Norms of entries whose squares overflow or vanish, some of which are themselves out of range. */
START_TEST(test_norm)
{
  static op_runner runner;
  static const double sizes32[] = {1.0, 3e38, 2e-38, 1e-44, 1e20, 1e-25, 0.0, INFINITY, NAN};
  static const double sizes64[] = {1.0, 1.5e308, 3e-308, 5e-324, 1e200, 1e-200, 0.0, INFINITY, NAN};
  enum { ROWS = 9, LENGTH = 37 };
  pz_queue* const queue = open_queue(devices[_i]);
  for (int wide = 0; wide < 2; ++wide) {
    double values[ROWS * LENGTH];
    runner_open(&runner, queue, wide ? PZ_F64 : PZ_F32, PLAIN, test_seed());
    for (int k = 0; k < ROWS * LENGTH; ++k) {
      const double size = (wide ? sizes64 : sizes32)[k / LENGTH];
      const double exact = k % LENGTH % 3 == 2 ? size : k % LENGTH % 3 ? -size / 2 : size / 4;
      values[k] = k % LENGTH == 5 || isfinite(size) ? exact : 1.0;
      values[k] = wide ? values[k] : (double)(float)values[k];
    }
    /* inputs of the runner are floats */
    pz_tensor* const x = runner_output(&runner, 2, (const int64_t[]){ROWS, LENGTH});
    ck_assert_ok(runner.call.ops->write(&runner.call, values, x));
    pz_tensor* const size = runner_output(&runner, 1, (const int64_t[]){ROWS});
    pz_tensor* const scale = runner_output(&runner, 1, (const int64_t[]){ROWS});
    ck_assert_ok(runner.call.ops->launch_rows(&runner.call, &norm_of, PZ_ALONG_DIM, 1,
                                              PZ_TENSORS(x), PZ_OUTPUTS(size, scale), NULL, NULL));
    double* const found = runner_values(&runner, size);
    double* const scales = runner_values(&runner, scale);
    for (int r = 0; r < ROWS; ++r) {
      double sum = 0.0;
      int exponent = 0;
      for (int j = 0; j < LENGTH; ++j) {
        const double entry = scales[r] * values[r * LENGTH + j];
        sum += entry * entry;
      }
      const double expected = sqrt(sum);
      ck_assert(scales[r] > 0.0 && frexp(scales[r], &exponent) == 0.5);
      if (isfinite(expected)) {
        ck_assert_msg(fabs(found[r] - expected) <= 8 * pz_dtype_epsilon(runner.dtype) * expected,
                      "row %d: found %.17g, expected %.17g", r, found[r], expected);
        ck_assert(r == 3 || r == 6 || (found[r] >= 0.5 && found[r] < 16.0));
      } else {
        ck_assert(isnan(expected) ? isnan(found[r]) : isinf(found[r]));
      }
    }
    free(found);
    free(scales);
    runner_close(&runner);
  }
  close_queue(queue);
}
END_TEST

/* A row and a number that stand for every row. */
START_TEST(test_repeated)
{
  static op_runner runner;
  static const struct {
    pz_row_kind kind;
    int32_t dim;
    int64_t row[3];
  } cases[] = {
      {PZ_ALONG_DIM, 2, {1, 1, 5}}, {PZ_ALONG_DIM, 1, {1, 4, 1}}, {PZ_SLICES_OF_DIM, 1, {3, 1, 5}}};
  pz_queue* const queue = open_queue(devices[_i]);
  runner_open(&runner, queue, PZ_F64, OFFSET, test_seed());
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); ++k) {
    const int64_t shape[] = {3, 4, 5};
    const pz_row_kind kind = cases[k].kind;
    const int32_t dim = cases[k].dim;
    const int64_t rows = kind == PZ_ALONG_DIM ? 60 / shape[dim] : shape[dim];
    const int64_t length = 60 / rows;
    const double a = 2.0;
    const int64_t more = 0;
    pz_tensor* const x = runner_input(&runner, 3, cases[k].row, NULL);
    pz_tensor* const v = runner_input(&runner, 3, (const int64_t[]){1, 1, 1}, NULL);
    pz_tensor* const z = runner_input(&runner, 3, shape, NULL);
    pz_tensor* const y = runner_output(&runner, 3, shape);
    pz_tensor* const running = runner_output(&runner, 3, shape);
    pz_tensor none = *running;
    none.data = NULL;
    ck_assert_fails(runner.call.ops->launch_rows(&runner.call, &all_of_it, kind, dim,
                                                 PZ_TENSORS(z, v, z), PZ_OUTPUTS(y, running, x), &a,
                                                 &more),
                    PZ_MISMATCH, "whose rows are not those");
    ck_assert_ok(runner.call.ops->launch_rows(&runner.call, &all_of_it, kind, dim,
                                              PZ_TENSORS(x, v, z), PZ_OUTPUTS(y, running, &none),
                                              &a, &more));
    double* const xs = runner_values(&runner, x);
    double* const vs = runner_values(&runner, v);
    double* const sums = by_rows(&runner, kind, dim, running, rows, length);
    for (int64_t r = 0; r < rows; ++r) {
      double sum = 0.0;
      for (int64_t j = 0; j < length; ++j) {
        sum += xs[j] * vs[0];
        ck_assert_double_eq_tol(sums[r * length + j], sum, 1e-13);
      }
    }
    free(xs);
    free(vs);
    free(sums);
    runner_check(&runner);
  }
  runner_close(&runner);
  close_queue(queue);
}
END_TEST

int
main(void)
{
  TCase* const tcase = tcase_create("row_kernels");
  tcase_add_loop_test(tcase, test_every_kind_of_rows, 0, N_DEVICES);
  tcase_add_loop_test(tcase, test_refusals, 0, 2);
  tcase_add_loop_test(tcase, test_nan, 0, N_DEVICES);
  tcase_add_loop_test(tcase, test_norm, 0, N_DEVICES);
  tcase_add_loop_test(tcase, test_repeated, 0, N_DEVICES);
  return test_main_case(tcase);
}
