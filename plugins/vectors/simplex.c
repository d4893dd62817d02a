/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Vectors of K positive entries with sum 1:

     ilr       y = softmax(V x), x of K - 1 entries, V the Helmert matrix (vectors.h): the isometric
               log-ratio (Egozcue et al. 2003)
     softmax   y = softmax(x), x of K entries
     stick     y_k = s(u_k) prod over i < k of s(-u_i), y_K = prod over all i of s(-u_i), with the
               logistic function s, x of K - 1 entries and u_k = x_k - log(K - k)

   Running products of s(-u) underflow no earlier than the entries that they bound. With h = g - g_m, where
   y_m is the largest entry, which keeps relative accuracy where the others are tiny, and with sums over
   i > k of y_i g_i,

     softmax   gx = y * (h - <h, y>)                         dy = y * (h - <h, y>), h = dx - dx_m
     ilr       V^T of that                                   the same with h = V dx - ..
     stick     gx_k = y_k s(-u_k) g_k - s(u_k) sum           dy_k = y_k (s(-u_k) dx_k + r_k),
                                                             r_k = - sum over i < k of s(u_i) dx_i

   log |det| with all entries of y but the last as coordinates:

     ilr       sum over k of log y_k, plus log(K) / 2; that sum is -K logsumexp(V x)
     stick     - sum over k of softplus(-u_k) + (K - k) softplus(u_k)

   Right inverses: log y, V^T log y, log y_k - log(y_(k+1) + .. + y_K) + log(K - k). */

#include "simplex.h"
#include "vectors.h"

#include <math.h>

enum { MAP, DIM }; /* options */
enum { ILR, SOFTMAX, STICK };
static const char* const maps[] = {"ilr", "softmax", "stick"};

// clang-format off

PZ_ROW_KERNEL(simplex_softmax, 1, 1, 0, 0,
  PZ_ROW_IN(0, x);
  PZ_ROW_OUT(0, y);
  PZ_ROW_MAX(top, j, n, x[j][r]);
  PZ_ROW_EACH(j, n) {
    y[j][r] = pz_exp(x[j][r] - top[r]);
  }
  PZ_ROW_SUM(total, j, n, y[j][r]);
  PZ_ROW_VALUE(inverse, 1 / total[r]);
  PZ_ROW_EACH(j, n) {
    y[j][r] = y[j][r] * inverse[r];
  }
)

/* The same of V x, whose logsumexp is top + log(total). Sums are of x / 64, so that they do not overflow: no
   |(V x)_i| is above 64 times the largest |x_k|, whatever K is. */
PZ_ROW_KERNEL(simplex_ilr, 3, 3, 0, 0,
  PZ_ROW_IN(0, x);
  PZ_ROW_IN(1, part);
  PZ_ROW_IN(2, count);
  PZ_ROW_OUT(0, y);
  PZ_ROW_REVERSE_SCAN(y, j, n, part[j][r] * x[j][r] * (real)0.015625);
  PZ_ROW_EACH(j, 1) {
    y[n][r] = 0;
  }
  PZ_ROW_EACH(j, n) {
    y[j + 1][r] = y[j + 1][r] - count[j][r] * (part[j][r] * x[j][r] * (real)0.015625);
  }
  PZ_ROW_MAX(top, j, n + 1, y[j][r]);
  PZ_ROW_EACH(j, n + 1) {
    y[j][r] = pz_exp(64 * (y[j][r] - top[r]));
  }
  PZ_ROW_SUM(total, j, n + 1, y[j][r]);
  PZ_ROW_VALUE(inverse, 1 / total[r]);
  PZ_ROW_EACH(j, n + 1) {
    y[j][r] = y[j][r] * inverse[r];
  }
  PZ_VALUE_OUT(1, 64 * top[r]);
  PZ_VALUE_OUT(2, total[r]);
)

