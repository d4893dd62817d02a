/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Files that store tensors under the legacy names of a parametrization. */

#ifndef PZI_LEGACY_NAMES_H
#define PZI_LEGACY_NAMES_H

#include "file.h"

/* As pz_file_with_current_names, also for the chains of `module` (may be NULL; the caller has exclusive
   access). With `only`, renames just the tensors of that value. `*out` is NULL if no name
   changes. */
pz_status pzi_legacy_names_rename(pz_context* context, const pz_file* file, const pz_module* module,
                                  const char* only, const pz_chain_rule* rules, uint32_t n_rules,
                                  pz_file** out);

#endif /* PZI_LEGACY_NAMES_H */
