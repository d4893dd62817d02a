/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Matrices with equal entries along diagonals: entry (i, j) of y is number k(i, j) of x,

     toeplitz    n x m from n + m - 1 numbers    k = i - j + m - 1, so the top right corner comes first
     hankel      n x m from n + m - 1 numbers    k = i + j
     symmetric   n x n from n numbers            k = |i - j|
     circulant   n x n from n numbers            k = (i - j) mod n

   A linear map: gx are sums of g over the entries that share a number, dy = dx[k]. Right inverse: means over
   the same, the nearest member; as the first entry plus the mean of differences from it, which gives equal
   entries back to the bit. log |det| is 0, with x itself as coordinates of the set. */

#include "series.h"

enum { KIND, ROWS }; /* options */
enum { TOEPLITZ, SYMMETRIC, CIRCULANT, HANKEL };
static const char* const kinds[] = {"toeplitz", "symmetric", "circulant", "hankel"};

// clang-format off

/* An item is a row of a matrix. */
PZ_KERNEL(toeplitz_value, 2, 0, 4,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  PZ_INTEGER_ARG(0, kind);
  PZ_INTEGER_ARG(1, rows);
  PZ_INTEGER_ARG(2, cols);
  PZ_INTEGER_ARG(3, numbers);
  const pz_int r = i % rows;
  const pz_int first = i / rows * numbers;
  for (pz_int s = 0; s < cols; ++s) {
    const pz_int apart = r - s;
    const pz_int k = kind == 0    ? apart + cols - 1
                     : kind == 3  ? r + s
                     : apart >= 0 ? apart
                     : kind == 2  ? apart + rows
                                  : -apart;
    y[i * cols + s] = x[first + k];
  }
)

/* An item is a number: the sum over its entries; with `mean` their mean. They are in one diagonal, or in two
   of a matrix that is symmetric or circulant. */
PZ_KERNEL(toeplitz_gather, 2, 0, 5,
  PZ_TENSOR_ARG(0, y);
  PZ_TENSOR_ARG(1, x);
  PZ_INTEGER_ARG(0, kind);
  PZ_INTEGER_ARG(1, rows);
  PZ_INTEGER_ARG(2, cols);
  PZ_INTEGER_ARG(3, numbers);
  PZ_INTEGER_ARG(4, mean);
  const pz_int k = i % numbers;
  const pz_int at = i / numbers * (rows * cols);
  const int both = (kind == 1 || kind == 2) && k > 0;
  real first = (real)0;
  real sum = (real)0;
  pz_int count = 0;
  for (int second = 0; second <= both; ++second) {
    /* in row r the column is start + up * r */
    const pz_int up = kind == 3 ? -1 : 1;
    const pz_int start = kind == 0 ? cols - 1 - k : kind == 3 ? k : second == 0 ? -k : kind == 2 ? rows - k : k;
    const pz_int low = kind == 3 ? k - cols + 1 : -start;
    const pz_int high = kind == 3 ? k + 1 : cols - start;
    for (pz_int r = low < 0 ? 0 : low; r < (high < rows ? high : rows); ++r) {
      const real entry = y[at + r * cols + start + up * r];
      first = count == 0 && mean != 0 ? entry : first;
      sum += entry - first;
      count += 1;
    }
  }
  x[i] = mean != 0 && count > 0 ? first + sum / (real)count : sum;
)

// clang-format on

/* Of the value's matrices; `numbers` 0 or more. */
typedef struct extents {
  int64_t rows;
  int64_t cols;
  int64_t numbers;
} extents;

static int64_t
kind_of(const pz_call* const c)
{
  return c->options[KIND].as.integer;
}

static bool
has_diagonals(const pz_call* const c)
{
  return kind_of(c) == TOEPLITZ || kind_of(c) == HANKEL;
}

