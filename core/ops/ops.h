/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The operations plugins call: each validates its operands, lowers them to pz_mat, runs
   the backend's own entry, else a composition of others, else the host's, and counts. */

#ifndef PZI_OPS_H
#define PZI_OPS_H

#include "queue.h"

#include <parametrize/plugin.h>

/* What the trampolines need behind a call: pz_call.reserved points to it. */
typedef struct pzi_frame {
  pz_queue* queue;
  pz_fault fault;
} pzi_frame;

extern const pz_ops pzi_ops;

/* Prepares a call with operations only (no services, options or buffers): what core and
   tests use to run operations outside a plugin. `frame` must outlive the call. */
void pzi_call_init(pz_call* call, pzi_frame* frame, pz_queue* queue, const pz_fault* fault);

#endif /* PZI_OPS_H */
