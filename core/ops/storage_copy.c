/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Copies of tensors in storages of their own, and their comparison in host memory. */

#include "storage_copy.h"

#include "queue_copy.h"
#include "shape.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

pz_status
pzi_storage_copy(pz_queue* const queue, const pz_tensor* const tensor, pzi_storage** const out)
{
  const pz_spec spec = pz_spec_of(tensor);
  pzi_storage* copy = NULL;
  PZ_TRY(pzi_storage_new(queue, &spec, &copy));
  const pz_status status = pzi_queue_copy(queue, tensor, &copy->tensor);
  if (status != PZ_OK) {
    pzi_storage_release(copy);
    return status;
  }
  *out = copy;
  return PZ_OK;
}

pz_status
pzi_storage_copy_differs(pz_queue* const queue, const pzi_storage* const now,
                         const pzi_storage* const before, bool* const out)
{
  size_t bytes = 0;
  (void)pzi_shape_spec_bytes(&now->spec, &bytes); /* it has them */
  unsigned char* const room = malloc(2 * bytes + 1);
  if (!room) {
    return pzi_no_memory(2 * bytes);
  }
  const pzi_storage* const both[2] = {now, before};
  pz_status status = PZ_OK;
  for (size_t k = 0; k < 2 && status == PZ_OK; ++k) {
    const pz_tensor host =
        pz_host_tensor(now->spec.dtype, room + k * bytes, now->spec.ndim, now->spec.shape);
    status = pzi_queue_copy(queue, &both[k]->tensor, &host);
  }
  *out = memcmp(room, room + bytes, bytes) != 0;
  free(room);
  return status;
}
