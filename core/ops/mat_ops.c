/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Operations on matrices: each makes a request and dispatches it. */

#include "mat_ops.h"

#include "dispatch.h"

#include <string.h>

/* A request for y from x. */
static pzi_request
unary(const pz_queue* const queue, const pzi_op op, const pz_mat* const x, const pz_mat* const y,
      const uint8_t access)
{
  return (pzi_request){
      .op = op,
      .n = 2,
      .dtype = x->dtype,
      .access = {PZI_READ, access},
      .mat = {*x, *y},
      .fault = &queue->fault,
  };
}

pz_status
pzi_mat_ops_copy(pz_queue* const queue, const pz_mat* const x, const pz_mat* const y)
{
  const pzi_request r = unary(queue, PZI_COPY, x, y, PZI_WRITE);
  return pzi_dispatch(queue, &r);
}

pz_status
pzi_mat_ops_axpby(pz_queue* const queue, const double a, const pz_mat* const x, const double b,
                  const pz_mat* const y)
{
  pzi_request r = unary(queue, PZI_AXPBY, x, y, b == 0.0 ? PZI_WRITE : PZI_UPDATE);
  r.real[0] = a;
  r.real[1] = b;
  return pzi_dispatch(queue, &r);
}

/* An operation on y alone, with one number. */
static pz_status
in_place(pz_queue* const queue, const pzi_op op, const double number, const pz_mat* const y,
         const uint8_t access)
{
  const pzi_request r = {
      .op = op,
      .n = 1,
      .dtype = y->dtype,
      .access = {access},
      .mat = {*y},
      .real = {number},
      .fault = &queue->fault,
  };
  return pzi_dispatch(queue, &r);
}

pz_status
pzi_mat_ops_fill(pz_queue* const queue, const double value, const pz_mat* const y)
{
  return in_place(queue, PZI_FILL, value, y, PZI_WRITE);
}

pz_status
pzi_mat_ops_add_identity(pz_queue* const queue, const double a, const pz_mat* const y)
{
  return in_place(queue, PZI_ADD_IDENTITY, a, y, PZI_UPDATE);
}

pz_status
pzi_mat_ops_shifted(pz_queue* const queue, const double shift, const double a,
                    const pz_mat* const x, const pz_mat* const y)
{
  pzi_request r = unary(queue, PZI_COMBINE, x, y, PZI_WRITE);
  r.shift = shift;
  r.real[0] = a;
  return pzi_dispatch(queue, &r);
}

pz_status
pzi_mat_ops_gemm(pz_queue* const queue, const double alpha, const pz_mat* const a,
                 const pz_mat* const b, const double beta, const pz_mat* const y)
{
  const pzi_request r = {
      .op = PZI_GEMM,
      .n = 3,
      .dtype = y->dtype,
      .access = {PZI_READ, PZI_READ, beta == 0.0 ? PZI_WRITE : PZI_UPDATE},
      .mat = {*a, *b, *y},
      .real = {alpha, beta},
      .fault = &queue->fault,
  };
  return pzi_dispatch(queue, &r);
}

pz_status
pzi_mat_ops_unary(pz_queue* const queue, const pzi_op op, const int which, const int sign,
                  const int64_t offset, const pz_mat* const x, const pz_mat* const y)
{
  pzi_request r = unary(queue, op, x, y, PZI_WRITE);
  r.which = which;
  r.sign = sign;
  r.integer = offset;
  return pzi_dispatch(queue, &r);
}

pz_status
pzi_mat_ops_launch(pz_queue* const queue, const pz_kernel* const kernel, const int64_t n_items,
                   const pz_mat* const mats, const double* const reals, const uint32_t n,
                   const int64_t* const integers)
{
  int64_t all[PZ_KERNEL_MAX_ARGS];
  const uint32_t n_layout = kernel->n_integers - n;
  for (uint32_t k = 0; 2 * k < n_layout; ++k) {
    const pz_mat* const m = &mats[k];
    all[2 * k] = pzi_mat_row_major(m) ? m->row_stride : -m->col_stride;
    all[2 * k + 1] = m->batch_stride;
  }
  memcpy(all + n_layout, integers, n * sizeof(*integers));
  pzi_request r = {
      .op = PZI_LAUNCH,
      .n = kernel->n_tensors,
      .dtype = mats[0].dtype,
      .integer = n_items,
      .fault = &queue->fault,
      .kernel = kernel,
      .reals = reals,
      .integers = all,
  };
  for (uint32_t k = 0; k < r.n; ++k) {
    r.mat[k] = pzi_mat_line(&mats[k]);
    r.access[k] = PZI_UPDATE;
  }
  return pzi_dispatch_native(queue, &r);
}
