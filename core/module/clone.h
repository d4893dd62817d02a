/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Copies of tensors and chains on another queue or in another dtype. Copy, transfer and move use
   them. */

#ifndef PZI_CLONE_H
#define PZI_CLONE_H

#include "prepared.h"
#include "storage.h"

/* A storage on `queue` with the elements of `from`; `dtype` 0 keeps that of `from`.
   PZ_UNSUPPORTED where the device has no float64. */
pz_status pzi_clone_storage(const pzi_storage* from, pz_queue* queue, uint32_t dtype,
                            pzi_storage** out);

/* The engine of the slot's chain on another queue: same parametrizations, options and draws, copied
   tensors. The chain is planned again if its originals have another dtype than `dtype`; 0 keeps it.
   A parametrized tensor stays zero: its value is computed when it is needed. Messages name the
   tensor. */
pz_status pzi_clone_engine(const pz_slot* slot, pz_queue* queue, uint32_t dtype, pzi_engine* out);

/* A copy of the chain of `from`, with its inner chains, for a slot `to` of any module of the same
   context. `to` does not change before the copy is installed. */
pz_status pzi_clone_parametrized(const pz_slot* from, pz_slot* to, pzi_prepared* out);

#endif /* PZI_CLONE_H */
