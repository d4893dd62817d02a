/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Test doubles of accelerators: memory behind handles that are no pointers, every access
   checked against its allocation, and different sets of operations.

     bare      the mandatory entries only
     lean      gemm and launch
     kernels   launch
     single    gemm and launch, float32 only
     solver    gemm, launch, solve
     inverter  gemm, launch, shifted_inverse
     later     as inverter, asynchronous: failures only in the fault word
     rude      gemm answers with an unknown status, axpby fails without a word, fold with
               one, hadamard supports nothing */

#ifndef TEST_OPAQUE_H
#define TEST_OPAQUE_H

#include <parametrize/backend.h>
#include <parametrize/parametrize.h>

extern const pz_plugin pz_plugin_v1_opaque;

/* Allocations alive. */
int opaque_allocations(void);

/* Bytes moved to or from the host so far. */
uint64_t opaque_host_bytes(void);

/* From now on, call `k` that allocates, copies, fills, multiplies or launches fails
   (0: none), once. */
void opaque_refuse(unsigned long k);
/* Was that call reached? */
bool opaque_refused(void);

#endif /* TEST_OPAQUE_H */
