/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The CUDA backend: the driver API for devices, memory and kernels, NVRTC for the kernels of
   the layer that accelerators share (backends/kernels), and cuBLAS and cuSOLVER where they
   have something better. Everything happens in the primary context of a device, which is
   that of the CUDA runtime and so of most hosts. */

#ifndef CUDA_BACKEND_H
#define CUDA_BACKEND_H

#include "libraries.h"

#include <gpu.h>

#include <pthread.h>

/* Kernels of this backend alone, in vendor.cl. */
typedef enum cuda_kernel {
  CUDA_POINTERS,
  CUDA_REPORT,
  CUDA_PIVOTS,
  CUDA_MARK_NOT_FINITE,
  CUDA_BLANK,
  CUDA_WIDEN, /* these two in PZ_F64 */
  CUDA_NARROW,
  CUDA_N_KERNELS,
} cuda_kernel;

extern const char gpu_text_vendor[];

/* The primary context of a device with what was compiled in it, shared by reference. */
typedef struct cuda_context cuda_context;
struct cuda_context {
  unsigned references;
  uint32_t index;
  CUdevice device;
  CUcontext handle;
  int capability; /* 90 for 9.0 */
  bool pools;     /* memory is allocated in the order of a stream */
  size_t bytes;   /* of device memory */
  gpu_programs* programs;
  pthread_mutex_t mutex; /* guards what follows */
  void* vendor[2];       /* program of vendor.cl, by dtype */
  void* functions[CUDA_N_KERNELS][2];
  cuda_context* next;
};

typedef struct cuda_queue {
  struct pz_backend_queue base; /* first */
  cuda_context* shared;
  CUstream stream;
  bool open; /* the stream can be used */
  bool own;  /* the stream is ours */
  cublasHandle_t blas;
  cusolverDnHandle_t solver;
  syevjInfo_t jacobi;
  /* workspace of libraries, pivots and pointers; grows, is kept */
  void* side;
  size_t side_bytes;
  size_t side_reserved; /* of them, for the operation under way */
  size_t side_used;
} cuda_queue;

static inline cuda_queue*
cuda_of(pz_backend_queue* const q)
{
  return (cuda_queue*)(void*)q;
}

/* ---- devices.c and contexts.c ------------------------------------------------- */

/* Initializes the driver and counts devices; why there are none, in `reason` (256 bytes). */
int cuda_count(char* reason);

pz_status cuda_context_open(const pz_backend_host* host, uint32_t index, cuda_context** out);
void cuda_context_close(cuda_context* context);

/* Makes the context current and says whether it must be taken back, which `leave` does. */
bool cuda_enter(CUcontext context);
void cuda_leave(bool entered);

/* The context of some open queue, or NULL: for handles that know their own. */
CUcontext cuda_any_context(void);

/* ---- driver.c ------------------------------------------------------------------- */

extern const gpu_driver cuda_driver;

/* Records what the driver answered and returns the status it amounts to. */
pz_status cuda_failed(const pz_backend_host* host, CUresult code, const char* what);

pz_status cuda_run(pz_backend_queue* q, cuda_kernel kernel, const gpu_call* call);

/* ---- memory.c --------------------------------------------------------------------- */

pz_status cuda_alloc(pz_backend_queue* q, size_t bytes, void** out);
void cuda_free(pz_backend_queue* q, void* data);
pz_status cuda_copy(pz_backend_queue* q, pz_copy_kind kind, void* dst, uint64_t dst_offset,
                    const void* src, uint64_t src_offset, size_t bytes);
pz_status cuda_fill(pz_backend_queue* q, void* dst, uint64_t offset, size_t bytes,
                    const void* pattern, size_t pattern_bytes);
pz_status cuda_sync(pz_backend_queue* q);
pz_status cuda_accept(pz_backend_queue* q, const void* data, uint64_t bytes);
pz_status cuda_record(pz_backend_queue* q, void** event);
void cuda_release_event(void* event);
pz_status cuda_wait(pz_backend_queue* q, void* event);

/* ---- vendor.c: handles and workspace of libraries --------------------------------- */

/* Opens the handle on first use: PZ_UNSUPPORTED where the library is not there. */
pz_status cuda_need_blas(cuda_queue* q);
pz_status cuda_need_solver(cuda_queue* q);
void cuda_vendor_close(cuda_queue* q);

/* PZ_OK for 0, the success of both libraries. */
pz_status cuda_blas_checked(cuda_queue* q, cublasStatus_t code, const char* what);
pz_status cuda_solver_checked(cuda_queue* q, cusolverStatus_t code, const char* what);

/* One block for an operation, reserved at its start; `take` cannot fail within it. */
pz_status cuda_side_reserve(cuda_queue* q, size_t bytes);
size_t cuda_side_size(size_t bytes); /* what `take` uses up for so many */
void* cuda_side_take(cuda_queue* q, size_t bytes);

