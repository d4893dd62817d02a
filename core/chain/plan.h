/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What the parametrization of a stage declares there: tensors and the value. */

#ifndef PZI_PLAN_H
#define PZI_PLAN_H

#include "draft.h"
#include "instance.h"

/* Tensors stand in the order original, own parameter, buffer. */
typedef struct pzi_plan {
  uint32_t n_original; /* 1 for a stage that is not the first */
  uint32_t n_parameter;
  uint32_t n_buffer;
  uint32_t in; /* pz_structure of the first input */
  pzi_declared* tensors;
  pz_spec value;
  uint32_t fold; /* the value is a fold of this triangle of the original: PZ_BY_..., or 0 */
  bool takes_triangle;
  pzi_density density;
} pzi_plan;

/* Runs the plan of the instance at stage `index` of a chain, or the default plan, and checks
   its declarations against `given`. `in`: the known structure of given[0]. */
pz_status pzi_plan_make(const pzi_instance* instance, uint32_t index, pz_direction direction,
                        uint32_t in, const pz_spec* given, uint32_t n_given, pzi_plan* out);
void pzi_plan_cleanup(pzi_plan* plan);

#endif /* PZI_PLAN_H */
