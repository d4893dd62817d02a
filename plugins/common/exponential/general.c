/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What general matrices need to keep their digits.

   Fewer squarings: the norm of a matrix may overstate the growth of its powers by any factor, and
   every squaring too many doubles the error. growth (exponential_schemes.h) takes a few products of
   a row with the magnitudes of a matrix.

   Exact diagonals: the squarings that a large diagonal entry of a triangular matrix asks for would
   spend the digits of the small ones. Each is exp of one number, so that it is set after every
   squaring (Al-Mohy, Higham 2009, section 2). */

#include "exponential.h"

#include <math.h>

// clang-format off

PZ_KERNEL(expm_magnitudes, 2, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, p);
  p[i] = pz_abs(x[i]);
)

/* ratio <- w / v, inverse <- v / w, and v <- w / size of its row, 0 where w or v is. */
PZ_KERNEL(expm_growth_step, 5, 0, 1,
  PZ_TENSOR_ARG(0, w);
  PZ_TENSOR_ARG(1, size);
  PZ_TENSOR_ARG(2, v);
  PZ_TENSOR_ARG(3, ratio);
  PZ_TENSOR_ARG(4, inverse);
  PZ_INTEGER_ARG(0, n);
  const real each = w[i];
  inverse[i] = v[i] > (real)0 ? v[i] / each : (real)0;
  ratio[i] = each > (real)0 ? each / v[i] : (real)0;
  v[i] = each > (real)0 ? each / size[i / n] : (real)0;
)

PZ_KERNEL(expm_exact_entries, 3, 1, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, chosen);
  PZ_TENSOR_ARG(2, d);
  PZ_REAL_ARG(0, power);
  d[i] = chosen[i] != (real)0 ? pz_exp(power * x[i]) : d[i];
)

// clang-format on

/* The numbers of each matrix, one vector over the batch for each. */
enum {
  FIRST_STEPS = 1,                         /* before the host looks whether more are needed */
  SIZES = 0,                               /* and */
  RATIOS = SIZES + EXPM_GROWTH_STEPS + 1,  /* of expm_growth */
  COLUMN = RATIOS + EXPM_GROWTH_STEPS + 1, /* the largest 2-norm of a column */
  BELOW,                                   /* the largest magnitude below the diagonal */
  ABOVE,
  INVERSE, /* of the least ratio after FIRST_STEPS */
  NUMBERS,
};

static pz_tensor*
number_of(pz_view* const view, const pz_tensor* const numbers, const int64_t batch, const int64_t k)
{
  pz_tensor* const out = pz_view_reshaped(view, numbers, 1, &batch);
  out->byte_offset += (uint64_t)(k * batch) * pz_dtype_size(numbers->dtype);
  return out;
}

/* Steps `from` .. `to` of the growth of x: v <- v |X| for each, and its numbers. */
typedef struct growth {
  pz_tensor magnitudes;
  pz_tensor v;
  pz_tensor w;
  pz_tensor ratio;
  pz_tensor inverse;
  pz_tensor numbers;
} growth;

static pz_status
step(pz_call* const c, growth* const g, const int64_t from, const int64_t to)
{
  const int64_t batch = pz_batch(&g->v);
  const int64_t n = pz_cols(&g->v);
  for (int64_t j = from; j <= to; ++j) {
    pz_view view;
    pz_tensor* const size = number_of(&view, &g->numbers, batch, SIZES + j);
    PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &g->v, &g->magnitudes, 0.0, &g->w));
    PZ_TRY(pz_norm(c, PZ_NORM_MAX, PZ_OVER_BOTH, &g->w, size));
    const pz_tensor* const tensors[] = {&g->w, size, &g->v, &g->ratio, &g->inverse};
    PZ_TRY(pz_launch(c, &expm_growth_step, batch * n, tensors, NULL, &n));
    PZ_TRY(pz_norm(c, PZ_NORM_MAX, PZ_OVER_BOTH, &g->ratio,
                   number_of(&view, &g->numbers, batch, RATIOS + j)));
  }
  return PZ_OK;
}

/* reduced <- the growth of matrix k after `steps` of them. */
static double
growth_of(const double bound, const int64_t batch, const int64_t k, const int steps,
          const double* const number)
{
  double size[EXPM_GROWTH_STEPS + 1];
  double ratio[EXPM_GROWTH_STEPS + 1];
  for (int j = 0; j <= steps; ++j) {
    size[j] = number[(SIZES + j) * batch + k];
    ratio[j] = number[(RATIOS + j) * batch + k];
  }
  return expm_growth(bound, steps, size, ratio);
}

