/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What an operation needs to know of the call that it serves. */

#ifndef PZI_CALL_FRAME_H
#define PZI_CALL_FRAME_H

#include "queue.h"

/* pz_call.reserved points to it. */
typedef struct pzi_frame {
  pz_queue* queue; /* NULL while a plan is made: there is no data yet */
  pz_fault fault;
} pzi_frame;

#endif /* PZI_CALL_FRAME_H */
