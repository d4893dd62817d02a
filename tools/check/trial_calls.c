/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "outcome.h"
#include "trial.h"

#include <string.h>

static const char* const names[TRIAL_CALLS] = {
    [CALL_FORWARD] = "forward",
    [CALL_VJP] = "vjp",
    [CALL_JVP] = "jvp",
    [CALL_LOG_ABS_DET] = "log_abs_det",
    [CALL_LOG_ABS_DET_VJP] = "log_abs_det_vjp",
    [CALL_RESIDUAL] = "residual",
    [CALL_ASSIGN] = "right_inverse (assign)",
    [CALL_REGISTER] = "right_inverse (register)",
    [CALL_HAND_DOWN] = "right_inverse (chain)",
    [CALL_UPDATE] = "update",
    [CALL_SAMPLE] = "sample",
    [CALL_INIT] = "init",
};

const char*
trial_call_name(const trial_call call)
{
  return names[call];
}

/* The tensors of x as host tensors, of numbers or zeros. */
static void
host_tensors(trial* const t, const double* x, pz_tensor* const out)
{
  for (uint32_t k = 0; k < t->n_tensors; ++k) {
    out[k] = trial_host_tensor(t, &t->spec[k], x);
    x = x ? x + pz_spec_count(&t->spec[k]) : NULL;
  }
}

static double*
joined(trial* const t, const pz_tensor* const tensors)
{
  double* const x = trial_numbers(t, t->n_x);
  double* to = x;
  for (uint32_t k = 0; k < t->n_tensors; ++k) {
    const int64_t n = pz_spec_count(&t->spec[k]);
    memcpy(to, trial_numbers_of(t, &tensors[k]), (size_t)n * sizeof(double));
    to += n;
  }
  return x;
}

static uint64_t
all_of(const trial* const t)
{
  return t->n_tensors == 64 ? UINT64_MAX : (UINT64_C(1) << t->n_tensors) - 1;
}

int64_t
trial_n_in(const trial* const t, const trial_call call)
{
  return call == CALL_JVP               ? t->n_x
         : call == CALL_LOG_ABS_DET_VJP ? t->n_density
         : call == CALL_VJP || call == CALL_RESIDUAL || call == CALL_INIT ||
                 (call >= CALL_ASSIGN && call <= CALL_HAND_DOWN)
             ? t->n_y
             : 0;
}

int64_t
trial_n_out(const trial* const t, const trial_call call)
{
  return call == CALL_FORWARD || call == CALL_JVP           ? t->n_y
         : call == CALL_VJP || call == CALL_LOG_ABS_DET_VJP ? t->n_x
         : call == CALL_LOG_ABS_DET                         ? t->n_density
         : call == CALL_RESIDUAL                            ? 1
                                                            : t->n_x + t->n_b;
}

/* x, then the buffers. */
static double*
state_of(trial* const t)
{
  double* const out = trial_numbers(t, t->n_x + t->n_b);
  memcpy(out, trial_read(t), (size_t)t->n_x * sizeof(double));
  memcpy(out + t->n_x, trial_read_buffers(t), (size_t)t->n_b * sizeof(double));
  return out;
}

static pz_status
gradients(trial* const t, const trial_call call, const pz_tensor* const g, const uint64_t want,
          double** const out)
{
  pz_tensor all[TRIAL_TENSORS];
  host_tensors(t, NULL, all);
  PZ_TRY(call == CALL_VJP ? pz_eval_vjp(t->eval, t->state, g, 1, want, false, all)
                          : pz_eval_log_abs_det_vjp(t->eval, t->state, g, want, false, all));
  *out = joined(t, all);
  return PZ_OK;
}

