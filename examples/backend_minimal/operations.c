/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* gemm and launch, as programs of the device. With these two, libparametrize composes all
   operations except pivoted inverses, factorizations, rows by index and random numbers. */

#include "minimal.h"

#include "accelerator.h"

/* The address of matrix k in device memory; NULL if it is outside of its buffer. */
static char*
matrix_place(const pz_mat* m, int64_t k)
{
  const uint64_t size = pz_dtype_size(m->dtype);
  const int64_t last = (m->rows - 1) * m->row_stride + (m->cols - 1) * m->col_stride;
  return accelerator_place(m->data, m->byte_offset + (uint64_t)(k * m->batch_stride) * size,
                           (size_t)(last + 1) * size);
}

/* clang-format off */
/* Item i: row i of y = alpha a b + beta y; beta = 0 does not read y. As a portable kernel it is
   compiled for float and for double. */
PZ_KERNEL(row_of_product, 3, 2, 8,
  PZ_TENSOR_ARG(0, a);
  PZ_TENSOR_ARG(1, b);
  PZ_TENSOR_ARG(2, y);
  PZ_REAL_ARG(0, alpha);
  PZ_REAL_ARG(1, beta);
  PZ_INTEGER_ARG(0, a_row);
  PZ_INTEGER_ARG(1, a_col);
  PZ_INTEGER_ARG(2, b_row);
  PZ_INTEGER_ARG(3, b_col);
  PZ_INTEGER_ARG(4, y_row);
  PZ_INTEGER_ARG(5, y_col);
  PZ_INTEGER_ARG(6, n);
  PZ_INTEGER_ARG(7, k);
  for (pz_int j = 0; j < n; ++j) {
    real sum = 0;
    for (pz_int t = 0; t < k; ++t) {
      sum += a[i * a_row + t * a_col] * b[t * b_row + j * b_col];
    }
    const pz_int at = i * y_row + j * y_col;
    y[at] = beta == 0 ? alpha * sum : alpha * sum + beta * y[at];
  }
)
/* clang-format on */

static pz_status
minimal_gemm(pz_backend_queue* q, double alpha, const pz_mat* a, const pz_mat* b, double beta,
             const pz_mat* y)
{
  const double reals[] = {alpha, beta};
  const int64_t integers[] = {a->row_stride, a->col_stride, b->row_stride, b->col_stride,
                              y->row_stride, y->col_stride, y->cols,       a->cols};
  const pz_kernel_function run = y->dtype == PZ_F32 ? row_of_product.f32 : row_of_product.f64;
  for (int64_t k = 0; k < y->batch; ++k) {
    void* const places[] = {matrix_place(a, k), matrix_place(b, k), matrix_place(y, k)};
    if (!places[0] || !places[1] || !places[2]) {
      return q->host->fail(PZ_DEVICE, "found matrix %d outside of its buffer", (int)k);
    }
    run(0, y->rows, places, reals, integers);
  }
  return PZ_OK;
}

static pz_status
minimal_launch(pz_backend_queue* q, const pz_kernel* kernel, int64_t n_items, const pz_mat* tensors,
               const double* reals, const int64_t* integers)
{
  void* places[PZ_KERNEL_MAX_ARGS] = {NULL};
  uint32_t dtype = 0;
  for (uint32_t k = 0; k < kernel->n_tensors; ++k) {
    if (tensors[k].data) { /* NULL: an argument that no item reads or writes */
      dtype = tensors[k].dtype;
      places[k] = matrix_place(&tensors[k], 0);
      if (!places[k]) {
        return q->host->fail(PZ_DEVICE, "kernel \"%s\": found tensor %u outside of its buffer",
                             kernel->name, (unsigned)k);
      }
    }
  }
  const pz_kernel_function run = dtype == PZ_F32 ? kernel->f32 : kernel->f64;
  if (!run) {
    return PZ_UNSUPPORTED; /* nothing is changed yet */
  }
  run(0, n_items, places, reals, integers);
  return PZ_OK;
}

const pz_backend_ops minimal_operations = {
    .size = sizeof(minimal_operations),
    .gemm = minimal_gemm,
    .launch = minimal_launch,
};
