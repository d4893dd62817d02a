/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What the backends of accelerators share. Kernels stand in .cl files, in the common
   subset of OpenCL C 1.2 and CUDA C (prelude.cl, docs/kernels.md); the C files beside them
   choose kernels and enqueue them; a backend supplies a driver and its vendor's libraries.

   To make a backend of it:
   - let your queue begin with `struct pz_backend_queue` below and fill its first part;
   - implement gpu_driver: compile a text, find a function in it, enqueue it;
   - let probe give the reason of gpu_refusal before it calls the driver;
   - call gpu_queue_init in open and gpu_queue_cleanup in close;
   - put gpu_... entries into your pz_backend_ops wherever a vendor's library has nothing
     better, and let yours fall back to them;
   - keep one gpu_programs for each context of the device, so that its queues share what was
     compiled. Nothing is compiled before it is used.

   Threads: as in backend.h, a queue is used by one thread at a time; a gpu_programs by any. */

#ifndef GPU_H
#define GPU_H

#include <parametrize/backend.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- kernels ------------------------------------------------------------- */

/* Every kernel with the file it stands in. */
#define GPU_KERNEL_LIST(X)    \
  X(copy32, transfer)         \
  X(copy64, transfer)         \
  X(transpose32, transfer)    \
  X(transpose64, transfer)    \
  X(fill32, transfer)         \
  X(fill64, transfer)         \
  X(axpby, elementwise)       \
  X(affine, elementwise)      \
  X(hadamard, elementwise)    \
  X(combine, elementwise)     \
  X(mirror, structured)       \
  X(mirror_small, structured) \
  X(band, structured)         \
  X(reduce_lines, reduce)     \
  X(reduce_columns, reduce)   \
  X(reduce_finish, reduce)    \
  X(gemm64, product)          \
  X(gemm32, product)          \
  X(gemm_entries, product)    \
  X(trsm_block, product)      \
  X(check_diagonal, product)  \
  X(scale_or_spoil, product)  \
  X(small_inverse, inverse)   \
  X(lu_panel, inverse)        \
  X(lu_swap, inverse)         \
  X(lu_permute, inverse)      \
  X(potrf_block, inverse)     \
  X(potrf_finish, inverse)    \
  X(take, rows)               \
  X(put, rows)                \
  X(random_bits, random)      \
  X(random_reals, random)

#define GPU_KERNEL_NAME_(kernel, file) GPU_##kernel,
typedef enum gpu_kernel { GPU_KERNEL_LIST(GPU_KERNEL_NAME_) GPU_N_KERNELS } gpu_kernel;
#undef GPU_KERNEL_NAME_

/* The texts, embedded by the build. A program is the prelude and one file, or one portable
   kernel, with GPU_REAL_BITS defined as 32 or 64. */
extern const char gpu_text_prelude[];
extern const char gpu_text_elementwise[];
extern const char gpu_text_inverse[];
extern const char gpu_text_portable[];
extern const char gpu_text_product[];
extern const char gpu_text_random[];
extern const char gpu_text_reduce[];
extern const char gpu_text_rows[];
extern const char gpu_text_structured[];
extern const char gpu_text_transfer[];

/* ---- calls --------------------------------------------------------------- */

enum { GPU_MAX_ARGUMENTS = 56, GPU_GROUP_ITEMS = 256 };

typedef enum gpu_argument_kind {
  GPU_BUFFER,  /* what alloc returned, or adopted memory; NULL for an argument not used */
  GPU_INTEGER, /* pz_int: 64 bits */
  GPU_REAL,    /* float or double, by the dtype of the call */
} gpu_argument_kind;

typedef struct gpu_argument {
  gpu_argument_kind kind;
  union {
    void* buffer;
    int64_t integer;
    double real;
  } as;
} gpu_argument;

/* A kernel with its arguments and the shape it runs in: groups x local items in each of
   three dimensions, at most GPU_GROUP_ITEMS items in a group, at most 65535 groups in the
   second and third dimension. */
