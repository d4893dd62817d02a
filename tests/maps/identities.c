/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Maps that are the identity as far as their values go, and differ in what they lack, declare
   or count; what all maps share; and the plugin with all. */

#include "maps.h"

#include <stdio.h>
#include <string.h>

_Thread_local map_log map_calls;
atomic_int map_forwards;
void (*map_callback)(void);

/* ---- parts of maps ---------------------------------------------------------- */

void
map_note(const pz_call* const c, const char* const entry)
{
  map_log* const log = &map_calls;
  if (log->n < 64) {
    snprintf(log->entry[log->n], sizeof(log->entry[0]), "%s", entry);
    log->intent[log->n] = c->intent;
    log->in[log->n] = c->in;
    log->flags[log->n] = c->flags;
    log->want[log->n] = c->want;
    ++log->n;
  }
}

pz_status
map_plan(pz_call* const c, const pz_spec* const given, const char* const parameter,
         const char* const buffer)
{
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(parameter ? pz_declare_parameter(c, parameter, given) : PZ_OK);
  PZ_TRY(buffer ? pz_declare_buffer(c, buffer, given) : PZ_OK);
  return pz_declare_value(c, given, PZ_GENERAL);
}

pz_status
map_copy_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_copy(c, x, y);
}

pz_status
map_copy_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
             const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  return pz_copy(c, gy, gx);
}

/* ---- identities ------------------------------------------------------------- */

static pz_status
counting_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  atomic_fetch_add(&map_forwards, 1);
  if (map_callback) {
    map_callback();
  }
  return pz_copy(c, x, y);
}

static const pz_parametrization map_counting = {
    .size = sizeof(map_counting),
    .id = "counting",
    .summary = "Itself",
    .forward = counting_forward,
    .right_inverse = pz_copy_right_inverse,
    .vjp = map_copy_vjp,
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
  return map_failing ? PZ_OK : map_copy_vjp(c, x, y, gy, gx);
}

static pz_status
idle_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  return map_failing ? PZ_OK : pz_copy(c, y, x);
}

static const pz_parametrization map_idle = {
    .size = sizeof(map_idle),
    .id = "idle",
    .summary = "Itself, or whatever was there",
    .forward = idle_forward,
    .right_inverse = idle_right_inverse,
    .vjp = idle_vjp,
};

static const pz_parametrization map_sequence = {
    .size = sizeof(map_sequence),
    .id = "sequence",
    .summary = "Itself, from a sequence of one",
    .plan = sequence_plan,
    .forward = map_copy_forward,
    .right_inverse = pz_copy_right_inverse,
    .vjp = map_copy_vjp,
};

static pz_status
nowhere_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  (void)y;
  (void)x;
  return pz_fail(c, PZ_SINGULAR, "no answer");
}

static const pz_parametrization map_nowhere = {
    .size = sizeof(map_nowhere),
    .id = "nowhere",
    .summary = "Itself, never the other way",
    .forward = map_copy_forward,
    .right_inverse = nowhere_right_inverse,
    .vjp = map_copy_vjp,
};

static pz_status
bare_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_axpby(c, 2.0, x, 0.0, y);
}

static const pz_parametrization map_bare = {
    .size = sizeof(map_bare),
    .id = "bare",
    .summary = "Twice the input, and nothing else",
    .forward = bare_forward,
};

/* ---- other specs ------------------------------------------------------------ */

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

static const pz_parametrization map_turned = {
    .size = sizeof(map_turned),
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

static const pz_parametrization map_widened = {
    .size = sizeof(map_widened),
    .id = "widened",
    .summary = "From the other dtype",
    .plan = widened_plan,
    .forward = map_copy_forward,
};

static pz_status
only32_plan(pz_call* const c, const pz_spec* const given)
{
  if (given->dtype != PZ_F32) {
    return pz_fail(c, PZ_MISMATCH, "expected float32");
  }
  return map_plan(c, given, NULL, NULL);
}

static const pz_parametrization map_only32 = {
    .size = sizeof(map_only32),
    .id = "only32",
    .summary = "Itself, in one dtype",
    .plan = only32_plan,
    .forward = map_copy_forward,
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

static const pz_parametrization map_ticking = {
    .size = sizeof(map_ticking),
    .id = "ticking",
    .summary = "Itself, with buffers of fixed dtypes",
    .plan = ticking_plan,
    .forward = map_copy_forward,
};

PZ_PLUGIN(test_maps, "1.2.3", PZ_PARAMETRIZATION(&map_affine), PZ_PARAMETRIZATION(&map_bare),
          PZ_PARAMETRIZATION(&map_base), PZ_PARAMETRIZATION(&map_counting),
          PZ_PARAMETRIZATION(&map_factors), PZ_PARAMETRIZATION(&map_fold),
          PZ_PARAMETRIZATION(&map_fragile), PZ_PARAMETRIZATION(&map_gain),
          PZ_PARAMETRIZATION(&map_idle), PZ_PARAMETRIZATION(&map_mask),
          PZ_PARAMETRIZATION(&map_noise), PZ_PARAMETRIZATION(&map_norm),
          PZ_PARAMETRIZATION(&map_nowhere), PZ_PARAMETRIZATION(&map_only32),
          PZ_PARAMETRIZATION(&map_power), PZ_PARAMETRIZATION(&map_rows),
          PZ_PARAMETRIZATION(&map_sequence), PZ_PARAMETRIZATION(&map_ticking),
          PZ_PARAMETRIZATION(&map_turn), PZ_PARAMETRIZATION(&map_turned),
          PZ_PARAMETRIZATION(&map_weighted), PZ_PARAMETRIZATION(&map_widened));
