/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "maps.h"

#include <string.h>

atomic_int map_forwards;
void (*map_callback)(void);
const char* map_failing;
int map_passes;

/* ---- identities ------------------------------------------------------------- */

static pz_status
copy_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_copy(c, x, y);
}

static pz_status
copy_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  return pz_copy(c, y, x);
}

static pz_status
copy_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  return pz_copy(c, gy, gx);
}

static pz_status
counting_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  atomic_fetch_add(&map_forwards, 1);
  if (map_callback) {
    map_callback();
  }
  return pz_copy(c, x, y);
}

static const pz_parametrization counting = {
    .size = sizeof(counting),
    .id = "counting",
    .summary = "Itself",
    .forward = counting_forward,
    .right_inverse = copy_right_inverse,
    .vjp = copy_vjp,
};

static const pz_parametrization opaque = {
    .size = sizeof(opaque),
    .id = "opaque",
    .summary = "Itself, one way only",
    .forward = copy_forward,
};

static pz_status
sequence_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_declare_original(c, "original0", given));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static pz_status
idle_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return map_failing ? PZ_OK : pz_copy(c, x, y);
}

static pz_status
idle_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  return map_failing ? PZ_OK : copy_vjp(c, x, y, gy, gx);
}

static pz_status
idle_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  return map_failing ? PZ_OK : pz_copy(c, y, x);
}

static const pz_parametrization idle = {
    .size = sizeof(idle),
    .id = "idle",
    .summary = "Itself, or whatever was there",
    .forward = idle_forward,
    .right_inverse = idle_right_inverse,
    .vjp = idle_vjp,
};

static const pz_parametrization sequence = {
    .size = sizeof(sequence),
    .id = "sequence",
    .summary = "Itself, from a sequence of one",
    .plan = sequence_plan,
    .forward = copy_forward,
    .right_inverse = copy_right_inverse,
    .vjp = copy_vjp,
};

static pz_status
nowhere_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  (void)y;
  (void)x;
  return pz_fail(c, PZ_SINGULAR, "no answer");
}

static const pz_parametrization nowhere = {
    .size = sizeof(nowhere),
    .id = "nowhere",
    .summary = "Itself, never the other way",
    .forward = copy_forward,
    .right_inverse = nowhere_right_inverse,
    .vjp = copy_vjp,
};

/* ---- other specs -------------------------------------------------------------- */

static pz_status
turned_plan(pz_call* const c, const pz_spec* const given)
{
  pz_spec other = *given;
  other.shape[0] = given->shape[1];
  other.shape[1] = given->shape[0];
  const bool from_tensor = c->direction == PZ_FROM_TENSOR;
  PZ_TRY(pz_declare_original(c, NULL, from_tensor ? &other : given));
  return pz_declare_value(c, from_tensor ? given : &other, PZ_GENERAL);
}

static pz_status
turned_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  pz_view view;
  return pz_copy(c, pz_view_transposed(&view, x), y);
}

static const pz_parametrization turned = {
    .size = sizeof(turned),
    .id = "turned",
    .summary = "Matrices transposed",
    .plan = turned_plan,
    .forward = turned_forward,
};