typedef struct gpu_call {
  uint32_t dtype; /* of the program: PZ_F32 or PZ_F64 */
  size_t groups[3];
  size_t local[3];
  uint32_t n;
  gpu_argument argument[GPU_MAX_ARGUMENTS];
} gpu_call;

/* ---- what a backend supplies ---------------------------------------------- */

typedef struct gpu_driver {
  /* Compiles prelude and text for `dtype`. The handle is released with gpu_programs. */
  pz_status (*build)(pz_backend_queue* q, const char* const* texts, uint32_t n_texts,
                     uint32_t dtype, void** program);
  void (*release_program)(void* program);

  /* The function `name` of a program, for this queue alone, until gpu_queue_cleanup. */
  pz_status (*find)(pz_backend_queue* q, void* program, const char* name, void** function);
  void (*release_function)(void* function);

  /* Enqueues a function; arguments have been read on return. */
  pz_status (*enqueue)(pz_backend_queue* q, void* function, const gpu_call* call);

  /* y = alpha a b + beta y by a library, as in pz_backend_ops; PZ_UNSUPPORTED before
     anything is enqueued where the layer's own kernel shall do it. NULL: always. */
  pz_status (*gemm)(pz_backend_queue* q, double alpha, const pz_mat* a, const pz_mat* b,
                    double beta, const pz_mat* y);

  /* The same of b <- t^-1 b, whose diagonal is not looked at; of p w = l u as gpu_lu holds it,
     and of the lower triangle of l l^T in place, marking in `bad` what is singular and
     reporting the first of it. They take nothing of the caller's reservation. */
  pz_status (*trsm)(pz_backend_queue* q, bool lower, bool unit, const pz_mat* t, const pz_mat* b);
  pz_status (*getrf)(pz_backend_queue* q, const pz_mat* w, const pz_mat* pivots, const pz_mat* bad,
                     const pz_fault* fault);
  pz_status (*potrf)(pz_backend_queue* q, const pz_mat* l, const pz_mat* bad,
                     const pz_fault* fault);
} gpu_driver;

/* Compiled programs of one context, by text and dtype. */
typedef struct gpu_programs gpu_programs;

gpu_programs* gpu_programs_new(void); /* NULL without memory */
void gpu_programs_free(gpu_programs* programs, const gpu_driver* driver);

typedef struct gpu_function_cache gpu_function_cache;

/* The beginning of every queue on this layer. */
struct pz_backend_queue {
  /* set by the backend before gpu_queue_init */
  const gpu_driver* driver;
  const pz_backend_host* host;
  const pz_backend* backend; /* its alloc, free, copy and fill serve the layer too */
  gpu_programs* programs;
  bool f64;
  /* the layer's own */
  gpu_function_cache* functions;
  void* scratch; /* grows, is kept */
  size_t scratch_bytes;
  size_t scratch_reserved; /* of them, for the operation under way */
  size_t scratch_used;
};

/* Why no driver may be called in this process, for probe to say; or NULL. [any thread] */
const char* gpu_refusal(void);

/* The handle in the caller's struct of native.h, which is read as types.h says (rule 2). */
pz_status gpu_native_handle(const pz_backend_host* host, const void* native, void** out);

pz_status gpu_queue_init(pz_backend_queue* q);
void gpu_queue_cleanup(pz_backend_queue* q); /* before the device's queue goes */

/* ---- inside the layer ------------------------------------------------------ */

/* Begins a call; arguments follow in the kernel's order. */
gpu_call gpu_begin(uint32_t dtype);
void gpu_integer(gpu_call* call, int64_t value);
void gpu_real(gpu_call* call, double value);
void gpu_buffer(gpu_call* call, void* buffer);
void gpu_mat(gpu_call* call, const pz_mat* mat); /* GPU_IN, GPU_OUT */
void gpu_fault(gpu_call* call, const pz_fault* fault);
void gpu_array(gpu_call* call, const pz_mat* array); /* contiguous PZ_I64: buffer and offset */

