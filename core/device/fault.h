/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Faults: failures that operations report after they have returned. */

#ifndef PZI_FAULT_H
#define PZI_FAULT_H

#include "queue.h"

enum { PZI_FAULT_TEXT = 200 };

/* The first failure that was not read yet: of an asynchronous device in its fault word, of another
   one in `status` and `text`. */
typedef struct pzi_fault {
  pz_fault word;
  pz_status status; /* PZ_OK: none */
  char text[PZI_FAULT_TEXT];
} pzi_fault;

/* Zeroed, with a word in device memory. */
pz_status pzi_fault_new(pz_queue* queue, pzi_fault* out);
void pzi_fault_free(pz_queue* queue, pzi_fault* fault);

/* A zeroed word. The mutex is held. */
pz_status pzi_fault_word_new_held(pz_queue* queue, pz_fault* out);

/* Keeps a failed status with the current message, unless there is one already. */
void pzi_fault_keep(pzi_fault* fault, pz_status status);

/* Returns the failure ("matrix 3 of the batch is singular") and clears it. Waits for the device; on
   a synchronous one there is nothing to wait for. */
pz_status pzi_fault_check(pz_queue* queue, pzi_fault* fault);

#endif /* PZI_FAULT_H */
