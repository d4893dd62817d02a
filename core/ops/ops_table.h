/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The table of operations that plugins call, and what an operation needs to know of its call. */

#ifndef PZI_OPS_TABLE_H
#define PZI_OPS_TABLE_H

#include "queue.h"

#include <parametrize/plugin.h>

/* pz_call.reserved points to it. */
typedef struct pzi_frame {
  pz_queue* queue; /* NULL while a plan is made: there is no data yet */
  pz_fault fault;
} pzi_frame;

extern const pz_ops pzi_ops;

/* Prepares a call with operations only (no services, options or buffers), for core and tests
   that run operations outside a plugin. `fault` NULL: the queue's own. `frame` must outlive the
   call. */
void pzi_ops_table_init_call(pz_call* call, pzi_frame* frame, pz_queue* queue,
                             const pz_fault* fault);

#endif /* PZI_OPS_TABLE_H */
