/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Name and backend entry of each operation. */

#include "op_table.h"

#include <parametrize/backend.h>

#include <stddef.h>
#include <string.h>

#define ANY(OP, op_name) \
  [PZI_##OP] = {.name = #op_name, .offset = offsetof(pz_backend_ops, op_name)},
#define NATIVE(OP, op_name) \
  [PZI_##OP] = {.name = #op_name, .offset = offsetof(pz_backend_ops, op_name), .native_only = true},
#define MOVE(OP, op_name) [PZI_##OP] = {.name = #op_name},

static const struct {
  const char* name;
  size_t offset; /* of the entry in pz_backend_ops; 0: pz_backend.copy does it */
  bool native_only;
} operations[PZI_N_OPS] = {PZI_OPS(ANY, NATIVE, MOVE)};

#define ONE(OP, op_name) +1
#define NONE(OP, op_name)
enum { ENTRIES = 0 PZI_OPS(ONE, ONE, NONE) };
_Static_assert(sizeof(pz_backend_ops) ==
                   offsetof(pz_backend_ops, copy) + ENTRIES * sizeof(void (*)(void)),
               "PZI_OPS lists every entry of pz_backend_ops");

const char*
pzi_op_name(const pzi_op op)
{
  return operations[op].name;
}

bool
pzi_op_native_only(const pzi_op op)
{
  return operations[op].native_only;
}

static bool
has_entry(const pz_backend_ops* const ops, const pzi_op op)
{
  void (*entry)(void);
  memcpy(&entry, (const char*)ops + operations[op].offset, sizeof(entry));
  return entry != NULL;
}

bool
pzi_op_native(const pz_queue* const queue, const pzi_op op, const uint32_t dtype)
{
  if (operations[op].offset == 0) {
    return true;
  }
  const pz_backend_ops* const ops = pzi_queue_ops(queue, dtype);
  // an exponential in one pass saves nothing for its adjoint: a device needs both or has neither
  return op == PZI_EXPONENTIAL || op == PZI_EXPONENTIAL_ADJOINT
             ? has_entry(ops, PZI_EXPONENTIAL) && has_entry(ops, PZI_EXPONENTIAL_ADJOINT)
             : has_entry(ops, op);
}

void
pzi_op_count(pz_queue* const queue, const pzi_op op, const pz_route route)
{
  queue->counts[op][route] += 1;
}
