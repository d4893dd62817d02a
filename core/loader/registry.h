/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Opens files until an id, or every id, has its table. */

#ifndef PZI_REGISTRY_H
#define PZI_REGISTRY_H

#include "tables.h"

/* Finds the table of an id, opening files as needed, NULL in `out` where none has it; or opens
   all files and assigns all ids. The mutex is held on entry and exit, and released meanwhile. */
pz_status pzi_registry_find(pz_context* context, uint32_t kind, const char* id,
                            const pzi_table** out);
pz_status pzi_registry_complete(pz_context* context);

#endif /* PZI_REGISTRY_H */