PZ_ROW_KERNEL(simplex_stick, 2, 1, 0, 0,
  PZ_ROW_IN(0, x);
  PZ_ROW_IN(1, shift);
  PZ_ROW_OUT(0, y);
  PZ_ROW_EACH(j, 1) {
    y[0][r] = 1;
  }
  PZ_ROW_EACH(j, n) {
    y[j + 1][r] = pz_logistic(shift[j][r] - x[j][r]);
  }
  PZ_ROW_PRODUCT_SCAN(y, j, n + 1, y[j][r]);
  PZ_ROW_EACH(j, n) {
    y[j][r] = y[j][r] * pz_logistic(x[j][r] - shift[j][r]);
  }
)

/* vjp and jvp of softmax. Any shift is right, so that the number which stands for -Inf does no harm. */
PZ_ROW_KERNEL(simplex_softmax_slope, 2, 1, 0, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_IN(1, g);
  PZ_ROW_OUT(0, out);
  PZ_ROW_MAX(top, j, n, y[j][r]);
  PZ_ROW_MAX(shift, j, n, y[j][r] == top[r] ? g[j][r] : (real)-1e38);
  PZ_ROW_SUM(mean, j, n, y[j][r] * (g[j][r] - shift[r]));
  PZ_ROW_EACH(j, n) {
    out[j][r] = y[j][r] * ((g[j][r] - shift[r]) - mean[r]);
  }
)

PZ_ROW_KERNEL(simplex_ilr_adjoint, 4, 1, 0, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_IN(1, g);
  PZ_ROW_IN(2, part);
  PZ_ROW_IN(3, count);
  PZ_ROW_OUT(0, gx);
  PZ_ROW_MAX(top, j, n, y[j][r]);
  PZ_ROW_MAX(shift, j, n, y[j][r] == top[r] ? g[j][r] : (real)-1e38);
  PZ_ROW_SUM(mean, j, n, y[j][r] * (g[j][r] - shift[r]));
  PZ_ROW_SCAN(gx, j, n - 1, y[j][r] * ((g[j][r] - shift[r]) - mean[r]));
  PZ_ROW_EACH(j, n - 1) {
    gx[j][r] = part[j][r] * (gx[j][r] - count[j][r] * (y[j + 1][r] * ((g[j + 1][r] - shift[r]) - mean[r])));
  }
)

PZ_ROW_KERNEL(simplex_stick_adjoint, 4, 1, 0, 0,
  PZ_ROW_IN(0, x);
  PZ_ROW_IN(1, shift);
  PZ_ROW_IN(2, y);
  PZ_ROW_IN(3, g);
  PZ_ROW_OUT(0, gx);
  PZ_ROW_REVERSE_SCAN(gx, j, n, y[j + 1][r] * g[j + 1][r]);
  PZ_ROW_EACH(j, n) {
    const real e = pz_exp(-pz_abs(x[j][r] - shift[j][r]));
    const real own = y[j][r] * g[j][r];
    gx[j][r] = (x[j][r] > shift[j][r] ? e * own - gx[j][r] : own - e * gx[j][r]) / (1 + e);
  }
)

PZ_ROW_KERNEL(simplex_stick_tangent, 4, 1, 0, 0,
  PZ_ROW_IN(0, x);
  PZ_ROW_IN(1, shift);
  PZ_ROW_IN(2, y);
  PZ_ROW_IN(3, dx);
  PZ_ROW_OUT(0, dy);
  PZ_ROW_EACH(j, 1) {
    dy[0][r] = 0;
  }
  PZ_ROW_EACH(j, n) {
    dy[j + 1][r] = -pz_logistic(x[j][r] - shift[j][r]) * dx[j][r];
  }
  PZ_ROW_SCAN(dy, j, n + 1, dy[j][r]);
  PZ_ROW_EACH(j, n) {
    dy[j][r] = dy[j][r] + pz_logistic(shift[j][r] - x[j][r]) * dx[j][r];
  }
  PZ_ROW_EACH(j, n + 1) {
    dy[j][r] = y[j][r] * dy[j][r];
  }
)

PZ_KERNEL(simplex_ilr_density, 3, 2, 0,
  PZ_TENSOR_ARG(0, top);
  PZ_TENSOR_ARG(1, total);
  PZ_TENSOR_ARG(2, out);
  PZ_REAL_ARG(0, count);
  PZ_REAL_ARG(1, half_log);
  out[i] = half_log - count * (top[i] + pz_log(total[i]));
)

