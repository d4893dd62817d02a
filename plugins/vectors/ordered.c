/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Increasing vectors:

     ordered            y_1 = x_1,   y_i = y_(i-1) + e^x_i
     positive_ordered   y_1 = e^x_1, y_i = y_(i-1) + e^x_i

   With e_i = e^x_i, and 1 for the first entry of `ordered`: gx_i = e_i (g_i + .. + g_K), dy is the
   running sum of e * dx, and log |det| is the sum of the exponents. e^x overflows above 709 (float32:
   88). An increment below eps |y| is rounded away: equal entries have no right inverse.

   Right inverse: logs of the differences. At registration an entry that is not above the one before it,
   which may itself have moved, becomes that + sqrt(eps) max(1, |that|). */

#include "vectors.h"

#include <math.h>

enum { DIM }; /* options */

// clang-format off

/* `free` entries in front, 0 or 1, are what they are. */
PZ_ROW_KERNEL(ordered_value, 1, 1, 0, 1,
  PZ_ROW_IN(0, x);
  PZ_ROW_OUT(0, y);
  PZ_INTEGER_ARG(0, free);
  PZ_ROW_EACH(j, n) {
    y[j][r] = pz_exp(x[j][r]);
  }
  PZ_ROW_EACH(j, free) {
    y[j][r] = x[j][r];
  }
  PZ_ROW_SCAN(y, j, n, y[j][r]);
)

PZ_ROW_KERNEL(ordered_adjoint, 2, 1, 0, 1,
  PZ_ROW_IN(0, x);
  PZ_ROW_IN(1, g);
  PZ_ROW_OUT(0, gx);
  PZ_INTEGER_ARG(0, free);
  PZ_ROW_REVERSE_SCAN(gx, j, n, g[j][r]);
  PZ_ROW_EACH(j, n - free) {
    gx[j + free][r] = gx[j + free][r] * pz_exp(x[j + free][r]);
  }
)

PZ_ROW_KERNEL(ordered_tangent, 2, 1, 0, 1,
  PZ_ROW_IN(0, x);
  PZ_ROW_IN(1, dx);
  PZ_ROW_OUT(0, dy);
  PZ_INTEGER_ARG(0, free);
  PZ_ROW_EACH(j, n) {
    dy[j][r] = pz_exp(x[j][r]) * dx[j][r];
  }
  PZ_ROW_EACH(j, free) {
    dy[j][r] = dx[j][r];
  }
  PZ_ROW_SCAN(dy, j, n, dy[j][r]);
)

PZ_ROW_KERNEL(ordered_density, 1, 1, 0, 1,
  PZ_ROW_IN(0, x);
  PZ_INTEGER_ARG(0, free);
  PZ_ROW_SUM(total, j, n - free, x[j + free][r]);
  PZ_VALUE_OUT(0, total[r]);
)

PZ_ROW_KERNEL(ordered_density_slope, 2, 1, 0, 1,
  PZ_VALUE_IN(1, g);
  PZ_ROW_OUT(0, gx);
  PZ_INTEGER_ARG(0, free);
  PZ_ROW_EACH(j, n) {
    gx[j][r] = j < free ? (real)0 : g[r];
  }
)

PZ_ROW_KERNEL(ordered_logs, 1, 1, 1, 1,
  PZ_ROW_IN(0, y);
  PZ_ROW_OUT(0, x);
  PZ_REAL_ARG(0, tau);
  PZ_INTEGER_ARG(0, free);
  /* one after the other, since a moved entry may move the next */
  PZ_ROW_EACH(whole, 1) {
    real last = 0;
    for (pz_int j = whole; j < n; ++j) {
      const real least = tau * pz_max((real)1, pz_abs(last));
      const int low = j >= free && y[j][r] <= last;
      x[j][r] = low ? least : (j < free ? y[j][r] : y[j][r] - last);
      last = low ? last + least : y[j][r];
    }
  }
  PZ_ROW_EACH(j, n - free) {
    x[j + free][r] = pz_log(x[j + free][r]);
  }
)

