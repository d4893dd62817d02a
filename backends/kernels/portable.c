/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Portable kernels and row kernels of plugins (kernel.h, row_kernel.h): portable.cl, then the body
   between a head that names the arguments by number, and a loop over items or rows. */

#include "gpu.h"

#include <stdio.h>
#include <stdlib.h>

enum {
  SHORT_ROW = 128, /* rows up to this length get 32 work items each, longer ones a whole group */
  SHORT_LANES = 32,
};

static void
print_tensors(FILE* const out, const char* const qualifier, const char* const name,
              const uint32_t n)
{
  for (uint32_t k = 0; k < n; ++k) {
    fprintf(out, "    GPU_GLOBAL %sreal* pz_%s%u, pz_int pz_%s_offset%u,\n", qualifier, name,
            (unsigned)k, name, (unsigned)k);
    fprintf(out, "    pz_int pz_%s_stride%u, pz_int pz_%s_length%u,\n", name, (unsigned)k, name,
            (unsigned)k);
  }
}

static void
print_items(FILE* const out, const gpu_portable* const kernel)
{
  fprintf(out, "    pz_int pz_items, pz_int pz_one, pz_int pz_single)\n{\n");
  fprintf(out, "  GPU_EACH(i, 0, pz_items)\n  {\n#line 1 \"%s\"\n%s\n  }\n}\n", kernel->name,
          kernel->text);
}

static void
print_rows(FILE* const out, const gpu_portable* const kernel)
{
  fprintf(out,
          "    pz_int pz_rows)\n{\n"
          "  GPU_LOCAL real pz_memory[%d];\n"
          "  const int pz_lane = GPU_LOCAL_ID(0);\n"
          "  const int pz_lanes = GPU_LOCAL_SIZE(0);\n"
          "  const int r = 0;\n"
          "  GPU_LOCAL_POINTER real* const pz_share = pz_memory + GPU_LOCAL_ID(1) * pz_lanes;\n"
          "  const pz_int n = pz_input_length0;\n"
          "  GPU_EACH_GROUP(pz_group, 0, (pz_rows - 1) / GPU_LOCAL_SIZE(1) + 1)\n  {\n"
          "    const pz_int pz_place = pz_group * GPU_LOCAL_SIZE(1) + GPU_LOCAL_ID(1);\n"
          "    const int pz_live = pz_place < pz_rows;\n"
          "    const pz_int pz_row = pz_live ? pz_place : 0;\n",
          GPU_GROUP_ITEMS);
  fprintf(out, "#line 1 \"%s\"\n%s\n    GPU_BARRIER();\n  }\n}\n", kernel->name, kernel->text);
}

char*
gpu_portable_text(const gpu_portable* const kernel)
{
  char* text = NULL;
  size_t size = 0;
  FILE* const out = open_memstream(&text, &size);
  if (!out) {
    return NULL;
  }
  const bool rows = kernel->n_outputs > 0;
  fprintf(out, "%sGPU_KERNEL void " GPU_PORTABLE_NAME "(\n", gpu_text_portable);
  if (rows) {
    print_tensors(out, "const ", "input", kernel->n_inputs);
    print_tensors(out, "", "output", kernel->n_outputs);
  }
  for (uint32_t k = 0; k < kernel->n_inputs && !rows; ++k) {
    fprintf(out, "    GPU_GLOBAL real* pz_tensor%u, pz_int pz_offset%u,\n", (unsigned)k,
            (unsigned)k);
  }
  for (uint32_t k = 0; k < kernel->n_reals; ++k) {
    fprintf(out, "    real pz_real%u,\n", (unsigned)k);
  }
  for (uint32_t k = 0; k < kernel->n_integers; ++k) {
    fprintf(out, "    pz_int pz_integer%u,\n", (unsigned)k);
  }
  (rows ? print_rows : print_items)(out, kernel);
  if (fclose(out) != 0) {
    free(text);
    return NULL;
  }
  return text;
}

