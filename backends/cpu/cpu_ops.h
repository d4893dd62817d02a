/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The operations of the backend, for any element type. */

#ifndef CPU_OPS_H
#define CPU_OPS_H

#include <parametrize/backend.h>

/* Each calls the operation of its operands' type in the table of the chosen set of instructions. */
extern const pz_backend_ops cpu_ops;

#endif /* CPU_OPS_H */
