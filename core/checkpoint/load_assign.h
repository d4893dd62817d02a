/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Assigns values of the file (PZ_LOAD_ASSIGN). */

#ifndef PZI_LOAD_ASSIGN_H
#define PZI_LOAD_ASSIGN_H

#include "loading.h"

/* Assigns every value of the file to a copy of its chain, and appends the copies of the tensors
   that result. */
pz_status pzi_load_assign(pzi_loading* l);

/* Does the slot belong to the chain of an assigned value? */
bool pzi_load_assign_has(const pzi_loading* l, const pz_slot* slot);

#endif /* PZI_LOAD_ASSIGN_H */
