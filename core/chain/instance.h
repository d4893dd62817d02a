/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A parametrization with its options, or a word of chains, shared by reference and immutable. */

#ifndef PZI_INSTANCE_H
#define PZI_INSTANCE_H

#include "chain_text.h"
#include "lookup.h"
#include "view_text.h"

#include <parametrize/chain.h>

#include <stdatomic.h>

typedef struct pzi_instance {
  atomic_uint references;
  const pzi_parametrization* parametrization;
  pz_value* options; /* n_options of the table, resolved; tensors are owned host tensors */
  pzi_view* view;    /* of the word `view`; else NULL */
  char* text;        /* canonical: "pruning(p_drop=0.2)" */
} pzi_instance;

/* The instance for stage `index` of a text: options from the words, then those of the
   `settings` with that index, and defaults for the rest. */
pz_status pzi_instance_new(const pzi_parametrization* parametrization, const pzi_stage_words* words,
                           uint32_t index, const pz_option_setting* settings, uint32_t n_settings,
                           pzi_instance** out);
pzi_instance* pzi_instance_retain(pzi_instance* instance);
void pzi_instance_release(pzi_instance* instance);

#endif /* PZI_INSTANCE_H */
