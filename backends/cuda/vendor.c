/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What calls of cuBLAS and cuSOLVER share: handles, made when first needed, workspace, and
   what becomes of the numbers that they leave on the device. */

#include "cuda_backend.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 256 };

/* ---- errors -------------------------------------------------------------------------- */

pz_status
cuda_blas_checked(cuda_queue* const q, const cublasStatus_t code, const char* const what)
{
  return code == CUBLAS_STATUS_SUCCESS
             ? PZ_OK
             : q->base.host->fail(code == CUBLAS_STATUS_ALLOC_FAILED ? PZ_NO_MEMORY : PZ_DEVICE,
                                  "%s of cuBLAS failed: status %d", what, (int)code);
}

pz_status
cuda_solver_checked(cuda_queue* const q, const cusolverStatus_t code, const char* const what)
{
  return code == CUSOLVER_STATUS_SUCCESS
             ? PZ_OK
             : q->base.host->fail(code == CUSOLVER_STATUS_ALLOC_FAILED ? PZ_NO_MEMORY : PZ_DEVICE,
                                  "%s of cuSOLVER failed: status %d", what, (int)code);
}

/* ---- handles ---------------------------------------------------------------------------- */

/* 19 bits of mantissa in float32 products are for those who ask for them. */
static cublasMath_t
math_mode(void)
{
  const char* const asked = getenv("PARAMETRIZE_CUDA_TF32");
  return asked && strcmp(asked, "1") == 0 ? CUBLAS_TF32_TENSOR_OP_MATH : CUBLAS_DEFAULT_MATH;
}

pz_status
cuda_need_blas(cuda_queue* const q)
{
  if (q->blas) {
    return PZ_OK;
  }
  if (!cuda_blas_open(NULL)) {
    return PZ_UNSUPPORTED;
  }
  cublasHandle_t handle = NULL;
  const bool entered = cuda_enter(q->shared->handle);
  pz_status status = cuda_blas_checked(q, blas.cublasCreate(&handle), "opening");
  if (status == PZ_OK) {
    status = cuda_blas_checked(q, blas.cublasSetStream(handle, q->stream), "setting the stream");
    if (status == PZ_OK) {
      status =
          cuda_blas_checked(q, blas.cublasSetMathMode(handle, math_mode()), "setting the mode");
    }
    if (status == PZ_OK) {
      q->blas = handle;
    } else {
      (void)blas.cublasDestroy(handle);
    }
  }
  cuda_leave(entered);
  return status;
}

pz_status
cuda_need_solver(cuda_queue* const q)
{
  if (q->solver) {
    return PZ_OK;
  }
  if (!cuda_solver_open(NULL)) {
    return PZ_UNSUPPORTED;
  }
  cusolverDnHandle_t handle = NULL;
  syevjInfo_t jacobi = NULL;
  const bool entered = cuda_enter(q->shared->handle);
  pz_status status = cuda_solver_checked(q, solver.cusolverDnCreate(&handle), "opening");
  if (status == PZ_OK) {
    status =
        cuda_solver_checked(q, solver.cusolverDnSetStream(handle, q->stream), "setting the stream");
    if (status == PZ_OK) {
      status = cuda_solver_checked(q, solver.cusolverDnCreateSyevjInfo(&jacobi), "settings");
    }
    if (status == PZ_OK) {
      q->solver = handle;
      q->jacobi = jacobi;
    } else {
      (void)solver.cusolverDnDestroy(handle);
    }
  }
  cuda_leave(entered);
  return status;
}

void
cuda_vendor_close(cuda_queue* const q)
{
  cuda_free(&q->base, q->side);
  q->side = NULL;
  q->side_bytes = 0;
  if (q->solver) {
    (void)solver.cusolverDnDestroySyevjInfo(q->jacobi);
    (void)solver.cusolverDnDestroy(q->solver);
    q->solver = NULL;
  }
  if (q->blas) {
    (void)blas.cublasDestroy(q->blas);
    q->blas = NULL;
  }
}

/* ---- workspace ------------------------------------------------------------------------------ */

size_t
cuda_side_size(const size_t bytes)
{
  return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

pz_status
cuda_side_reserve(cuda_queue* const q, const size_t bytes)
{
  q->side_used = 0;
  q->side_reserved = bytes;
  if (bytes <= q->side_bytes) {
    return PZ_OK;
  }
  cuda_free(&q->base, q->side); /* behind what still uses it */
  q->side = NULL;
  q->side_bytes = 0;
  PZ_TRY(cuda_alloc(&q->base, bytes, &q->side));
  q->side_bytes = bytes;
  return PZ_OK;
}

void*
cuda_side_take(cuda_queue* const q, const size_t bytes)
{
  void* const out = cuda_at(q->side, q->side_used);
  q->side_used += cuda_side_size(bytes);
  assert(q->side_used <= q->side_reserved);
  return out;
}

/* ---- operands --------------------------------------------------------------------------------- */

bool
cuda_columns_of(const pz_mat* const m, cuda_columns* const out)
{
  const bool turned = gpu_row_major(m);
  const int64_t along = turned ? m->cols : m->rows;
  const int64_t across = turned ? m->rows : m->cols;
  const int64_t unit = turned ? m->col_stride : m->row_stride;
  const int64_t step = turned ? m->row_stride : m->col_stride;
  const int64_t ld = across > 1 ? step : along;
  if ((along > 1 && unit != 1) || ld < along || ld > INT_MAX || m->rows > INT_MAX ||
      m->cols > INT_MAX || m->batch > INT_MAX) {
    return false;
  }
  *out = (cuda_columns){
      .data = cuda_at(m->data, m->byte_offset),
      .batch_stride = m->batch_stride,
      .ld = (int)ld,
      .turned = turned,
  };
  return true;
}

pz_status
cuda_pointers(cuda_queue* const q, const pz_mat* const m, void* const to)
{
  gpu_call call = gpu_begin(m->dtype);
  gpu_buffer(&call, to);
  gpu_integer(&call, (int64_t)(uintptr_t)cuda_at(m->data, m->byte_offset));
  gpu_integer(&call, m->batch_stride * (int64_t)pz_dtype_size(m->dtype));
  gpu_over(&call, m->batch, 1, 1);
  return cuda_run(&q->base, CUDA_POINTERS, &call);
}

pz_status
cuda_report(cuda_queue* const q, const void* const info, const pz_mat* const bad,
            const pz_fault* const fault)
{
  gpu_call call = gpu_begin(PZ_F32);
  gpu_buffer(&call, cuda_at(info, 0));
  gpu_array(&call, bad);
  gpu_fault(&call, fault);
  gpu_integer(&call, PZ_SINGULAR);
  gpu_over(&call, bad->cols, 1, 1);
  return cuda_run(&q->base, CUDA_REPORT, &call);
}