/* Shapes: items along columns, rows, batch, in groups that suit these extents, which
   become the last three arguments; or given groups of given size. */
void gpu_over(gpu_call* call, int64_t cols, int64_t rows, int64_t batch);
void gpu_groups(gpu_call* call, int64_t x, int64_t y, int64_t z, size_t local_x, size_t local_y);

pz_status gpu_run(pz_backend_queue* q, gpu_kernel kernel, const gpu_call* call);

/* A portable kernel, whose tensors are all inputs here, or a row kernel, which has outputs. */
typedef struct gpu_portable {
  const char* name;
  const char* text;
  uint32_t n_inputs;
  uint32_t n_outputs;
  uint32_t n_reals;
  uint32_t n_integers;
} gpu_portable;

pz_status gpu_run_portable(pz_backend_queue* q, const gpu_portable* kernel, const gpu_call* call);

/* One block of scratch for an operation: reserved at its start for all that it takes, which
   then cannot fail. A reservation ends with the next. */
pz_status gpu_reserve(pz_backend_queue* q, size_t bytes);
pz_mat gpu_take_mat(pz_backend_queue* q, uint32_t dtype, int64_t batch, int64_t rows, int64_t cols);
size_t gpu_mat_bytes(uint32_t dtype, int64_t batch, int64_t rows, int64_t cols);
size_t gpu_mark(const pz_backend_queue* q);
void gpu_release(pz_backend_queue* q, size_t mark);

/* Can this queue compute in `dtype`? */
bool gpu_offers(const pz_backend_queue* q, uint32_t dtype);

/* Neighbours in memory lie along a row; those of a column do not. */
static inline bool
gpu_row_major(const pz_mat* const m)
{
  return m->rows == 1 || (m->cols > 1 && m->col_stride == 1);
}

/* What operations share; scratch comes from the reservation of the caller, who asks for so
   many bytes. */
size_t gpu_reduce_bytes(pz_axis axis, const pz_mat* x);
pz_status gpu_reduce(pz_backend_queue* q, int mode, pz_axis axis, const pz_mat* x, const pz_mat* y,
                     const pz_mat* out); /* mode: a pz_norm, or 4 for products */

/* One PZ_I64 for each matrix: not 0 where it is singular. */
size_t gpu_flags_bytes(int64_t batch);
pz_status gpu_flags(pz_backend_queue* q, int64_t batch, pz_mat* out); /* zero */
pz_status gpu_scale_or_spoil(pz_backend_queue* q, double a, const pz_mat* bad, const pz_mat* y);

/* b <- t^-1 b. */
pz_status gpu_substitute(pz_backend_queue* q, bool lower, bool unit, const pz_mat* t,
                         const pz_mat* b);

/* The caller fills w (n x n) between begin and factor. */
typedef struct gpu_lu {
  pz_mat w;
  pz_mat pivots;
  pz_mat bad;
} gpu_lu;

size_t gpu_lu_bytes(const pz_mat* a);
pz_status gpu_lu_begin(pz_backend_queue* q, uint32_t dtype, int64_t batch, int64_t n, gpu_lu* lu);
pz_status gpu_lu_factor(pz_backend_queue* q, const gpu_lu* lu, const pz_fault* fault);
pz_status gpu_lu_solve(pz_backend_queue* q, const gpu_lu* lu, const pz_mat* b);

/* ---- operations, for pz_backend_ops ----------------------------------------- */

/* transfer: PZ_F32, PZ_F64 and PZ_I64 whatever the device computes in */
pz_status gpu_copy(pz_backend_queue* q, const pz_mat* x, const pz_mat* y);
pz_status gpu_fill(pz_backend_queue* q, double value, const pz_mat* y);

