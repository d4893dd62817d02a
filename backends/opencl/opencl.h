/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The OpenCL backend: devices over all platforms, contexts shared by the queues of a
   device, and the driver of the layer that both accelerators share (backends/kernels). */

#ifndef OPENCL_H
#define OPENCL_H

#define CL_TARGET_OPENCL_VERSION 120

#include <gpu.h>

#include <CL/cl.h>

/* One device, by its place over all platforms. */
typedef struct opencl_place {
  cl_platform_id platform;
  cl_device_id device;
  uint32_t platform_index;
  uint32_t device_index; /* within the platform */
} opencl_place;

/* A context with what was compiled in it, shared by reference. */
typedef struct opencl_context opencl_context;
struct opencl_context {
  unsigned references;
  cl_context context;
  cl_device_id device;
  bool adopted; /* the context is the host's */
  gpu_programs* programs;
  opencl_context* next;
};

typedef struct opencl_queue {
  struct pz_backend_queue base; /* first */
  opencl_context* shared;
  cl_context context;
  cl_device_id device;
  cl_command_queue queue;
  cl_ulong most_bytes; /* of one allocation */
  bool clblast;
} opencl_queue;

static inline opencl_queue*
opencl_of(pz_backend_queue* const q)
{
  return (opencl_queue*)(void*)q;
}

/* Device `index` over all platforms; PZ_NOT_FOUND past the last, with the reason in `reason`
   (at least 256 bytes) where there is none at all, or where a parent of this process used OpenCL;
   PZ_NO_MEMORY, with the reason. */
pz_status opencl_find(uint32_t index, opencl_place* out, char* reason);

/* Why the device cannot be used, or NULL. */
const char* opencl_unusable(cl_device_id device);
bool opencl_has_f64(cl_device_id device);

/* Text of a device's property. */
void opencl_text(cl_device_id device, cl_device_info what, char* out, size_t size);

/* The context that queues of ours on a device share, or that of an adopted queue. */
pz_status opencl_context_open(const pz_backend_host* host, const opencl_place* place,
                              cl_context adopted, opencl_context** out);
void opencl_context_close(opencl_context* context);

/* Records what the driver answered and returns the status it amounts to. */
pz_status opencl_failed(const pz_backend_host* host, cl_int code, const char* what);

/* Shall products of this device be CLBlast's? gpu_driver.gemm refuses where not. */
bool opencl_wants_clblast(cl_device_id device);
pz_status opencl_clblast_gemm(pz_backend_queue* q, double alpha, const pz_mat* a, const pz_mat* b,
                              double beta, const pz_mat* y);

extern const gpu_driver opencl_driver;

#endif /* OPENCL_H */