/* -g K V^T y */
PZ_ROW_KERNEL(simplex_ilr_density_slope, 4, 1, 0, 0,
  PZ_ROW_IN(0, y);
  PZ_VALUE_IN(1, g);
  PZ_ROW_IN(2, part);
  PZ_ROW_IN(3, count);
  PZ_ROW_OUT(0, gx);
  PZ_ROW_VALUE(factor, -g[r] * (real)n);
  PZ_ROW_SCAN(gx, j, n - 1, y[j][r]);
  PZ_ROW_EACH(j, n - 1) {
    gx[j][r] = factor[r] * part[j][r] * (gx[j][r] - count[j][r] * y[j + 1][r]);
  }
)

PZ_ROW_KERNEL(simplex_stick_density, 3, 1, 0, 0,
  PZ_ROW_IN(0, x);
  PZ_ROW_IN(1, shift);
  PZ_ROW_IN(2, after);
  PZ_ROW_SUM(total, j, n, pz_softplus(shift[j][r] - x[j][r]) + after[j][r] * pz_softplus(x[j][r] - shift[j][r]));
  PZ_VALUE_OUT(0, -total[r]);
)

/* s(-u) - (K - k) s(u), as (1 - e^x) / (1 + e^x / (K - k)), which is exact near 0 */
PZ_ROW_KERNEL(simplex_stick_density_slope, 3, 1, 0, 0,
  PZ_ROW_IN(0, x);
  PZ_VALUE_IN(1, g);
  PZ_ROW_IN(2, after);
  PZ_ROW_OUT(0, gx);
  PZ_ROW_EACH(j, n) {
    const real e = pz_exp(-pz_abs(x[j][r]));
    const real top = pz_expm1(-pz_abs(x[j][r]));
    gx[j][r] = g[r] * (x[j][r] < (real)0 ? -top / (1 + e / after[j][r]) : top / (e + 1 / after[j][r]));
  }
)

PZ_KERNEL(simplex_log, 2, 0, 0,
  PZ_TENSOR_ARG(0, p);
  PZ_TENSOR_ARG(1, x);
  x[i] = pz_log(p[i]);
)

PZ_ROW_KERNEL(simplex_stick_inverse, 2, 1, 0, 0,
  PZ_ROW_IN(0, p);
  PZ_ROW_IN(1, shift);
  PZ_ROW_OUT(0, x);
  PZ_ROW_REVERSE_SCAN(x, j, n - 1, p[j + 1][r]);
  PZ_ROW_EACH(j, n - 1) {
    x[j][r] = pz_log(p[j][r]) - pz_log(x[j][r]) + shift[j][r];
  }
)

/* log(K - k) and K - k */
PZ_KERNEL(simplex_stick_constants, 2, 0, 1,
  PZ_TENSOR_ARG(0, shift);
  PZ_TENSOR_ARG(1, after);
  PZ_INTEGER_ARG(0, n);
  after[i] = (real)(n - i);
  shift[i] = pz_log((real)(n - i));
)

// clang-format on

static int64_t
map_of(const pz_call* const c)
{
  return c->options[MAP].as.integer;
}

static int32_t
dim_of(const pz_call* const c)
{
  return (int32_t)c->options[DIM].as.integer;
}

/* Constants for values like y: 1 / sqrt(k (k + 1)) and k, or log(K - k) and K - k. */
static pz_status
make_constants(pz_call* const c, const vectors_memory memory, const pz_tensor* const y,
               pz_tensor* const out)
{
  return vectors_constants(c, memory, map_of(c) == ILR ? vectors_helmert : &simplex_stick_constants,
                           y, dim_of(c), vectors_extent(y, dim_of(c)) - 1, out);
}

/* Those that forward saved. */
static pz_status
find_constants(pz_call* const c, pz_tensor* const out)
{
  PZ_TRY(pz_saved(c, 0, &out[0]));
  return pz_saved(c, 1, &out[1]);
}

