/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* NVRTC of the double, which keeps the text it is given, and modules, which are programs of
   OpenCL. What a launch hands over is told apart by the kernel's own declaration. */

#include "double.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ARGUMENTS = 64 };

/* ---- NVRTC -------------------------------------------------------------------------------- */

struct _nvrtcProgram {
  char* source;
  char* image; /* "32" or "64", then the source */
};

static const int known[] = {75, 80, 90};

nvrtcResult
nvrtcGetNumSupportedArchs(int* const out)
{
  *out = 3;
  return NVRTC_SUCCESS;
}

nvrtcResult
nvrtcGetSupportedArchs(int* const out)
{
  memcpy(out, known, sizeof(known));
  return NVRTC_SUCCESS;
}

const char*
nvrtcGetErrorString(const nvrtcResult code)
{
  return code == NVRTC_SUCCESS ? "no error" : "failure made by a test";
}

nvrtcResult
nvrtcCreateProgram(nvrtcProgram* const out, const char* const source, const char* const name,
                   const int n, const char* const* const headers, const char* const* const names)
{
  (void)name;
  (void)n;
  (void)headers;
  (void)names;
  if (double_fails()) {
    return NVRTC_ERROR_OUT_OF_MEMORY;
  }
  *out = calloc(1, sizeof(**out));
  (*out)->source = strdup(source);
  double_born(1);
  return NVRTC_SUCCESS;
}

nvrtcResult
nvrtcCompileProgram(const nvrtcProgram program, const int n, const char* const* const options)
{
  const char* bits = NULL;
  bool target = false;
  for (int k = 0; k < n; ++k) {
    bits = strncmp(options[k], "-DGPU_REAL_BITS=", 16) == 0 ? options[k] + 16 : bits;
    target = target || strcmp(options[k], "--gpu-architecture=sm_90") == 0 ||
             strcmp(options[k], "--gpu-architecture=sm_80") == 0 ||
             strcmp(options[k], "--gpu-architecture=compute_90") == 0;
  }
  if (double_fails()) {
    return NVRTC_ERROR_COMPILATION;
  }
  if (!bits || !target) {
    return NVRTC_ERROR_INVALID_OPTION;
  }
  return asprintf(&program->image, "%.2s%s", bits, program->source) > 0 ? NVRTC_SUCCESS
                                                                        : NVRTC_ERROR_OUT_OF_MEMORY;
}

nvrtcResult
nvrtcGetCUBINSize(const nvrtcProgram program, size_t* const out)
{
  *out = strlen(program->image) + 1;
  return double_fails() ? NVRTC_ERROR_INTERNAL_ERROR : NVRTC_SUCCESS;
}

nvrtcResult
nvrtcGetCUBIN(const nvrtcProgram program, char* const out)
{
  strcpy(out, program->image);
  return double_fails() ? NVRTC_ERROR_INTERNAL_ERROR : NVRTC_SUCCESS;
}

nvrtcResult
nvrtcGetPTXSize(const nvrtcProgram program, size_t* const out)
{
  return nvrtcGetCUBINSize(program, out);
}

nvrtcResult
nvrtcGetPTX(const nvrtcProgram program, char* const out)
{
  return nvrtcGetCUBIN(program, out);
}

nvrtcResult
nvrtcGetProgramLogSize(const nvrtcProgram program, size_t* const out)
{
  (void)program;
  *out = 1;
  return NVRTC_SUCCESS;
}

nvrtcResult
nvrtcGetProgramLog(const nvrtcProgram program, char* const out)
{
  (void)program;
  out[0] = '\0';
  return NVRTC_SUCCESS;
}

nvrtcResult
nvrtcDestroyProgram(nvrtcProgram* const program)
{
  free((*program)->source);
  free((*program)->image);
  free(*program);
  *program = NULL;
  double_born(-1);
  return NVRTC_SUCCESS;
}

/* ---- modules -------------------------------------------------------------------------------- */

struct CUfunc_st {
  cl_kernel kernel;
  cl_uint n;
  bool is_pointer[MOST_ARGUMENTS];
  size_t bytes[MOST_ARGUMENTS];
  struct CUfunc_st* next;
};

