/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Opening files, and which table has which id. */

#ifndef PZI_REGISTRY_H
#define PZI_REGISTRY_H

#include "file_trust.h"
#include "loaded_objects.h"
#include "tables.h"

/* Judges and maps a file, without a context's mutex: constructors run. PZ_OK with the
   library, also where its handshake failed, what the file is, and a remark. */
pz_status pzi_registry_open(const pzi_trust* trust, const char* path, bool given,
                            const pzi_library** library, struct stat* file, const char** remark);

/* The mutex is held on entry and exit, and released meanwhile. Finds the offer of an id,
   opening files as needed, NULL in `out` where there is none; or opens everything and
   settles every id. */
pz_status pzi_registry_find(pz_context* context, uint32_t kind, const char* id,
                            const pzi_offer** out);
pz_status pzi_registry_complete(pz_context* context);

#endif /* PZI_REGISTRY_H */
