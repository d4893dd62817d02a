/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Maps with parameters and buffers of their own, draws, and failures on demand. In the formulas
   x is the input, y the value, g the gradient at y. */

#include "maps.h"

#include <string.h>

pz_status map_mask_answer;
const char* map_failing;
int map_passes;
pz_status (*map_hook)(pz_call* c, const char* entry, pz_tensor* out);

/* ---- mask ------------------------------------------------------------------- */

static const pz_option mask_options[] = {
    PZ_OPTION_REAL("keep", 0.5, 0.0, 1.0, "probability of an entry to stay"),
};

static pz_status
mask_plan(pz_call* const c, const pz_spec* const given)
{
  return map_plan(c, given, NULL, "mask");
}

static pz_status
mask_init(pz_call* const c, const pz_tensor* const tensor)
{
  (void)tensor;
  map_note(c, "mask init");
  return pz_random(c, PZ_BERNOULLI, c->draw, 0, c->options[0].as.real, 0.0, &c->new_buffer[0]);
}

static pz_status
mask_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_hadamard(c, 1.0, x, &c->buffer[0], 0.0, y);
}

/* Draws a new mask on the way, which a refusal must take back. */
static pz_status
mask_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  map_note(c, "mask right_inverse");
  if (map_mask_answer != PZ_OK) {
    PZ_TRY(pz_fill(c, 7.0, &c->new_buffer[0]));
    PZ_TRY(pz_fill(c, 7.0, x));
    return pz_fail(c, map_mask_answer, "found what the test asked for");
  }
  return pz_copy(c, y, x);
}

static pz_status
mask_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  return pz_hadamard(c, 1.0, gy, &c->buffer[0], 0.0, gx);
}

static pz_status
mask_update(pz_call* const c, const pz_tensor* const x)
{
  (void)x;
  map_note(c, "mask update");
  return pz_random(c, PZ_BERNOULLI, c->draw, 0, c->options[0].as.real, 0.0, &c->new_buffer[0]);
}

const pz_parametrization map_mask = {
    .size = sizeof(map_mask),
    .option_size = sizeof(pz_option),
    .id = "mask",
    .summary = "Entries kept at random",
    PZ_OPTIONS(mask_options),
    .plan = mask_plan,
    .init = mask_init,
    .forward = mask_forward,
    .right_inverse = mask_right_inverse,
    .vjp = mask_vjp,
    .update = mask_update,
};

/* ---- gain: y = d * x -------------------------------------------------------- */

static pz_status
gain_plan(pz_call* const c, const pz_spec* const given)
{
  return map_plan(c, given, "gain", NULL);
}

static pz_status
gain_init(pz_call* const c, const pz_tensor* const tensor)
{
  (void)tensor;
  map_note(c, "gain init");
  return pz_fill(c, 1.0, &c->new_parameter[0]);
}

static pz_status
gain_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_hadamard(c, 1.0, &x[0], &x[1], 0.0, y);
}

/* Moves the gain back to 1. */
static pz_status
gain_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  map_note(c, "gain right_inverse");
  PZ_TRY(pz_fill(c, 1.0, &c->new_parameter[0]));
  return pz_copy(c, y, x);
}

static pz_status
gain_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)y;
  map_note(c, "gain vjp");
  if (pz_wants(c, 0)) {
    PZ_TRY(pz_hadamard(c, 1.0, gy, &x[1], 0.0, &gx[0]));
  }
  return pz_wants(c, 1) ? pz_hadamard(c, 1.0, gy, &x[0], 0.0, &gx[1]) : PZ_OK;
}

const pz_parametrization map_gain = {
    .size = sizeof(map_gain),
    .id = "gain",
    .summary = "A trained factor for each entry",
    .plan = gain_plan,
    .init = gain_init,
    .forward = gain_forward,
    .right_inverse = gain_right_inverse,
    .vjp = gain_vjp,
};

