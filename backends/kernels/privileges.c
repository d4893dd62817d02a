/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Drivers and their loaders open libraries that the environment names (OCL_ICD_VENDORS,
   OPENCL_LAYERS, CUDA_INJECTION64_PATH) and write caches where it says (POCL_CACHE_DIR). In a
   set-user-ID program the environment is the caller's. */

#include "gpu.h"

#include <sys/auxv.h>

const char*
gpu_refusal(void)
{
  return getauxval(AT_SECURE) == 0
             ? NULL
             : "no device: not used with elevated privileges, for drivers run code that the "
               "environment names";
}