pz_status
trial_make(trial* const t, const trial_call call, const double* const in, double** const out)
{
  static const pz_intent intents[] = {PZ_ASSIGN, PZ_REGISTER, PZ_CHAIN};
  const bool of_density = call == CALL_LOG_ABS_DET || call == CALL_LOG_ABS_DET_VJP;
  pz_tensor tensors[TRIAL_TENSORS];
  double* ignored = NULL;
  double** const to = out ? out : &ignored;
  pz_tensor value;
  if (of_density && !t->has_density) {
    return PZ_UNSUPPORTED;
  }
  const pz_tensor given =
      trial_host_tensor(t, of_density ? &t->density : &t->y, call == CALL_JVP ? NULL : in);
  pz_context_seed(t->bench->context, t->bench->seed);
  switch (call) {
  case CALL_FORWARD:
    PZ_TRY(pz_eval_forward(t->eval, t->state, PZ_CALL_SAVING, NULL, &value));
    *to = trial_download(t, &value);
    return PZ_OK;
  case CALL_VJP:
  case CALL_LOG_ABS_DET_VJP:
    return gradients(t, call, &given, all_of(t), to);
  case CALL_JVP:
    host_tensors(t, in, tensors);
    PZ_TRY(pz_eval_jvp(t->eval, t->state, tensors, 1, &given));
    *to = trial_numbers_of(t, &given);
    return PZ_OK;
  case CALL_LOG_ABS_DET:
    PZ_TRY(pz_eval_log_abs_det(t->eval, t->state, &given));
    *to = trial_numbers_of(t, &given);
    return PZ_OK;
  case CALL_RESIDUAL:
    *to = trial_numbers(t, 1);
    return pz_eval_residual(t->eval, t->state, pz_chain_length(t->chain) - 1, &given, *to);
  case CALL_ASSIGN:
  case CALL_REGISTER:
  case CALL_HAND_DOWN:
    PZ_TRY(pz_eval_assign(t->eval, t->state, intents[call - CALL_ASSIGN], &given));
    break;
  case CALL_UPDATE:
    PZ_TRY(pz_eval_update(t->eval, t->state));
    break;
  case CALL_SAMPLE:
    PZ_TRY(pz_eval_sample(t->eval, t->state));
    break;
  case CALL_INIT:
  case TRIAL_CALLS:
    PZ_TRY(pz_eval_initialize(t->eval, t->state, 0, &given));
    break;
  }
  *to = out ? state_of(t) : NULL;
  return PZ_OK;
}

/* ---- calls that must succeed -------------------------------------------------------------------- */

static double*
must(trial* const t, const trial_call call, const double* const in, const bool optional)
{
  double* out = NULL;
  const pz_status status = trial_make(t, call, in, &out);
  if (status == PZ_UNSUPPORTED && optional) {
    return NULL;
  }
  outcome_expect_ok(status, names[call]);
  return out;
}

double*
trial_forward(trial* const t)
{
  return must(t, CALL_FORWARD, NULL, false);
}

double*
trial_vjp(trial* const t, const double* const g)
{
  return must(t, CALL_VJP, g, false);
}

double*
trial_vjp_of(trial* const t, const double* const g, const uint32_t tensor)
{
  const pz_tensor cotangent = trial_host_tensor(t, &t->y, g);
  double* out = NULL;
  outcome_expect_ok(gradients(t, CALL_VJP, &cotangent, UINT64_C(1) << tensor, &out), "vjp");
  return out;
}

double*
trial_jvp(trial* const t, const double* const dx)
{
  return must(t, CALL_JVP, dx, true);
}

double*
trial_log_abs_det(trial* const t, int64_t* const n)
{
  *n = t->n_density;
  return must(t, CALL_LOG_ABS_DET, NULL, true);
}

double*
trial_log_abs_det_vjp(trial* const t, const double* const g)
{
  return must(t, CALL_LOG_ABS_DET_VJP, g, true);
}

pz_status
trial_assign(trial* const t, const pz_intent intent, const double* const y)
{
  return trial_make(t,
                    intent == PZ_ASSIGN     ? CALL_ASSIGN
                    : intent == PZ_REGISTER ? CALL_REGISTER
                                            : CALL_HAND_DOWN,
                    y, NULL);
}

pz_status
trial_residual(trial* const t, const double* const y, double* const distance)
{
  double* out = NULL;
  const pz_status status = trial_make(t, CALL_RESIDUAL, y, &out);
  *distance = out[0];
  return status;
}

void
trial_inputs(trial* const t, const double* in[TRIAL_CALLS])
{
  const double* const y = trial_forward(t);
  for (int k = 0; k < TRIAL_CALLS; ++k) {
    const int64_t n = trial_n_in(t, k);
    in[k] = n == 0 ? NULL : k < CALL_RESIDUAL ? trial_normal(t, t->y.dtype, n, 1.0) : y;
  }
}