/* ---- base: y = b (I + x) ---------------------------------------------------- */

static pz_status
base_plan(pz_call* const c, const pz_spec* const given)
{
  return map_plan(c, given, NULL, "base");
}

static pz_status
base_init(pz_call* const c, const pz_tensor* const tensor)
{
  map_note(c, "base init");
  return pz_copy(c, tensor, &c->new_buffer[0]);
}

static pz_status
base_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  PZ_TRY(pz_copy(c, &c->buffer[0], y));
  return pz_gemm(c, PZ_N, PZ_N, 1.0, &c->buffer[0], x, 1.0, y);
}

static pz_status
base_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  map_note(c, "base right_inverse");
  PZ_TRY(pz_copy(c, y, &c->new_buffer[0]));
  return pz_fill(c, 0.0, x);
}

static pz_status
base_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  return pz_gemm(c, PZ_T, PZ_N, 1.0, &c->buffer[0], gy, 0.0, gx);
}

const pz_parametrization map_base = {
    .size = sizeof(map_base),
    .id = "base",
    .summary = "A base that assignment moves",
    .plan = base_plan,
    .init = base_init,
    .forward = base_forward,
    .right_inverse = base_right_inverse,
    .vjp = base_vjp,
};

/* ---- affine: y = scale o x + shift ------------------------------------------ */

static pz_status
affine_plan(pz_call* const c, const pz_spec* const given)
{
  return map_plan(c, given, "shift", "scale");
}

static pz_status
affine_init(pz_call* const c, const pz_tensor* const tensor)
{
  (void)tensor;
  return pz_fill(c, 2.0, &c->new_buffer[0]);
}

// y = scale o x + shift
static pz_status
affine_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  PZ_TRY(pz_hadamard(c, 1.0, &c->buffer[0], &x[0], 0.0, y));
  return pz_axpby(c, 1.0, &x[1], 1.0, y);
}

// x = y / 2; the shift becomes 0
static pz_status
affine_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  PZ_TRY(pz_fill(c, 0.0, &c->new_parameter[0]));
  return pz_axpby(c, 0.5, y, 0.0, x);
}

static pz_status
affine_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
           const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  if (pz_wants(c, 0)) {
    PZ_TRY(pz_hadamard(c, 1.0, &c->buffer[0], gy, 0.0, &gx[0]));
  }
  return pz_wants(c, 1) ? pz_copy(c, gy, &gx[1]) : PZ_OK;
}

const pz_parametrization map_affine = {
    .size = sizeof(map_affine),
    .id = "affine",
    .summary = "Twice itself and more",
    .plan = affine_plan,
    .init = affine_init,
    .forward = affine_forward,
    .right_inverse = affine_right_inverse,
    .vjp = affine_vjp,
};

/* ---- noise: y = x * (1 + level n) ------------------------------------------- */

static const pz_option noise_options[] = {
    PZ_OPTION_REAL("level", 0.1, 0.0, 10.0, "standard deviation"),
};

static pz_status
noise_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  pz_tensor n;
  map_note(c, "noise forward");
  PZ_TRY(pz_work_like(c, x, &n));
  PZ_TRY(pz_random(c, PZ_NORMAL, c->draw, 0, 1.0, c->options[0].as.real, &n));
  return pz_hadamard(c, 1.0, x, &n, 0.0, y);
}

static pz_status
noise_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
          const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  return noise_forward(c, gy, gx); /* its own adjoint */
}

const pz_parametrization map_noise = {
    .size = sizeof(map_noise),
    .option_size = sizeof(pz_option),
    .id = "noise",
    .summary = "Entries with multiplicative noise",
    PZ_OPTIONS(noise_options),
    .forward = noise_forward,
    .vjp = noise_vjp,
};

/* ---- fragile: y = x + b ----------------------------------------------------- */

