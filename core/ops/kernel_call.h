/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Checks of the arguments of portable kernels and row kernels. */

#ifndef PZI_KERNEL_CALL_H
#define PZI_KERNEL_CALL_H

#include "ops_table.h"

/* The queue of a call that launches the kernel of this name; fails without a kernel, and in plan. */
pz_status pzi_kernel_call_begin(const pz_call* c, const char* name, pz_queue** out);

/* Fails for a kernel of a newer dialect or with too many arguments. */
pz_status pzi_kernel_call_check(const char* name, uint32_t dialect, uint64_t n_tensors,
                                uint32_t n_reals, uint32_t n_integers);

/* Fails for a missing array of `n` > 0 arguments. */
pz_status pzi_kernel_call_expect(const char* name, const char* kind, uint32_t n, const void* given);

/* Checks tensor k, C-contiguous, on the queue's device and of the dtype of the others: *dtype, 0
   until the first with data sets it. `out` gets it as one row, without data if it is empty or has
   none, which `may_lack` allows. */
pz_status pzi_kernel_call_tensor(pz_queue* queue, const char* name, uint32_t k, bool may_lack,
                                 const pz_tensor* tensor, uint32_t* dtype, pz_mat* out);

#endif /* PZI_KERNEL_CALL_H */
