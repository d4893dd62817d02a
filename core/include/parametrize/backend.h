/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* For authors of compute backends.

   A backend runs operations on one kind of hardware. It is a table in a plugin, found in the
   same way as parametrizations (descriptor.h). The mandatory part is small: probe, open and
   close a queue, alloc, free, copy, fill, sync. Every operation may be missing, or return
   PZ_UNSUPPORTED for a dtype or size *before it enqueues anything*. libparametrize then composes
   the result from other operations or computes it on the host.

   What the host guarantees
   - Operands are never empty and have one float dtype. An operand whose coefficient is 0 may be
     there and must not be read. Shapes and overlap are checked. Each is a
     pz_mat with row_stride == 1 or col_stride == 1 (a vector has both free), strides >= 0 where
     an extent exceeds 1, one batch stride, all bytes inside the allocation and below 2^62, and
     a byte offset that is a multiple of the element size.
   - One thread at a time uses a queue.
   - It expects work on a queue to run in the order in which it is enqueued.
   - In a child of fork it calls nothing on the parent's queues of a PZ_BACKEND_ASYNC backend, not
     even close. probe and open may be called; they must not hang there.

   What a backend promises
   - After an operation has returned PZ_OK, the caller may reuse its arguments; arrays of the host
     have been read.
   - No function exits, aborts, prints or throws a C++ exception. A backend may have threads of
     its own; they end in close, or stay for a reason that its documentation gives.
   - In a process with privileges that its caller lacks (getauxval(AT_SECURE) != 0), it calls no
     driver that loads what the environment names; its devices are not usable then.
   - It allocates nothing when the same operations run again with the same sizes: scratch grows in
     the queue and is kept. */

#ifndef PARAMETRIZE_BACKEND_H
#define PARAMETRIZE_BACKEND_H

#include <parametrize/descriptor.h>
#include <parametrize/kernel.h>
#include <parametrize/ops.h>
#include <parametrize/row_kernel.h>
#include <parametrize/types.h>

PZ_BEGIN_DECLS

/* The backend's own queue: device, stream, library handles, scratch. */
typedef struct pz_backend_queue pz_backend_queue;

/* A batch of matrices in memory of the queue's device. Strides count elements. batch_stride 0
   repeats one matrix (inputs only). Element (k, i, j) is byte_offset + (k batch_stride +
   i row_stride + j col_stride) * element size bytes after `data`. `data` is what alloc returned,
   or memory of the device that the program passed in (see accept): a pointer or a handle. */
typedef struct pz_mat {
  void* data;
  uint64_t byte_offset;
  int64_t rows;
  int64_t cols;
  int64_t row_stride;
  int64_t col_stride;
  int64_t batch;
  int64_t batch_stride;
  uint32_t dtype;
  uint32_t reserved; /* zero */
} pz_mat;

/* Every matrix of the batch transposed, cols x rows in the same memory. [any thread] */
static inline pz_mat
pz_mat_transposed(const pz_mat* const m)
{
  pz_mat t = *m;
  t.rows = m->cols;
  t.cols = m->rows;
  t.row_stride = m->col_stride;
  t.col_stride = m->row_stride;
  return t;
}

/* The rows x cols block from (row, col) on of every matrix, in the same memory. The block must be
   inside the matrix. [any thread] */
static inline pz_mat
pz_mat_block(const pz_mat* const m, const int64_t row, const int64_t rows, const int64_t col,
             const int64_t cols)
{
  pz_mat b = *m;
  b.byte_offset +=
      (uint64_t)(row * m->row_stride + col * m->col_stride) * (uint64_t)pz_dtype_size(m->dtype);
  b.rows = rows;
  b.cols = cols;
  return b;
}

/* Where an asynchronous operation reports a failure that it does not know when it returns: two
   int64 in device memory, {status, index in the batch}. The device writes them only if the status
   there is 0. A backend that knows at once calls host->fail with PZ_SINGULAR and does not write
   here. Never NULL. */
typedef struct pz_fault {
  void* data;
  uint64_t byte_offset;
} pz_fault;

/* Runs part k of a loop on thread `thread` of that loop, counted from 0. */
typedef void pz_part(void* context, int64_t k, uint32_t thread);

