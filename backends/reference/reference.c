/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The reference backend: host memory, plain C loops, and its table. */

#include "reference.h"

#include <parametrize/descriptor.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pz_status
reference_probe(const pz_backend_host* const host, const uint32_t index, pz_device_info* const info)
{
  if (index > 0) {
    return host->fail(PZ_NOT_FOUND, "reference has one device, found index %u", (unsigned)index);
  }
  info->usable = 1;
  info->device.type = PZ_DEVICE_CPU;
  info->device.id = 0;
  info->f64 = 1;
  info->memory = PZ_MEMORY_HOST;
  info->priority = 1;
  snprintf(info->name, sizeof(info->name), "plain C loops");
  snprintf(info->detail, sizeof(info->detail), "built in, arithmetic in float64");
  info->reason[0] = '\0';
  return PZ_OK;
}

static pz_status
reference_open(const pz_backend_host* const host, const uint32_t index, const void* const native,
               pz_backend_queue** const out)
{
  if (index > 0) {
    return host->fail(PZ_NOT_FOUND, "reference has one device, found index %u", (unsigned)index);
  }
  if (native) {
    return host->fail(PZ_UNSUPPORTED, "reference has no queue of the host's to adopt");
  }
  pz_backend_queue* const q = calloc(1, sizeof(*q));
  if (!q) {
    return host->fail(PZ_NO_MEMORY, "out of memory for a queue");
  }
  q->host = host;
  *out = q;
  return PZ_OK;
}

static void
reference_close(pz_backend_queue* const q)
{
  if (q) {
    free(q->scratch);
    free(q);
  }
}

static pz_status
reference_alloc(pz_backend_queue* const q, const size_t bytes, void** const out)
{
  const size_t rounded = (bytes + 63U) & ~(size_t)63U;
  void* const data = rounded < bytes ? NULL : aligned_alloc(64, rounded);
  if (!data) {
    return q->host->fail(PZ_NO_MEMORY, "out of memory for %zu bytes", bytes);
  }
  *out = data;
  return PZ_OK;
}

static void
reference_free(pz_backend_queue* const q, void* const data)
{
  (void)q;
  free(data);
}

static pz_status
reference_move(pz_backend_queue* const q, const pz_copy_kind kind, void* const dst,
               const uint64_t dst_offset, const void* const src, const uint64_t src_offset,
               const size_t bytes)
{
  (void)q;
  (void)kind;
  memmove((char*)dst + dst_offset, (const char*)src + src_offset, bytes);
  return PZ_OK;
}

static pz_status
reference_repeat(pz_backend_queue* const q, void* const dst, const uint64_t offset,
                 const size_t bytes, const void* const pattern, const size_t pattern_bytes)
{
  (void)q;
  for (size_t k = 0; k < bytes; k += pattern_bytes) {
    memcpy((char*)dst + offset + k, pattern, pattern_bytes);
  }
  return PZ_OK;
}

static pz_status
reference_sync(pz_backend_queue* const q)
{
  (void)q;
  return PZ_OK;
}

/* The address of the first tensor entry, and the dtype of the tensors. */
static void*
place(const pz_mat* const tensor, uint32_t* const dtype)
{
  if (!tensor->data) {
    return NULL;
  }
  *dtype = tensor->dtype;
  return (char*)tensor->data + tensor->byte_offset;
}

static pz_status
check_kernel(pz_backend_queue* const q, const char* const name, const uint64_t n_tensors,
             const uint32_t dtype, const bool has_function)
{
  if (n_tensors > PZ_KERNEL_MAX_ARGS) {
    return q->host->fail(PZ_INVALID, "kernel \"%s\" has %u tensors, expected at most %d", name,
                         (unsigned)n_tensors, (int)PZ_KERNEL_MAX_ARGS);
  }
  if (dtype != PZ_F32 && dtype != PZ_F64) {
    return q->host->fail(PZ_INVALID, "kernel \"%s\" has no tensor to work on", name);
  }
  return has_function
             ? PZ_OK
             : q->host->fail(PZ_UNSUPPORTED, "kernel \"%s\" has no C function for its dtype", name);
}

