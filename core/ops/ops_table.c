/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The table of operations that plugins call. */

#include "ops_table.h"

#include "op_entries.h"

#include <stddef.h>
#include <string.h>

#define MEMBER(OP, name) .name = pzi_ops_##name,
const pz_ops pzi_ops = {.size = sizeof(pzi_ops), PZI_OPS(MEMBER, MEMBER, MEMBER)};

_Static_assert(sizeof(pz_ops) == offsetof(pz_ops, copy) + PZI_N_OPS * sizeof(pzi_ops.copy),
               "PZI_OPS lists every member of pz_ops");

void
pzi_ops_table_init_call(pz_call* const call, pzi_frame* const frame, pz_queue* const queue,
                        pzi_fault* const fault)
{
  memset(call, 0, sizeof(*call));
  frame->queue = queue;
  frame->word = fault ? fault->word : queue->fault;
  frame->fault = fault;
  frame->report = PZI_REPORT_AS_DEVICE;
  call->size = sizeof(*call);
  call->ops = &pzi_ops;
  call->reserved = frame;
}