/* Services for backends. */
typedef struct pz_backend_host {
  uint32_t size; /* sizeof(pz_backend_host) of the host */
  uint32_t reserved;
  /* Records one line of detail for the calling thread and returns `status`. */
  pz_status (*fail)(pz_status status, const char* format, ...) PZ_PRINTF(2, 3);
  /* Calls `part` for k = 0 .. n-1 on at most `threads` threads (64 at most) and returns when all
     are done. The threads belong to the process. While another loop uses them, or inside a part,
     the caller runs all parts itself, as thread 0. Messages recorded by a part stay on its
     thread. [any thread] */
  void (*parallel)(uint32_t threads, int64_t n, pz_part* part, void* context);
} pz_backend_host;

enum {
  PZ_BACKEND_ASYNC = 1U << 0,       /* operations may return before they are done */
  PZ_BACKEND_BY_TRIANGLE = 1U << 1, /* shifted_inverse and its adjoint accept PZ_BY_UPPER and
                                       PZ_BY_LOWER in `in`; otherwise they get whole matrices */
};

/* What a device's `data` in tensors is. */
typedef enum pz_memory {
  PZ_MEMORY_HANDLES = 0, /* an opaque handle; two of them never share memory */
  PZ_MEMORY_HOST = 1,    /* a host pointer, which the host and all backends with it can use */
  PZ_MEMORY_DEVICE = 2,  /* a device address, on which arithmetic is possible */
} pz_memory;

/* Usual values of `priority`. */
enum {
  PZ_PRIORITY_HOST = 100,       /* the host's processor */
  PZ_PRIORITY_INTEGRATED = 200, /* an accelerator that shares the host's memory */
  PZ_PRIORITY_DISCRETE = 300,   /* an accelerator with memory of its own */
};

/* One device, filled by probe. */
typedef struct pz_device_info {
  uint32_t size;    /* sizeof(pz_device_info) of the host */
  uint32_t usable;  /* 0: not usable, for `reason` */
  pz_device device; /* as in its tensors; backends with equal ones share the memory */
  uint32_t f64;     /* 1 if it has float64 */
  uint32_t memory;  /* pz_memory */
  int32_t priority; /* "auto" takes the highest, of equal ones the first by name; 0: never */
  uint32_t reserved;
  char name[128];   /* of the hardware */
  char detail[256]; /* the libraries in use, with versions and integer widths */
  char reason[256];
  char alias[32]; /* another name after "ID:", not a number: "0:1"; or "" */
} pz_device_info;

typedef enum pz_copy_kind {
  PZ_HOST_TO_DEVICE = 1, /* src is a host pointer; it may be reused on return */
  PZ_DEVICE_TO_HOST = 2, /* dst is a host pointer; it is complete on return */
  PZ_DEVICE_TO_DEVICE = 3,
} pz_copy_kind;

/* Operations. Their semantics are those of pz_ops in ops.h, but transposition is expressed by
   strides. Outputs have batch_stride != 0 unless batch is 1. They never overlap inputs, but may be
   the same operand where pz_ops allows it. */