struct CUmod_st {
  cl_program program;
  size_t real_bytes;
  CUfunction functions;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* Programs stay, since the backend compiles anew for every context and PoCL takes its time. */
typedef struct kept_program {
  char* image;
  cl_program program;
  struct kept_program* next;
} kept_program;

static kept_program* kept;

/* The program of an image, to be released. Mutex held. */
static cl_program
program_of(const CUcontext context, const char* const image)
{
  char options[64];
  cl_int code = CL_SUCCESS;
  const char* const text = image + 2;
  kept_program* p = kept;
  while (p && strcmp(p->image, image) != 0) {
    p = p->next;
  }
  if (!p) {
    snprintf(options, sizeof(options), "-cl-std=CL1.2 -cl-kernel-arg-info -DGPU_REAL_BITS=%.2s",
             image);
    const cl_program program =
        clCreateProgramWithSource(context->cl, 1, (const char**)(uintptr_t)&text, NULL, &code);
    if (code != CL_SUCCESS ||
        clBuildProgram(program, 1, &context->device, options, NULL, NULL) != CL_SUCCESS) {
      return NULL;
    }
    p = calloc(1, sizeof(*p));
    *p = (kept_program){.image = strdup(image), .program = program, .next = kept};
    kept = p;
  }
  (void)clRetainProgram(p->program);
  return p->program;
}

CUresult
cuModuleLoadData(CUmodule* const out, const void* const image)
{
  CUcontext context = NULL;
  (void)cuCtxGetCurrent(&context);
  if (double_fails()) {
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  if (!double_current()) {
    return CUDA_ERROR_INVALID_CONTEXT;
  }
  pthread_mutex_lock(&mutex);
  const cl_program program = program_of(context, image);
  pthread_mutex_unlock(&mutex);
  if (!program) {
    return CUDA_ERROR_INVALID_IMAGE;
  }
  *out = calloc(1, sizeof(**out));
  (*out)->program = program;
  (*out)->real_bytes = strncmp(image, "64", 2) == 0 ? 8 : 4;
  double_born(1);
  return CUDA_SUCCESS;
}

CUresult
cuModuleUnload(const CUmodule module)
{
  if (!double_current()) {
    return CUDA_ERROR_INVALID_CONTEXT;
  }
  for (CUfunction f = module->functions; f;) {
    const CUfunction next = f->next;
    (void)clReleaseKernel(f->kernel);
    free(f);
    f = next;
  }
  (void)clReleaseProgram(module->program);
  free(module);
  double_born(-1);
  return CUDA_SUCCESS;
}

CUresult
cuModuleGetFunction(CUfunction* const out, const CUmodule module, const char* const name)
{
  cl_int code = CL_SUCCESS;
  if (double_fails() || !double_current()) {
    return CUDA_ERROR_NOT_FOUND;
  }
  const CUfunction f = calloc(1, sizeof(*f));
  f->kernel = clCreateKernel(module->program, name, &code);
  if (code != CL_SUCCESS) {
    free(f);
    return CUDA_ERROR_NOT_FOUND;
  }
  (void)clGetKernelInfo(f->kernel, CL_KERNEL_NUM_ARGS, sizeof(f->n), &f->n, NULL);
  for (cl_uint k = 0; k < f->n && k < MOST_ARGUMENTS; ++k) {
    cl_kernel_arg_address_qualifier where = 0;
    char type[64] = "";
    (void)clGetKernelArgInfo(f->kernel, k, CL_KERNEL_ARG_ADDRESS_QUALIFIER, sizeof(where), &where,
                             NULL);
    (void)clGetKernelArgInfo(f->kernel, k, CL_KERNEL_ARG_TYPE_NAME, sizeof(type), type, NULL);
    f->is_pointer[k] = where == CL_KERNEL_ARG_ADDRESS_GLOBAL;
    f->bytes[k] = strcmp(type, "real") == 0 ? module->real_bytes : 8;
  }
  pthread_mutex_lock(&mutex);
  f->next = module->functions;
  module->functions = f;
  pthread_mutex_unlock(&mutex);
  *out = f;
  return CUDA_SUCCESS;
}

CUresult
cuLaunchKernel(const CUfunction f, const unsigned gx, const unsigned gy, const unsigned gz,
               const unsigned bx, const unsigned by, const unsigned bz, const unsigned shared,
               const CUstream stream, void** const arguments, void** const extra)
{
  const size_t local[3] = {bx, by, bz};
  const size_t global[3] = {(size_t)gx * bx, (size_t)gy * by, (size_t)gz * bz};
  (void)extra;
  if (double_fails()) {
    return CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES;
  }
  if (!double_current() || shared != 0) {
    return CUDA_ERROR_INVALID_CONTEXT;
  }
  if (gx == 0 || gy == 0 || gz == 0 || gx > INT32_MAX || gy > 65535 || gz > 65535 ||
      bx * by * bz > 1024 || bx * by * bz == 0 || bz > 64) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  CUresult code = CUDA_SUCCESS;
  pthread_mutex_lock(&mutex);
  for (cl_uint k = 0; k < f->n && code == CUDA_SUCCESS; ++k) {
    cl_int set;
    if (f->is_pointer[k]) {
      void* const data = *(void**)arguments[k];
      code = !data || double_owns(data, 1) ? CUDA_SUCCESS : CUDA_ERROR_ILLEGAL_ADDRESS;
      set = clSetKernelArgSVMPointer(f->kernel, k, data);
    } else {
      set = clSetKernelArg(f->kernel, k, f->bytes[k], arguments[k]);
    }
    code = set == CL_SUCCESS ? code : CUDA_ERROR_INVALID_VALUE;
  }
  if (code == CUDA_SUCCESS) {
    code = clEnqueueNDRangeKernel(double_queue(stream), f->kernel, 3, NULL, global, local, 0, NULL,
                                  NULL) == CL_SUCCESS
               ? CUDA_SUCCESS
               : CUDA_ERROR_UNKNOWN;
  }
  pthread_mutex_unlock(&mutex);
  return code;
}