/* From the extents of a value. */
static pz_status
of_value(pz_call* const c, const pz_spec* const given, extents* const e)
{
  const int64_t wanted = c->options[ROWS].as.integer;
  PZ_TRY(pz_expect_dims(c, given, 2, "matrices"));
  e->rows = given->shape[given->ndim - 2];
  e->cols = given->shape[given->ndim - 1];
  e->numbers = !has_diagonals(c) || e->rows + e->cols == 0 ? e->rows : e->rows + e->cols - 1;
  if (has_diagonals(c) && wanted > 0) {
    return e->rows == wanted ? PZ_OK
                             : pz_fail(c, PZ_MISMATCH, "found %lld rows, expected rows=%lld",
                                       (long long)e->rows, (long long)wanted);
  }
  return e->rows == e->cols
             ? PZ_OK
             : pz_fail(c, PZ_MISMATCH, "found %lldx%lld matrices, expected square ones%s",
                       (long long)e->rows, (long long)e->cols,
                       has_diagonals(c) ? ", or the option rows" : "");
}

/* From the number of originals. */
static pz_status
of_numbers(pz_call* const c, const pz_spec* const given, extents* const e)
{
  const int64_t wanted = c->options[ROWS].as.integer;
  PZ_TRY(pz_expect_dims(c, given, 1, "rows of numbers"));
  if (given->ndim == PZ_MAX_DIMS) {
    return pz_fail(c, PZ_MISMATCH, "found %d dimensions, expected fewer", (int)given->ndim);
  }
  e->numbers = given->shape[given->ndim - 1];
  e->rows = !has_diagonals(c) ? e->numbers : wanted > 0 ? wanted : (e->numbers + 1) / 2;
  e->cols = !has_diagonals(c) ? e->rows : e->numbers + 1 - e->rows;
  if (has_diagonals(c) && wanted == 0 && e->numbers > 0 && e->rows != e->cols) {
    return pz_fail(c, PZ_MISMATCH, "found %lld numbers, expected an odd number, or the option rows",
                   (long long)e->numbers);
  }
  if (e->cols < 0) {
    return pz_fail(c, PZ_MISMATCH, "found %lld numbers, expected at least %lld for rows=%lld",
                   (long long)e->numbers, (long long)wanted - 1, (long long)wanted);
  }
  e->cols = e->numbers == 0 && wanted == 0 ? 0 : e->cols;
  return PZ_OK;
}

static pz_status
plan(pz_call* const c, const pz_spec* const given)
{
  const bool from_tensor = c->direction == PZ_FROM_TENSOR;
  pz_spec x = *given;
  pz_spec y = *given;
  extents e = {0, 0, 0};
  PZ_TRY(from_tensor ? of_value(c, given, &e) : of_numbers(c, given, &e));
  const int32_t batch = given->ndim - (from_tensor ? 2 : 1);
  const bool mirrored = kind_of(c) == SYMMETRIC || (kind_of(c) == HANKEL && e.rows == e.cols);
  x.ndim = batch + 1;
  x.shape[batch] = e.numbers;
  x.structure = PZ_GENERAL;
  y.ndim = batch + 2;
  y.shape[batch] = e.rows;
  y.shape[batch + 1] = e.cols;
  PZ_TRY(pz_declare_original(c, NULL, &x));
  PZ_TRY(pz_declare_density(c, 2, PZ_ALL_ENTRIES, PZ_OWN_COORDINATES));
  return pz_declare_value(c, &y, mirrored ? PZ_SYMMETRIC : PZ_GENERAL);
}

static pz_status
spread(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_launch(c, &toeplitz_value, pz_batch(y) * pz_rows(y), PZ_TENSORS(x, y), NULL,
                   PZ_INTEGERS(kind_of(c), pz_rows(y), pz_cols(y), x->shape[x->ndim - 1]));
}

static pz_status
gather(pz_call* const c, const bool mean, const pz_tensor* const y, pz_tensor* const x)
{
  return pz_launch(c, &toeplitz_gather, pz_count(x), PZ_TENSORS(y, x), NULL,
                   PZ_INTEGERS(kind_of(c), pz_rows(y), pz_cols(y), x->shape[x->ndim - 1], mean));
}