typedef struct pz_backend_ops {
  uint32_t size; /* sizeof(pz_backend_ops) */
  uint32_t reserved;

  pz_status (*copy)(pz_backend_queue* q, const pz_mat* x, const pz_mat* y); /* PZ_I64 too */
  pz_status (*fill)(pz_backend_queue* q, double value, const pz_mat* y);
  pz_status (*axpby)(pz_backend_queue* q, double a, const pz_mat* x, double b, const pz_mat* y);
  pz_status (*scale)(pz_backend_queue* q, double a, const pz_mat* y);
  pz_status (*hadamard)(pz_backend_queue* q, double a, const pz_mat* x, const pz_mat* y, double b,
                        const pz_mat* z);
  pz_status (*combine)(pz_backend_queue* q, double shift, uint32_t n, const double* a,
                       const pz_mat* x, const pz_mat* y);

  pz_status (*add_identity)(pz_backend_queue* q, double a, const pz_mat* y);
  pz_status (*fold)(pz_backend_queue* q, pz_triangle triangle, int sign, const pz_mat* x,
                    const pz_mat* y);
  pz_status (*fold_adjoint)(pz_backend_queue* q, pz_triangle triangle, int sign, const pz_mat* g,
                            const pz_mat* gx);
  pz_status (*symmetrize)(pz_backend_queue* q, double a, int sign, const pz_mat* x,
                          const pz_mat* y);
  pz_status (*triangle)(pz_backend_queue* q, pz_triangle triangle, int64_t offset, const pz_mat* x,
                        const pz_mat* y);
  /* Diagonals, reductions and scalings hold vectors as one-column matrices (n x 1). */
  pz_status (*get_diagonal)(pz_backend_queue* q, const pz_mat* x, const pz_mat* d);
  pz_status (*set_diagonal)(pz_backend_queue* q, const pz_mat* d, const pz_mat* y);

  pz_status (*norm)(pz_backend_queue* q, pz_norm kind, pz_axis axis, const pz_mat* x,
                    const pz_mat* out);
  pz_status (*dot)(pz_backend_queue* q, pz_axis axis, const pz_mat* x, const pz_mat* y,
                   const pz_mat* out);
  pz_status (*scale_by)(pz_backend_queue* q, pz_axis axis, const pz_mat* d, const pz_mat* x,
                        const pz_mat* y);

  /* y = alpha a b + beta y; a is m x k, b k x n, k >= 1. */
  pz_status (*gemm)(pz_backend_queue* q, double alpha, const pz_mat* a, const pz_mat* b,
                    double beta, const pz_mat* y);
  pz_status (*syrk)(pz_backend_queue* q, double alpha, const pz_mat* a, double beta,
                    const pz_mat* y);
  /* `triangle` is the one of t with these strides. */
  pz_status (*trmm)(pz_backend_queue* q, pz_side side, pz_triangle triangle, pz_diagonal diagonal,
                    double alpha, const pz_mat* t, const pz_mat* b);
  pz_status (*trsm)(pz_backend_queue* q, pz_side side, pz_triangle triangle, pz_diagonal diagonal,
                    double alpha, const pz_mat* t, const pz_mat* b, const pz_fault* fault);

  pz_status (*shifted_inverse)(pz_backend_queue* q, uint32_t in, double alpha, double beta,
                               double gamma, double delta, const pz_mat* x, const pz_mat* y,
                               const pz_fault* fault);
  pz_status (*solve)(pz_backend_queue* q, uint32_t in, const pz_mat* a, const pz_mat* b,
                     const pz_mat* x, const pz_fault* fault);
  pz_status (*potrf)(pz_backend_queue* q, pz_triangle triangle, const pz_mat* a, const pz_mat* l,
                     const pz_fault* fault);
  /* basis, r, v, u and vt may be NULL as in pz_ops. */
  pz_status (*qr)(pz_backend_queue* q, const pz_mat* a, const pz_mat* basis, const pz_mat* r);
  pz_status (*eigh)(pz_backend_queue* q, const pz_mat* a, const pz_mat* w, const pz_mat* v,
                    const pz_fault* fault);
  pz_status (*svd)(pz_backend_queue* q, const pz_mat* a, const pz_mat* u, const pz_mat* s,
                   const pz_mat* vt, const pz_fault* fault);
  pz_status (*schur)(pz_backend_queue* q, const pz_mat* a, const pz_mat* t, const pz_mat* z,
                     const pz_fault* fault);

  /* `index` is PZ_I64, n x 1, contiguous. The backend checks it; an asynchronous one reports
     through the fault word. */
  pz_status (*take)(pz_backend_queue* q, const pz_mat* index, const pz_mat* x, const pz_mat* y,
                    const pz_fault* fault);
  pz_status (*put)(pz_backend_queue* q, bool accumulate, const pz_mat* index, const pz_mat* x,
                   const pz_mat* y, const pz_fault* fault);

  /* y is contiguous: batch 1, one row. */
  pz_status (*random)(pz_backend_queue* q, pz_distribution kind, uint64_t key, uint64_t first,
                      double a, double b, const pz_mat* y);

  /* Tensors are contiguous: batch 1, one row. An unused one may have NULL data. */
  pz_status (*launch)(pz_backend_queue* q, const pz_kernel* kernel, int64_t n_items,
                      const pz_mat* tensors, const double* reals, const int64_t* integers);

  /* Inputs, then outputs: batch 1, `rows` rows with col_stride 1. An input may have row_stride 0.
     Tensors without columns have NULL data. */
  pz_status (*launch_rows)(pz_backend_queue* q, const pz_row_kernel* kernel, int64_t rows,
                           const pz_mat* tensors, const double* reals, const int64_t* integers);

  pz_status (*shifted_inverse_adjoint)(pz_backend_queue* q, uint32_t in, double alpha, double beta,
                                       double delta, const pz_mat* y, const pz_mat* gy,
                                       const pz_mat* gx);

  /* x is n x n, n at most PZ_EXPONENTIAL_ORDER. A backend has both or none. */
  pz_status (*exponential)(pz_backend_queue* q, uint32_t in, const pz_mat* x, const pz_mat* y);
  pz_status (*exponential_adjoint)(pz_backend_queue* q, uint32_t in, const pz_mat* x,
                                   const pz_mat* gy, const pz_mat* gx);
} pz_backend_ops;

