/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Portable kernels of plugins (kernel.h): the body between a head that unpacks arguments
   and a loop over items. Its macros name parameters of the kernel by number. */

#include "gpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char mathematics[] =
    "#define PZ_TENSOR_ARG(index, name) \\\n"
    "  GPU_GLOBAL real* const name = pz_tensor##index + pz_offset##index\n"
    "#define PZ_REAL_ARG(index, name) const real name = pz_real##index\n"
    "#define PZ_INTEGER_ARG(index, name) const pz_int name = pz_integer##index\n"
    "#define pz_exp(x) exp((real)(x))\n"
    "#define pz_expm1(x) expm1((real)(x))\n"
    "#define pz_log(x) log((real)(x))\n"
    "#define pz_log1p(x) log1p((real)(x))\n"
    "#define pz_sqrt(x) sqrt((real)(x))\n"
    "#define pz_abs(x) fabs((real)(x))\n"
    "#define pz_sin(x) sin((real)(x))\n"
    "#define pz_cos(x) cos((real)(x))\n"
    "#define pz_tan(x) tan((real)(x))\n"
    "#define pz_tanh(x) tanh((real)(x))\n"
    "#define pz_erf(x) erf((real)(x))\n"
    "#define pz_rint(x) rint((real)(x))\n"
    "#define pz_floor(x) floor((real)(x))\n"
    "#define pz_pow(x, y) pow((real)(x), (real)(y))\n"
    "#define pz_atan2(y, x) atan2((real)(y), (real)(x))\n"
    "#define pz_hypot(x, y) hypot((real)(x), (real)(y))\n"
    "GPU_FUNCTION real pz_max(real x, real y) { return x > y || x != x ? x : y; }\n"
    "GPU_FUNCTION real pz_min(real x, real y) { return x < y || x != x ? x : y; }\n"
    "GPU_FUNCTION real pz_logistic(real x)\n"
    "{\n"
    "  const real e = exp(-fabs(x));\n"
    "  return (x < 0 ? e : (real)1) / (1 + e);\n"
    "}\n"
    "GPU_FUNCTION real pz_softplus(real x)\n"
    "{\n"
    "  return (x > 0 ? x : (real)0) + log1p(exp(-fabs(x)));\n"
    "}\n";

char*
gpu_portable_text(const pz_kernel* const kernel)
{
  char* text = NULL;
  size_t size = 0;
  FILE* const out = open_memstream(&text, &size);
  if (!out) {
    return NULL;
  }
  fprintf(out, "%sGPU_KERNEL void " GPU_PORTABLE_NAME "(\n", mathematics);
  for (uint32_t k = 0; k < kernel->n_tensors; ++k) {
    fprintf(out, "    GPU_GLOBAL real* pz_tensor%u, pz_int pz_offset%u,\n", (unsigned)k,
            (unsigned)k);
  }
  for (uint32_t k = 0; k < kernel->n_reals; ++k) {
    fprintf(out, "    real pz_real%u,\n", (unsigned)k);
  }
  for (uint32_t k = 0; k < kernel->n_integers; ++k) {
    fprintf(out, "    pz_int pz_integer%u,\n", (unsigned)k);
  }
  fprintf(out, "    pz_int pz_items, pz_int pz_one, pz_int pz_single)\n{\n");
  fprintf(out, "  GPU_EACH(i, 0, pz_items)\n  {\n#line 1 \"%s\"\n%s\n  }\n}\n", kernel->name,
          kernel->text);
  if (fclose(out) != 0) {
    free(text);
    return NULL;
  }
  return text;
}

pz_status
gpu_launch(pz_backend_queue* const q, const pz_kernel* const kernel, const int64_t n_items,
           const pz_mat* const tensors, const double* const reals, const int64_t* const integers)
{
  uint32_t dtype = 0;
  if (kernel->n_tensors > PZ_KERNEL_MAX_ARGS || kernel->n_reals > PZ_KERNEL_MAX_ARGS ||
      kernel->n_integers > PZ_KERNEL_MAX_ARGS) {
    return q->host->fail(PZ_INVALID, "kernel \"%s\" has more than %d arguments of a kind",
                         kernel->name, (int)PZ_KERNEL_MAX_ARGS);
  }
  for (uint32_t k = 0; k < kernel->n_tensors; ++k) {
    dtype = tensors[k].data ? tensors[k].dtype : dtype;
  }
  if (!gpu_offers(q, dtype) || !kernel->text) {
    return PZ_UNSUPPORTED;
  }
  gpu_call call = gpu_begin(dtype);
  for (uint32_t k = 0; k < kernel->n_tensors; ++k) {
    gpu_buffer(&call, tensors[k].data);
    gpu_integer(&call, (int64_t)(tensors[k].byte_offset / pz_dtype_size(dtype)));
  }
  for (uint32_t k = 0; k < kernel->n_reals; ++k) {
    gpu_real(&call, reals[k]);
  }
  for (uint32_t k = 0; k < kernel->n_integers; ++k) {
    gpu_integer(&call, integers[k]);
  }
  gpu_over(&call, n_items, 1, 1);
  return gpu_run_portable(q, kernel, &call);
}