pz_status
expm_reduce_norms(pz_call* const c, const pz_tensor* const x, const double bound,
                  double* const norm, double* const column, bool* const triangular)
{
  const uint64_t mark = pz_work_mark(c);
  const int64_t batch = pz_batch(x);
  const int64_t n = pz_rows(x);
  const pz_spec row_spec = pz_spec_make(x->dtype, 3, (const int64_t[]){batch, 1, n});
  const pz_spec number_spec = pz_spec_make(x->dtype, 1, (const int64_t[]){NUMBERS * batch});
  growth g;
  pz_view x_view;
  pz_view view;
  void* memory = NULL;
  const pz_tensor* const matrices = expm_range(&x_view, x, 0, batch);
  PZ_TRY(pz_work(c, &number_spec, &g.numbers));
  PZ_TRY(pz_work_like(c, matrices, &g.magnitudes));
  PZ_TRY(pz_work(c, &row_spec, &g.v));
  PZ_TRY(pz_work(c, &row_spec, &g.w));
  PZ_TRY(pz_work(c, &row_spec, &g.ratio));
  PZ_TRY(pz_work(c, &row_spec, &g.inverse));
  PZ_TRY(expm_host_array(c, NUMBERS * batch, sizeof(double), &memory));
  PZ_TRY(pz_fill(c, 0.0, &g.numbers));
  for (int k = BELOW; k <= ABOVE; ++k) {
    PZ_TRY(pz_triangle(c, k == BELOW ? PZ_LOWER : PZ_UPPER, k == BELOW ? -1 : 1, matrices,
                       &g.magnitudes));
    PZ_TRY(pz_norm(c, PZ_NORM_MAX, PZ_OVER_BOTH, &g.magnitudes,
                   number_of(&view, &g.numbers, batch, k)));
  }
  pz_tensor* const columns = pz_view_reshaped(&view, &g.w, 2, (const int64_t[]){batch, n});
  PZ_TRY(pz_norm(c, PZ_NORM_TWO, PZ_OVER_ROWS, matrices, columns));
  PZ_TRY(pz_norm(c, PZ_NORM_MAX, PZ_OVER_BOTH, &g.w, number_of(&view, &g.numbers, batch, COLUMN)));
  const pz_tensor* const magnitudes[] = {matrices, &g.magnitudes};
  PZ_TRY(pz_launch(c, &expm_magnitudes, pz_count(x), magnitudes, NULL, NULL));
  PZ_TRY(pz_fill(c, 1.0, &g.v));
  PZ_TRY(step(c, &g, 0, FIRST_STEPS));
  PZ_TRY(pz_norm(c, PZ_NORM_MAX, PZ_OVER_BOTH, &g.inverse,
                 number_of(&view, &g.numbers, batch, INVERSE)));

  const double* const number = memory;
  PZ_TRY(pz_read(c, &g.numbers, memory));
  bool more = false;
  for (int64_t k = 0; k < batch; ++k) {
    column[k] = number[COLUMN * batch + k];
    triangular[k] = number[BELOW * batch + k] == 0.0 || number[ABOVE * batch + k] == 0.0;
    if (isfinite(norm[k]) && norm[k] > bound) {
      const double found = growth_of(bound, batch, k, FIRST_STEPS, number);
      more = more || (found > bound && !(found * number[INVERSE * batch + k] < 2.0));
      norm[k] = fmin(norm[k], found);
    }
  }
  if (more) {
    PZ_TRY(step(c, &g, FIRST_STEPS + 1, EXPM_GROWTH_STEPS));
    PZ_TRY(pz_read(c, &g.numbers, memory));
  }
  for (int64_t k = 0; more && k < batch; ++k) {
    if (isfinite(norm[k]) && norm[k] > bound) {
      norm[k] = fmin(norm[k], growth_of(bound, batch, k, EXPM_GROWTH_STEPS, number));
    }
  }
  pz_work_release(c, mark);
  return PZ_OK;
}

pz_status
expm_diagonal_open(pz_call* const c, const expm_plan* const p, const pz_tensor* const x,
                   expm_diagonal* const out)
{
  const int64_t m = p->count[EXPM_LAST];
  const pz_spec spec = pz_spec_make(x->dtype, 2, (const int64_t[]){m, p->n});
  void* memory = NULL;
  out->any = false;
  for (int64_t i = 0; p->triangular && i < m; ++i) {
    out->any |= p->triangular[p->order[i]];
  }
  if (!out->any) {
    return PZ_OK;
  }
  PZ_TRY(pz_work(c, &spec, &out->x));
  PZ_TRY(pz_work(c, &spec, &out->chosen));
  PZ_TRY(pz_work(c, &spec, &out->y));
  PZ_TRY(expm_host_array(c, m * p->n, sizeof(double), &memory));
  double* const chosen = memory;
  for (int64_t i = 0; i < m * p->n; ++i) {
    chosen[i] = p->triangular[p->order[i / p->n]] ? 1.0 : 0.0;
  }
  PZ_TRY(pz_get_diagonal(c, x, &out->x));
  return pz_write(c, chosen, &out->chosen);
}

/* Rows `first` .. `first + count - 1`. */
static pz_tensor*
rows_of(pz_view* const view, const pz_tensor* const t, const int64_t first, const int64_t count)
{
  pz_tensor* const out = pz_view_reshaped(view, t, 2, (const int64_t[]){count, t->shape[1]});
  out->byte_offset += (uint64_t)(first * t->shape[1]) * pz_dtype_size(t->dtype);
  return out;
}

pz_status
expm_diagonal_set(pz_call* const c, const expm_diagonal* const d, const int64_t squarings,
                  const int64_t first, const int64_t count, pz_tensor* const y)
{
  if (!d->any) {
    return PZ_OK;
  }
  pz_view views[3];
  const double power = exp2((double)squarings);
  pz_tensor* const entries = rows_of(&views[2], &d->y, first, count);
  const pz_tensor* const tensors[] = {rows_of(&views[0], &d->x, first, count),
                                      rows_of(&views[1], &d->chosen, first, count), entries};
  PZ_TRY(pz_get_diagonal(c, y, entries));
  PZ_TRY(pz_launch(c, &expm_exact_entries, count * d->y.shape[1], tensors, &power, NULL));
  return pz_set_diagonal(c, entries, y);
}
