/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The evaluation from which derivatives of a value are computed. */

#ifndef PZI_DERIVATIVE_H
#define PZI_DERIVATIVE_H

#include "tree.h"

/* PZ_STALE unless the value of the last read is still current. Inside pzi_gate_exclusive_begin. */
pz_status pzi_derivative_check_read(pz_slot* slot);

/* Runs forward again unless the evaluation holds the current value and what forward saved. */
pz_status pzi_derivative_evaluate(const pz_slot* slot);

#endif /* PZI_DERIVATIVE_H */
