/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The compiler of the first OpenCL device, of any platform; warnings count. */

#include "compilers.h"

#include <gpu.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

typedef struct opencl {
  cl_device_id device;
  cl_context context;
} opencl;

static char*
compile(const compiler* const c, const char* const text, const int bits)
{
  const opencl* const o = (const opencl*)c->state;
  const char* texts[] = {gpu_text_prelude, text};
  char options[64];
  char* error = NULL;
  size_t size = 0;
  cl_int code = CL_SUCCESS;
  snprintf(options, sizeof(options), "-cl-std=CL1.2 -DGPU_REAL_BITS=%d", bits);
  const cl_program program = clCreateProgramWithSource(o->context, 2, texts, NULL, &code);
  if (code != CL_SUCCESS) {
    return strdup("clCreateProgramWithSource failed");
  }
  code = clBuildProgram(program, 1, &o->device, options, NULL, NULL);
  if (code != CL_SUCCESS) {
    (void)clGetProgramBuildInfo(program, o->device, CL_PROGRAM_BUILD_LOG, 0, NULL, &size);
    error = (char*)calloc(1, size + 2);
    if (error) {
      (void)clGetProgramBuildInfo(program, o->device, CL_PROGRAM_BUILD_LOG, size, error, NULL);
      error[0] = error[0] ? error[0] : '?';
    }
  }
  (void)clReleaseProgram(program);
  return error;
}

static void
close_opencl(compiler* const c)
{
  opencl* const o = (opencl*)c->state;
  (void)clReleaseContext(o->context);
  free(o);
}

bool
compiler_open_opencl(compiler* const c, char* const text, const size_t size)
{
  cl_platform_id platforms[8];
  cl_uint n_platforms = 0;
  cl_uint n_devices = 0;
  cl_int code = CL_SUCCESS;
  cl_device_fp_config doubles = 0;
  opencl* const o = (opencl*)calloc(1, sizeof(*o));
  if (!o) {
    snprintf(text, size, "out of memory");
    return false;
  }
  if (clGetPlatformIDs(8, platforms, &n_platforms) == CL_SUCCESS) {
    for (cl_uint p = 0; p < n_platforms && p < 8 && n_devices == 0; ++p) {
      (void)clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, 1, &o->device, &n_devices);
    }
  }
  if (n_devices > 0) {
    o->context = clCreateContext(NULL, 1, &o->device, NULL, NULL, &code);
  }
  if (n_devices == 0 || code != CL_SUCCESS) {
    snprintf(text, size, "there is no OpenCL device");
    free(o);
    return false;
  }
  (void)clGetDeviceInfo(o->device, CL_DEVICE_NAME, size, text, NULL);
  (void)clGetDeviceInfo(o->device, CL_DEVICE_DOUBLE_FP_CONFIG, sizeof(doubles), &doubles, NULL);
  c->f64 = doubles != 0;
  c->state = o;
  c->compile = compile;
  c->close = close_opencl;
  return true;
}
