/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* log |det| of the chain is the sum of those of its stages. A fold whose value was not computed
   has determinant 1. The gradient goes backward as in eval_vjp.c, and every stage adds that of
   its own log |det|. */

#include "eval_density.h"

#include "check_tensor.h"
#include "density.h"
#include "eval_back.h"
#include "overlap.h"
#include "pending.h"
#include "status.h"

#include <string.h>

/* Is stage i a fold whose value the next stage did not need? */
static bool
is_skipped(const pz_eval* const eval, const uint32_t i)
{
  return i + 1 < eval->n_stages && eval->stages[i + 1].by != 0;
}

/* A number for each determinant of stage i and, if the result has fewer, the same as rows, each of
   which adds up to one number of the result. One number for all of the tensor is one row too. */
typedef struct numbers {
  pz_tensor each;
  pz_view rows;
} numbers;

static pz_status
numbers_new(pz_eval* const eval, const uint32_t i, const int32_t n_batch, numbers* const out)
{
  const pzi_plan* const plan = eval->stages[i].plan;
  const int32_t n = pzi_density_stage_batch(plan);
  const pz_spec spec = pz_spec_make(plan->value.dtype, n, plan->value.shape);
  PZ_TRY(pzi_pending_new(eval, &spec, &out->each));
  if (n > n_batch) {
    const int32_t n_rows = n_batch > 0 ? n_batch : 1;
    pz_spec rows = pz_spec_make(spec.dtype, n_rows + 1, spec.shape);
    rows.shape[0] = n_batch > 0 ? rows.shape[0] : 1;
    rows.shape[n_rows] = pz_shape_count(n - n_batch, spec.shape + n_batch);
    pz_view_reshaped(&out->rows, &out->each, rows.ndim, rows.shape);
  }
  return PZ_OK;
}

static bool
is_finer(const pz_eval* const eval, const uint32_t i, const int32_t n_batch)
{
  return pzi_density_stage_batch(eval->stages[i].plan) > n_batch;
}

/* The numbers of the result as one for each row. */
static pz_tensor*
per_row(pz_view* const v, const pz_tensor* const result)
{
  static const int64_t one[] = {1};
  return result->ndim > 0 ? pz_view_of(v, result) : pz_view_reshaped(v, result, 1, one);
}

/* ones <- 1, in the shape of the rows. */
static pz_status
make_ones(pz_eval* const eval, const numbers* const like, pz_tensor* const ones)
{
  const pz_spec spec = pz_spec_of(&like->rows.tensor);
  PZ_TRY(pzi_pending_new(eval, &spec, ones));
  pz_call* const c = pzi_eval_core(eval, &eval->fault);
  return c->ops->fill(c, 1.0, ones);
}

/* out <- the log |det| of stage i, or out + that. */
static pz_status
add_stage(pz_eval* const eval, const uint32_t i, const int32_t n_batch, const bool accumulate,
          pz_tensor* const out)
{
  const pzi_eval_stage* const stage = &eval->stages[i];
  numbers own;
  pz_tensor sum;
  PZ_TRY(numbers_new(eval, i, n_batch, &own));
  PZ_TRY(pzi_eval_poison(eval, &own.each, 1, &eval->fault));
  pz_call* c = pzi_back_enter(eval, i, "log_abs_det", NULL, 0);
  eval->outputs[0] = own.each;
  const pz_status answer = stage->table->log_abs_det(c, stage->x, &stage->y, eval->outputs);
  PZ_TRY(pzi_eval_leave(eval, &own.each, 1, memcmp(eval->outputs, &own.each, sizeof(own.each)) != 0,
                        answer));
  sum = own.each;
  if (is_finer(eval, i, n_batch)) {
    const pz_spec spec = pz_spec_of(out);
    pz_tensor ones;
    pz_view sums;
    PZ_TRY(make_ones(eval, &own, &ones));
    PZ_TRY(pzi_pending_new(eval, &spec, &sum));
    c = pzi_eval_core(eval, &eval->fault);
    PZ_TRY(c->ops->dot(c, PZ_OVER_COLS, &own.rows.tensor, &ones, per_row(&sums, &sum)));
  }
  c = pzi_eval_core(eval, &eval->fault);
  return c->ops->axpby(c, 1.0, &sum, accumulate ? 1.0 : 0.0, out);
}

pz_status
pzi_eval_density(pz_eval* const eval, const int32_t n_batch, pz_tensor* const out)
{
  const pz_spec spec = pzi_density_spec(eval->chain, n_batch);
  bool adding = false;
  pzi_tensor_arena_clear(&eval->temporary);
  PZ_TRY(pzi_pending_new(eval, &spec, out));
  pzi_eval_skip_folds(eval);
  for (uint32_t i = 0; i < eval->n_stages; ++i) {
    if (!is_skipped(eval, i)) {
      PZ_TRY(add_stage(eval, i, n_batch, adding, out));
      adding = true;
    }
  }
  return PZ_OK;
}

