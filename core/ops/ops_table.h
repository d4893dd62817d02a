/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The table of operations that plugins call, and what an operation needs to know of its call. */

#ifndef PZI_OPS_TABLE_H
#define PZI_OPS_TABLE_H

#include "fault.h"
#include "queue.h"

#include <parametrize/plugin.h>

/* When an operation says that a factorization failed, or that an index is out of range. */
typedef enum pzi_report {
  PZI_REPORT_AS_DEVICE = 0, /* as the device does: at once, or in the fault word */
  PZI_REPORT_AT_ONCE = 1,   /* on every device: waits for it */
  PZI_REPORT_LATER = 2,     /* of factorizations on no device: the fault keeps it */
} pzi_report;

/* pz_call.reserved points to it. */
typedef struct pzi_frame {
  pz_queue* queue; /* NULL while a plan is made: there is no data yet */
  pz_fault word;
  pzi_fault* fault; /* which has `word`; NULL: the queue's own word, reported as the device does */
  pzi_report report;
} pzi_frame;

extern const pz_ops pzi_ops;

/* Prepares a call with operations only (no services, options or buffers), for core and tests
   that run operations outside a plugin. `fault` NULL: the queue's own. `frame` must outlive the
   call. */
void pzi_ops_table_init_call(pz_call* call, pzi_frame* frame, pz_queue* queue, pzi_fault* fault);

#endif /* PZI_OPS_TABLE_H */