static pz_status
forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return spread(c, x, y);
}

static pz_status
vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y, const pz_tensor* const g,
    pz_tensor* const gx)
{
  (void)x;
  (void)y;
  return gather(c, false, g, gx);
}

static pz_status
jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y, const pz_tensor* const dx,
    pz_tensor* const dy)
{
  (void)x;
  (void)y;
  return spread(c, dx, dy);
}

/* The largest difference of y from the value of x. */
static pz_status
difference(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
           double* const distance)
{
  pz_tensor off;
  PZ_TRY(pz_work_like(c, y, &off));
  PZ_TRY(spread(c, x, &off));
  PZ_TRY(pz_axpby(c, 1.0, y, -1.0, &off));
  return pz_largest(c, &off, distance);
}

static pz_status
right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  const int64_t n = pz_rows(y) < pz_cols(y) ? pz_cols(y) : pz_rows(y);
  double distance = 0.0;
  double size = 0.0;
  PZ_TRY(gather(c, true, y, x));
  if (c->intent == PZ_ASSIGN) {
    PZ_TRY(difference(c, x, y, &distance));
    PZ_TRY(pz_largest(c, y, &size));
  }
  const double allowed = 100.0 * (double)n * pz_dtype_epsilon(y->dtype) * size;
  return distance <= allowed
             ? PZ_OK
             : pz_fail(c, PZ_OUTSIDE,
                       "found entries at distance %.3g from the means of their diagonals, expected "
                       "at most %.3g",
                       distance, allowed);
}

static pz_status
residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  const int64_t rows = pz_rows(y);
  const int64_t cols = pz_cols(y);
  pz_spec spec = pz_spec_make(y->dtype, y->ndim - 1, y->shape);
  pz_tensor x;
  spec.shape[spec.ndim - 1] = !has_diagonals(c) || rows + cols == 0 ? rows : rows + cols - 1;
  PZ_TRY(pz_work(c, &spec, &x));
  PZ_TRY(gather(c, true, y, &x));
  return difference(c, &x, y, distance);
}

static pz_status
log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            pz_tensor* const out)
{
  (void)x;
  (void)y;
  return pz_fill(c, 0.0, out);
}

static pz_status
log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                const pz_tensor* const g_out, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  (void)g_out;
  return pz_fill(c, 0.0, gx);
}

static const pz_option options[] = {
    [KIND] = PZ_OPTION_CHOICE("kind", TOEPLITZ, kinds, "which entries are equal"),
    [ROWS] = PZ_OPTION_INTEGER("rows", 0, 0, INT32_MAX,
                               "rows of toeplitz and hankel matrices; 0: square ones"),
};

const pz_parametrization series_toeplitz = {
    .size = sizeof(series_toeplitz),
    .option_size = sizeof(pz_option),
    .id = "toeplitz",
    .summary = "Matrices with equal entries along diagonals: Toeplitz, Hankel, circulant",
    .tags = "matrix series",
    .formula = "entry (i, j), from 0, is x[i - j + m - 1] of n + m - 1 numbers; hankel x[i + j]; "
               "symmetric "
               "x[|i - j|] of n; circulant x[(i - j) mod n]\n"
               "domain: any x; from its numbers alone toeplitz and hankel matrices are square\n"
               "right inverse: means of the entries that are equal in the set, the nearest member\n"
               "log |det|: 0, with x as coordinates\n"
               "cost: one pass over memory, as many additions in vjp",
    PZ_OPTIONS(options),
    .plan = plan,
    .forward = forward,
    .right_inverse = right_inverse,
    .vjp = vjp,
    .residual = residual,
    .log_abs_det = log_abs_det,
    .log_abs_det_vjp = log_abs_det_vjp,
    .jvp = jvp,
};