pz_status gpu_axpby(pz_backend_queue* q, double a, const pz_mat* x, double b, const pz_mat* y);
pz_status gpu_scale(pz_backend_queue* q, double a, const pz_mat* y);
pz_status gpu_hadamard(pz_backend_queue* q, double a, const pz_mat* x, const pz_mat* y, double b,
                       const pz_mat* z);
pz_status gpu_combine(pz_backend_queue* q, double shift, uint32_t n, const double* a,
                      const pz_mat* x, const pz_mat* y);
pz_status gpu_add_identity(pz_backend_queue* q, double a, const pz_mat* y);
pz_status gpu_scale_by(pz_backend_queue* q, pz_axis axis, const pz_mat* d, const pz_mat* x,
                       const pz_mat* y);

pz_status gpu_fold(pz_backend_queue* q, pz_triangle triangle, int sign, const pz_mat* x,
                   const pz_mat* y);
pz_status gpu_fold_adjoint(pz_backend_queue* q, pz_triangle triangle, int sign, const pz_mat* g,
                           const pz_mat* gx);
pz_status gpu_symmetrize(pz_backend_queue* q, double a, int sign, const pz_mat* x, const pz_mat* y);
pz_status gpu_band(pz_backend_queue* q, pz_triangle triangle, int64_t offset, const pz_mat* x,
                   const pz_mat* y); /* pz_backend_ops.triangle */
pz_status gpu_get_diagonal(pz_backend_queue* q, const pz_mat* x, const pz_mat* d);
pz_status gpu_set_diagonal(pz_backend_queue* q, const pz_mat* d, const pz_mat* y);

pz_status gpu_norm(pz_backend_queue* q, pz_norm kind, pz_axis axis, const pz_mat* x,
                   const pz_mat* out);
pz_status gpu_dot(pz_backend_queue* q, pz_axis axis, const pz_mat* x, const pz_mat* y,
                  const pz_mat* out);

pz_status gpu_gemm(pz_backend_queue* q, double alpha, const pz_mat* a, const pz_mat* b, double beta,
                   const pz_mat* y);
pz_status gpu_syrk(pz_backend_queue* q, double alpha, const pz_mat* a, double beta,
                   const pz_mat* y);
pz_status gpu_trsm(pz_backend_queue* q, pz_side side, pz_triangle triangle, pz_diagonal diagonal,
                   double alpha, const pz_mat* t, const pz_mat* b, const pz_fault* fault);
pz_status gpu_shifted_inverse(pz_backend_queue* q, uint32_t in, double alpha, double beta,
                              double gamma, double delta, const pz_mat* x, const pz_mat* y,
                              const pz_fault* fault);
pz_status gpu_solve(pz_backend_queue* q, uint32_t in, const pz_mat* a, const pz_mat* b,
                    const pz_mat* x, const pz_fault* fault);
pz_status gpu_potrf(pz_backend_queue* q, pz_triangle triangle, const pz_mat* a, const pz_mat* l,
                    const pz_fault* fault);

pz_status gpu_take(pz_backend_queue* q, const pz_mat* index, const pz_mat* x, const pz_mat* y,
                   const pz_fault* fault);
pz_status gpu_put(pz_backend_queue* q, bool accumulate, const pz_mat* index, const pz_mat* x,
                  const pz_mat* y, const pz_fault* fault);
pz_status gpu_random(pz_backend_queue* q, pz_distribution kind, uint64_t key, uint64_t first,
                     double a, double b, const pz_mat* y);

/* portable kernels */
#define GPU_PORTABLE_NAME "pz_portable"
char* gpu_portable_text(const gpu_portable* kernel); /* after the prelude; the caller frees it */
pz_status gpu_launch(pz_backend_queue* q, const pz_kernel* kernel, int64_t n_items,
                     const pz_mat* tensors, const double* reals, const int64_t* integers);
pz_status gpu_launch_rows(pz_backend_queue* q, const pz_row_kernel* kernel, int64_t rows,
                          const pz_mat* tensors, const double* reals, const int64_t* integers);

#endif /* GPU_H */
