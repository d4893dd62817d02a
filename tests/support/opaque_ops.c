/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The operations of the test doubles: plain loops through checked handles. */

#include "opaque_ops.h"

#include <math.h>
#include <stdlib.h>

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
  return opaque_place(m->data, m->byte_offset + (uint64_t)at * size, size);
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
  PZ_TRY(opaque_turn(q, PZ_DEVICE));
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
  PZ_TRY(opaque_turn(q, PZ_DEVICE));
  void* places[PZ_KERNEL_MAX_ARGS] = {NULL};
  for (uint32_t k = 0; k < kernel->n_tensors; ++k) {
    const pz_mat* const t = &tensors[k];
    if (t->rows != 1 || t->batch != 1 || t->col_stride != 1) {
      abort();
    }
    if (t->data) {
      places[k] =
          opaque_place(t->data, t->byte_offset, (size_t)t->cols * pz_dtype_size(tensors[0].dtype));
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
  int64_t* const word = (int64_t*)(void*)opaque_place(fault->data, fault->byte_offset, 16);
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

const pz_backend_ops opaque_lean = {
    .size = sizeof(opaque_lean), .gemm = opaque_gemm, .launch = opaque_launch};
const pz_backend_ops opaque_kernels = {.size = sizeof(opaque_kernels), .launch = opaque_launch};
const pz_backend_ops opaque_solver = {.size = sizeof(opaque_solver),
                                      .gemm = opaque_gemm,
                                      .launch = opaque_launch,
                                      .solve = opaque_solve};
const pz_backend_ops opaque_inverter = {.size = sizeof(opaque_inverter),
                                        .gemm = opaque_gemm,
                                        .launch = opaque_launch,
                                        .shifted_inverse = opaque_inverse};
const pz_backend_ops opaque_later = {.size = sizeof(opaque_later),
                                     .gemm = opaque_gemm,
                                     .launch = opaque_launch,
                                     .shifted_inverse = opaque_inverse_later};
const pz_backend_ops opaque_rude = {.size = sizeof(opaque_rude),
                                    .axpby = rude_axpby,
                                    .hadamard = rude_hadamard,
                                    .fold = rude_fold,
                                    .gemm = rude_gemm};