pz_status
pz_eval_log_abs_det(pz_eval* const eval, const pz_state* const state, const pz_tensor* const out)
{
  int32_t n_batch = 0;
  pz_tensor sum;
  PZ_TRY(pzi_back_check_saved(eval, state, "log |det|"));
  PZ_TRY(pzi_density_batch(eval->chain, &n_batch));
  const pz_spec spec = pzi_density_spec(eval->chain, n_batch);
  PZ_TRY(pzi_check_tensor(eval->queue, out, &spec, "log |det|"));
  if (pzi_overlap_self(out)) {
    return pzi_fail(PZ_INVALID, "log |det|: found strides that address an element twice");
  }
  PZ_TRY(pzi_eval_density(eval, n_batch, &sum));
  return pzi_back_copy_out(eval, &sum, out);
}

/* ---- gradients ---------------------------------------------------------------------------- */

/* g_out for every determinant of stage i. */
static pz_status
spread(pz_eval* const eval, const uint32_t i, const int32_t n_batch, const pz_tensor* const g_out,
       pz_tensor* const out)
{
  numbers own;
  pz_tensor ones;
  pz_view v;
  if (!is_finer(eval, i, n_batch)) {
    *out = *g_out;
    return PZ_OK;
  }
  PZ_TRY(numbers_new(eval, i, n_batch, &own));
  PZ_TRY(make_ones(eval, &own, &ones));
  pz_call* const c = pzi_eval_core(eval, &eval->fault);
  PZ_TRY(c->ops->scale_by(c, PZ_OVER_COLS, per_row(&v, g_out), &ones, &own.rows.tensor));
  *out = own.each;
  return PZ_OK;
}

static pz_status
run_back(pz_eval* const eval, const int32_t n_batch, const uint32_t first, const uint64_t want,
         const pz_tensor* const g_out, const pz_tensor* const into)
{
  pz_tensor gy = {0};
  bool any = false;
  pzi_eval_skip_folds(eval);
  for (uint32_t i = eval->n_stages; i-- > first;) {
    pz_tensor inner = {0};
    pz_tensor own;
    PZ_TRY(spread(eval, i, n_batch, g_out, &own));
    PZ_TRY(pzi_back_stage(eval, i, want, i > first, any ? &gy : NULL, &own, into, &inner));
    gy = inner;
    any = true;
    if (i > first && eval->stages[i].by != 0 && --i == 0) {
      // stage i returned the gradient of the triangle
      PZ_TRY(pzi_eval_unread(eval, 0, &gy, &eval->pending[0]));
    }
  }
  return PZ_OK;
}

/* Names a stage that cannot take part in the gradient. */
static pz_status
check_stages(const pz_eval* const eval, const uint32_t first)
{
  for (uint32_t i = eval->n_stages; i-- > first;) {
    const pz_parametrization* const table = eval->stages[i].table;
    const bool last = i + 1 == eval->n_stages;
    if (!table->log_abs_det_vjp || (!last && !table->vjp)) {
      return pzi_fail(PZ_UNSUPPORTED, "%s: has no %s", table->id,
                      table->log_abs_det_vjp ? "vjp" : "gradient of log |det|");
    }
  }
  return PZ_OK;
}

pz_status
pzi_eval_density_vjp(pz_eval* const eval, const pz_state* const state, const int32_t n_batch,
                     const pz_tensor* const g_out, const uint64_t want, const bool accumulate,
                     const pz_tensor* const gradients)
{
  const pz_spec spec = pzi_density_spec(eval->chain, n_batch);
  const bool direct = !accumulate && want != 0;
  pz_tensor into[PZI_MAX_TENSORS];
  pz_tensor g;
  PZ_TRY(pzi_back_check_want(eval, want, gradients, "gradient of log |det|"));
  PZ_TRY(pzi_back_check_saved(eval, state, "gradient of log |det|"));
  PZ_TRY(pzi_check_tensor(eval->queue, g_out, &spec, "gradient of log |det|"));
  PZ_TRY(pzi_back_check_gradients(eval, want, gradients));
  const uint32_t first = pzi_back_first(eval->chain, want);
  PZ_TRY(check_stages(eval, first));
  pzi_tensor_arena_clear(&eval->temporary);
  PZ_TRY(pzi_pending_input(eval, &spec, g_out, &g));
  if (direct) {
    pzi_back_direct(eval, g_out, 1, want, gradients, into);
  }
  PZ_TRY(run_back(eval, n_batch, first, want, &g, direct ? into : NULL));
  return pzi_back_hand_over(eval, want, accumulate, gradients);
}

pz_status
pz_eval_log_abs_det_vjp(pz_eval* const eval, const pz_state* const state,
                        const pz_tensor* const g_out, const uint64_t want, const bool accumulate,
                        const pz_tensor* const gradients)
{
  int32_t n_batch = 0;
  PZ_TRY(pzi_back_check_want(eval, want, gradients, "gradient of log |det|"));
  PZ_TRY(pzi_density_batch(eval->chain, &n_batch));
  return pzi_eval_density_vjp(eval, state, n_batch, g_out, want, accumulate, gradients);
}
