/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "opaque.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory behind handles ---------------------------------------------------- */

enum { MAX_HANDLES = 1 << 14 };

typedef struct block {
  char* bytes;
  size_t size;
} block;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static block table[MAX_HANDLES];
static int alive;
static uint64_t host_bytes;

struct pz_backend_queue {
  const pz_backend_host* host;
};

/* Handles are small odd numbers: nothing can be read through them. */
static char*
place(const void* const handle, const uint64_t offset, const size_t bytes)
{
  const uintptr_t number = (uintptr_t)handle;
  if (number % 2 != 1 || number / 2 >= MAX_HANDLES) {
    abort();
  }
  pthread_mutex_lock(&lock);
  const block b = table[number / 2];
  pthread_mutex_unlock(&lock);
  if (!b.bytes || offset > b.size || bytes > b.size - offset) {
    abort();
  }
  return b.bytes + offset;
}

static pz_status
opaque_alloc(pz_backend_queue* const q, const size_t bytes, void** const out)
{
  pthread_mutex_lock(&lock);
  size_t k = 1;
  while (k < MAX_HANDLES && table[k].bytes) {
    ++k;
  }
  if (k == MAX_HANDLES || bytes == 0) {
    abort();
  }
  table[k] = (block){malloc(bytes), bytes};
  alive += 1;
  pthread_mutex_unlock(&lock);
  if (!table[k].bytes) {
    return q->host->fail(PZ_NO_MEMORY, "out of memory");
  }
  memset(table[k].bytes, 0xa5, bytes);
  *out = (void*)(uintptr_t)(2 * k + 1);
  return PZ_OK;
}

static void
opaque_free(pz_backend_queue* const q, void* const data)
{
  (void)q;
  if (data) {
    pthread_mutex_lock(&lock);
    block* const b = &table[(uintptr_t)data / 2];
    if ((uintptr_t)data % 2 != 1 || !b->bytes) {
      abort();
    }
    free(b->bytes);
    *b = (block){0};
    alive -= 1;
    pthread_mutex_unlock(&lock);
  }
}

int
opaque_allocations(void)
{
  pthread_mutex_lock(&lock);
  const int n = alive;
  pthread_mutex_unlock(&lock);
  return n;
}

uint64_t
opaque_host_bytes(void)
{
  pthread_mutex_lock(&lock);
  const uint64_t n = host_bytes;
  pthread_mutex_unlock(&lock);
  return n;
}

static pz_status
opaque_copy(pz_backend_queue* const q, const pz_copy_kind kind, void* const dst,
            const uint64_t dst_offset, const void* const src, const uint64_t src_offset,
            const size_t bytes)
{
  (void)q;
  if (kind != PZ_DEVICE_TO_DEVICE) {
    pthread_mutex_lock(&lock);
    host_bytes += bytes;
    pthread_mutex_unlock(&lock);
  }
  char* const to =
      kind == PZ_DEVICE_TO_HOST ? (char*)dst + dst_offset : place(dst, dst_offset, bytes);
  const char* const from =
      kind == PZ_HOST_TO_DEVICE ? (const char*)src + src_offset : place(src, src_offset, bytes);
  memcpy(to, from, bytes);
  return PZ_OK;
}

static pz_status
opaque_fill(pz_backend_queue* const q, void* const dst, const uint64_t offset, const size_t bytes,
            const void* const pattern, const size_t pattern_bytes)
{
  (void)q;
  char* const to = place(dst, offset, bytes);
  if (offset % pattern_bytes != 0 || bytes % pattern_bytes != 0) {
    abort();
  }
  for (size_t k = 0; k < bytes; k += pattern_bytes) {
    memcpy(to + k, pattern, pattern_bytes);
  }
  return PZ_OK;
}

static pz_status
opaque_sync(pz_backend_queue* const q)
{
  (void)q;
  return PZ_OK;
}

/* ---- queues ------------------------------------------------------------------- */

static pz_status
opaque_open(const pz_backend_host* const host, const uint32_t index, const void* const native,
            pz_backend_queue** const out)
{
  (void)native;
  pz_backend_queue* const q = calloc(1, sizeof(*q));
  if (!q || index > 1) {
    free(q);
    return host->fail(PZ_NOT_FOUND, "no such device");
  }
  q->host = host;
  *out = q;
  return PZ_OK;
}