/* Device addresses of the matrices of a batch, in `to`. */
pz_status cuda_pointers(cuda_queue* q, const pz_mat* m, void* to);
/* Matrices whose entry of `info` is not 0 are marked in `bad` and reported. */
pz_status cuda_report(cuda_queue* q, const void* info, const pz_mat* bad, const pz_fault* fault);

/* A matrix as libraries see it, columns one after the other; `turned`: its transpose is. */
typedef struct cuda_columns {
  void* data;
  int64_t batch_stride; /* in elements */
  int ld;
  bool turned;
} cuda_columns;

/* False where a library cannot see it so. */
bool cuda_columns_of(const pz_mat* m, cuda_columns* out);

static inline void*
cuda_at(const void* const data, const uint64_t bytes)
{
  return (char*)(uintptr_t)data + bytes;
}

/* ---- typed.c: calls of the libraries in one precision ------------------------------- */

typedef struct cuda_typed {
  pz_status (*gemm)(cuda_queue* q, cublasOperation_t ta, cublasOperation_t tb, int m, int n, int k,
                    double alpha, const cuda_columns* a, const cuda_columns* b, double beta,
                    const cuda_columns* y, int batch);
  pz_status (*syrk)(cuda_queue* q, cublasOperation_t ta, int n, int k, double alpha, const void* a,
                    int lda, double beta, void* y, int ldy); /* upper triangle of columns */
  pz_status (*trsm)(cuda_queue* q, cublasSideMode_t side, cublasFillMode_t triangle,
                    cublasOperation_t tt, cublasDiagType_t diagonal, int m, int n, const void* t,
                    int ldt, void* b, int ldb);
  pz_status (*trsm_batched)(cuda_queue* q, cublasSideMode_t side, cublasFillMode_t triangle,
                            cublasOperation_t tt, cublasDiagType_t diagonal, int m, int n,
                            const void* t, int ldt, const void* b, int ldb, int batch);
  pz_status (*getrf_batched)(cuda_queue* q, int n, const void* a, int lda, void* pivots, void* info,
                             int batch);
  /* Elements of workspace follow a NULL matrix into *n_work; else they are at `work`. */
  pz_status (*getrf)(cuda_queue* q, int n, void* a, int lda, void* work, int* n_work, void* pivots,
                     void* info);
  pz_status (*potrf)(cuda_queue* q, cublasFillMode_t triangle, int n, void* a, int lda, void* work,
                     int* n_work, void* info);
  pz_status (*potrf_batched)(cuda_queue* q, cublasFillMode_t triangle, int n, const void* a,
                             int lda, void* info, int batch);
  pz_status (*geqrf)(cuda_queue* q, int m, int n, void* a, void* tau, void* work, int* n_work,
                     void* info);
  pz_status (*orgqr)(cuda_queue* q, int m, int k, void* a, const void* tau, void* work, int* n_work,
                     void* info);
  pz_status (*syevd)(cuda_queue* q, bool vectors, int n, void* a, void* w, void* work, int* n_work,
                     void* info);
  pz_status (*syevj_batched)(cuda_queue* q, bool vectors, int n, void* a, void* w, void* work,
                             int* n_work, void* info, int batch);
  pz_status (*gesvd)(cuda_queue* q, bool vectors, int m, int n, void* a, void* s, void* u, void* vt,
                     void* work, int* n_work, void* info);
} cuda_typed;

extern const cuda_typed cuda_typed_f32;
extern const cuda_typed cuda_typed_f64;

static inline const cuda_typed*
cuda_in(const uint32_t dtype)
{
  return dtype == PZ_F32 ? &cuda_typed_f32 : &cuda_typed_f64;
}

/* ---- products.c and factor.c ---------------------------------------------------------- */

pz_status cuda_gemm(pz_backend_queue* q, double alpha, const pz_mat* a, const pz_mat* b,
                    double beta, const pz_mat* y);
pz_status cuda_syrk(pz_backend_queue* q, double alpha, const pz_mat* a, double beta,
                    const pz_mat* y);
pz_status cuda_trsm(pz_backend_queue* q, bool lower, bool unit, const pz_mat* t, const pz_mat* b);
pz_status cuda_getrf(pz_backend_queue* q, const pz_mat* w, const pz_mat* pivots, const pz_mat* bad,
                     const pz_fault* fault);
pz_status cuda_potrf(pz_backend_queue* q, const pz_mat* l, const pz_mat* bad,
                     const pz_fault* fault);
pz_status cuda_qr(pz_backend_queue* q, const pz_mat* a, const pz_mat* basis, const pz_mat* r);
pz_status cuda_eigh(pz_backend_queue* q, const pz_mat* a, const pz_mat* w, const pz_mat* v,
                    const pz_fault* fault);
pz_status cuda_svd(pz_backend_queue* q, const pz_mat* a, const pz_mat* u, const pz_mat* s,
                   const pz_mat* vt, const pz_fault* fault);

#endif /* CUDA_BACKEND_H */
