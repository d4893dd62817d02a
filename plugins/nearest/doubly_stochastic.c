/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Positive square matrices whose rows and columns sum to 1: e^x, of which rows and columns are divided by
   their sums in turn, as logarithms (Sinkhorn and Knopp 1967). Columns come last, so their sums are right to
   rounding, and steps end when those of the rows are.

   The Jacobian is symmetric in form: vjp is J (y * g) and jvp is J (y * dx), where J takes from its argument
   a what a_i + b_j times y can: for c with sums of rows p and of columns q,

     J c = c - y * (a 1^T + 1 b^T),  a_i = (p_i - (y b)_i)/r_i,  S b = q - y^T (p / r),
     S = diag(sums of columns) - y^T diag(1/r) y,  r the sums of rows

   S is positive semidefinite with 1 in its kernel, so 1 1^T/n is added. Where y is near a permutation it has
   more of a kernel, and so 8 n eps is added on the diagonal: what a and b lose has no part in J c. */

#include "nearest.h"

#include "orthogonal/orthogonal.h"

#include <math.h>

enum { ITERATIONS }; /* option */

// clang-format off

PZ_ROW_KERNEL(balance_logs, 1, 1, 0, 0,
  PZ_ROW_IN(0, l);
  PZ_ROW_OUT(0, out);
  PZ_ROW_MAX(top, j, n, l[j][r]);
  PZ_ROW_SUM(sum, j, n, pz_exp(l[j][r] - top[r]));
  PZ_ROW_VALUE(shift, top[r] + pz_log(sum[r]));
  PZ_ROW_EACH(j, n) {
    out[j][r] = l[j][r] - shift[r];
  }
)

/* y <- e^l; how far the sum is from 1, or 0 if it is NaN: no step would change that. */
PZ_ROW_KERNEL(balance_value, 1, 2, 0, 0,
  PZ_ROW_IN(0, l);
  PZ_ROW_OUT(0, y);
  PZ_ROW_EACH(j, n) {
    y[j][r] = pz_exp(l[j][r]);
  }
  PZ_ROW_SUM(sum, j, n, y[j][r]);
  PZ_VALUE_OUT(1, sum[r] == sum[r] ? pz_abs(sum[r] - 1) : (real)0);
)

/* How far a row or column is from the set: its sum from 1, or its most negative entry; and minus the least. */
PZ_ROW_KERNEL(balance_inspect, 1, 2, 0, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_SUM(sum, j, n, y[j][r]);
  PZ_ROW_MAX(low, j, n, -y[j][r]);
  PZ_VALUE_OUT(0, pz_max(pz_abs(sum[r] - 1), low[r]));
  PZ_VALUE_OUT(1, low[r]);
)

/* The whole matrix is a row: logs of positive entries, of tau times the largest for others. */
PZ_ROW_KERNEL(balance_inverse, 1, 1, 1, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_OUT(0, x);
  PZ_REAL_ARG(0, tau);
  PZ_ROW_MAX(top, j, n, y[j][r]);
  PZ_ROW_VALUE(least, top[r] <= (real)0 ? tau : tau * top[r]);
  PZ_ROW_EACH(j, n) {
    x[j][r] = pz_log(y[j][r] > (real)0 ? y[j][r] : least[r]);
  }
)

PZ_KERNEL(balance_divide, 3, 0, 0,
  PZ_TENSOR_ARG(0, a);
  PZ_TENSOR_ARG(1, b);
  PZ_TENSOR_ARG(2, out);
  out[i] = a[i] / b[i];
)

/* An item is an entry: s <- S and what is added, from y^T diag(1/r) y. */
PZ_KERNEL(balance_system, 2, 2, 1,
  PZ_TENSOR_ARG(0, columns);
  PZ_TENSOR_ARG(1, s);
  PZ_REAL_ARG(0, mean);
  PZ_REAL_ARG(1, ridge);
  PZ_INTEGER_ARG(0, n);
  s[i] = mean - s[i] + (i / n % n == i % n ? columns[i / n] + ridge : (real)0);
)

/* An item is an entry: out <- y * (c - a 1^T - 1 b^T) */
PZ_KERNEL(balance_result, 5, 0, 1,
  PZ_TENSOR_ARG(0, y);
  PZ_TENSOR_ARG(1, c);
  PZ_TENSOR_ARG(2, a);
  PZ_TENSOR_ARG(3, b);
  PZ_TENSOR_ARG(4, out);
  PZ_INTEGER_ARG(0, n);
  out[i] = y[i] * (c[i] - a[i / n] - b[i / n / n * n + i % n]);
)

// clang-format on

static double
rounding(const pz_tensor* const y)
{
  return (double)pz_cols(y) * pz_dtype_epsilon(y->dtype);
}