PZ_ROW_KERNEL(ordered_measure, 1, 2, 2, 0,
  PZ_ROW_IN(0, y);
  PZ_REAL_ARG(0, tol);
  PZ_REAL_ARG(1, free);
  PZ_ROW_MAX(size, j, n, pz_abs(y[j][r]));
  PZ_ROW_MAX(fall, j, n - 1, y[j][r] - y[j + 1][r]);
  PZ_ROW_MAX(below, j, n < 1 ? n : 1, -y[j][r]);
  PZ_ROW_VALUE(worst, free > (real)0 ? fall[r] : pz_max(fall[r], below[r]));
  PZ_ROW_VALUE(finite, n < 1 || size[r] - size[r] == (real)0);
  PZ_ROW_VALUE(distance, finite[r] > (real)0 ? pz_max((real)0, worst[r]) : size[r]);
  PZ_VALUE_OUT(0, distance[r]);
  PZ_VALUE_OUT(1, finite[r] == (real)0 || distance[r] > tol * size[r] ? 2 : (worst[r] >= (real)0 ? 1 : 0));
)

/* Sorts entries, or their magnitudes, by counting those below each. */
PZ_ROW_KERNEL(ordered_sorted, 1, 1, 0, 1,
  PZ_ROW_IN(0, z);
  PZ_ROW_OUT(0, y);
  PZ_INTEGER_ARG(0, free);
  PZ_ROW_EACH(j, n) {
    const real own = free > 0 ? z[j][r] : pz_abs(z[j][r]);
    pz_int place = 0;
    for (pz_int i = 0; i < n; ++i) {
      const real other = free > 0 ? z[i][r] : pz_abs(z[i][r]);
      place += other < own || (other == own && i < j);
    }
    y[place][r] = own;
  }
)

// clang-format on

static const vectors_set sets[] = {
    {&ordered_measure, "positive entries, each above the one before it",
     "an entry that is not above the one before it, or above 0"},
    {&ordered_measure, "entries each above the one before it",
     "an entry that is not above the one before it"},
};

static int32_t
dim_of(const pz_call* const c)
{
  return (int32_t)c->options[DIM].as.integer;
}