static pz_status
reference_launch(pz_backend_queue* const q, const pz_kernel* const kernel, const int64_t n_items,
                 const pz_mat* const tensors, const double* const reals,
                 const int64_t* const integers)
{
  void* places[PZ_KERNEL_MAX_ARGS] = {NULL};
  uint32_t dtype = 0;
  for (uint32_t k = 0; k < kernel->n_tensors && k < PZ_KERNEL_MAX_ARGS; ++k) {
    places[k] = place(&tensors[k], &dtype);
  }
  const pz_kernel_function function = dtype == PZ_F32 ? kernel->f32 : kernel->f64;
  PZ_TRY(check_kernel(q, kernel->name, kernel->n_tensors, dtype, function != NULL));
  function(0, n_items, places, reals, integers);
  return PZ_OK;
}

static pz_status
reference_launch_rows(pz_backend_queue* const q, const pz_row_kernel* const kernel,
                      const int64_t rows, const pz_mat* const tensors, const double* const reals,
                      const int64_t* const integers)
{
  pz_row_span spans[PZ_KERNEL_MAX_ARGS];
  const uint64_t n_tensors = (uint64_t)kernel->n_inputs + kernel->n_outputs;
  uint32_t dtype = 0;
  for (uint32_t k = 0; k < n_tensors && k < PZ_KERNEL_MAX_ARGS; ++k) {
    spans[k] = (pz_row_span){
        .data = place(&tensors[k], &dtype),
        .stride = tensors[k].row_stride,
        .length = tensors[k].cols,
    };
  }
  const pz_row_function function = dtype == PZ_F32 ? kernel->f32 : kernel->f64;
  PZ_TRY(check_kernel(q, kernel->name, n_tensors, dtype, function != NULL));
  for (int64_t r = 0; r < rows; ++r) { // one at a time, never side by side
    function(r, r + 1, spans, reals, integers);
  }
  return PZ_OK;
}

static const pz_backend_ops operations = {
    .size = sizeof(operations),
    .copy = pzi_reference_copy,
    .fill = pzi_reference_fill,
    .axpby = pzi_reference_axpby,
    .scale = pzi_reference_scale,
    .hadamard = pzi_reference_hadamard,
    .combine = pzi_reference_combine,
    .add_identity = pzi_reference_add_identity,
    .fold = pzi_reference_fold,
    .fold_adjoint = pzi_reference_fold_adjoint,
    .symmetrize = pzi_reference_symmetrize,
    .triangle = pzi_reference_triangle,
    .get_diagonal = pzi_reference_get_diagonal,
    .set_diagonal = pzi_reference_set_diagonal,
    .norm = pzi_reference_norm,
    .dot = pzi_reference_dot,
    .scale_by = pzi_reference_scale_by,
    .gemm = pzi_reference_gemm,
    .syrk = pzi_reference_syrk,
    .trmm = pzi_reference_trmm,
    .trsm = pzi_reference_trsm,
    .shifted_inverse = pzi_reference_shifted_inverse,
    .solve = pzi_reference_solve,
    .potrf = pzi_reference_potrf,
    .qr = pzi_reference_qr,
    .eigh = pzi_reference_eigh,
    .svd = pzi_reference_svd,
    .take = pzi_reference_take,
    .put = pzi_reference_put_rows,
    .random = pzi_reference_random,
    .launch = reference_launch,
    .launch_rows = reference_launch_rows,
    .shifted_inverse_adjoint = pzi_reference_shifted_inverse_adjoint,
    .exponential = pzi_reference_exponential,
    .exponential_adjoint = pzi_reference_exponential_adjoint,
};

static const pz_backend_ops*
operations_of(pz_backend_queue* const q, const uint32_t dtype)
{
  (void)q;
  (void)dtype;
  return &operations; // each looks at its operands' dtype
}

static const pz_backend reference = {
    .size = sizeof(reference),
    .flags = PZ_BACKEND_BY_TRIANGLE,
    .id = "reference",
    .summary = "Plain C loops, to be read and believed",
    .probe = reference_probe,
    .open = reference_open,
    .close = reference_close,
    .alloc = reference_alloc,
    .free = reference_free,
    .copy = reference_move,
    .fill = reference_repeat,
    .sync = reference_sync,
    .operations = operations_of,
};

PZ_PLUGIN(reference, "1.0.0", PZ_BACKEND(&reference));