static void
opaque_close(pz_backend_queue* const q)
{
  free(q);
}

/* Two devices, the second broken. */
static pz_status
probe(const uint32_t index, const uint32_t f64, const int32_t id, pz_device_info* const info)
{
  if (index > 1) {
    return PZ_NOT_FOUND;
  }
  info->usable = index == 0;
  info->device.type = PZ_DEVICE_EXTENSION;
  info->device.id = id;
  info->f64 = f64;
  strcpy(info->name, "test double");
  strcpy(info->reason, index == 0 ? "" : "unplugged");
  return PZ_OK;
}

static pz_status
probe_double(const pz_backend_host* const host, const uint32_t index, pz_device_info* const info)
{
  (void)host;
  return probe(index, 1, 3, info);
}

static pz_status
probe_single(const pz_backend_host* const host, const uint32_t index, pz_device_info* const info)
{
  (void)host;
  return probe(index, 0, 4, info);
}

/* ---- operations --------------------------------------------------------------- */

/* Checks what is promised of operands, and finds entry (k, r, c). */
static char*
entry(const pz_mat* const m, const int64_t k, const int64_t r, const int64_t c)
{
  const size_t size = pz_dtype_size(m->dtype);
  const bool unit = m->row_stride == 1 || m->col_stride == 1;
  if (m->rows < 1 || m->cols < 1 || m->batch < 1 || !unit || m->row_stride < 0 ||
      m->col_stride < 0 || m->batch_stride < 0) {
    abort();
  }
  const int64_t at = k * m->batch_stride + r * m->row_stride + c * m->col_stride;
  return place(m->data, m->byte_offset + (uint64_t)at * size, size);
}

static double
load(const pz_mat* const m, const int64_t k, const int64_t r, const int64_t c)
{
  const void* const at = entry(m, k, r, c);
  return m->dtype == PZ_F32 ? (double)*(const float*)at : *(const double*)at;
}

static void
store(const pz_mat* const m, const int64_t k, const int64_t r, const int64_t c, const double v)
{
  void* const at = entry(m, k, r, c);
  if (m->dtype == PZ_F32) {
    *(float*)at = (float)v;
  } else {
    *(double*)at = v;
  }
}

static pz_status
opaque_gemm(pz_backend_queue* const q, const double alpha, const pz_mat* const a,
            const pz_mat* const b, const double beta, const pz_mat* const y)
{
  (void)q;
  if (a->rows != y->rows || b->cols != y->cols || a->cols != b->rows || a->cols < 1) {
    abort();
  }
  for (int64_t k = 0; k < y->batch; ++k) {
    for (int64_t r = 0; r < y->rows; ++r) {
      for (int64_t c = 0; c < y->cols; ++c) {
        double sum = 0.0;
        for (int64_t t = 0; t < a->cols; ++t) {
          sum += load(a, k, r, t) * load(b, k, t, c);
        }
        store(y, k, r, c, alpha * sum + (beta == 0.0 ? 0.0 : beta * load(y, k, r, c)));
      }
    }
  }
  return PZ_OK;
}

static pz_status
opaque_launch(pz_backend_queue* const q, const pz_kernel* const kernel, const int64_t n_items,
              const pz_mat* const tensors, const double* const reals, const int64_t* const integers)
{
  (void)q;
  void* places[PZ_KERNEL_MAX_ARGS] = {NULL};
  for (uint32_t k = 0; k < kernel->n_tensors; ++k) {
    const pz_mat* const t = &tensors[k];
    if (t->rows != 1 || t->batch != 1 || t->col_stride != 1) {
      abort();
    }
    if (t->data) {
      places[k] = place(t->data, t->byte_offset, (size_t)t->cols * pz_dtype_size(tensors[0].dtype));
    }
  }
  (tensors[0].dtype == PZ_F32 ? kernel->f32 : kernel->f64)(0, n_items, places, reals, integers);
  return PZ_OK;
}

