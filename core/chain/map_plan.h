/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Asking maps what they work on. */

#ifndef PZI_PLAN_H
#define PZI_PLAN_H

#include "chain.h"
#include "services.h"

/* Trainable inputs and buffers of one map; vjp says which are wanted in 64 bits. */
enum { PZI_MAX_TENSORS = 64 };

/* What a map declares while its plan runs, by pz_role - 1. */
struct pzi_draft {
  pzi_declared tensors[3][PZI_MAX_TENSORS];
  uint32_t n[3];
  bool has_value;
  pz_spec value;
  uint32_t fold; /* PZ_BY_UPPER or PZ_BY_LOWER of the original, or 0 */
  bool takes_triangle;
};

pz_status pzi_draft_tensor(pzi_activity* run, uint32_t role, const char* name, const pz_spec* spec);
pz_status pzi_draft_value(pzi_activity* run, const pz_spec* spec, uint32_t structure);
pz_status pzi_draft_fold(pzi_activity* run, uint32_t triangle);

/* Runs the plan of the entry that stands at place `index` of a chain, or the default one,
   and checks what it declares against `given`. `in` is what is known of given[0]. */
pz_status pzi_plan_make(const pzi_entry* entry, uint32_t index, pz_direction direction, uint32_t in,
                        const pz_spec* given, uint32_t n_given, pzi_plan* out);
void pzi_plan_cleanup(pzi_plan* plan);

/* Plans a chain whose entries are set: plans, the list of tensors, the text. On failure the
   chain can only be freed. */
pz_status pzi_chain_plan(pz_chain* chain, pz_direction direction, const pz_spec* given,
                         uint32_t n_given);

#endif /* PZI_PLAN_H */