static pz_status
simplex_plan(pz_call* const c, const pz_spec* const given)
{
  bool last = false;
  PZ_TRY(vectors_expect(c, given, dim_of(c), &last));
  pz_spec original = *given;
  pz_spec value = *given;
  PZ_TRY(vectors_extend(c, dim_of(c), map_of(c) == SOFTMAX ? 0 : 1, 1, &original, &value));
  if (map_of(c) != SOFTMAX && last) {
    PZ_TRY(pz_declare_density(c, 1, PZ_ALL_ENTRIES, PZ_ALL_BUT_LAST));
  }
  PZ_TRY(pz_declare_original(c, NULL, &original));
  return pz_declare_value(c, &value, PZ_GENERAL);
}

static pz_status
simplex_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  const pz_spec number = pz_spec_of_numbers(pz_spec_of(y), PZ_ALONG_DIM, dim_of(c));
  pz_tensor constants[2];
  pz_tensor top;
  pz_tensor total;
  if (map_of(c) == SOFTMAX) {
    return vectors_launch(c, &simplex_softmax, dim_of(c), PZ_TENSORS(x), PZ_OUTPUTS(y));
  }
  PZ_TRY(make_constants(c, c->host->save, y, constants));
  if (map_of(c) == STICK) {
    return vectors_launch(c, &simplex_stick, dim_of(c), PZ_TENSORS(x, &constants[0]),
                          PZ_OUTPUTS(y));
  }
  PZ_TRY(pz_save(c, &number, &top));
  PZ_TRY(pz_save(c, &number, &total));
  return vectors_launch(c, &simplex_ilr, dim_of(c), PZ_TENSORS(x, &constants[0], &constants[1]),
                        PZ_OUTPUTS(y, &top, &total));
}

static pz_status
simplex_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            const pz_tensor* const g, pz_tensor* const gx)
{
  pz_tensor constants[2];
  if (map_of(c) == SOFTMAX) {
    return vectors_launch(c, &simplex_softmax_slope, dim_of(c), PZ_TENSORS(y, g), PZ_OUTPUTS(gx));
  }
  PZ_TRY(find_constants(c, constants));
  return map_of(c) == STICK
             ? vectors_launch(c, &simplex_stick_adjoint, dim_of(c),
                              PZ_TENSORS(x, &constants[0], y, g), PZ_OUTPUTS(gx))
             : vectors_launch(c, &simplex_ilr_adjoint, dim_of(c),
                              PZ_TENSORS(y, g, &constants[0], &constants[1]), PZ_OUTPUTS(gx));
}

static pz_status
simplex_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            const pz_tensor* const dx, pz_tensor* const dy)
{
  pz_tensor constants[2];
  pz_tensor dw;
  if (map_of(c) == SOFTMAX) {
    return vectors_launch(c, &simplex_softmax_slope, dim_of(c), PZ_TENSORS(y, dx), PZ_OUTPUTS(dy));
  }
  PZ_TRY(find_constants(c, constants));
  if (map_of(c) == STICK) {
    return vectors_launch(c, &simplex_stick_tangent, dim_of(c), PZ_TENSORS(x, &constants[0], y, dx),
                          PZ_OUTPUTS(dy));
  }
  PZ_TRY(pz_work_like(c, y, &dw));
  PZ_TRY(vectors_helmert_value(c, dim_of(c), constants, dx, &dw));
  return vectors_launch(c, &simplex_softmax_slope, dim_of(c), PZ_TENSORS(y, &dw), PZ_OUTPUTS(dy));
}

static pz_status
simplex_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  pz_tensor constants[2];
  pz_tensor p;
  PZ_TRY(pz_work_like(c, y, &p));
  PZ_TRY(simplex_member(c, dim_of(c), y, &p));
  if (map_of(c) == SOFTMAX) {
    return pz_launch(c, &simplex_log, pz_count(y), PZ_TENSORS(&p, x), NULL, NULL);
  }
  PZ_TRY(make_constants(c, c->host->work, y, constants));
  if (map_of(c) == STICK) {
    return vectors_launch(c, &simplex_stick_inverse, dim_of(c), PZ_TENSORS(&p, &constants[0]),
                          PZ_OUTPUTS(x));
  }
  PZ_TRY(pz_launch(c, &simplex_log, pz_count(y), PZ_TENSORS(&p, &p), NULL, NULL));
  return vectors_helmert_adjoint(c, dim_of(c), constants, &p, x);
}