/* w (n x n) and v (n x m), row by row: v = w^-1 v by elimination with row exchanges. */
static bool
eliminate(double* const w, double* const v, const int64_t n, const int64_t m)
{
  for (int64_t p = 0; p < n; ++p) {
    int64_t best = p;
    for (int64_t r = p + 1; r < n; ++r) {
      best = fabs(w[r * n + p]) > fabs(w[best * n + p]) ? r : best;
    }
    if (w[best * n + p] == 0.0) {
      return false;
    }
    for (int64_t c = 0; c < n; ++c) {
      const double held = w[p * n + c];
      w[p * n + c] = w[best * n + c];
      w[best * n + c] = held;
    }
    for (int64_t c = 0; c < m; ++c) {
      const double held = v[p * m + c];
      v[p * m + c] = v[best * m + c];
      v[best * m + c] = held;
    }
    for (int64_t r = 0; r < n; ++r) {
      const double f = r == p ? 0.0 : w[r * n + p] / w[p * n + p];
      for (int64_t c = 0; c < n; ++c) {
        w[r * n + c] -= f * w[p * n + c];
      }
      for (int64_t c = 0; c < m; ++c) {
        v[r * m + c] -= f * v[p * m + c];
      }
    }
  }
  for (int64_t r = 0; r < n; ++r) {
    for (int64_t c = 0; c < m; ++c) {
      v[r * m + c] /= w[r * n + r];
    }
  }
  return true;
}

enum { MOST = 64 };

static pz_status
opaque_solve(pz_backend_queue* const q, const uint32_t in, const pz_mat* const a,
             const pz_mat* const b, const pz_mat* const x, const pz_fault* const fault)
{
  (void)in;
  (void)fault;
  static _Thread_local double w[MOST * MOST];
  static _Thread_local double v[MOST * MOST];
  if (a->rows > MOST || b->cols > MOST) {
    return PZ_UNSUPPORTED;
  }
  for (int64_t k = 0; k < x->batch; ++k) {
    for (int64_t r = 0; r < a->rows; ++r) {
      for (int64_t c = 0; c < a->cols; ++c) {
        w[r * a->cols + c] = load(a, k, r, c);
      }
      for (int64_t c = 0; c < b->cols; ++c) {
        v[r * b->cols + c] = load(b, k, r, c);
      }
    }
    if (!eliminate(w, v, a->rows, b->cols)) {
      return q->host->fail(PZ_SINGULAR, "matrix %d of the batch is singular", (int)k);
    }
    for (int64_t r = 0; r < x->rows; ++r) {
      for (int64_t c = 0; c < x->cols; ++c) {
        store(x, k, r, c, v[r * x->cols + c]);
      }
    }
  }
  return PZ_OK;
}

/* The first singular matrix, or -1. */
static int64_t
invert(const double s[4], const pz_mat* const x, const pz_mat* const y)
{
  static _Thread_local double w[MOST * MOST];
  static _Thread_local double v[MOST * MOST];
  const int64_t n = x->rows;
  int64_t failed = -1;
  for (int64_t k = 0; k < y->batch; ++k) {
    for (int64_t r = 0; r < n; ++r) {
      for (int64_t c = 0; c < n; ++c) {
        w[r * n + c] = s[3] * load(x, k, r, c) + (r == c ? s[2] : 0.0);
        v[r * n + c] = r == c;
      }
    }
    const bool good = eliminate(w, v, n, n);
    failed = good || failed >= 0 ? failed : k;
    for (int64_t r = 0; r < n; ++r) {
      for (int64_t c = 0; c < n; ++c) {
        store(y, k, r, c, good ? s[1] * v[r * n + c] + (r == c ? s[0] : 0.0) : (double)NAN);
      }
    }
  }
  return failed;
}

static pz_status
opaque_inverse(pz_backend_queue* const q, const uint32_t in, const double alpha, const double beta,
               const double gamma, const double delta, const pz_mat* const x, const pz_mat* const y,
               const pz_fault* const fault)
{
  (void)in;
  (void)fault;
  const double s[4] = {alpha, beta, gamma, delta};
  if (x->rows > MOST) {
    return PZ_UNSUPPORTED;
  }
  const int64_t failed = invert(s, x, y);
  return failed < 0 ? PZ_OK
                    : q->host->fail(PZ_SINGULAR, "matrix %d of the batch is singular", (int)failed);
}