static pz_status
end(pz_call* const c, const char* const entry, pz_tensor* const out)
{
  if (map_hook) {
    return map_hook(c, entry, out);
  }
  return map_failing && strcmp(map_failing, entry) == 0 && map_passes-- <= 0
             ? pz_fail(c, PZ_DEVICE, "%s fails on demand", entry)
             : PZ_OK;
}

static pz_status
fragile_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(end(c, "plan", NULL));
  PZ_TRY(pz_declare_density(c, 0, PZ_ALL_ENTRIES, PZ_ALL_ENTRIES));
  return map_plan(c, given, "p", "b");
}

static pz_status
fragile_init(pz_call* const c, const pz_tensor* const tensor)
{
  (void)tensor;
  PZ_TRY(pz_fill(c, 0.0, &c->new_buffer[0]));
  return end(c, "init", &c->new_buffer[0]);
}

static pz_status
fragile_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  PZ_TRY(pz_copy(c, &x[0], y));
  PZ_TRY(pz_axpby(c, 1.0, &c->buffer[0], 1.0, y));
  return end(c, "forward", y);
}

/* Writes all that it may before it fails. */
static pz_status
fragile_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  PZ_TRY(pz_fill(c, 0.0, &c->new_buffer[0]));
  PZ_TRY(pz_copy(c, y, x));
  return end(c, "right_inverse", x);
}

static pz_status
fragile_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  if (pz_wants(c, 1)) {
    PZ_TRY(pz_fill(c, 0.0, &gx[1]));
  }
  if (pz_wants(c, 0)) {
    PZ_TRY(pz_copy(c, gy, &gx[0]));
  }
  return end(c, "vjp", &gx[0]);
}

// b <- b + 1
static pz_status
fragile_update(pz_call* const c, const pz_tensor* const x)
{
  pz_tensor one;
  (void)x;
  PZ_TRY(pz_work_like(c, &c->buffer[0], &one));
  PZ_TRY(pz_fill(c, 1.0, &one));
  PZ_TRY(pz_axpby(c, 1.0, &one, 1.0, &c->new_buffer[0]));
  return end(c, "update", &c->new_buffer[0]);
}

static pz_status
fragile_sample(pz_call* const c, pz_tensor* const y)
{
  PZ_TRY(pz_random(c, PZ_UNIFORM, c->draw, 0, 0.0, 1.0, y));
  return end(c, "sample", y);
}

static pz_status
fragile_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  pz_tensor t = *y;
  *distance = 3.0;
  return end(c, "residual", &t);
}

static pz_status
fragile_log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                    pz_tensor* const out)
{
  (void)x;
  (void)y;
  PZ_TRY(pz_fill(c, 0.0, out));
  return end(c, "log_abs_det", out);
}

static pz_status
fragile_log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                        const pz_tensor* const g_out, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  (void)g_out;
  for (uint32_t k = 0; k < 2; ++k) {
    PZ_TRY(pz_wants(c, k) ? pz_fill(c, 0.0, &gx[k]) : PZ_OK);
  }
  return end(c, "log_abs_det_vjp", &gx[0]);
}

static pz_status
fragile_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            const pz_tensor* const dx, pz_tensor* const dy)
{
  (void)x;
  (void)y;
  PZ_TRY(dx[0].data ? pz_copy(c, &dx[0], dy) : pz_fill(c, 0.0, dy));
  return end(c, "jvp", dy);
}

const pz_parametrization map_fragile = {
    .size = sizeof(map_fragile),
    .id = "fragile",
    .summary = "Itself and a buffer, unless told to fail",
    .plan = fragile_plan,
    .init = fragile_init,
    .forward = fragile_forward,
    .right_inverse = fragile_right_inverse,
    .vjp = fragile_vjp,
    .update = fragile_update,
    .residual = fragile_residual,
    .sample = fragile_sample,
    .log_abs_det = fragile_log_abs_det,
    .log_abs_det_vjp = fragile_log_abs_det_vjp,
    .jvp = fragile_jvp,
};
