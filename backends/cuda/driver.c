/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The driver of the shared layer: kernels by NVRTC for the device found, and their calls. */

#include "cuda_backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

pz_status
cuda_failed(const pz_backend_host* const host, const CUresult code, const char* const what)
{
  const char* name = NULL;
  const char* text = NULL;
  (void)cu.cuGetErrorName(code, &name);
  (void)cu.cuGetErrorString(code, &text);
  return host->fail(code == CUDA_ERROR_OUT_OF_MEMORY ? PZ_NO_MEMORY : PZ_DEVICE,
                    "%s failed: %s (%d), %s", what, name ? name : "CUDA error", (int)code,
                    text ? text : "unknown");
}

/* ---- programs ------------------------------------------------------------------------ */

/* The newest generation that this NVRTC knows and the device can run; 0: none. */
static int
newest_known(const int capability)
{
  enum { MOST = 128 };
  int known[MOST];
  int n = 0;
  int best = 0;
  if (nvrtc.nvrtcGetNumSupportedArchs(&n) != NVRTC_SUCCESS || n > MOST ||
      nvrtc.nvrtcGetSupportedArchs(known) != NVRTC_SUCCESS) {
    return 0;
  }
  for (int k = 0; k < n; ++k) {
    best = known[k] <= capability && known[k] > best ? known[k] : best;
  }
  return best;
}

/* The first line of a log that speaks of an error. */
static pz_status
compile_failed(pz_backend_queue* const q, const nvrtcProgram program, const nvrtcResult code)
{
  size_t size = 0;
  (void)nvrtc.nvrtcGetProgramLogSize(program, &size);
  char* const log = (char*)calloc(1, size + 1);
  if (log && size > 0) {
    (void)nvrtc.nvrtcGetProgramLog(program, log);
  }
  const char* const error = log ? strstr(log, "error: ") : NULL;
  pz_status status;
  if (error) {
    status = q->host->fail(PZ_DEVICE, "a kernel does not compile: %.*s",
                           (int)strcspn(error + 7, "\n"), error + 7);
  } else {
    status = q->host->fail(code == NVRTC_ERROR_OUT_OF_MEMORY ? PZ_NO_MEMORY : PZ_DEVICE,
                           "compiling a kernel failed: %s", nvrtc.nvrtcGetErrorString(code));
  }
  free(log);
  return status;
}

/* Machine code where NVRTC makes it for this very device, else text that the driver
   translates. */
static pz_status
load(pz_backend_queue* const q, const nvrtcProgram program, const bool exact, CUmodule* const out)
{
  size_t size = 0;
  nvrtcResult code =
      exact ? nvrtc.nvrtcGetCUBINSize(program, &size) : nvrtc.nvrtcGetPTXSize(program, &size);
  if (code != NVRTC_SUCCESS) {
    return compile_failed(q, program, code);
  }
  char* const image = (char*)malloc(size + 1);
  if (!image) {
    return q->host->fail(PZ_NO_MEMORY, "out of memory for a kernel");
  }
  code = exact ? nvrtc.nvrtcGetCUBIN(program, image) : nvrtc.nvrtcGetPTX(program, image);
  pz_status status = PZ_OK;
  if (code != NVRTC_SUCCESS) {
    status = compile_failed(q, program, code);
  } else {
    image[size] = '\0';
    const bool entered = cuda_enter(cuda_of(q)->shared->handle);
    const CUresult loaded = cu.cuModuleLoadData(out, image);
    cuda_leave(entered);
    status = loaded == CUDA_SUCCESS ? PZ_OK : cuda_failed(q->host, loaded, "loading a kernel");
  }
  free(image);
  return status;
}

static pz_status
compile(pz_backend_queue* const q, const char* const source, const uint32_t dtype,
        CUmodule* const out)
{
  const int capability = cuda_of(q)->shared->capability;
  const int target = newest_known(capability);
  const bool exact = target == capability;
  char architecture[64];
  nvrtcProgram program = NULL;
  if (target == 0) {
    return q->host->fail(PZ_DEVICE, "NVRTC compiles nothing for compute capability %d.%d",
                         capability / 10, capability % 10);
  }
  snprintf(architecture, sizeof(architecture), "--gpu-architecture=%s_%d", exact ? "sm" : "compute",
           target);
  const char* const options[] = {architecture,
                                 dtype == PZ_F64 ? "-DGPU_REAL_BITS=64" : "-DGPU_REAL_BITS=32"};
  nvrtcResult code = nvrtc.nvrtcCreateProgram(&program, source, "kernel.cu", 0, NULL, NULL);
  if (code != NVRTC_SUCCESS) {
    return q->host->fail(code == NVRTC_ERROR_OUT_OF_MEMORY ? PZ_NO_MEMORY : PZ_DEVICE,
                         "making a program failed: %s", nvrtc.nvrtcGetErrorString(code));
  }
  code = nvrtc.nvrtcCompileProgram(program, 2, options);
  const pz_status status =
      code == NVRTC_SUCCESS ? load(q, program, exact, out) : compile_failed(q, program, code);
  (void)nvrtc.nvrtcDestroyProgram(&program);
  return status;
}