static pz_status
opaque_inverse_later(pz_backend_queue* const q, const uint32_t in, const double alpha,
                     const double beta, const double gamma, const double delta,
                     const pz_mat* const x, const pz_mat* const y, const pz_fault* const fault)
{
  (void)q;
  (void)in;
  const double s[4] = {alpha, beta, gamma, delta};
  const int64_t failed = invert(s, x, y);
  int64_t* const word = (int64_t*)(void*)place(fault->data, fault->byte_offset, 16);
  if (failed >= 0 && word[0] == 0) {
    word[0] = PZ_SINGULAR;
    word[1] = failed;
  }
  return PZ_OK;
}

/* ---- what a rude backend says ---------------------------------------------------- */

static pz_status
rude_gemm(pz_backend_queue* const q, const double alpha, const pz_mat* const a,
          const pz_mat* const b, const double beta, const pz_mat* const y)
{
  (void)q, (void)alpha, (void)a, (void)b, (void)beta, (void)y;
  return (pz_status)999;
}

static pz_status
rude_axpby(pz_backend_queue* const q, const double a, const pz_mat* const x, const double b,
           const pz_mat* const y)
{
  (void)q, (void)a, (void)x, (void)b, (void)y;
  return PZ_DEVICE;
}

static pz_status
rude_fold(pz_backend_queue* const q, const pz_triangle triangle, const int sign,
          const pz_mat* const x, const pz_mat* const y)
{
  (void)triangle, (void)sign, (void)x, (void)y;
  return q->host->fail(PZ_DEVICE, "the device is on fire");
}

static pz_status
rude_hadamard(pz_backend_queue* const q, const double a, const pz_mat* const x,
              const pz_mat* const y, const double b, const pz_mat* const z)
{
  (void)q, (void)a, (void)x, (void)y, (void)b, (void)z;
  return PZ_UNSUPPORTED;
}

/* ---- tables --------------------------------------------------------------------- */

#define DOUBLE(id_, flags_, probe_, ops_) \
  static const pz_backend id_ = {         \
      .size = sizeof(pz_backend),         \
      .flags = (flags_),                  \
      .id = #id_,                         \
      .summary = "a test double",         \
      .probe = (probe_),                  \
      .open = opaque_open,                \
      .close = opaque_close,              \
      .alloc = opaque_alloc,              \
      .free = opaque_free,                \
      .copy = opaque_copy,                \
      .fill = opaque_fill,                \
      .sync = opaque_sync,                \
      .ops = (ops_),                      \
  };

static const pz_backend_ops lean_ops = {
    .size = sizeof(lean_ops), .gemm = opaque_gemm, .launch = opaque_launch};
static const pz_backend_ops kernels_ops = {.size = sizeof(kernels_ops), .launch = opaque_launch};
static const pz_backend_ops solver_ops = {.size = sizeof(solver_ops),
                                          .gemm = opaque_gemm,
                                          .launch = opaque_launch,
                                          .solve = opaque_solve};
static const pz_backend_ops inverter_ops = {.size = sizeof(inverter_ops),
                                            .gemm = opaque_gemm,
                                            .launch = opaque_launch,
                                            .shifted_inverse = opaque_inverse};
static const pz_backend_ops later_ops = {.size = sizeof(later_ops),
                                         .gemm = opaque_gemm,
                                         .launch = opaque_launch,
                                         .shifted_inverse = opaque_inverse_later};
static const pz_backend_ops rude_ops = {.size = sizeof(rude_ops),
                                        .axpby = rude_axpby,
                                        .hadamard = rude_hadamard,
                                        .fold = rude_fold,
                                        .gemm = rude_gemm};

DOUBLE(bare, 0, probe_double, NULL)
DOUBLE(lean, 0, probe_double, &lean_ops)
DOUBLE(kernels, 0, probe_double, &kernels_ops)
DOUBLE(single, 0, probe_single, &lean_ops)
DOUBLE(solver, 0, probe_double, &solver_ops)
DOUBLE(inverter, 0, probe_double, &inverter_ops)
DOUBLE(later, PZ_BACKEND_ASYNC, probe_double, &later_ops)
DOUBLE(rude, 0, probe_double, &rude_ops)

PZ_PLUGIN(opaque, "1.0.0", PZ_BACKEND(&bare), PZ_BACKEND(&lean), PZ_BACKEND(&kernels),
          PZ_BACKEND(&single), PZ_BACKEND(&solver), PZ_BACKEND(&inverter), PZ_BACKEND(&later),
          PZ_BACKEND(&rude));
