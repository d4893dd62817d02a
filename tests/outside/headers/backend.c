/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Every macro and inline function of backend.h, expanded once, as in plugin.c. */

#include <parametrize/backend.h>
#include <parametrize/native.h>

static pz_status
probe(const pz_backend_host* const host, const uint32_t index, pz_device_info* const info)
{
  if (index > 0) {
    return host->fail(PZ_NOT_FOUND, "found device %u, expected 0", (unsigned)index);
  }
  info->memory = PZ_MEMORY_DEVICE;
  info->priority = PZ_PRIORITY_DISCRETE;
  return PZ_OK;
}

static pz_status
open_queue(const pz_backend_host* const host, const uint32_t index, const void* const native,
           pz_backend_queue** const out)
{
  const pz_opencl_native* const opencl = (const pz_opencl_native*)native;
  const pz_cuda_native* const cuda = (const pz_cuda_native*)native;
  (void)host;
  (void)index;
  *out = (pz_backend_queue*)(opencl->size == cuda->size ? opencl->queue : cuda->stream);
  return PZ_OK;
}

static pz_status
scale(pz_backend_queue* const q, const double a, const pz_mat* const y)
{
  const pz_mat transposed = pz_mat_transposed(y);
  const pz_mat block = pz_mat_block(&transposed, 0, 1, 0, 1);
  (void)q;
  return a == 0.0 && block.rows == 1 ? PZ_OK : PZ_UNSUPPORTED;
}

#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
static const pz_backend_ops operations = {
    sizeof(pz_backend_ops), 0, NULL, NULL, NULL, scale,
};
static const pz_backend_ops*
operations_of(pz_backend_queue* const q, const uint32_t dtype)
{
  (void)q;
  return dtype == PZ_F32 ? &operations : NULL;
}

static const pz_backend nothing = {
    sizeof(pz_backend),
    PZ_BACKEND_ASYNC | PZ_BACKEND_BY_TRIANGLE,
    "nothing",
    "No device",
    probe,
    open_queue,
    NULL, /* close, alloc ...: a backend that only compiles */
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    operations_of,
};

PZ_PLUGIN(nothing, "1.0.0", PZ_BACKEND(&nothing));
