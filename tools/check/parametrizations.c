/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The rules that every parametrization keeps, and how one of them runs. */

#include "../texts.h"
#include "outcome.h"
#include "rules.h"
#include "variants.h"
#include "witness.h"

#include <stdio.h>

const rule parametrization_rules[] = {
    {"plan", "a chain planned from its originals is the chain", 0, SETTING_PLAIN, rule_plan},
    {"determined", "the value depends on the originals and the state alone", 0, SETTING_PLAIN,
     rule_determined},
    {"dtypes", "float32 is float64 but for rounding", 0, SETTING_PLAIN, rule_dtypes},
    {"batches", "entries of a batch are what they are alone", 0, SETTING_PLAIN, rule_batches},
    {"structure", "values have the structure that plan promises", 0, SETTING_PLAIN, rule_structure},
    {"pure", "callbacks write nothing but their outputs", 0, SETTING_PLAIN, rule_pure},
    {"bounds", "callbacks stay inside tensors, and read what is written", 0, SETTING_WITNESS,
     rule_bounds},
    {"waits", "the device is waited for a fixed number of times", 0, SETTING_WITNESS, rule_waits},
    {"memory", "a request that is refused is reported, and nothing stays behind", 0,
     SETTING_WITNESS, rule_memory},
    {"devices", "the device, and one with handles, compute what the reference does", 0,
     SETTING_DEVICES, rule_devices},
    {"not-finite", "NaN, infinities and huge entries end and leave no trace", 0, SETTING_PLAIN,
     rule_not_finite},
    {"threads", "evaluations in two threads do not disturb each other", 0, SETTING_PLAIN,
     rule_threads},
    {"vjp-differences", "vjp is the transposed derivative of forward", PZ_HAS_VJP, SETTING_PLAIN,
     rule_vjp_differences},
    {"vjp-repeated", "vjp may run any number of times", PZ_HAS_VJP, SETTING_PLAIN,
     rule_vjp_repeated},
    {"vjp-want", "vjp computes any of the gradients alone", PZ_HAS_VJP, SETTING_PLAIN,
     rule_vjp_want},
    {"jvp-differences", "jvp is the derivative of forward", PZ_HAS_JVP, SETTING_PLAIN,
     rule_jvp_differences},
    {"jvp-adjoint", "jvp and vjp are adjoint", PZ_HAS_JVP | PZ_HAS_VJP, SETTING_PLAIN,
     rule_jvp_adjoint},
    {"density-jacobian", "log_abs_det is log |det| of the Jacobian",
     PZ_HAS_LOG_ABS_DET | PZ_HAS_JVP, SETTING_PLAIN, rule_density_jacobian},
    {"density-differences", "log_abs_det_vjp is the gradient of log_abs_det", PZ_HAS_LOG_ABS_DET,
     SETTING_PLAIN, rule_density_differences},
    {"density-batches", "log |det| of a batch is that of each entry", PZ_HAS_LOG_ABS_DET,
     SETTING_PLAIN, rule_density_batches},
    {"round-trip", "a value that is assigned comes back", PZ_HAS_RIGHT_INVERSE, SETTING_PLAIN,
     rule_round_trip},
    {"members", "values and samples are finite and in the set", 0, SETTING_PLAIN, rule_members},
    {"outsiders", "tensors outside the set are refused and have a residual", 0, SETTING_PLAIN,
     rule_outsiders},
    {"registers", "any tensor registers, or is refused", PZ_HAS_RIGHT_INVERSE, SETTING_PLAIN,
     rule_registers},
};
const size_t n_parametrization_rules =
    sizeof(parametrization_rules) / sizeof(parametrization_rules[0]);

extern const pz_plugin pz_plugin_v1_minimal; /* examples/backend_minimal */

/* A context with the file, or with a witness of `id` in it. The other devices are there first, before
   a file of the same ids. */
static pz_context*
open_context(const char* const file, const uint64_t seed, const char* const id,
             const rule_setting setting)
{
  const pz_context_settings settings = {
      .size = sizeof(settings), .flags = PZ_DEVICE_TENSORS, .seed = seed};
  pz_context* context = NULL;
  outcome_expect_ok(pz_context_new(&settings, &context), "a context");
  if (setting == SETTING_WITNESS) {
    witness_add(context, file, id);
    return context;
  }
  if (setting == SETTING_DEVICES) {
    outcome_expect_ok(pz_context_add_plugin(context, &pz_plugin_v1_minimal), "handles");
  }
  outcome_expect_ok(pz_context_add_file(context, file), "loading");
  return context;
}

/* Opens the device in a context; `needs`: PZ_HAS_... False, and a rule that is skipped, without them. */
static bool
open_bench(bench* const b, pz_context* const context, const char* const device,
           const char* const id, const uint64_t seed, const uint32_t needs)
{
  pz_parametrization_info info = {.size = sizeof(info)};
  outcome_expect_ok(pz_context_find(context, id, &info), "the parametrization");
  *b = (bench){.context = context, .id = id, .seed = seed, .flags = info.flags};
  b->projects = texts_has_word(info.tags, "projects");
  b->surrogate = texts_has_word(info.tags, "surrogate");
  if ((needs & ~info.flags) != 0) {
    outcome_now->verdict = VERDICT_SKIPPED;
    (void)snprintf(outcome_now->text, sizeof(outcome_now->text), "not offered");
    return false;
  }
  outcome_expect_ok(pz_queue_open(context, device, NULL, &b->queue), "the device");
  return true;
}

void
parametrization_keep(const char* const file, const char* const device, const uint64_t seed,
                     const char* const id, const rule* const one)
{
  bench b;
  bench reference;
  bench handles;
  const rule_setting setting = one->setting == SETTING_WITNESS ? SETTING_WITNESS : SETTING_PLAIN;
  if (!open_bench(&b, open_context(file, seed, id, setting), device, id, seed, one->needs)) {
    return;
  }
  if (one->setting == SETTING_DEVICES) {
    pz_context* const context = open_context(file, seed, id, SETTING_DEVICES);
    (void)open_bench(&reference, context, "reference", id, seed, 0);
    (void)open_bench(&handles, context, "minimal", id, seed, 0);
    handles.reference = b.reference = &reference;
    b.handles = &handles;
  }
  on_every_trial(&b, one->each);
  if (outcome_now->trials == 0) {
    outcome_breach("found no shape that is taken, of %u tried", outcome_now->refused);
  }
}

void
parametrization_measure(const char* const file, const char* const device, const uint64_t seed,
                        const char* const id)
{
  bench b;
  if (open_bench(&b, open_context(file, seed, id, SETTING_PLAIN), device, id, seed, 0)) {
    errors_measure(&b, &outcome_now->curves);
  }
}