static pz_status
doubly_stochastic_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_expect_square(c, given));
  pz_spec x = *given;
  x.structure = PZ_GENERAL;
  PZ_TRY(pz_declare_original(c, NULL, &x));
  return pz_declare_value(c, &x, PZ_GENERAL);
}

static pz_status
doubly_stochastic_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  const double enough = 2.0 * rounding(y);
  const int64_t most = c->options[ITERATIONS].as.integer;
  const pz_spec row = orth_row_spec(y, pz_cols(y));
  double off = HUGE_VAL;
  pz_tensor by_rows;
  pz_tensor l;
  pz_tensor offs;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  PZ_TRY(pz_work_like(c, y, &by_rows));
  PZ_TRY(pz_work_like(c, y, &l));
  PZ_TRY(pz_work(c, &row, &offs));
  PZ_TRY(pz_copy(c, x, &l));
  // the device is asked after 8, 16, 32 .. steps
  for (int64_t step = 0, next = 8; step < most && !(off <= enough); next *= 2) {
    for (; step < next && step < most; ++step) {
      PZ_TRY(pz_launch_rows(c, &balance_logs, PZ_ALONG_DIM, -1, PZ_TENSORS(&l),
                            PZ_OUTPUTS(&by_rows), NULL, NULL));
      PZ_TRY(pz_launch_rows(c, &balance_logs, PZ_ALONG_DIM, -2, PZ_TENSORS(&by_rows),
                            PZ_OUTPUTS(&l), NULL, NULL));
    }
    PZ_TRY(pz_launch_rows(c, &balance_value, PZ_ALONG_DIM, -1, PZ_TENSORS(&l), PZ_OUTPUTS(y, &offs),
                          NULL, NULL));
    PZ_TRY(pz_largest(c, &offs, &off));
  }
  return PZ_OK;
}

static pz_status
doubly_stochastic_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                      const pz_tensor* const g, pz_tensor* const gx)
{
  const int64_t n = pz_cols(y);
  const pz_spec row = orth_row_spec(y, n);
  const pz_spec column = orth_spec(y, n, 1);
  pz_tensor r;
  pz_tensor columns;
  pz_tensor p;
  pz_tensor q;
  pz_tensor share;
  pz_tensor z;
  pz_tensor s;
  pz_tensor b;
  pz_view as_p;
  pz_view as_q;
  pz_view as_share;
  (void)x;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  pz_tensor* const rows[] = {&r, &columns, &p, &q, &share};
  for (int k = 0; k < 5; ++k) {
    PZ_TRY(pz_work(c, &row, rows[k]));
  }
  PZ_TRY(pz_work_like(c, y, &z));
  PZ_TRY(pz_work_like(c, y, &s));
  PZ_TRY(pz_work(c, &column, &b));
  PZ_TRY(pz_norm(c, PZ_NORM_ONE, PZ_OVER_COLS, y, &r));
  PZ_TRY(pz_norm(c, PZ_NORM_ONE, PZ_OVER_ROWS, y, &columns));
  PZ_TRY(pz_dot(c, PZ_OVER_COLS, y, g, &p));
  PZ_TRY(pz_dot(c, PZ_OVER_ROWS, y, g, &q));
  // S
  PZ_TRY(pz_fill(c, 1.0, &share));
  PZ_TRY(pz_launch(c, &balance_divide, pz_count(&r), PZ_TENSORS(&share, &r, &share), NULL, NULL));
  PZ_TRY(pz_scale_by(c, PZ_OVER_COLS, &share, y, &z));
  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 1.0, y, &z, 0.0, &s));
  PZ_TRY(pz_launch(c, &balance_system, pz_count(&s), PZ_TENSORS(&columns, &s),
                   PZ_REALS(1.0 / (double)n, 8.0 * rounding(y)), &n));
  // q - y^T (p / r), then b
  pz_tensor* const p_column = pz_view_reshaped(&as_p, &p, column.ndim, column.shape);
  pz_tensor* const q_column = pz_view_reshaped(&as_q, &q, column.ndim, column.shape);
  pz_tensor* const share_column = pz_view_reshaped(&as_share, &share, column.ndim, column.shape);
  PZ_TRY(pz_launch(c, &balance_divide, pz_count(&r), PZ_TENSORS(&p, &r, &share), NULL, NULL));
  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, -1.0, y, share_column, 1.0, q_column));
  PZ_TRY(pz_solve(c, PZ_SPD, &s, q_column, &b));
  // a
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, -1.0, y, &b, 1.0, p_column));
  PZ_TRY(pz_launch(c, &balance_divide, pz_count(&r), PZ_TENSORS(&p, &r, &share), NULL, NULL));
  return pz_launch(c, &balance_result, pz_count(y), PZ_TENSORS(y, g, &share, &b, gx), NULL, &n);
}

