/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products by CLBlast, opened on first use where it is installed. Its few functions are
   declared here; its headers are not needed. Small products, whatever it refuses, and those
   of CPUs, where it compiles for minutes, are left to the tiled kernels.
   PARAMETRIZE_CLBLAST=yes or no in the environment decides for every device. */

#include "opencl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ROW_MAJOR = 101, COLUMN_MAJOR = 102, PLAIN = 111, TRANSPOSED = 112 };

/* Below so many multiply-adds its launches and copies cost more than they save. */
static const double least_work = 128.0 * 128.0 * 128.0;

typedef int gemm_f32(int layout, int ta, int tb, size_t m, size_t n, size_t k, float alpha,
                     cl_mem a, size_t a_offset, size_t a_ld, size_t a_stride, cl_mem b,
                     size_t b_offset, size_t b_ld, size_t b_stride, float beta, cl_mem c,
                     size_t c_offset, size_t c_ld, size_t c_stride, size_t count,
                     cl_command_queue* queue, cl_event* event);
typedef int gemm_f64(int layout, int ta, int tb, size_t m, size_t n, size_t k, double alpha,
                     cl_mem a, size_t a_offset, size_t a_ld, size_t a_stride, cl_mem b,
                     size_t b_offset, size_t b_ld, size_t b_stride, double beta, cl_mem c,
                     size_t c_offset, size_t c_ld, size_t c_stride, size_t count,
                     cl_command_queue* queue, cl_event* event);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static gemm_f32* multiply_f32;
static gemm_f64* multiply_f64;

static void
open_library(void)
{
  void* const library = dlopen("libclblast.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library) {
    void* const f32 = dlsym(library, "CLBlastSgemmStridedBatched");
    void* const f64 = dlsym(library, "CLBlastDgemmStridedBatched");
    memcpy(&multiply_f32, &f32, sizeof(f32));
    memcpy(&multiply_f64, &f64, sizeof(f64));
  }
}

bool
opencl_wants_clblast(const cl_device_id device)
{
  const char* const word = getenv("PARAMETRIZE_CLBLAST");
  cl_device_type type = CL_DEVICE_TYPE_CPU;
  if (word && (strcmp(word, "yes") == 0 || strcmp(word, "no") == 0)) {
    return word[0] == 'y';
  }
  (void)clGetDeviceInfo(device, CL_DEVICE_TYPE, sizeof(type), &type, NULL);
  return (type & CL_DEVICE_TYPE_CPU) == 0;
}

/* An operand as CLBlast names it in a layout. */
typedef struct side {
  cl_mem data;
  size_t offset;
  size_t ld;
  size_t stride;
  int transposed;
} side;

static side
side_of(const pz_mat* const m, const bool row_major)
{
  const bool rows = m->cols > 1 ? m->col_stride == 1 : m->row_stride != 1 || m->rows == 1;
  const int64_t minor = rows ? m->cols : m->rows;
  const int64_t stride = rows ? m->row_stride : m->col_stride;
  const bool idle = rows ? m->rows == 1 : m->cols == 1;
  return (side){
      .data = (cl_mem)m->data,
      .offset = (size_t)(m->byte_offset / pz_dtype_size(m->dtype)),
      .ld = (size_t)(idle ? minor : stride),
      .stride = (size_t)(m->batch > 1 ? m->batch_stride : 0),
      .transposed = rows == row_major ? PLAIN : TRANSPOSED,
  };
}

pz_status
opencl_clblast_gemm(pz_backend_queue* const q, const double alpha, const pz_mat* const a,
                    const pz_mat* const b, const double beta, const pz_mat* const y)
{
  const size_t m = (size_t)y->rows;
  const size_t n = (size_t)y->cols;
  const size_t k = (size_t)a->cols;
  if (!opencl_of(q)->clblast || m < 32 || n < 32 || k < 32 ||
      (double)m * (double)n * (double)k < least_work) {
    return PZ_UNSUPPORTED;
  }
  (void)pthread_once(&once, open_library);
  if (!multiply_f32 || !multiply_f64) {
    return PZ_UNSUPPORTED;
  }
  const bool row_major = y->col_stride == 1;
  const side as = side_of(a, row_major);
  const side bs = side_of(b, row_major);
  const side ys = side_of(y, row_major);
  const int layout = row_major ? ROW_MAJOR : COLUMN_MAJOR;
  cl_command_queue queue = opencl_of(q)->queue;
  const int code =
      y->dtype == PZ_F32
          ? multiply_f32(layout, as.transposed, bs.transposed, m, n, k, (float)alpha, as.data,
                         as.offset, as.ld, as.stride, bs.data, bs.offset, bs.ld, bs.stride,
                         (float)beta, ys.data, ys.offset, ys.ld, ys.stride, (size_t)y->batch,
                         &queue, NULL)
          : multiply_f64(layout, as.transposed, bs.transposed, m, n, k, alpha, as.data, as.offset,
                         as.ld, as.stride, bs.data, bs.offset, bs.ld, bs.stride, beta, ys.data,
                         ys.offset, ys.ld, ys.stride, (size_t)y->batch, &queue, NULL);
  if (code == 0) {
    return PZ_OK;
  }
  /* its checks of arguments come first; what OpenCL itself says has codes above -1000 */
  return code < -1000 ? PZ_UNSUPPORTED : opencl_failed(q->host, code, "a product by CLBlast");
}
