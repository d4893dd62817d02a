/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The rules that every parametrization keeps. */

#ifndef TOOLS_CHECK_RULES_H
#define TOOLS_CHECK_RULES_H

#include "trial.h"

/* What a rule runs on. */
typedef enum rule_setting {
  SETTING_PLAIN,   /* the file, loaded as by any program */
  SETTING_WITNESS, /* with a witness (witness.h) before the parametrization */
  SETTING_DEVICES, /* with the benches bench.reference and bench.handles */
} rule_setting;

typedef struct rule {
  const char* id;      /* "vjp-differences" */
  const char* summary; /* what holds, one line */
  uint32_t needs;      /* PZ_HAS_... without which the rule does not apply */
  rule_setting setting;
  void (*each)(trial* t);
} rule;

/* parametrizations.c */
extern const rule parametrization_rules[];
extern const size_t n_parametrization_rules;

/* Runs one rule in this process; `device` NULL: the default one. */
void parametrization_keep(const char* file, const char* device, uint64_t seed, const char* id,
                          const rule* one);

/* Measures errors.h in this process. */
void parametrization_measure(const char* file, const char* device, uint64_t seed, const char* id);

/* values.c */
void rule_determined(trial* t);
void rule_dtypes(trial* t);
void rule_batches(trial* t);
void rule_structure(trial* t);
void rule_pure(trial* t);
void rule_not_finite(trial* t);
void rule_plan(trial* t);

/* threads.c */
void rule_threads(trial* t);

/* calls.c */
void rule_bounds(trial* t);
void rule_waits(trial* t);
void rule_memory(trial* t);

/* devices.c */
void rule_devices(trial* t);

/* gradients.c */
void rule_vjp_differences(trial* t);
void rule_vjp_repeated(trial* t);
void rule_vjp_want(trial* t);
void rule_jvp_differences(trial* t);
void rule_jvp_adjoint(trial* t);

/* densities.c */
void rule_density_jacobian(trial* t);
void rule_density_differences(trial* t);
void rule_density_batches(trial* t);

/* inverses.c */
void rule_round_trip(trial* t);
void rule_members(trial* t);
void rule_outsiders(trial* t);
void rule_registers(trial* t);

#endif /* TOOLS_CHECK_RULES_H */
