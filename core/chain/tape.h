/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What forward saves for vjp. */

#ifndef PZI_TAPE_H
#define PZI_TAPE_H

#include "tensor_arena.h"

/* Tensors and host records of all stages of an evaluation, in the order of saving. The arrays never
   shrink: each forward fills them again from the start, so their capacities are stored. */
typedef struct pzi_tape {
  pz_tensor* tensors;
  void** records;
  uint32_t n_tensors;
  uint32_t n_records;
  uint32_t tensor_capacity;
  uint32_t record_capacity;
  uint64_t allocations;
} pzi_tape;

/* The part of one stage. */
typedef struct pzi_tape_range {
  uint32_t first_tensor;
  uint32_t n_tensors;
  uint32_t first_record;
  uint32_t n_records;
} pzi_tape_range;

/* Appends a tensor, or a record of `bytes`, with memory from `arena`. */
pz_status pzi_tape_tensor(pzi_tape* tape, pzi_tensor_arena* arena, const pz_spec* spec,
                          pz_tensor* out);
pz_status pzi_tape_record(pzi_tape* tape, pzi_tensor_arena* arena, size_t bytes, void** out);

void pzi_tape_cleanup(pzi_tape* tape);

#endif /* PZI_TAPE_H */
