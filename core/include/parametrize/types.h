/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What every side of libparametrize shares: status codes, tensors, specs.

   Three audiences include this header through their own:
     parametrize.h  host applications
     plugin.h       authors of parametrizations
     backend.h      authors of compute backends

   Rules of the ABI, for all four headers:
   - The major version stands in the exported symbol (`pz_plugin_v1`) and in the
     install folder (`lib/parametrize-1`). Within a major no meaning, unit or
     nullability changes, and no function argument changes.
   - Tables begin with their own size and grow at the tail. The reader copies what
     the writer supplied into its own full-size table and defaults the rest.
   - Arrays of structures travel with a count and an element size.
   - `pz_tensor`, `pz_spec` and `pz_value` are frozen.
   - Enumerations are stored in structures as fixed-width integers. */

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

/* The minor version whose helpers a plugin or backend uses: the least its host must
   have. Define it before including a header to use helpers newer than 1.0. */
#ifndef PZ_TARGET_MINOR
#define PZ_TARGET_MINOR 0
#endif

/* ---- status --------------------------------------------------------------- */

typedef enum pz_status {
  PZ_OK = 0,
  PZ_INVALID = 1,     /* an argument or a call that the contract excludes */
  PZ_NOT_FOUND = 2,   /* no such map, tensor, device or file */
  PZ_EXISTS = 3,      /* the name is taken, the file is there */
  PZ_MISMATCH = 4,    /* shape, dtype, device or count differ from what was expected */
  PZ_OUTSIDE = 5,     /* the value lies outside the constraint set */
  PZ_SINGULAR = 6,    /* a matrix without the inverse, factor or logarithm asked for */
  PZ_UNSUPPORTED = 7, /* not offered here, for this dtype or size */
  PZ_STALE = 8,       /* something changed since the evaluation */
  PZ_NO_MEMORY = 9,   /* host or device memory ran out */
  PZ_IO = 10,         /* a file could not be read or written */
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

/* A dtype is DLPack's DLDataType {uint8 code, uint8 bits, uint16 lanes} read as one
   32-bit word, so that a tensor's dtype is compared, stored and switched on at once. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define PZ_DTYPE(code, bits) (((uint32_t)(code) << 24) | ((uint32_t)(bits) << 16) | 1U)
#else
#define PZ_DTYPE(code, bits) ((uint32_t)(code) | ((uint32_t)(bits) << 8) | (1U << 16))
#endif

/* Originals, values and parameters are float32 or float64; int64 serves indices and
   random bits. Every other DLPack dtype is reserved and refused by name. */
#define PZ_F32 PZ_DTYPE(2, 32)
#define PZ_F64 PZ_DTYPE(2, 64)
#define PZ_I64 PZ_DTYPE(0, 64)

/* Bytes of one element of PZ_F32, PZ_F64 or PZ_I64. */
static inline size_t
pz_dtype_size(const uint32_t dtype)
{
  return dtype == PZ_F32 ? 4U : 8U;
}

/* Machine epsilon of PZ_F32 or PZ_F64. */
static inline double
pz_dtype_epsilon(const uint32_t dtype)
{
  return dtype == PZ_F32 ? 1.1920928955078125e-07 : 2.220446049250313e-16;
}

/* ---- tensors -------------------------------------------------------------- */

enum { PZ_MAX_DIMS = 8 };

/* DLPack's device types; a backend names its own. */
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

/* A borrowed view of memory that somebody else owns. The layout is that of DLPack's
   DLTensor, so a DLTensor* may be passed as a pz_tensor* and the reverse.

   `data` is a host pointer, a device pointer or an opaque handle (cl_mem), aligned to
   64 bytes where this library made it; the first element is `byte_offset` bytes in.
   `shape` has `ndim` extents (zero-size tensors are legal, then data may be NULL).
   `strides` counts elements, NULL meaning C-contiguous. Matrices are the last two
   dimensions; the others are a batch. */
typedef struct pz_tensor {
  void* data;
  pz_device device;
  int32_t ndim;
  uint32_t dtype;
  const int64_t* shape;
  const int64_t* strides;
  uint64_t byte_offset;
} pz_tensor;

/* What is known of a matrix without looking at it: exact zeros and signs, or a property
   that holds to rounding. A promise of the map that made the matrix. */
typedef enum pz_structure {
  PZ_GENERAL = 0,
  PZ_SYMMETRIC = 1,  /* A == A^T exactly */
  PZ_SKEW = 2,       /* A == -A^T exactly, zero diagonal */
  PZ_SPD = 3,        /* A == A^T exactly, eigenvalues > 0 to rounding */
  PZ_ORTHOGONAL = 4, /* A^T A == I to rounding (orthonormal columns or rows) */
} pz_structure;

/* With PZ_SYMMETRIC or PZ_SKEW, where an operation or an entry says that it takes it: of every
   matrix only this triangle is there, for skew ones without the diagonal, and it stands for the
   whole. What else lies in the memory does not matter. */
enum {
  PZ_BY_UPPER = 1U << 8,
  PZ_BY_LOWER = 1U << 9,
  PZ_BY_TRIANGLE = PZ_BY_UPPER | PZ_BY_LOWER,
};

/* The type of a tensor: dtype and shape, and the structure its matrices have. */
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
  PZ_CHOICE = 4,  /* resolved: integer, index into the choices; given: text */
  PZ_TENSOR = 5,  /* tensor, NULL when not given */
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

/* ---- small helpers, all pure and callable from any thread ------------------ */

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

/* A view of C-contiguous host memory; `shape` must outlive the view. */
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
