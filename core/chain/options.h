/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Values for the options of a parametrization. */

#ifndef PZI_OPTIONS_H
#define PZI_OPTIONS_H

#include "chain_text.h"
#include "lookup.h"

#include <parametrize/chain.h>

/* Fills the n_options values of the table, zero before: defaults, then words, then those of
   the settings whose stage is `index`. After a failure pzi_options_cleanup is due too. */
pz_status pzi_options_resolve(const pzi_parametrization* parametrization,
                              const pzi_stage_words* words, uint32_t index,
                              const pz_option_setting* settings, uint32_t n_settings,
                              pz_value* options);
void pzi_options_cleanup(const pzi_parametrization* parametrization, pz_value* options);

/* "pruning(p_drop=0.2)": the id and every option that differs from its default. */
pz_status pzi_options_text(const pzi_parametrization* parametrization, const pz_value* options,
                           char** out);

#endif /* PZI_OPTIONS_H */