static pz_status
plan(pz_call* const c, const pz_spec* const given)
{
  bool last = false;
  PZ_TRY(vectors_expect(c, given, dim_of(c), &last));
  if (last) {
    PZ_TRY(pz_declare_density(c, 1, PZ_ALL_ENTRIES, PZ_ALL_ENTRIES));
  }
  PZ_TRY(pz_declare_original(c, NULL, given));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static pz_status
launch(pz_call* const c, const pz_row_kernel* const kernel, const int64_t free,
       const pz_tensor* const* const inputs, pz_tensor* const out)
{
  const double tau = sqrt(pz_dtype_epsilon(out->dtype));
  return pz_launch_rows(c, kernel, PZ_ALONG_DIM, dim_of(c), inputs, PZ_OUTPUTS(out), &tau, &free);
}

static pz_status
inverse_of(pz_call* const c, const int64_t free, const pz_tensor* const y, pz_tensor* const x)
{
  if (c->intent == PZ_ASSIGN) {
    PZ_TRY(vectors_check(c, &sets[free], dim_of(c), (double)free, y));
  }
  return launch(c, &ordered_logs, free, PZ_TENSORS(y), x);
}

/* Independent normal entries, or their magnitudes, in order. */
static pz_status
sample_of(pz_call* const c, const int64_t free, pz_tensor* const y)
{
  pz_tensor z;
  PZ_TRY(pz_work_like(c, y, &z));
  PZ_TRY(pz_random(c, PZ_NORMAL, c->draw, 0, 0.0, 1.0, &z));
  return launch(c, &ordered_sorted, free, PZ_TENSORS(&z), y);
}

#define CALLBACKS(name, free)                                                                     \
  static pz_status name##_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y) \
  {                                                                                               \
    return launch(c, &ordered_value, free, PZ_TENSORS(x), y);                                     \
  }                                                                                               \
  static pz_status name##_vjp(pz_call* const c, const pz_tensor* const x,                         \
                              const pz_tensor* const y, const pz_tensor* const g,                 \
                              pz_tensor* const gx)                                                \
  {                                                                                               \
    (void)y;                                                                                      \
    return launch(c, &ordered_adjoint, free, PZ_TENSORS(x, g), gx);                               \
  }                                                                                               \
  static pz_status name##_jvp(pz_call* const c, const pz_tensor* const x,                         \
                              const pz_tensor* const y, const pz_tensor* const dx,                \
                              pz_tensor* const dy)                                                \
  {                                                                                               \
    (void)y;                                                                                      \
    return launch(c, &ordered_tangent, free, PZ_TENSORS(x, dx), dy);                              \
  }                                                                                               \
  static pz_status name##_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x) \
  {                                                                                               \
    return inverse_of(c, free, y, x);                                                             \
  }                                                                                               \
  static pz_status name##_residual(pz_call* const c, const pz_tensor* const y,                    \
                                   double* const distance)                                        \
  {                                                                                               \
    return vectors_distance(c, &sets[free], dim_of(c), free, y, distance);                        \
  }                                                                                               \
  static pz_status name##_sample(pz_call* const c, pz_tensor* const y)                            \
  {                                                                                               \
    return sample_of(c, free, y);                                                                 \
  }                                                                                               \
  static pz_status name##_log_abs_det(pz_call* const c, const pz_tensor* const x,                 \
                                      const pz_tensor* const y, pz_tensor* const out)             \
  {                                                                                               \
    (void)y;                                                                                      \
    return launch(c, &ordered_density, free, PZ_TENSORS(x), out);                                 \
  }                                                                                               \
  static pz_status name##_log_abs_det_vjp(pz_call* const c, const pz_tensor* const x,             \
                                          const pz_tensor* const y, const pz_tensor* const g_out, \
                                          pz_tensor* const gx)                                    \
  {                                                                                               \
    (void)y;                                                                                      \
    return launch(c, &ordered_density_slope, free, PZ_TENSORS(x, g_out), gx);                     \
  }
CALLBACKS(ordered, 1)
CALLBACKS(positive_ordered, 0)

static const pz_option options[] = {[DIM] = VECTORS_DIM};

#define TABLE(name, summary_, first, free_, sample_)                                               \
  {                                                                                                \
    .size = sizeof(pz_parametrization), .option_size = sizeof(pz_option), .id = #name,             \
    .summary = summary_, .tags = "statistics vector order",                                        \
    .formula = "y_1 = " first ", y_i = y_(i-1) + e^x_i\n"                                          \
               "domain: vectors along dim; e^x overflows above 709 (float32: 88)\n"                \
               "right inverse: logs of the differences; a registered entry that is not above "     \
               "the one before it becomes that + sqrt(eps) max(1, |that|); equal entries cannot "  \
               "be assigned\n"                                                                     \
               "log |det|: x_" free_ " + .. + x_K; none where dim is not the last\n"               \
               "sample: " sample_ " independent normal numbers, sorted: O(K^2)\n"                  \
               "cost: O(K), one pass over memory",                                                 \
    PZ_OPTIONS(options), .plan = plan, .forward = name##_forward, .right_inverse = name##_inverse, \
    .vjp = name##_vjp, .residual = name##_residual, .sample = name##_sample,                       \
    .log_abs_det = name##_log_abs_det, .log_abs_det_vjp = name##_log_abs_det_vjp,                  \
    .jvp = name##_jvp                                                                              \
  }

const pz_parametrization vectors_ordered = TABLE(ordered, "Increasing vectors", "x_1", "2", "K");
const pz_parametrization vectors_positive_ordered = TABLE(
    positive_ordered, "Increasing vectors of positive entries", "e^x_1", "1", "magnitudes of K");
