/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The sets of instructions that this build has loops for, and the one in use. */

#ifndef CPU_ISA_H
#define CPU_ISA_H

#include <parametrize/backend.h>

#include <stddef.h>

/* A set of instructions with the operations that were compiled for it. */
typedef struct cpu_isa {
  const char* name;
  const pz_backend_ops* f32;
  const pz_backend_ops* f64;
} cpu_isa;

/* The one in use: the widest that the processor has, or the one that the environment asks
   for (isa.c). NULL where the processor or the build lacks that one; then `reason`, unless NULL,
   says so. [any thread] */
const cpu_isa* cpu_isa_chosen(size_t reason_size, char* reason);

#endif /* CPU_ISA_H */
