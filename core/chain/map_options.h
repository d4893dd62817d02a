/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* From words to options: entries of a chain. */

#ifndef PZI_OPTIONS_H
#define PZI_OPTIONS_H

#include "chain.h"
#include "chain_text.h"

/* The entry for map `index` of a text: options from the words, over them those of
   `settings` with that index, and defaults for the rest. */
pz_status pzi_entry_new(const pzi_map* map, const pzi_word_map* words, uint32_t index,
                        const pz_option_setting* settings, uint32_t n_settings, pzi_entry** out);
pzi_entry* pzi_entry_retain(pzi_entry* entry);
void pzi_entry_release(pzi_entry* entry);

#endif /* PZI_OPTIONS_H */
