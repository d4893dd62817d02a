/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Writes a load to the module. */

#ifndef PZI_LOAD_COMMIT_H
#define PZI_LOAD_COMMIT_H

#include "loading.h"

/* Copies all tensors or none, then installs the chains. */
pz_status pzi_load_commit(pzi_loading* l);

#endif /* PZI_LOAD_COMMIT_H */
