/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The driver: programs, functions, calls. */

#include "opencl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- errors ------------------------------------------------------------------ */

#define CODE(name) \
  case name:       \
    return #name

static const char*
code_text(const cl_int code)
{
  switch (code) {
    CODE(CL_DEVICE_NOT_AVAILABLE);
    CODE(CL_COMPILER_NOT_AVAILABLE);
    CODE(CL_MEM_OBJECT_ALLOCATION_FAILURE);
    CODE(CL_OUT_OF_RESOURCES);
    CODE(CL_OUT_OF_HOST_MEMORY);
    CODE(CL_BUILD_PROGRAM_FAILURE);
    CODE(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
    CODE(CL_INVALID_VALUE);
    CODE(CL_INVALID_DEVICE);
    CODE(CL_INVALID_CONTEXT);
    CODE(CL_INVALID_QUEUE_PROPERTIES);
    CODE(CL_INVALID_COMMAND_QUEUE);
    CODE(CL_INVALID_MEM_OBJECT);
    CODE(CL_INVALID_PROGRAM);
    CODE(CL_INVALID_KERNEL_NAME);
    CODE(CL_INVALID_KERNEL);
    CODE(CL_INVALID_ARG_INDEX);
    CODE(CL_INVALID_ARG_VALUE);
    CODE(CL_INVALID_ARG_SIZE);
    CODE(CL_INVALID_KERNEL_ARGS);
    CODE(CL_INVALID_WORK_DIMENSION);
    CODE(CL_INVALID_WORK_GROUP_SIZE);
    CODE(CL_INVALID_WORK_ITEM_SIZE);
    CODE(CL_INVALID_EVENT_WAIT_LIST);
    CODE(CL_INVALID_EVENT);
    CODE(CL_INVALID_OPERATION);
    CODE(CL_INVALID_BUFFER_SIZE);
    CODE(CL_INVALID_GLOBAL_WORK_SIZE);
  default:
    return "OpenCL error";
  }
}

pz_status
opencl_failed(const pz_backend_host* const host, const cl_int code, const char* const what)
{
  const bool memory = code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_HOST_MEMORY ||
                      code == CL_OUT_OF_RESOURCES;
  return host->fail(memory ? PZ_NO_MEMORY : PZ_DEVICE, "%s failed: %s (%d)", what, code_text(code),
                    (int)code);
}

/* ---- programs ---------------------------------------------------------------- */

/* The first line of a build log that speaks of an error. */
static pz_status
build_failed(pz_backend_queue* const q, const cl_program program, const cl_int code)
{
  size_t size = 0;
  (void)clGetProgramBuildInfo(program, opencl_of(q)->device, CL_PROGRAM_BUILD_LOG, 0, NULL, &size);
  char* const log = size > 0 ? (char*)calloc(1, size + 1) : NULL;
  if (log) {
    (void)clGetProgramBuildInfo(program, opencl_of(q)->device, CL_PROGRAM_BUILD_LOG, size, log,
                                NULL);
  }
  const char* const error = log ? strstr(log, "error: ") : NULL;
  pz_status status;
  if (error) {
    status = q->host->fail(PZ_DEVICE, "a kernel does not compile: %.*s",
                           (int)strcspn(error + 7, "\n"), error + 7);
  } else {
    status = opencl_failed(q->host, code, "compiling a kernel");
  }
  free(log);
  return status;
}

static pz_status
build(pz_backend_queue* const q, const char* const* const texts, const uint32_t n_texts,
      const uint32_t dtype, void** const out)
{
  cl_int code = CL_SUCCESS;
  const cl_program program =
      clCreateProgramWithSource(opencl_of(q)->context, n_texts, (const char**)texts, NULL, &code);
  if (code != CL_SUCCESS) {
    return opencl_failed(q->host, code, "making a program");
  }
  const char* const options =
      dtype == PZ_F64 ? "-cl-std=CL1.2 -DGPU_REAL_BITS=64" : "-cl-std=CL1.2 -DGPU_REAL_BITS=32";
  code = clBuildProgram(program, 1, &opencl_of(q)->device, options, NULL, NULL);
  if (code != CL_SUCCESS) {
    const pz_status status = build_failed(q, program, code);
    (void)clReleaseProgram(program);
    return status;
  }
  *out = program;
  return PZ_OK;
}

static void
release_program(void* const program)
{
  (void)clReleaseProgram((cl_program)program);
}

static pz_status
find(pz_backend_queue* const q, void* const program, const char* const name, void** const out)
{
  cl_int code = CL_SUCCESS;
  const cl_kernel kernel = clCreateKernel((cl_program)program, name, &code);
  if (code != CL_SUCCESS) {
    return opencl_failed(q->host, code, "finding a kernel");
  }
  *out = kernel;
  return PZ_OK;
}

static void
release_function(void* const function)
{
  (void)clReleaseKernel((cl_kernel)function);
}

/* ---- calls --------------------------------------------------------------------- */

static cl_int
set_argument(const cl_kernel kernel, const cl_uint k, const gpu_argument* const a,
             const uint32_t dtype)
{
  switch (a->kind) {
  case GPU_BUFFER: {
    const cl_mem buffer = (cl_mem)a->as.buffer;
    return clSetKernelArg(kernel, k, sizeof(buffer), &buffer);
  }
  case GPU_INTEGER: {
    const cl_long integer = a->as.integer;
    return clSetKernelArg(kernel, k, sizeof(integer), &integer);
  }
  case GPU_REAL:
    break;
  }
  const cl_float narrow = (cl_float)a->as.real;
  const cl_double wide = a->as.real;
  return dtype == PZ_F32 ? clSetKernelArg(kernel, k, sizeof(narrow), &narrow)
                         : clSetKernelArg(kernel, k, sizeof(wide), &wide);
}

static pz_status
enqueue(pz_backend_queue* const q, void* const function, const gpu_call* const call)
{
  const cl_kernel kernel = (cl_kernel)function;
  size_t global[3];
  for (uint32_t k = 0; k < call->n; ++k) {
    const cl_int code = set_argument(kernel, k, &call->argument[k], call->dtype);
    if (code != CL_SUCCESS) {
      return opencl_failed(q->host, code, "handing an argument to a kernel");
    }
  }
  for (int d = 0; d < 3; ++d) {
    global[d] = call->groups[d] * call->local[d];
  }
  const cl_int code = clEnqueueNDRangeKernel(opencl_of(q)->queue, kernel, 3, NULL, global,
                                             call->local, 0, NULL, NULL);
  return code == CL_SUCCESS ? PZ_OK : opencl_failed(q->host, code, "running a kernel");
}

const gpu_driver opencl_driver = {
    .build = build,
    .release_program = release_program,
    .find = find,
    .release_function = release_function,
    .enqueue = enqueue,
    .gemm = opencl_clblast_gemm,
};
