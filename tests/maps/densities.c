/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Maps with log |det| over 0, 1 and 2 dimensions, and one that declares any coordinates. */

#include "maps.h"

#include <math.h>

// clang-format off

PZ_KERNEL(densities_exp, 2, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  y[i] = pz_exp(x[i]);
)

// clang-format on

static pz_status
exponential(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_launch(c, &densities_exp, pz_count(x), (const pz_tensor* const[]){x, y}, NULL, NULL);
}

/* ---- entries: y = exp(x) ---------------------------------------------------------- */

static pz_status
entries_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(map_plan(c, given, NULL, NULL));
  return pz_declare_density(c, 0, PZ_ALL_ENTRIES, PZ_ALL_ENTRIES);
}

static pz_status
entries_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return exponential(c, x, y);
}

static pz_status
entries_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  return pz_hadamard(c, 1.0, gy, y, 0.0, gx);
}

static pz_status
entries_log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                    pz_tensor* const out)
{
  (void)y;
  return pz_copy(c, x, out);
}

static pz_status
entries_log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                        const pz_tensor* const g_out, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  return pz_copy(c, g_out, gx);
}

static const pz_parametrization entries = {
    .size = sizeof(entries),
    .id = "entries",
    .summary = "Entry by entry",
    .plan = entries_plan,
    .forward = entries_forward,
    .vjp = entries_vjp,
    .log_abs_det = entries_log_abs_det,
    .log_abs_det_vjp = entries_log_abs_det_vjp,
    .jvp = entries_vjp,
};

/* ---- scaled: y = exp(p) x for vectors x, p an own parameter ------------------------- */

static pz_status
scaled_plan(pz_call* const c, const pz_spec* const given)
{
  const pz_spec row = pz_spec_make(given->dtype, given->ndim - 1, given->shape);
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_declare_parameter(c, "p", &row));
  PZ_TRY(pz_declare_density(c, 1, PZ_ALL_ENTRIES, PZ_ALL_ENTRIES));
  return pz_declare_value(c, given, PZ_GENERAL);
}

/* y <- exp(p) x */
static pz_status
scale_rows(pz_call* const c, const pz_tensor* const p, const pz_tensor* const x, pz_tensor* const y)
{
  pz_tensor factor;
  PZ_TRY(pz_work_like(c, p, &factor));
  PZ_TRY(exponential(c, p, &factor));
  return pz_scale_by(c, PZ_OVER_COLS, &factor, x, y);
}

static pz_status
scaled_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return scale_rows(c, &x[1], &x[0], y);
}

static pz_status
scaled_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
           const pz_tensor* const gy, pz_tensor* const gx)
{
  if (pz_wants(c, 0)) {
    PZ_TRY(scale_rows(c, &x[1], gy, &gx[0]));
  }
  return pz_wants(c, 1) ? pz_dot(c, PZ_OVER_COLS, gy, y, &gx[1]) : PZ_OK;
}

static pz_status
scaled_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
           const pz_tensor* const dx, pz_tensor* const dy)
{
  pz_tensor moved;
  PZ_TRY(dx[0].data ? scale_rows(c, &x[1], &dx[0], dy) : pz_fill(c, 0.0, dy));
  if (!dx[1].data) {
    return PZ_OK;
  }
  PZ_TRY(pz_work_like(c, y, &moved));
  PZ_TRY(pz_scale_by(c, PZ_OVER_COLS, &dx[1], y, &moved));
  return pz_axpby(c, 1.0, &moved, 1.0, dy);
}

static pz_status
scaled_log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                   pz_tensor* const out)
{
  return pz_axpby(c, (double)pz_cols(y), &x[1], 0.0, out);
}

static pz_status
scaled_log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                       const pz_tensor* const g_out, pz_tensor* const gx)
{
  (void)x;
  if (pz_wants(c, 0)) {
    PZ_TRY(pz_fill(c, 0.0, &gx[0]));
  }
  return pz_wants(c, 1) ? pz_axpby(c, (double)pz_cols(y), g_out, 0.0, &gx[1]) : PZ_OK;
}