static pz_status
build(pz_backend_queue* const q, const char* const* const texts, const uint32_t n_texts,
      const uint32_t dtype, void** const out)
{
  CUmodule module = NULL;
  size_t length = 0;
  for (uint32_t k = 0; k < n_texts; ++k) {
    length += strlen(texts[k]);
  }
  char* const source = (char*)malloc(length + 1);
  if (!source) {
    return q->host->fail(PZ_NO_MEMORY, "out of memory for a kernel");
  }
  char* to = source;
  for (uint32_t k = 0; k < n_texts; ++k) {
    to = stpcpy(to, texts[k]);
  }
  const pz_status status = compile(q, source, dtype, &module);
  free(source);
  *out = module;
  return status;
}

/* Within the context: contexts.c enters it. */
static void
release_program(void* const program)
{
  (void)cu.cuModuleUnload((CUmodule)program);
}

static pz_status
find(pz_backend_queue* const q, void* const program, const char* const name, void** const out)
{
  CUfunction function = NULL;
  const bool entered = cuda_enter(cuda_of(q)->shared->handle);
  const CUresult code = cu.cuModuleGetFunction(&function, (CUmodule)program, name);
  cuda_leave(entered);
  if (code != CUDA_SUCCESS) {
    return cuda_failed(q->host, code, "finding a kernel");
  }
  *out = function;
  return PZ_OK;
}

/* Functions belong to their module. */
static void
release_function(void* const function)
{
  (void)function;
}

/* ---- calls -------------------------------------------------------------------------- */

static pz_status
enqueue(pz_backend_queue* const q, void* const function, const gpu_call* const call)
{
  float narrow[GPU_MAX_ARGUMENTS];
  void* arguments[GPU_MAX_ARGUMENTS];
  gpu_argument copy[GPU_MAX_ARGUMENTS];
  for (uint32_t k = 0; k < call->n; ++k) {
    copy[k] = call->argument[k];
    narrow[k] = 0.0F;
    if (copy[k].kind == GPU_REAL && call->dtype == PZ_F32) {
      narrow[k] = (float)copy[k].as.real;
      arguments[k] = &narrow[k];
    } else {
      arguments[k] = &copy[k].as; /* a pointer, an integer or a double, all of 64 bits */
    }
  }
  const bool entered = cuda_enter(cuda_of(q)->shared->handle);
  const CUresult code = cu.cuLaunchKernel(
      (CUfunction)function, (unsigned)call->groups[0], (unsigned)call->groups[1],
      (unsigned)call->groups[2], (unsigned)call->local[0], (unsigned)call->local[1],
      (unsigned)call->local[2], 0, cuda_of(q)->stream, arguments, NULL);
  cuda_leave(entered);
  return code == CUDA_SUCCESS ? PZ_OK : cuda_failed(q->host, code, "running a kernel");
}

const gpu_driver cuda_driver = {
    .build = build,
    .release_program = release_program,
    .find = find,
    .release_function = release_function,
    .enqueue = enqueue,
    .gemm = cuda_gemm,
    .trsm = cuda_trsm,
    .getrf = cuda_getrf,
    .potrf = cuda_potrf,
};

/* ---- kernels of our own ---------------------------------------------------------------- */

static pz_status
function_of(pz_backend_queue* const q, const cuda_kernel kernel, const int which, void** const out)
{
  static const char* const names[CUDA_N_KERNELS] = {
      [CUDA_POINTERS] = "pointers", [CUDA_REPORT] = "report",
      [CUDA_PIVOTS] = "pivots",     [CUDA_MARK_NOT_FINITE] = "mark_not_finite",
      [CUDA_BLANK] = "blank",       [CUDA_WIDEN] = "widen",
      [CUDA_NARROW] = "narrow",
  };
  cuda_context* const c = cuda_of(q)->shared;
  if (!c->vendor[which]) {
    const char* const texts[] = {gpu_text_prelude, gpu_text_vendor};
    PZ_TRY(build(q, texts, 2, which ? PZ_F64 : PZ_F32, &c->vendor[which]));
  }
  if (!c->functions[kernel][which]) {
    PZ_TRY(find(q, c->vendor[which], names[kernel], &c->functions[kernel][which]));
  }
  *out = c->functions[kernel][which];
  return PZ_OK;
}

pz_status
cuda_run(pz_backend_queue* const q, const cuda_kernel kernel, const gpu_call* const call)
{
  void* function = NULL;
  pthread_mutex_lock(&cuda_of(q)->shared->mutex);
  const pz_status status = function_of(q, kernel, call->dtype == PZ_F64, &function);
  pthread_mutex_unlock(&cuda_of(q)->shared->mutex);
  PZ_TRY(status);
  return enqueue(q, function, call);
}
