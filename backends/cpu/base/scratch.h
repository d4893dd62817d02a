/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The queue of the CPU backend: the loops it uses, scratch that is kept between calls, errors. */

#ifndef CPU_SCRATCH_H
#define CPU_SCRATCH_H

#include <parametrize/backend.h>

#include <stddef.h>
#include <stdint.h>

/* Scratch by use, so that an operation built on another does not take its memory. */
typedef enum cpu_scratch_use {
  CPU_SCRATCH_A = 0,       /* packed or factored operands */
  CPU_SCRATCH_B = 1,       /* a second one */
  CPU_SCRATCH_C = 2,       /* a third one */
  CPU_SCRATCH_PACK = 3,    /* packed operands of products, for every thread */
  CPU_SCRATCH_WORK = 4,    /* LAPACK's real workspace, blocks of recursions */
  CPU_SCRATCH_INTEGER = 5, /* pivots, LAPACK's integer workspace */
  CPU_SCRATCH_LANES = 6,   /* small matrices across lanes, for every thread */
  CPU_SCRATCH_FLAGS = 7,   /* a byte for each matrix of a batch */
  CPU_SCRATCH_USES = 8,
} cpu_scratch_use;

struct pz_backend_queue {
  const pz_backend_host* host;
  const pz_backend_ops* f32; /* of the set of instructions in use */
  const pz_backend_ops* f64;
  void* scratch[CPU_SCRATCH_USES]; /* grown, never shrunk */
  size_t scratch_bytes[CPU_SCRATCH_USES];
};

/* Memory aligned to 64 bytes, for free(); NULL without. */
void* cpu_allocate(size_t bytes);

/* Scratch of at least `bytes` for a use, aligned to 64 bytes; its former content is lost.
   NULL without memory. */
void* cpu_scratch(pz_backend_queue* q, cpu_scratch_use use, size_t bytes);

/* PZ_NO_MEMORY with its message. */
pz_status cpu_no_memory(pz_backend_queue* q);

/* PZ_SINGULAR; the message names the matrix of the batch and the property that it lacks. */
pz_status cpu_singular(pz_backend_queue* q, const char* what, int64_t place);

#endif /* CPU_SCRATCH_H */
