/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Plans the chains of a load. */

#ifndef PZI_LOAD_PLAN_H
#define PZI_LOAD_PLAN_H

#include "loading.h"

/* Plans the chain of a value for `dtype`, or for the dtype of the file (0). The chain stays NULL
   without a rule and a description, and for a lenient load if an original is missing. */
pz_status pzi_load_plan(pzi_loading* l, pzi_load_chain* incoming, uint32_t dtype);

/* PZ_MISMATCH: neither a rule nor the file defines the chain of this value. */
pz_status pzi_load_plan_undefined(const char* path);

/* The dtype in the module of a tensor that the file stores as `dtype`; `wanted` is the dtype of
   the tensor there, or 0. Returns 0 if modules have no such dtype. */
uint32_t pzi_load_plan_dtype(const pzi_loading* l, const char* dtype, uint32_t wanted);

#endif /* PZI_LOAD_PLAN_H */