static pz_status
widened_plan(pz_call* const c, const pz_spec* const given)
{
  pz_spec other = *given;
  other.dtype = given->dtype == PZ_F32 ? PZ_F64 : PZ_F32;
  PZ_TRY(pz_declare_original(c, NULL, &other));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static const pz_parametrization widened = {
    .size = sizeof(widened),
    .id = "widened",
    .summary = "From the other dtype",
    .plan = widened_plan,
    .forward = copy_forward,
};

static pz_status
only32_plan(pz_call* const c, const pz_spec* const given)
{
  if (given->dtype != PZ_F32) {
    return pz_fail(c, PZ_MISMATCH, "expected float32");
  }
  PZ_TRY(pz_declare_original(c, NULL, given));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static const pz_parametrization only32 = {
    .size = sizeof(only32),
    .id = "only32",
    .summary = "Itself, in one dtype",
    .plan = only32_plan,
    .forward = copy_forward,
};

static pz_status
ticking_plan(pz_call* const c, const pz_spec* const given)
{
  const int64_t three = 3;
  const pz_spec count = pz_spec_make(PZ_I64, 1, &three);
  const pz_spec exact = pz_spec_make(PZ_F64, 1, &three);
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_declare_buffer(c, "count", &count));
  PZ_TRY(pz_declare_buffer(c, "exact", &exact));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static const pz_parametrization ticking = {
    .size = sizeof(ticking),
    .id = "ticking",
    .summary = "Itself, with buffers of fixed dtypes",
    .plan = ticking_plan,
    .forward = copy_forward,
};

/* ---- own tensors ---------------------------------------------------------------- */

static pz_status
own_plan(pz_call* const c, const pz_spec* const given, const char* const buffer,
         const char* const parameter)
{
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_declare_parameter(c, parameter, given));
  PZ_TRY(pz_declare_buffer(c, buffer, given));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static pz_status
affine_plan(pz_call* const c, const pz_spec* const given)
{
  return own_plan(c, given, "scale", "shift");
}

static pz_status
affine_init(pz_call* const c, const pz_tensor* const tensor)
{
  (void)tensor;
  return c->ops->fill(c, 2.0, &c->new_buffer[0]);
}

// y = scale o x + shift
static pz_status
affine_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  PZ_TRY(pz_hadamard(c, &c->buffer[0], &x[0], y));
  return pz_axpby(c, 1.0, &x[1], 1.0, y);
}

// x = y / 2; the shift becomes 0
static pz_status
affine_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  PZ_TRY(c->ops->fill(c, 0.0, &c->new_parameter[0]));
  return pz_axpby(c, 0.5, y, 0.0, x);
}

static pz_status
affine_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
           const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  if (pz_wants(c, 0)) {
    PZ_TRY(pz_hadamard(c, &c->buffer[0], gy, &gx[0]));
  }
  return pz_wants(c, 1) ? pz_copy(c, gy, &gx[1]) : PZ_OK;
}

static const pz_parametrization affine = {
    .size = sizeof(affine),
    .id = "affine",
    .summary = "Twice itself and more",
    .plan = affine_plan,
    .init = affine_init,
    .forward = affine_forward,
    .right_inverse = affine_right_inverse,
    .vjp = affine_vjp,
};

static pz_status
weighted_plan(pz_call* const c, const pz_spec* const given)
{
  if (c->direction == PZ_FROM_INPUT && c->n_given != 2) {
    return pz_fail(c, PZ_MISMATCH, "found %u inputs, expected two", (unsigned)c->n_given);
  }
  const pz_spec number = pz_spec_make(given[0].dtype, 0, NULL);
  const pz_spec* const matrix = c->direction == PZ_FROM_TENSOR ? &given[0] : &given[1];
  PZ_TRY(pz_declare_original(c, NULL, &number));
  PZ_TRY(pz_declare_original(c, NULL, matrix));
  return pz_declare_value(c, matrix, PZ_GENERAL);
}

// y = s v
static pz_status
weighted_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return c->ops->scale_by(c, PZ_OVER_BOTH, &x[0], &x[1], y);
}

// s = 2, v = y / 2
static pz_status
weighted_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  PZ_TRY(c->ops->fill(c, 2.0, &x[0]));
  return pz_axpby(c, 0.5, y, 0.0, &x[1]);
}

// gs = <G, v>, gv = s G
static pz_status
weighted_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
             const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)y;
  if (pz_wants(c, 0)) {
    PZ_TRY(c->ops->dot(c, PZ_OVER_BOTH, gy, &x[1], &gx[0]));
  }
  return pz_wants(c, 1) ? c->ops->scale_by(c, PZ_OVER_BOTH, &x[0], gy, &gx[1]) : PZ_OK;
}

