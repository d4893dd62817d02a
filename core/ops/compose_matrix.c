/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Structured passes, diagonals, reductions and scalings from portable kernels. An item of a kernel
   is one entry of the output, columns fastest. */

#include "compose_ways.h"

#include "dispatch.h"
#include "mat_ops.h"

/* clang-format off */
PZ_KERNEL(compose_add_identity, 1, 1, 3,
  PZ_TENSOR_ARG(0, y);
  PZ_REAL_ARG(0, a);
  PZ_INTEGER_ARG(0, yl);
  PZ_INTEGER_ARG(1, yb);
  PZ_INTEGER_ARG(2, n);
  const pz_int r = i % n;
  const pz_int k = i / n;
  y[k * yb + (yl > 0 ? r * yl + r : r - r * yl)] += a;
)

/* Each entry from that of x at the same place and its mirror image. Off the diagonal:
   fold (0): the one in the triangle, with the sign outside it;
   fold_adjoint (1): g + sign g^T in the triangle, 0 outside;
   symmetrize (2): a (x + sign x^T). */
PZ_KERNEL(compose_mirror, 2, 2, 7,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  PZ_REAL_ARG(0, sign);
  PZ_REAL_ARG(1, a);
  PZ_INTEGER_ARG(0, xl);
  PZ_INTEGER_ARG(1, xb);
  PZ_INTEGER_ARG(2, yl);
  PZ_INTEGER_ARG(3, yb);
  PZ_INTEGER_ARG(4, n);
  PZ_INTEGER_ARG(5, lower);
  PZ_INTEGER_ARG(6, kind);
  const pz_int c = i % n;
  const pz_int r = i / n % n;
  const pz_int k = i / n / n;
  const real here = x[k * xb + (xl > 0 ? r * xl + c : r - c * xl)];
  const real there = x[k * xb + (xl > 0 ? c * xl + r : c - r * xl)];
  const pz_int inside = lower ? r > c : r < c;
  real v;
  if (kind == 2) {
    v = a * (here + sign * there);
  } else if (r == c) {
    v = sign > (real)0 ? here : (real)0;
  } else if (kind == 0) {
    v = inside ? here : sign * there;
  } else {
    v = inside ? here + sign * there : (real)0;
  }
  y[k * yb + (yl > 0 ? r * yl + c : r - c * yl)] = v;
)

PZ_KERNEL(compose_triangle, 2, 0, 8,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  PZ_INTEGER_ARG(0, xl);
  PZ_INTEGER_ARG(1, xb);
  PZ_INTEGER_ARG(2, yl);
  PZ_INTEGER_ARG(3, yb);
  PZ_INTEGER_ARG(4, rows);
  PZ_INTEGER_ARG(5, cols);
  PZ_INTEGER_ARG(6, lower);
  PZ_INTEGER_ARG(7, offset);
  const pz_int c = i % cols;
  const pz_int r = i / cols % rows;
  const pz_int k = i / cols / rows;
  const pz_int kept = lower ? c - r <= offset : c - r >= offset;
  y[k * yb + (yl > 0 ? r * yl + c : r - c * yl)] =
    kept ? x[k * xb + (xl > 0 ? r * xl + c : r - c * xl)] : (real)0;
)

/* Copies the diagonal of m to the column d, or with `set` d to the diagonal. */
PZ_KERNEL(compose_diagonal, 2, 0, 6,
  PZ_TENSOR_ARG(0, m);
  PZ_TENSOR_ARG(1, d);
  PZ_INTEGER_ARG(0, ml);
  PZ_INTEGER_ARG(1, mb);
  PZ_INTEGER_ARG(2, dl);
  PZ_INTEGER_ARG(3, db);
  PZ_INTEGER_ARG(4, n);
  PZ_INTEGER_ARG(5, set);
  const pz_int r = i % n;
  const pz_int k = i / n;
  const pz_int at_m = k * mb + (ml > 0 ? r * ml + r : r - r * ml);
  const pz_int at_d = k * db + (dl > 0 ? r * dl : r);
  if (set) {
    m[at_m] = d[at_d];
  } else {
    d[at_d] = m[at_m];
  }
)

