/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Fault words: operations of an asynchronous device report failures in them. */

#ifndef PZI_FAULT_H
#define PZI_FAULT_H

#include "queue.h"

/* A zeroed fault word in device memory. */
pz_status pzi_fault_new(pz_queue* queue, pz_fault* out);
pz_status pzi_fault_new_held(pz_queue* queue, pz_fault* out); /* mutex held */
void pzi_fault_free(pz_queue* queue, pz_fault* fault);

/* Waits for the device, returns the failure that an operation wrote into the word ("matrix 3 of the
   batch is singular") and clears it. On a synchronous device it returns PZ_OK at once. */
pz_status pzi_fault_check(pz_queue* queue, const pz_fault* fault);

#endif /* PZI_FAULT_H */
