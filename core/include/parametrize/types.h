/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Types that all sides share: status codes, tensors, specs, option values.

   Each audience includes one header, which includes this one:
     parametrize.h  host applications
     plugin.h       authors of parametrizations
     backend.h      authors of compute backends

   Words. A *parametrization* is what a plugin offers. A *chain* is a sequence of them on one
   tensor, and each one in it is a *stage*. The *originals* are the unconstrained tensors that
   the chain starts from, and the *value* is its result. A *plugin* is a shared object with
   parametrizations or backends.

   Rules of the ABI
   - The major version is part of the exported symbol (`pz_plugin_v1`) and of the install
     folder (`lib/parametrize-1`). Within a major version no meaning, unit or nullability
     changes, and no function argument changes.
   - Enumerations are stored in structs as fixed-width integers. Reserved fields are zero.
   - `pz_tensor`, `pz_spec` and `pz_value` are frozen.

   Rules for other structs
   1. Tables of plugins and backends begin with their size and grow at the tail. The host
      copies what is there into its own full-size table; missing functions are NULL. Arrays
      of tables come with a count and an element size.
   2. A struct that a host passes one at a time begins with its size, which the host sets to
      sizeof. Shorter than the library's: the missing fields are zero, which always means the
      default. Longer: the bytes that the library does not know must be zero, otherwise
      PZ_UNSUPPORTED. A struct that the library fills works the same way: it fills at most
      `size` bytes and zeroes those it does not know.
   3. Structs that a host passes as arrays are frozen. They end with 16 reserved bytes, which
      must be zero (PZ_INVALID). */

#ifndef PARAMETRIZE_TYPES_H
#define PARAMETRIZE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- compiler attributes -------------------------------------------------- */

#if defined(__GNUC__)
#define PZ_EXPORT __attribute__((visibility("default")))
#define PZ_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define PZ_WARN_UNUSED __attribute__((warn_unused_result))
#else
#define PZ_EXPORT
#define PZ_PRINTF(text, first)
#define PZ_WARN_UNUSED
#endif

#define PZ_API PZ_EXPORT

#ifdef __cplusplus
#define PZ_BEGIN_DECLS extern "C" {
#define PZ_END_DECLS }
#else
#define PZ_BEGIN_DECLS
#define PZ_END_DECLS
#endif

PZ_BEGIN_DECLS

#define PZ_VERSION_MAJOR 1
#define PZ_VERSION_MINOR 0

/* The lowest minor version of a host that a plugin or backend can run in. Define it before the
   first include to use helpers that are newer than 1.0. */
#ifndef PZ_TARGET_MINOR
#define PZ_TARGET_MINOR 0
#endif

/* ---- status --------------------------------------------------------------- */

typedef enum pz_status {
  PZ_OK = 0,
  PZ_INVALID = 1,     /* the contract does not allow this argument or this call */
  PZ_NOT_FOUND = 2,   /* no parametrization, tensor, device or file of this name */
  PZ_EXISTS = 3,      /* the name or the file exists already */
  PZ_MISMATCH = 4,    /* shape, dtype, device or count differ from what is expected */
  PZ_OUTSIDE = 5,     /* the value lies outside the constraint set */
  PZ_SINGULAR = 6,    /* a matrix lacks the inverse, factor or logarithm asked for */
  PZ_UNSUPPORTED = 7, /* not available here, or not for this dtype or size */
  PZ_STALE = 8,       /* something changed since the evaluation */
  PZ_NO_MEMORY = 9,   /* memory of host or device, or descriptors, are exhausted: the same call
                         may succeed later */
  PZ_IO = 10,         /* a file cannot be read or written */
  PZ_PLUGIN = 11,     /* a plugin or backend broke its contract */
  PZ_DEVICE = 12,     /* the device or its driver failed */
} pz_status;

/* Returns the status of `expression` from the calling function unless it is PZ_OK. */
#define PZ_TRY(expression)                  \
  do {                                      \
    const pz_status pz_try_ = (expression); \
    if (pz_try_ != PZ_OK) {                 \
      return pz_try_;                       \
    }                                       \
  } while (0)

/* ---- element types -------------------------------------------------------- */

/* A dtype is DLPack's DLDataType {uint8 code, uint8 bits, uint16 lanes}, read as one 32-bit
   word, so that it can be compared, stored and switched on at once. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define PZ_DTYPE(code, bits) (((uint32_t)(code) << 24) | ((uint32_t)(bits) << 16) | 1U)
#define PZ_DTYPE_BITS_(dtype) (((dtype) >> 16) & 0xffU)
#define PZ_DTYPE_LANES_(dtype) ((dtype)&0xffffU)
#else
#define PZ_DTYPE(code, bits) ((uint32_t)(code) | ((uint32_t)(bits) << 8) | (1U << 16))
#define PZ_DTYPE_BITS_(dtype) (((dtype) >> 8) & 0xffU)
#define PZ_DTYPE_LANES_(dtype) ((dtype) >> 16)
#endif

/* Originals, values and parameters are PZ_F32 or PZ_F64. PZ_I64 holds indices and random bits. */
#define PZ_F32 PZ_DTYPE(2, 32)
#define PZ_F64 PZ_DTYPE(2, 64)
#define PZ_I64 PZ_DTYPE(0, 64)