/* Item j reduces column j (axis 0), row j (1) or the matrix (2). Kind 0 sums, 1 sums
   magnitudes, 2 is the root of the sum of squares scaled by the largest magnitude, 3 the
   largest magnitude. Sums run over blocks of 64 and then over the blocks, so that rounding grows
   with n/64 + 64 rather than with n. */
PZ_KERNEL(compose_reduce, 2, 0, 8,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, out);
  PZ_INTEGER_ARG(0, xl);
  PZ_INTEGER_ARG(1, xb);
  PZ_INTEGER_ARG(2, ol);
  PZ_INTEGER_ARG(3, ob);
  PZ_INTEGER_ARG(4, rows);
  PZ_INTEGER_ARG(5, cols);
  PZ_INTEGER_ARG(6, axis);
  PZ_INTEGER_ARG(7, kind);
  const pz_int n_out = axis == 0 ? cols : (axis == 1 ? rows : 1);
  const pz_int n = axis == 0 ? rows : (axis == 1 ? cols : rows * cols);
  const pz_int j = i % n_out;
  const pz_int k = i / n_out;
  real largest = (real)0;
  if (kind >= 2) {
    for (pz_int t = 0; t < n; ++t) {
      const pz_int r = axis == 0 ? t : (axis == 1 ? j : t / cols);
      const pz_int c = axis == 0 ? j : (axis == 1 ? t : t % cols);
      const real v = pz_abs(x[k * xb + (xl > 0 ? r * xl + c : r - c * xl)]);
      largest = v > largest || v != v ? v : largest;
    }
  }
  real result = largest;
  const pz_int finite = largest - largest == (real)0;
  if (kind < 2 || (kind == 2 && finite && largest > (real)0)) {
    real total = (real)0;
    real part = (real)0;
    for (pz_int t = 0; t < n; ++t) {
      const pz_int r = axis == 0 ? t : (axis == 1 ? j : t / cols);
      const pz_int c = axis == 0 ? j : (axis == 1 ? t : t % cols);
      const real v = x[k * xb + (xl > 0 ? r * xl + c : r - c * xl)];
      const real scaled = kind == 2 ? v / largest : v;
      part += kind == 0 ? v : (kind == 1 ? pz_abs(v) : scaled * scaled);
      if (t % 64 == 63) {
        total += part;
        part = (real)0;
      }
    }
    total += part;
    result = kind == 2 ? largest * pz_sqrt(total) : total;
  }
  out[k * ob + (ol > 0 ? j * ol : j)] = result;
)

/* y = y times d, whose entry j is for column j (axis 0), row j (1) or the matrix (2). */
PZ_KERNEL(compose_scale_by, 2, 0, 7,
  PZ_TENSOR_ARG(0, d);
  PZ_TENSOR_ARG(1, y);
  PZ_INTEGER_ARG(0, dl);
  PZ_INTEGER_ARG(1, db);
  PZ_INTEGER_ARG(2, yl);
  PZ_INTEGER_ARG(3, yb);
  PZ_INTEGER_ARG(4, rows);
  PZ_INTEGER_ARG(5, cols);
  PZ_INTEGER_ARG(6, axis);
  const pz_int c = i % cols;
  const pz_int r = i / cols % rows;
  const pz_int k = i / cols / rows;
  const pz_int j = axis == 0 ? c : (axis == 1 ? r : 0);
  y[k * yb + (yl > 0 ? r * yl + c : r - c * yl)] *= d[k * db + (dl > 0 ? j * dl : j)];
)
/* clang-format on */

static int64_t
least(const int64_t a, const int64_t b)
{
  return a < b ? a : b;
}

pz_status
pzi_compose_add_identity(pz_queue* const queue, const pzi_request* const r)
{
  const pz_mat* const y = &r->mat[0];
  const int64_t n = least(y->rows, y->cols);
  return pzi_mat_ops_launch(queue, &compose_add_identity, y->batch * n, y, r->real, 1, &n);
}