/* Begins a call for tensors of one dtype, which the first with data has. */
static pz_status
begin(pz_backend_queue* const q, const gpu_portable* const kernel, const pz_mat* const tensors,
      gpu_call* const call)
{
  uint32_t dtype = 0;
  if ((uint64_t)kernel->n_inputs + kernel->n_outputs > PZ_KERNEL_MAX_ARGS ||
      kernel->n_reals > PZ_KERNEL_MAX_ARGS || kernel->n_integers > PZ_KERNEL_MAX_ARGS) {
    return q->host->fail(PZ_INVALID, "kernel \"%s\" has more than %d arguments of a kind",
                         kernel->name, (int)PZ_KERNEL_MAX_ARGS);
  }
  for (uint32_t k = 0; k < kernel->n_inputs + kernel->n_outputs; ++k) {
    dtype = tensors[k].data ? tensors[k].dtype : dtype;
  }
  if (!gpu_offers(q, dtype) || !kernel->text) {
    return PZ_UNSUPPORTED;
  }
  *call = gpu_begin(dtype);
  for (uint32_t k = 0; k < kernel->n_inputs + kernel->n_outputs; ++k) {
    gpu_buffer(call, tensors[k].data);
    gpu_integer(call, (int64_t)(tensors[k].byte_offset / pz_dtype_size(dtype)));
    if (kernel->n_outputs > 0) {
      gpu_integer(call, tensors[k].row_stride);
      gpu_integer(call, tensors[k].cols);
    }
  }
  return PZ_OK;
}

static void
add_numbers(gpu_call* const call, const gpu_portable* const kernel, const double* const reals,
            const int64_t* const integers)
{
  for (uint32_t k = 0; k < kernel->n_reals; ++k) {
    gpu_real(call, reals[k]);
  }
  for (uint32_t k = 0; k < kernel->n_integers; ++k) {
    gpu_integer(call, integers[k]);
  }
}

pz_status
gpu_launch(pz_backend_queue* const q, const pz_kernel* const kernel, const int64_t n_items,
           const pz_mat* const tensors, const double* const reals, const int64_t* const integers)
{
  const gpu_portable portable = {
      .name = kernel->name,
      .text = kernel->text,
      .n_inputs = kernel->n_tensors,
      .n_reals = kernel->n_reals,
      .n_integers = kernel->n_integers,
  };
  gpu_call call;
  PZ_TRY(begin(q, &portable, tensors, &call));
  add_numbers(&call, &portable, reals, integers);
  gpu_over(&call, n_items, 1, 1);
  return gpu_run_portable(q, &portable, &call);
}

pz_status
gpu_launch_rows(pz_backend_queue* const q, const pz_row_kernel* const kernel, const int64_t rows,
                const pz_mat* const tensors, const double* const reals,
                const int64_t* const integers)
{
  const gpu_portable portable = {
      .name = kernel->name,
      .text = kernel->text,
      .n_inputs = kernel->n_inputs,
      .n_outputs = kernel->n_outputs,
      .n_reals = kernel->n_reals,
      .n_integers = kernel->n_integers,
  };
  int64_t longest = 0;
  gpu_call call;
  PZ_TRY(begin(q, &portable, tensors, &call));
  for (uint32_t k = 0; k < kernel->n_inputs + kernel->n_outputs; ++k) {
    longest = tensors[k].cols > longest ? tensors[k].cols : longest;
  }
  add_numbers(&call, &portable, reals, integers);
  gpu_integer(&call, rows);
  const int64_t lanes = longest <= SHORT_ROW ? SHORT_LANES : GPU_GROUP_ITEMS;
  const int64_t places = GPU_GROUP_ITEMS / lanes;
  gpu_groups(&call, (rows + places - 1) / places, 1, 1, (size_t)lanes, (size_t)places);
  return gpu_run_portable(q, &portable, &call);
}