/* Reserved: version 1.0 refuses tensors of these dtypes, naming the dtype. */
#define PZ_F16 PZ_DTYPE(2, 16)
#define PZ_BF16 PZ_DTYPE(4, 16)
#define PZ_C64 PZ_DTYPE(5, 64)
#define PZ_C128 PZ_DTYPE(5, 128)

/* Bytes of one element of any dtype. */
static inline size_t
pz_dtype_size(const uint32_t dtype)
{
  return ((size_t)PZ_DTYPE_BITS_(dtype) * PZ_DTYPE_LANES_(dtype) + 7U) / 8U;
}

/* Machine epsilon, the distance from 1 to the next number, of PZ_F16, PZ_BF16, PZ_F32 and
   PZ_F64; 0 for any other dtype. */
static inline double
pz_dtype_epsilon(const uint32_t dtype)
{
  return dtype == PZ_F32    ? 1.1920928955078125e-07
         : dtype == PZ_F64  ? 2.220446049250313e-16
         : dtype == PZ_F16  ? 9.765625e-04
         : dtype == PZ_BF16 ? 7.8125e-03
                            : 0.0;
}

/* ---- tensors -------------------------------------------------------------- */

enum { PZ_MAX_DIMS = 8 };

/* Some of DLPack's device types. A backend may use any other. */
enum {
  PZ_DEVICE_CPU = 1,
  PZ_DEVICE_CUDA = 2,
  PZ_DEVICE_OPENCL = 4,
  PZ_DEVICE_EXTENSION = 12,
};

typedef struct pz_device {
  int32_t type;
  int32_t id;
} pz_device;

/* A view of memory that somebody else owns. The layout is that of DLPack's DLTensor, so a
   DLTensor* can be passed as a pz_tensor* and the other way round.

   `data` is a host pointer, a device pointer or an opaque handle (cl_mem). Memory that this
   library allocates is aligned to 64 bytes. The first element is `byte_offset` bytes after
   `data`. `shape` has `ndim` extents; an extent may be 0, and then `data` may be NULL.
   `strides` counts elements; NULL means C-contiguous. Matrices are the last two dimensions;
   the others form a batch. */
typedef struct pz_tensor {
  void* data;
  pz_device device;
  int32_t ndim;
  uint32_t dtype;
  const int64_t* shape;
  const int64_t* strides;
  uint64_t byte_offset;
} pz_tensor;

/* A property that all matrices of a tensor have. The parametrization that made them
   guarantees it: exactly, or up to rounding where said. Codes that a reader does not know
   count as PZ_GENERAL. */
typedef enum pz_structure {
  PZ_GENERAL = 0,
  PZ_SYMMETRIC = 1,        /* A == A^T exactly */
  PZ_SKEW = 2,             /* A == -A^T exactly, zero diagonal */
  PZ_SPD = 3,              /* A == A^T exactly, eigenvalues > 0 up to rounding */
  PZ_ORTHOGONAL = 4,       /* A^T A == I up to rounding (orthonormal columns or rows) */
  PZ_UPPER_TRIANGULAR = 5, /* zero below the diagonal */
  PZ_LOWER_TRIANGULAR = 6, /* zero above the diagonal */
  PZ_DIAGONAL = 7,         /* zero off the diagonal */
} pz_structure;

/* Combined with PZ_SYMMETRIC or PZ_SKEW where an operation allows it: only this triangle is
   stored (without the diagonal for PZ_SKEW). It implies the rest, whose memory is undefined. */
enum {
  PZ_BY_UPPER = 1U << 8,
  PZ_BY_LOWER = 1U << 9,
  PZ_BY_TRIANGLE = PZ_BY_UPPER | PZ_BY_LOWER,
};

/* The entries of a tensor that are the free coordinates of a determinant (pz_declare_density).
   The value of one stage and the input of the next have the same coordinates if their codes are
   equal; in a symmetric or skew value a lower triangle is also the upper one. Codes that a
   reader does not know are equal to nothing. */
typedef enum pz_coordinates {
  PZ_ALL_ENTRIES = 0,
  PZ_UPPER_TRIANGLE = 1, /* entries on and above the diagonal */
  PZ_LOWER_TRIANGLE = 2, /* entries on and below the diagonal */
  PZ_STRICT_UPPER = 3,   /* entries above the diagonal */
  PZ_STRICT_LOWER = 4,   /* entries below the diagonal */
  PZ_ROTATION = 5,       /* the strict upper triangle of Q^T dQ, for square orthogonal Q */
  PZ_ALL_BUT_LAST = 6,   /* all entries except the last one along the last dimension */
  PZ_OWN_COORDINATES = 7 /* described by the parametrization's formula; equal to nothing */
} pz_coordinates;