static const pz_parametrization weighted = {
    .size = sizeof(weighted),
    .id = "weighted",
    .summary = "A number times a matrix",
    .plan = weighted_plan,
    .forward = weighted_forward,
    .right_inverse = weighted_right_inverse,
    .vjp = weighted_vjp,
};

/* ---- chance and failure ----------------------------------------------------------- */

static pz_status
noisy_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  PZ_TRY(c->ops->random(c, PZ_NORMAL, c->draw, 0, 0.0, 1.0, y));
  return pz_axpby(c, 1.0, x, 1.0, y);
}

static const pz_parametrization noisy = {
    .size = sizeof(noisy),
    .id = "noisy",
    .summary = "Itself and noise",
    .forward = noisy_forward,
    .vjp = copy_vjp,
};

static pz_status
maybe_fail(pz_call* const c, const char* const entry)
{
  return map_failing && strcmp(map_failing, entry) == 0 && map_passes-- <= 0
             ? pz_fail(c, PZ_DEVICE, "%s fails on demand", entry)
             : PZ_OK;
}

static pz_status
fragile_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(maybe_fail(c, "plan"));
  return own_plan(c, given, "b", "p");
}

static pz_status
fragile_init(pz_call* const c, const pz_tensor* const tensor)
{
  (void)tensor;
  return maybe_fail(c, "init");
}

static pz_status
fragile_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  PZ_TRY(pz_copy(c, &x[0], y));
  PZ_TRY(pz_axpby(c, 1.0, &c->buffer[0], 1.0, y));
  return maybe_fail(c, "forward");
}

/* Writes all that it may before it fails. */
static pz_status
fragile_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  PZ_TRY(c->ops->fill(c, 0.0, &c->new_buffer[0]));
  PZ_TRY(pz_copy(c, y, x));
  return maybe_fail(c, "right_inverse");
}

static pz_status
fragile_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  if (pz_wants(c, 1)) {
    PZ_TRY(c->ops->fill(c, 0.0, &gx[1]));
  }
  if (pz_wants(c, 0)) {
    PZ_TRY(pz_copy(c, gy, &gx[0]));
  }
  return maybe_fail(c, "vjp");
}

// b <- b + 1
static pz_status
fragile_update(pz_call* const c, const pz_tensor* const x)
{
  pz_tensor one;
  (void)x;
  PZ_TRY(pz_work_like(c, &c->buffer[0], &one));
  PZ_TRY(c->ops->fill(c, 1.0, &one));
  PZ_TRY(pz_axpby(c, 1.0, &one, 1.0, &c->new_buffer[0]));
  return maybe_fail(c, "update");
}

static pz_status
fragile_sample(pz_call* const c, pz_tensor* const y)
{
  PZ_TRY(c->ops->random(c, PZ_UNIFORM, c->draw, 0, 0.0, 1.0, y));
  return maybe_fail(c, "sample");
}

static const pz_parametrization fragile = {
    .size = sizeof(fragile),
    .id = "fragile",
    .summary = "Itself and a buffer, unless told to fail",
    .plan = fragile_plan,
    .init = fragile_init,
    .forward = fragile_forward,
    .right_inverse = fragile_right_inverse,
    .vjp = fragile_vjp,
    .update = fragile_update,
    .sample = fragile_sample,
};

PZ_PLUGIN(test_maps, "1.2.3", PZ_PARAMETRIZATION(&affine), PZ_PARAMETRIZATION(&counting),
          PZ_PARAMETRIZATION(&fragile), PZ_PARAMETRIZATION(&noisy), PZ_PARAMETRIZATION(&idle),
          PZ_PARAMETRIZATION(&nowhere), PZ_PARAMETRIZATION(&only32), PZ_PARAMETRIZATION(&ticking),
          PZ_PARAMETRIZATION(&opaque), PZ_PARAMETRIZATION(&sequence), PZ_PARAMETRIZATION(&turned),
          PZ_PARAMETRIZATION(&weighted), PZ_PARAMETRIZATION(&widened));
