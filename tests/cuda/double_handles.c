/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Handles of the double's cuBLAS and cuSOLVER. */

#include "double.h"

#include <stdlib.h>

cublasStatus_t
cublasCreate(cublasHandle_t* const out)
{
  if (double_fails() || !double_current()) {
    return CUBLAS_STATUS_ALLOC_FAILED;
  }
  *out = calloc(1, sizeof(**out));
  double_born(1);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasDestroy(const cublasHandle_t handle)
{
  free(handle);
  double_born(-1);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasSetStream(const cublasHandle_t handle, const CUstream stream)
{
  handle->stream = stream;
  return double_fails() ? CUBLAS_STATUS_NOT_INITIALIZED : CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasSetMathMode(const cublasHandle_t handle, const cublasMath_t mode)
{
  handle->mode = mode;
  return double_fails() ? CUBLAS_STATUS_INVALID_VALUE : CUBLAS_STATUS_SUCCESS;
}

cusolverStatus_t
cusolverDnCreate(cusolverDnHandle_t* const out)
{
  if (double_fails() || !double_current()) {
    return CUSOLVER_STATUS_ALLOC_FAILED;
  }
  *out = calloc(1, sizeof(**out));
  double_born(1);
  return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t
cusolverDnDestroy(const cusolverDnHandle_t handle)
{
  free(handle);
  double_born(-1);
  return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t
cusolverDnSetStream(const cusolverDnHandle_t handle, const CUstream stream)
{
  handle->stream = stream;
  return double_fails() ? CUSOLVER_STATUS_NOT_INITIALIZED : CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t
cusolverDnCreateSyevjInfo(syevjInfo_t* const out)
{
  if (double_fails()) {
    return CUSOLVER_STATUS_ALLOC_FAILED;
  }
  *out = calloc(1, 1);
  double_born(1);
  return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t
cusolverDnDestroySyevjInfo(const syevjInfo_t info)
{
  free(info);
  double_born(-1);
  return CUSOLVER_STATUS_SUCCESS;
}