static const pz_parametrization scaled = {
    .size = sizeof(scaled),
    .id = "scaled",
    .summary = "Vector by vector",
    .plan = scaled_plan,
    .forward = scaled_forward,
    .vjp = scaled_vjp,
    .log_abs_det = scaled_log_abs_det,
    .log_abs_det_vjp = scaled_log_abs_det_vjp,
    .jvp = scaled_jvp,
};

/* ---- doubled: y = 2 x, which has the coordinates that its options say ---------------- */

enum { DIMS, IN, OUT, STRUCTURE, TWICE, LATE, TURNED, DECLARED };

static const pz_option doubled_options[] = {
    [DIMS] = PZ_OPTION_INTEGER("dims", 2, 0, 9, "of a determinant"),
    [IN] = PZ_OPTION_INTEGER("in", 0, 0, 99, "coordinates of x"),
    [OUT] = PZ_OPTION_INTEGER("out", 0, 0, 99, "coordinates of y"),
    [STRUCTURE] = PZ_OPTION_INTEGER("structure", 0, 0, 99, "of y"),
    [TWICE] = PZ_OPTION_FLAG("twice", 0, "declares two densities"),
    [LATE] = PZ_OPTION_FLAG("late", 0, "declares one in forward"),
    [TURNED] = PZ_OPTION_FLAG("turned", 0, "declares an original with turned extents"),
    [DECLARED] = PZ_OPTION_FLAG("declared", 1, "declares a density at all"),
};

static pz_status
doubled_declare(pz_call* const c)
{
  return pz_declare_density(c, (uint32_t)c->options[DIMS].as.integer,
                            (uint32_t)c->options[IN].as.integer,
                            (uint32_t)c->options[OUT].as.integer);
}

static pz_status
doubled_plan(pz_call* const c, const pz_spec* const given)
{
  pz_spec turned = *given;
  for (int32_t i = 0; i < given->ndim; ++i) {
    turned.shape[i] = given->shape[given->ndim - 1 - i];
  }
  PZ_TRY(c->options[DECLARED].as.integer ? doubled_declare(c) : PZ_OK);
  PZ_TRY(c->options[TWICE].as.integer ? doubled_declare(c) : PZ_OK);
  PZ_TRY(pz_declare_original(c, NULL, c->options[TURNED].as.integer ? &turned : given));
  return pz_declare_value(c, given, (uint32_t)c->options[STRUCTURE].as.integer);
}

static pz_status
doubled_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  PZ_TRY(c->options[LATE].as.integer ? doubled_declare(c) : PZ_OK);
  return pz_axpby(c, 2.0, x, 0.0, y);
}

static pz_status
doubled_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  return pz_axpby(c, 2.0, gy, 0.0, gx);
}

static pz_status
doubled_log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                    pz_tensor* const out)
{
  (void)y;
  const int64_t numbers = pz_count(out);
  return pz_fill(c, numbers == 0 ? 0.0 : log(2.0) * (double)(pz_count(x) / numbers), out);
}

static const pz_parametrization doubled = {
    .size = sizeof(doubled),
    .option_size = sizeof(pz_option),
    .id = "doubled",
    .summary = "Coordinates as the options say",
    PZ_OPTIONS(doubled_options),
    .plan = doubled_plan,
    .forward = doubled_forward,
    .vjp = doubled_vjp,
    .log_abs_det = doubled_log_abs_det,
    .log_abs_det_vjp = pz_zero_log_abs_det_vjp,
    .jvp = doubled_vjp,
};

PZ_PLUGIN(density_maps, "1.0.0", PZ_PARAMETRIZATION(&entries), PZ_PARAMETRIZATION(&scaled),
          PZ_PARAMETRIZATION(&doubled));