/* Dtype and shape of a tensor, and the structure of its matrices. */
typedef struct pz_spec {
  uint32_t dtype;
  uint32_t structure; /* pz_structure */
  int32_t ndim;
  int32_t reserved; /* zero */
  int64_t shape[PZ_MAX_DIMS];
} pz_spec;

/* ---- option values -------------------------------------------------------- */

typedef enum pz_value_type {
  PZ_REAL = 1,    /* double */
  PZ_INTEGER = 2, /* int64 */
  PZ_FLAG = 3,    /* integer 0 or 1 */
  PZ_CHOICE = 4,  /* set by a host: text; seen by a plugin: integer, index of the choice */
  PZ_TENSOR = 5,  /* tensor; NULL if none was given */
} pz_value_type;

typedef struct pz_value {
  uint32_t type;     /* pz_value_type */
  uint32_t reserved; /* zero */
  union {
    double real;
    int64_t integer;
    const char* text;
    const pz_tensor* tensor;
  } as;
} pz_value;

/* ---- how parametrizations are called ---------------------------------------- */

/* Why a right inverse runs. */
typedef enum pz_intent {
  PZ_REGISTER = 1, /* the tensor existed before: return finite originals, if possible of the
                      nearest member of the set; never refuse it for lying outside */
  PZ_ASSIGN = 2,   /* the user assigns a value: refuse one outside the set (PZ_OUTSIDE, with
                      the distance) or without an inverse (PZ_SINGULAR) */
  PZ_CHAIN = 3,    /* the next stage of the chain computed the value: do not check it, and treat
                      a value that rounding put on or beyond an open bound as one inside */
} pz_intent;

/* What a chain is planned from. */
typedef enum pz_direction {
  PZ_FROM_TENSOR = 1, /* from the spec of the value: which originals? */
  PZ_FROM_INPUT = 2,  /* from the specs of the originals: which value? */
} pz_direction;

enum {
  PZ_CALL_SAVING = 1U << 0,   /* forward: vjp will follow, or jvp or log_abs_det; save for them */
  PZ_CALL_TRAINING = 1U << 1, /* the module is in training mode */
};

/* ---- helpers, without side effects, callable from any thread -------------

   The library exports all functions of this header as well, for bindings that compile no C. */

static inline int64_t
pz_shape_count(const int32_t ndim, const int64_t* const shape)
{
  int64_t n = 1;
  for (int32_t i = 0; i < ndim; ++i) {
    n *= shape[i];
  }
  return n;
}

/* Number of elements. */
static inline int64_t
pz_count(const pz_tensor* const t)
{
  return pz_shape_count(t->ndim, t->shape);
}

/* Rows and columns of each matrix; `t` has two dimensions or more. */
static inline int64_t
pz_rows(const pz_tensor* const t)
{
  return t->shape[t->ndim - 2];
}

static inline int64_t
pz_cols(const pz_tensor* const t)
{
  return t->shape[t->ndim - 1];
}

/* Number of matrices: the product of all but the last two extents. */
static inline int64_t
pz_batch(const pz_tensor* const t)
{
  return pz_shape_count(t->ndim - 2, t->shape);
}

static inline pz_spec
pz_spec_make(const uint32_t dtype, const int32_t ndim, const int64_t* const shape)
{
  pz_spec s = {0, 0, 0, 0, {0}};
  s.dtype = dtype;
  s.ndim = ndim;
  for (int32_t i = 0; i < ndim && i < PZ_MAX_DIMS; ++i) {
    s.shape[i] = shape[i];
  }
  return s;
}

/* The spec of a tensor of at most PZ_MAX_DIMS dimensions, structure general. */
static inline pz_spec
pz_spec_of(const pz_tensor* const t)
{
  return pz_spec_make(t->dtype, t->ndim, t->shape);
}

static inline int64_t
pz_spec_count(const pz_spec* const s)
{
  return pz_shape_count(s->ndim, s->shape);
}

/* Same dtype and shape; structure is not compared. */
static inline bool
pz_spec_equal(const pz_spec* const a, const pz_spec* const b)
{
  if (a->dtype != b->dtype || a->ndim != b->ndim) {
    return false;
  }
  for (int32_t i = 0; i < a->ndim; ++i) {
    if (a->shape[i] != b->shape[i]) {
      return false;
    }
  }
  return true;
}

/* A view of C-contiguous host memory; `shape` must outlive the view and may be NULL if ndim is
   0. */
static inline pz_tensor
pz_host_tensor(const uint32_t dtype, void* const data, const int32_t ndim,
               const int64_t* const shape)
{
  pz_tensor t;
  t.data = data;
  t.device.type = PZ_DEVICE_CPU;
  t.device.id = 0;
  t.ndim = ndim;
  t.dtype = dtype;
  t.shape = shape;
  t.strides = NULL;
  t.byte_offset = 0;
  return t;
}

PZ_END_DECLS

#endif /* PARAMETRIZE_TYPES_H */
