/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* For authors of compute backends.

   A backend brings up one kind of hardware. It is a table, found in a shared object the
   same way as parametrizations (descriptor.h). The mandatory part is small: probe, open
   and close a queue, alloc, free, copy, fill, sync. Every operation may be missing, or
   return PZ_UNSUPPORTED for a dtype or size *before enqueuing anything*; libparametrize
   then finds the result by composition from other operations, or on the host.

   What the host guarantees
   - Operands are never empty, of one float dtype, checked for shape and overlap, and
     described by pz_mat: row_stride == 1 or col_stride == 1 (a vector has both free),
     strides >= 0 where an extent exceeds 1, one batch stride, all byte ranges inside
     their allocation and below 2^62, byte offsets multiples of the element size.
   - A queue is used by one thread at a time.
   - Whatever is enqueued on a queue runs in order.

   What a backend promises
   - An operation that returned PZ_OK needs nothing more from the caller: arguments may be
     reused, host arrays have been read.
   - No entry exits, aborts, prints, or lets a C++ exception out. Threads are its own
     affair, and are gone after close or are resident for good reason.
   - In steady state (same operations, same sizes) nothing is allocated: scratch grows in
     the queue and is kept. */

#ifndef PARAMETRIZE_BACKEND_H
#define PARAMETRIZE_BACKEND_H

#include <parametrize/descriptor.h>
#include <parametrize/kernel.h>
#include <parametrize/ops.h>
#include <parametrize/types.h>

PZ_BEGIN_DECLS

/* The backend's own queue: device, stream, library handles, scratch. */
typedef struct pz_backend_queue pz_backend_queue;

/* A batch of matrices in memory of the queue's device. Strides count elements;
   batch_stride 0 repeats one matrix (inputs only). Element (k, i, j) lies at byte_offset +
   (k batch_stride + i row_stride + j col_stride) * element size from `data`, which is
   what alloc returned, or memory adopted from the host: not always a pointer. */
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

/* The rows x cols entries from (row, col) on of every matrix, in the same memory; they are
   the caller's to keep within `m`. [any thread] */
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

/* Where an asynchronous operation reports a failure that it cannot know yet: two int64 in
   device memory, {status, place in the batch}, to be written only if the status there is
   0. A backend that knows at once returns PZ_SINGULAR through host->fail and leaves the
   word alone. NULL never occurs. */
typedef struct pz_fault {
  void* data;
  uint64_t byte_offset;
} pz_fault;

/* Part k of a loop, on one of its threads, numbered from 0. */
typedef void pz_part(void* context, int64_t k, uint32_t thread);

/* Services for backends. */
typedef struct pz_backend_host {
  uint32_t size; /* sizeof(pz_backend_host) of the host */
  uint32_t reserved;
  /* Records one line of detail for the calling thread and returns `status`. */
  pz_status (*fail)(pz_status status, const char* format, ...) PZ_PRINTF(2, 3);
  /* Calls `part` for k = 0 .. n-1, on `threads` threads at most (64 count), and returns when
     all are done. The threads belong to the process: while another loop has them, or inside
     a part, the caller does everything itself, as thread 0. What a part records as failure
     stays on its thread. [any thread] */
  void (*parallel)(uint32_t threads, int64_t n, pz_part* part, void* context);
} pz_backend_host;

enum {
  PZ_BACKEND_HOST_MEMORY = 1U << 0, /* alloc returns host pointers, usable at once by the
                                       host and by every other backend that says so */
  PZ_BACKEND_ASYNC = 1U << 1,       /* operations may return before they are done */
  PZ_BACKEND_BY_TRIANGLE = 1U << 2, /* shifted_inverse and its adjoint take PZ_BY_UPPER and
                                       PZ_BY_LOWER in `in`; others get whole matrices */
};

/* What probe says of one device. */
typedef struct pz_device_info {
  uint32_t size;    /* sizeof(pz_device_info) of the host */
  uint32_t usable;  /* 0: `reason` says why not */
  pz_device device; /* as tensors on it name it; who says the same shares the memory */
  uint32_t f64;     /* 1 where float64 is offered */
  uint32_t is_host; /* 1: the host's own processor in another guise, which "auto" takes last */
  char name[128];   /* of the hardware */
  char detail[256]; /* libraries that answer, with versions and integer widths */
  char reason[256];
  char alias[32]; /* another name of the device behind "ID:", not a number: "0:1"; or "" */
} pz_device_info;

typedef enum pz_copy_kind {
  PZ_HOST_TO_DEVICE = 1, /* src is a host pointer, free for reuse on return */
  PZ_DEVICE_TO_HOST = 2, /* dst is a host pointer, complete on return */
  PZ_DEVICE_TO_DEVICE = 3,
} pz_copy_kind;