typedef struct pz_backend {
  uint32_t size;       /* sizeof(pz_backend) */
  uint32_t flags;      /* PZ_BACKEND_... */
  const char* id;      /* [a-z][a-z0-9_]*, the first part of its device names */
  const char* summary; /* one line */

  /* Fills `info`, which is zero except for its size, for device `index`. PZ_NOT_FOUND after the
     last; PZ_NO_MEMORY, which ends no enumeration but the call that met it. Takes milliseconds at most and does no work on the device. A backend without hardware
     fills index 0 with usable = 0 and a reason. [any thread] */
  pz_status (*probe)(const pz_backend_host* host, uint32_t index, pz_device_info* info);

  /* Opens a queue on device `index`. `native` is NULL, or the backend's struct of native.h with a
     stream or queue of the caller's, which outlives this one. `host` is valid until close.
     [any thread] */
  pz_status (*open)(const pz_backend_host* host, uint32_t index, const void* native,
                    pz_backend_queue** out);
  /* Waits for enqueued work and frees the queue. The host has freed its memory before. */
  void (*close)(pz_backend_queue* q);

  /* Uninitialized memory of `bytes` > 0, aligned to 64 bytes if handles are pointers. */
  pz_status (*alloc)(pz_backend_queue* q, size_t bytes, void** out);
  /* Work enqueued before may still use the memory. NULL is ignored. */
  void (*free)(pz_backend_queue* q, void* data);

  pz_status (*copy)(pz_backend_queue* q, pz_copy_kind kind, void* dst, uint64_t dst_offset,
                    const void* src, uint64_t src_offset, size_t bytes);
  /* Repeats a pattern of 1, 4 or 8 bytes. Offset and bytes are multiples of its size. */
  pz_status (*fill)(pz_backend_queue* q, void* dst, uint64_t offset, size_t bytes,
                    const void* pattern, size_t pattern_bytes);
  pz_status (*sync)(pz_backend_queue* q);

  /* The functions below may be NULL. */

  /* The operations of a queue on tensors of one dtype, or NULL if it has none. The host asks once
     for PZ_F32, PZ_F64 (if the device has float64) and PZ_I64 after open; the table is valid until
     close, and may be the same for several dtypes. take and put are those of x's dtype, launch that
     of its first tensor. Of the table for PZ_I64 only copy, fill and random are used. Missing
     operations are composed of others or run on the host. */
  const pz_backend_ops* (*operations)(pz_backend_queue* q, uint32_t dtype);

  /* Refuses the caller's own memory if this queue cannot use it (memory of another context, for
     example). `data` is as in tensors on the device, used up to byte `bytes`. NULL: all memory
     is accepted. [any thread] */
  pz_status (*accept)(pz_backend_queue* q, const void* data, uint64_t bytes);

  /* Enqueues an event of the device's kind (cl_event, cudaEvent_t) and submits it. release_event
     frees it [any thread]. NULL: the host calls sync instead. */
  pz_status (*record)(pz_backend_queue* q, void** event);
  void (*release_event)(void* event);
  /* Lets later work wait for `event`, which comes from `record` of any queue of this backend or
     from the caller. PZ_UNSUPPORTED if the device cannot wait for it. */
  pz_status (*wait)(pz_backend_queue* q, void* event);
} pz_backend;

PZ_END_DECLS

#endif /* PARAMETRIZE_BACKEND_H */