pz_status
pzi_compose_mirror(pz_queue* const queue, const pzi_request* const r)
{
  const pz_mat* const y = &r->mat[1];
  const double reals[] = {(double)r->sign, r->real[0]};
  const int64_t kind = r->op == PZI_FOLD ? 0 : r->op == PZI_FOLD_ADJOINT ? 1 : 2;
  const int64_t integers[] = {y->rows, r->which == PZ_LOWER, kind};
  return pzi_mat_ops_launch(queue, &compose_mirror, y->batch * y->rows * y->cols, r->mat, reals, 3,
                            integers);
}

static pz_status
triangle(pz_queue* const queue, const pz_mat* const mats, const bool lower, const int64_t offset)
{
  const pz_mat* const y = &mats[1];
  const int64_t integers[] = {y->rows, y->cols, lower, offset};
  return pzi_mat_ops_launch(queue, &compose_triangle, y->batch * y->rows * y->cols, mats, NULL, 4,
                            integers);
}

pz_status
pzi_compose_triangle(pz_queue* const queue, const pzi_request* const r)
{
  return triangle(queue, r->mat, r->which == PZ_LOWER, r->integer);
}

/* The triangle under a diagonal that lies above the whole matrix. */
pz_status
pzi_compose_copy_kernel(pz_queue* const queue, const pzi_request* const r)
{
  return r->dtype == PZ_I64 ? PZ_UNSUPPORTED : triangle(queue, r->mat, true, r->mat[1].cols);
}

pz_status
pzi_compose_diagonal(pz_queue* const queue, const pzi_request* const r)
{
  const bool set = r->op == PZI_SET_DIAGONAL;
  const pz_mat* const d = &r->mat[set ? 0 : 1];
  const pz_mat mats[] = {r->mat[set ? 1 : 0], *d};
  const int64_t integers[] = {d->rows, set};
  return pzi_mat_ops_launch(queue, &compose_diagonal, d->batch * d->rows, mats, NULL, 2, integers);
}

/* Reduces mats[0] to mats[1]. Kind 0 sums, others as pz_norm. */
static pz_status
reduce(pz_queue* const queue, const int kind, const int axis, const pz_mat* const mats)
{
  const int64_t integers[] = {mats[0].rows, mats[0].cols, axis, kind};
  return pzi_mat_ops_launch(queue, &compose_reduce, mats[1].batch * mats[1].rows, mats, NULL, 4,
                            integers);
}

pz_status
pzi_compose_norm(pz_queue* const queue, const pzi_request* const r)
{
  return reduce(queue, r->sign, r->which, r->mat);
}

pz_status
pzi_compose_dot(pz_queue* const queue, const pzi_request* const r)
{
  const pz_mat* const x = &r->mat[0];
  pzi_request product = {
      .op = PZI_HADAMARD,
      .n = 3,
      .dtype = r->dtype,
      .access = {PZI_READ, PZI_READ, PZI_WRITE},
      .mat = {*x, r->mat[1]},
      .real = {1.0, 0.0},
      .fault = r->fault,
  };
  PZ_TRY(pzi_mat_scratch(queue, r->dtype, x->batch, x->rows, x->cols, &product.mat[2]));
  PZ_TRY(pzi_dispatch(queue, &product));
  const pz_mat mats[] = {product.mat[2], r->mat[2]};
  return reduce(queue, 0, r->which, mats);
}

pz_status
pzi_compose_scale_by(pz_queue* const queue, const pzi_request* const r)
{
  const pz_mat* const x = &r->mat[1];
  const pz_mat* const y = &r->mat[2];
  if (x->data != y->data || x->byte_offset != y->byte_offset) {
    PZ_TRY(pzi_mat_ops_copy(queue, x, y));
  }
  const pz_mat mats[] = {r->mat[0], *y};
  const int64_t integers[] = {y->rows, y->cols, r->which};
  return pzi_mat_ops_launch(queue, &compose_scale_by, y->batch * y->rows * y->cols, mats, NULL, 3,
                            integers);
}
