/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What the parts of the CPU backend share, whatever the element type. */

#ifndef CPU_H
#define CPU_H

#include <parametrize/backend.h>

#include <stddef.h>
#include <stdint.h>

/* Places for scratch, so that an operation built on another does not take its memory. */
typedef enum cpu_slot {
  CPU_SLOT_A = 0,    /* packed or factored operands */
  CPU_SLOT_B = 1,    /* a second one */
  CPU_SLOT_C = 2,    /* a third one */
  CPU_SLOT_PACK = 3, /* operands of products whose strides BLAS cannot express */
  CPU_SLOT_PACK_B = 4,
  CPU_SLOT_WORK = 5,    /* LAPACK's real workspace, blocks of recursions */
  CPU_SLOT_INTEGER = 6, /* LAPACK's pivots and integer workspace */
  CPU_SLOT_LANES = 7,   /* small matrices across lanes, for every thread */
  CPU_SLOT_FLAGS = 8,   /* a byte for each matrix of a batch */
  CPU_SLOTS = 9,
} cpu_slot;

struct pz_backend_queue {
  const pz_backend_host* host;
  void* scratch[CPU_SLOTS]; /* grown, never shrunk */
  size_t scratch_bytes[CPU_SLOTS];
};

/* Scratch of at least `bytes` in a slot, aligned to 64; the slot's former content is lost.
   NULL without memory. */
void* cpu_scratch(pz_backend_queue* q, cpu_slot slot, size_t bytes);

/* PZ_NO_MEMORY with its line of detail. */
pz_status cpu_no_memory(pz_backend_queue* q);

/* PZ_SINGULAR naming the operation, the property that is missing and the place. */
pz_status cpu_singular(pz_backend_queue* q, const char* what, int64_t place);

/* First element of matrix k. */
static inline char*
cpu_at(const pz_mat* const m, const int64_t k)
{
  return (char*)m->data + m->byte_offset +
         (size_t)(k * m->batch_stride) * (size_t)pz_dtype_size(m->dtype);
}

/* Do the rows of this matrix lie in memory as runs? Else its columns do. */
static inline bool
cpu_runs_by_row(const pz_mat* const m)
{
  return m->col_stride == 1 || m->row_stride != 1;
}

/* ---- loops over operands of equal shape ------------------------------------ */

enum { CPU_MAX_OPERANDS = 9 };

/* Three nested loops, outer to inner, over operands of equal extents; the innermost runs
   along the last operand's shortest stride, and loops that memory does not interrupt are
   merged. */
typedef struct cpu_loops {
  uint32_t n_operands;
  int64_t extent[3];
  int64_t stride[CPU_MAX_OPERANDS][3];
  char* first[CPU_MAX_OPERANDS];
} cpu_loops;

/* `operands` have the last one's extents, or strides of zero where they repeat. */
void cpu_loops_init(cpu_loops* l, uint32_t n_operands, const pz_mat* const* operands);

/* ---- which libraries answer ------------------------------------------------ */

/* Writes who answers for BLAS, LAPACK and LAPACKE into `detail`. False when calls would go
   wrong (64-bit integers, wrong results); then `reason` says why. [any thread] */
bool cpu_answers(size_t detail_size, char* detail, size_t reason_size, char* reason);

/* How many threads of as many as BLAS uses at present may share work of so many nanoseconds in
   one: at least 1. [any thread] */
uint32_t cpu_threads(double nanoseconds);

/* The name of the processor. */
void cpu_hardware(size_t size, char* name);

/* ---- the operations of each element type ----------------------------------- */

/* A set of instructions with the operations that were compiled for it. */
typedef struct cpu_isa {
  const char* name;
  const pz_backend_ops* f32;
  const pz_backend_ops* f64;
} cpu_isa;

/* The one in use: the widest that the processor has, or the one that the environment asks
   for (isa.c). NULL where it asks for what is not there; then `reason`, unless NULL, says so.
   [any thread] */
const cpu_isa* cpu_isa_chosen(size_t reason_size, char* reason);

/* Operations of any type, going to those of one. */
extern const pz_backend_ops cpu_ops;

#endif /* CPU_H */
