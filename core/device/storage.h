/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Storages: the memory of tensors, shared by reference. */

#ifndef PZI_STORAGE_H
#define PZI_STORAGE_H

#include "queue.h"

/* A C-contiguous tensor that owns its memory on one device. Or, if `bound`, a tensor in the
   caller's memory, with any strides. */
typedef struct pzi_storage {
  atomic_uint references;
  pz_queue* queue; /* retained */
  pz_spec spec;
  pz_tensor tensor; /* shape points into spec */
  int64_t strides[PZ_MAX_DIMS];
  bool bound;
} pzi_storage;

/* Zeroed. PZ_UNSUPPORTED for a dtype that the device lacks. */
pz_status pzi_storage_new(pz_queue* queue, const pz_spec* spec, pzi_storage** out);
pz_status pzi_storage_bound(pz_queue* queue, const pz_tensor* tensor, pzi_storage** out);
pzi_storage* pzi_storage_retain(pzi_storage* storage);
void pzi_storage_release(pzi_storage* storage);

#endif /* PZI_STORAGE_H */