/* Operations. Semantics are those of pz_ops in ops.h, on lowered operands; here
   transposition stands in the strides. Outputs have batch_stride != 0 unless batch is
   1, and never overlap inputs except where pz_ops allows the very same operand. */
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
  /* `triangle` is that of t as its strides show it. */
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

  /* `index` is PZ_I64, n x 1, contiguous. A host-memory backend checks it; an
     asynchronous one reports through the fault word. */
  pz_status (*take)(pz_backend_queue* q, const pz_mat* index, const pz_mat* x, const pz_mat* y,
                    const pz_fault* fault);
  pz_status (*put)(pz_backend_queue* q, bool accumulate, const pz_mat* index, const pz_mat* x,
                   const pz_mat* y, const pz_fault* fault);

  /* y is contiguous: batch 1, one row. */
  pz_status (*random)(pz_backend_queue* q, pz_distribution kind, uint64_t key, uint64_t first,
                      double a, double b, const pz_mat* y);

  /* Tensors are contiguous: batch 1, one row; an argument used nowhere may be NULL data. */
  pz_status (*launch)(pz_backend_queue* q, const pz_kernel* kernel, int64_t n_items,
                      const pz_mat* tensors, const double* reals, const int64_t* integers);

  pz_status (*shifted_inverse_adjoint)(pz_backend_queue* q, uint32_t in, double alpha, double beta,
                                       double delta, const pz_mat* y, const pz_mat* gy,
                                       const pz_mat* gx);

  /* x is n x n, n at most PZ_EXPONENTIAL_ORDER. Both or none: what one takes the other does. */
  pz_status (*exponential)(pz_backend_queue* q, uint32_t in, uint32_t n, const pz_polynomial* p,
                           const pz_mat* x, const pz_mat* y);
  pz_status (*exponential_adjoint)(pz_backend_queue* q, uint32_t in, uint32_t n,
                                   const pz_polynomial* p, const pz_mat* x, const pz_mat* gy,
                                   const pz_mat* gx);
} pz_backend_ops;

typedef struct pz_backend {
  uint32_t size;       /* sizeof(pz_backend) */
  uint32_t flags;      /* PZ_BACKEND_... */
  const char* id;      /* [a-z][a-z0-9_]*, the part of a device name before the colon */
  const char* summary; /* one line */

  /* Fills `info`, which is zero but for its size, for device `index` and returns PZ_OK, or
     PZ_NOT_FOUND past the last. Cheap: no device work, milliseconds. A backend without hardware answers index 0
     with usable = 0 and the reason. [any thread] */
  pz_status (*probe)(const pz_backend_host* host, uint32_t index, pz_device_info* info);

  /* Opens a queue on device `index`. `native` is NULL, or the backend's own structure
     (native.h) naming a stream or queue of the caller's to adopt, which stays the caller's
     and outlives this one. `host` stays valid until close.
     [any thread] */
  pz_status (*open)(const pz_backend_host* host, uint32_t index, const void* native,
                    pz_backend_queue** out);
  /* Waits for what is enqueued and frees everything but the caller's allocations. */
  void (*close)(pz_backend_queue* q);

  /* `bytes` > 0; aligned to 64 bytes where handles are pointers; uninitialized. */
  pz_status (*alloc)(pz_backend_queue* q, size_t bytes, void** out);
  /* Ordered: what is enqueued may still use the memory. NULL is ignored. */
  void (*free)(pz_backend_queue* q, void* data);

  pz_status (*copy)(pz_backend_queue* q, pz_copy_kind kind, void* dst, uint64_t dst_offset,
                    const void* src, uint64_t src_offset, size_t bytes);
  /* Repeats a pattern of 1, 4 or 8 bytes; offset and bytes are multiples of its size. */
  pz_status (*fill)(pz_backend_queue* q, void* dst, uint64_t offset, size_t bytes,
                    const void* pattern, size_t pattern_bytes);
  pz_status (*sync)(pz_backend_queue* q);

  const pz_backend_ops* ops; /* may be NULL: everything composed or on the host */

  /* All below may be NULL. */

  /* Refuses memory of the caller's own that this queue cannot use, of another context for
     one: `data` as a tensor on the device names it, used up to byte `bytes`. NULL: anything
     goes. [any thread] */
  pz_status (*accept)(pz_backend_queue* q, const void* data, uint64_t bytes);

  /* An event of the device's own kind (cl_event, cudaEvent_t) behind what is enqueued, and
     on its way; released by release_event [any thread]. NULL: hosts wait for sync instead. */
  pz_status (*record)(pz_backend_queue* q, void** event);
  void (*release_event)(void* event);
  /* What is enqueued from now on waits for `event`, from `record` of any queue of this
     backend or the caller's own. PZ_UNSUPPORTED where the device cannot wait for it. */
  pz_status (*wait)(pz_backend_queue* q, void* event);
} pz_backend;

PZ_END_DECLS

#endif /* PARAMETRIZE_BACKEND_H */