static pz_status
simplex_log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                    pz_tensor* const out)
{
  const double n = (double)vectors_extent(y, dim_of(c));
  pz_tensor constants[2];
  pz_tensor top;
  pz_tensor total;
  if (map_of(c) == ILR) {
    PZ_TRY(pz_saved(c, 2, &top));
    PZ_TRY(pz_saved(c, 3, &total));
    return pz_launch(c, &simplex_ilr_density, pz_count(out), PZ_TENSORS(&top, &total, out),
                     (const double[]){n, log(n) / 2.0}, NULL);
  }
  PZ_TRY(find_constants(c, constants));
  return vectors_launch(c, &simplex_stick_density, -1, PZ_TENSORS(x, &constants[0], &constants[1]),
                        PZ_OUTPUTS(out));
}

static pz_status
simplex_log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                        const pz_tensor* const g_out, pz_tensor* const gx)
{
  pz_tensor constants[2];
  PZ_TRY(find_constants(c, constants));
  return map_of(c) == ILR
             ? vectors_launch(c, &simplex_ilr_density_slope, -1,
                              PZ_TENSORS(y, g_out, &constants[0], &constants[1]), PZ_OUTPUTS(gx))
             : vectors_launch(c, &simplex_stick_density_slope, -1,
                              PZ_TENSORS(x, g_out, &constants[1]), PZ_OUTPUTS(gx));
}

static pz_status
simplex_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  return simplex_distance(c, dim_of(c), y, distance);
}

/* Uniform on the simplex. */
static pz_status
simplex_sample(pz_call* const c, pz_tensor* const y)
{
  return simplex_uniform(c, dim_of(c), y);
}

static const pz_option simplex_options[] = {
    [MAP] = PZ_OPTION_CHOICE("map", ILR, maps, "isometric log-ratio, softmax or stick-breaking"),
    [DIM] = VECTORS_DIM,
};

const pz_parametrization vectors_simplex = {
    .size = sizeof(vectors_simplex),
    .option_size = sizeof(pz_option),
    .id = "simplex",
    .summary = "Vectors of positive entries with sum 1",
    .tags = "statistics vector simplex probability",
    .formula =
        "ilr: y = softmax(V x), the columns of V orthonormal and orthogonal to ones (Helmert)\n"
        "softmax: y = softmax(x)\n"
        "stick: y_k = s(u_k) prod over i < k of s(-u_i), u_k = x_k - log(K - k), s(u) = 1 / (1 + "
        "e^-u)\n"
        "domain: x of K - 1 entries along dim (softmax: K), K >= 1; never overflows\n"
        "right inverse: ilr V^T log y; softmax log y; stick log y_k - log(y_(k+1) + .. + y_K) + "
        "log(K - k); registered entries that are not positive become sqrt(eps) times the largest, "
        "or "
        "all become equal\n"
        "log |det|, in all entries of y but the last: ilr sum over k of log y_k, plus log(K) / 2; "
        "stick - sum over k of softplus(-u_k) + (K - k) softplus(u_k); none for softmax, or where "
        "dim "
        "is not the last\n"
        "sample: uniform on the simplex\n"
        "cost: O(K), one pass over memory",
    PZ_OPTIONS(simplex_options),
    .plan = simplex_plan,
    .forward = simplex_forward,
    .right_inverse = simplex_right_inverse,
    .vjp = simplex_vjp,
    .residual = simplex_residual,
    .sample = simplex_sample,
    .log_abs_det = simplex_log_abs_det,
    .log_abs_det_vjp = simplex_log_abs_det_vjp,
    .jvp = simplex_jvp,
};