/* far, low: for each row and column, what balance_inspect finds, in host scratch; 2 n for each matrix. */
static pz_status
inspect(pz_call* const c, const pz_tensor* const y, const double** const far,
        const double** const low)
{
  const pz_spec row = orth_row_spec(y, pz_cols(y));
  const int64_t count = pz_spec_count(&row);
  pz_tensor off;
  pz_tensor negated;
  void* memory = NULL;
  PZ_TRY(pz_work(c, &row, &off));
  PZ_TRY(pz_work(c, &row, &negated));
  PZ_TRY(pz_work_host(c, (size_t)count * 3 * sizeof(double), &memory));
  double* const rows = memory;
  double* const columns = rows + count;
  double* const lows = columns + count;
  PZ_TRY(pz_launch_rows(c, &balance_inspect, PZ_ALONG_DIM, -1, PZ_TENSORS(y),
                        PZ_OUTPUTS(&off, &negated), NULL, NULL));
  PZ_TRY(pz_read(c, &off, rows));
  PZ_TRY(pz_read(c, &negated, lows));
  PZ_TRY(pz_launch_rows(c, &balance_inspect, PZ_ALONG_DIM, -2, PZ_TENSORS(y),
                        PZ_OUTPUTS(&off, &negated), NULL, NULL));
  PZ_TRY(pz_read(c, &off, columns));
  for (int64_t k = 0; k < count; ++k) {
    rows[k] = rows[k] >= columns[k] || isnan(rows[k]) ? rows[k] : columns[k];
  }
  *far = rows;
  *low = lows;
  return PZ_OK;
}

static pz_status
doubly_stochastic_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  const int64_t n = pz_cols(y);
  const double tau = sqrt(pz_dtype_epsilon(y->dtype));
  const double allowed = 100.0 * rounding(y);
  const double* far = NULL;
  const double* low = NULL;
  pz_view from;
  pz_view to;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  if (c->intent == PZ_ASSIGN) {
    PZ_TRY(inspect(c, y, &far, &low));
    for (int64_t k = 0; k < pz_batch(y) * n; ++k) {
      if (!(far[k] <= allowed)) {
        return pz_fail(c, PZ_OUTSIDE,
                       "found matrix %lld of the batch at distance %.3g from a doubly stochastic "
                       "one, expected at most %.3g",
                       (long long)(k / n), far[k], allowed);
      }
      if (low[k] >= 0.0) {
        return pz_fail(c, PZ_SINGULAR,
                       "found matrix %lld of the batch with the entry %g, expected positive ones",
                       (long long)(k / n), -low[k]);
      }
    }
  }
  const int64_t shape[] = {pz_batch(y), n * n};
  return pz_launch_rows(c, &balance_inverse, PZ_ALONG_DIM, -1,
                        PZ_TENSORS(pz_view_reshaped(&from, y, 2, shape)),
                        PZ_OUTPUTS(pz_view_reshaped(&to, x, 2, shape)), &tau, NULL);
}

static pz_status
doubly_stochastic_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  const double* far = NULL;
  const double* low = NULL;
  *distance = 0.0;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  PZ_TRY(inspect(c, y, &far, &low));
  for (int64_t k = 0; k < pz_batch(y) * pz_cols(y); ++k) {
    *distance = pz_max(*distance, far[k]);
  }
  return PZ_OK;
}

static const pz_option options[] = {
    [ITERATIONS] = PZ_OPTION_INTEGER("iterations", 10000, 16, INT32_MAX,
                                     "the most steps; residual tells what is left"),
};

const pz_parametrization nearest_doubly_stochastic = {
    .size = sizeof(nearest_doubly_stochastic),
    .option_size = sizeof(pz_option),
    .id = "doubly_stochastic",
    .summary = "Positive matrices whose rows and columns sum to 1",
    .tags = "matrix simplex network",
    .formula =
        "Y = diag(a) e^X diag(b), a and b by division by sums of rows and of columns in turn\n"
        "domain: any square X; wide ranges of entries take many steps\n"
        "right inverse: log Y; any matrix registers, entries that are not positive as "
        "sqrt(eps) times the largest\n"
        "cost: 2 n^2 exponentials a step forward, n^3 multiply-adds in vjp",
    PZ_OPTIONS(options),
    .plan = doubly_stochastic_plan,
    .forward = doubly_stochastic_forward,
    .right_inverse = doubly_stochastic_right_inverse,
    .vjp = doubly_stochastic_vjp,
    .residual = doubly_stochastic_residual,
    .jvp = doubly_stochastic_vjp,
};
