/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Portable kernels: their C functions, called for all items at once. */

#include "operations.h"

#include "scratch.h"

pz_status
TYPED(launch)(pz_backend_queue* const q, const pz_kernel* const kernel, const int64_t n_items,
              const pz_mat* const tensors, const double* const reals, const int64_t* const integers)
{
#if CPU_REAL_BITS == 32
  const pz_kernel_function function = kernel->f32;
#else
  const pz_kernel_function function = kernel->f64;
#endif
  void* places[PZ_KERNEL_MAX_ARGS] = {NULL};
  if (!function || kernel->n_tensors > PZ_KERNEL_MAX_ARGS) {
    return q->host->fail(PZ_UNSUPPORTED,
                         "kernel \"%s\" has %u tensors and %s C function, expected at most %d and "
                         "one",
                         kernel->name, (unsigned)kernel->n_tensors, function ? "a" : "no",
                         (int)PZ_KERNEL_MAX_ARGS);
  }
  for (uint32_t k = 0; k < kernel->n_tensors; ++k) {
    places[k] = tensors[k].data ? cpu_at(&tensors[k], 0) : NULL;
  }
  function(0, n_items, places, reals, integers);
  return PZ_OK;
}
