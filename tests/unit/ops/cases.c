/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "operands.h"

#include <math.h>
#include <stdlib.h>

/* ---- elementwise ------------------------------------------------------------------ */

static void
elementwise(op_runner* const runner, const int32_t nb, const int64_t* const batch, const int64_t n)
{
  const extents e = under(nb, batch, n, n + 2);
  pz_tensor* const x = IN(e);
  pz_tensor* const w = IN(e);
  pz_tensor* const copied = OUT(e);
  pz_tensor* const filled = OUT(e);
  pz_tensor* const fresh = OUT(e);
  pz_tensor* const added = INOUT(e);
  pz_tensor* const self = INOUT(e);
  pz_tensor* const scaled = INOUT(e);
  pz_tensor* const product = OUT(e);
  pz_tensor* const more = INOUT(e);
  pz_tensor* const squared = INOUT(e);
  OP(copy, x, copied);
  OP(fill, 2.5, filled);
  OP(axpby, 1.5, x, 0.0, fresh);
  OP(axpby, -0.5, x, 2.0, added);
  OP(axpby, 2.0, self, 0.5, self);
  OP(scale, -3.0, scaled);
  OP(hadamard, 2.0, x, w, 0.0, product);
  OP(hadamard, 1.0, x, w, -1.0, more);
  OP(hadamard, 1.0, squared, squared, 0.0, squared);
  pz_tensor* const all[] = {copied, filled, fresh, added, self, scaled, product, more, squared};
  for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); ++k) {
    runner_keep(runner, all[k]);
  }
}

static void
combine(op_runner* const runner, const int32_t nb, const int64_t* const batch, const int64_t n)
{
  const extents e = under(nb, batch, n + 1, n);
  const pz_tensor* const x[] = {IN(e), IN(e), IN(e)};
  pz_tensor* const y = OUT(e);
  pz_tensor* const shifted = OUT(e);
  pz_tensor* const self = INOUT(e);
  const double a[] = {1.5, 0.0, -2.0};
  OP(combine, 0.0, 3, a, x, y);
  OP(combine, 0.75, 3, a, x, shifted);
  const pz_tensor* const with_self[] = {x[0], self, self};
  const double b[] = {1.0, 2.0, -0.5};
  OP(combine, -1.0, 3, b, with_self, self);
  runner_keep(runner, y);
  runner_keep(runner, shifted);
  runner_keep(runner, self);
}

/* ---- one pass over matrices ---------------------------------------------------------- */

static void
structured(op_runner* const runner, const int32_t nb, const int64_t* const batch, const int64_t n)
{
  const extents e = under(nb, batch, n, n);
  pz_tensor* const x = IN(e);
  for (int sign = -1; sign <= 1; sign += 2) {
    for (int triangle = 0; triangle <= 1; ++triangle) {
      pz_tensor* const folded = OUT(e);
      pz_tensor* const adjoint = OUT(e);
      OP(fold, (pz_triangle)triangle, sign, x, folded);
      OP(fold_adjoint, (pz_triangle)triangle, sign, x, adjoint);
      runner_keep(runner, folded);
      runner_keep(runner, adjoint);
    }
    pz_tensor* const y = OUT(e);
    OP(symmetrize, 0.5, sign, x, y);
    runner_keep(runner, y);
  }
}

static void
oblong(op_runner* const runner, const int32_t nb, const int64_t* const batch, const int64_t n)
{
  const int64_t shapes[][2] = {{n, n + 2}, {n + 2, n}};
  for (int s = 0; s < 2; ++s) {
    const extents e = under(nb, batch, shapes[s][0], shapes[s][1]);
    const extents ed = under(nb, batch, n, -1);
    pz_tensor* const x = IN(e);
    pz_tensor* const shifted = INOUT(e);
    pz_tensor* const set = INOUT(e);
    pz_tensor* const self = INOUT(e);
    pz_tensor* const d = OUT(ed);
    OP(add_identity, 2.0, shifted);
    OP(get_diagonal, x, d);
    OP(set_diagonal, d, set);
    OP(triangle, PZ_LOWER, -1, self, self);
    runner_keep(runner, shifted);
    runner_keep(runner, d);
    runner_keep(runner, set);
    runner_keep(runner, self);
    for (int64_t offset = -1; offset <= 1; ++offset) {
      pz_tensor* const upper = OUT(e);
      pz_tensor* const lower = OUT(e);
      OP(triangle, PZ_UPPER, offset, x, upper);
      OP(triangle, PZ_LOWER, offset, x, lower);
      runner_keep(runner, upper);
      runner_keep(runner, lower);
    }
  }
}

static void
reductions(op_runner* const runner, const int32_t nb, const int64_t* const batch, const int64_t n)
{
  const extents e = under(nb, batch, n, n + 3);
  pz_tensor* const x = IN(e);
  pz_tensor* const w = IN(e);
  for (int axis = 0; axis <= 2; ++axis) {
    const extents er = under(nb, batch, axis == 2 ? -1 : axis == 0 ? n + 3 : n, -1);
    for (int kind = 1; kind <= 3; ++kind) {
      pz_tensor* const norm = OUT(er);
      OP(norm, (pz_norm)kind, (pz_axis)axis, x, norm);
      runner_keep(runner, norm);
    }
    pz_tensor* const dot = OUT(er);
    pz_tensor* const d = IN(er);
    pz_tensor* const scaled = OUT(e);
    pz_tensor* const self = INOUT(e);
    OP(dot, (pz_axis)axis, x, w, dot);
    OP(scale_by, (pz_axis)axis, d, x, scaled);
    OP(scale_by, (pz_axis)axis, d, self, self);
    /* cancellation in a single sum says nothing: add 1 to the magnitudes */
    double* const sums = runner_values(runner, dot);
    for (int64_t k = 0; k < pz_count(dot); ++k) {
      sums[k] += 10.0 * sqrt((double)n);
    }
    runner_keep_values(runner, sums, (size_t)pz_count(dot));
    free(sums);
    runner_keep(runner, scaled);
    runner_keep(runner, self);
  }
}

/* ---- products ------------------------------------------------------------------------ */

static void
products(op_runner* const runner, const int32_t nb, const int64_t* const batch, const int64_t n)
{
  const int64_t m = n + 1;
  const int64_t k = n + 2;
  for (int t = 0; t < 4; ++t) {
    const bool ta = (t & 1) != 0;
    const bool tb = (t & 2) != 0;
    const extents ea = ta ? under(nb, batch, k, m) : under(nb, batch, m, k);
    const extents eb = tb ? under(nb, batch, n, k) : under(nb, batch, k, n);
    const extents ey = under(nb, batch, m, n);
    pz_tensor* const a = IN(ea);
    pz_tensor* const b = IN(eb);
    pz_tensor* const fresh = OUT(ey);
    pz_tensor* const more = INOUT(ey);
    OP(gemm, (pz_trans)ta, (pz_trans)tb, 1.0, a, b, 0.0, fresh);
    OP(gemm, (pz_trans)ta, (pz_trans)tb, -0.5, a, b, 2.0, more);
    runner_keep(runner, fresh);
    runner_keep(runner, more);
  }
  for (int t = 0; t < 2; ++t) {
    const extents ea = t ? under(nb, batch, n, m) : under(nb, batch, m, n);
    const extents ey = under(nb, batch, m, m);
    pz_tensor* const a = IN(ea);
    pz_tensor* const fresh = OUT(ey);
    double* const symmetric = square_values(runner, &ey, 's');
    pz_tensor* const more = runner_inout(runner, ey.ndim, ey.shape, symmetric);
    free(symmetric);
    OP(syrk, (pz_trans)t, 1.0, a, 0.0, fresh);
    OP(syrk, (pz_trans)t, -1.0, a, 3.0, more);
    runner_keep(runner, fresh);
    runner_keep(runner, more);
  }
}

static void
triangular(op_runner* const runner, const int32_t nb, const int64_t* const batch, const int64_t n)
{
  for (int form = 0; form < 16; ++form) {
    const bool right = (form & 1) != 0;
    const extents et = under(nb, batch, n, n);
    const extents eb = right ? under(nb, batch, n + 2, n) : under(nb, batch, n, n + 2);
    const pz_diagonal diagonal = (form & 8) != 0 ? PZ_UNIT : PZ_NON_UNIT;
    pz_tensor* const t = square_input(runner, &et, 'd');
    pz_tensor* const multiplied = INOUT(eb);
    OP(trmm, (pz_side)right, (pz_triangle)(form >> 1 & 1), (pz_trans)(form >> 2 & 1), diagonal, 1.5,
       t, multiplied);
    runner_keep(runner, multiplied);
    if (diagonal == PZ_NON_UNIT || n < 9) { /* unit triangles are ill conditioned */
      pz_tensor* const solved = INOUT(eb);
      OP(trsm, (pz_side)right, (pz_triangle)(form >> 1 & 1), (pz_trans)(form >> 2 & 1), diagonal,
         -2.0, t, solved);
      runner_keep(runner, solved);
    }
  }
}

/* ---- the rest -------------------------------------------------------------------------- */

static void
rows_by_index(op_runner* const runner, const int32_t nb, const int64_t* const batch,
              const int64_t n)
{
  int64_t indices[8];
  const int64_t taken = 5;
  for (int64_t k = 0; k < taken; ++k) {
    indices[k] = (3 * k + 1) % n;
  }
  const extents ex = under(nb, batch, n, n + 1);
  const extents ey = under(nb, batch, taken, n + 1);
  pz_tensor* const index = runner_integers(runner, 1, &taken, indices);
  pz_tensor* const x = IN(ex);
  pz_tensor* const y = OUT(ey);
  pz_tensor* const from = IN(ey);
  pz_tensor* const placed = INOUT(ex);
  pz_tensor* const added = INOUT(ex);
  OP(take, index, x, y);
  OP(put, false, index, from, placed);
  OP(put, true, index, from, added);
  runner_keep(runner, y);
  runner_keep(runner, placed);
  runner_keep(runner, added);
}

static void
random_numbers(op_runner* const runner, const int32_t nb, const int64_t* const batch,
               const int64_t n)
{
  const extents e = under(nb, batch, n, n);
  pz_tensor* const bits = runner_integers(runner, e.ndim, e.shape, NULL);
  OP(random, PZ_BITS, 99, 5, 0.0, 0.0, bits);
  for (int kind = PZ_UNIFORM; kind <= PZ_BERNOULLI; ++kind) {
    pz_tensor* const y = OUT(e);
    OP(random, (pz_distribution)kind, 77, 3, 0.25, 2.0, y);
    runner_keep(runner, y);
  }
  runner_keep(runner, bits);
}

/* clang-format off */
PZ_KERNEL(wave, 2, 1, 1,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  PZ_REAL_ARG(0, a);
  PZ_INTEGER_ARG(0, n);
  y[i] = a * pz_sin(x[i]) + x[n - 1 - i];
)
/* clang-format on */

static void
kernels_and_crossing(op_runner* const runner, const int32_t nb, const int64_t* const batch,
                     const int64_t n)
{
  const extents e = under(nb, batch, n, n);
  pz_tensor* const x = IN(e);
  pz_tensor* const written = OUT(e);
  const int64_t count = pz_count(x);
  double* const values = calloc((size_t)count + 1, sizeof(double));
  OP(read, x, values);
  runner_keep_values(runner, values, (size_t)count);
  for (int64_t k = 0; k < count; ++k) {
    values[k] += (double)(k % 7);
  }
  OP(write, values, written);
  runner_keep(runner, written);
  free(values);
  if (runner->layout == PLAIN || runner->layout == OFFSET) {
    pz_tensor* const y = OUT(e);
    const pz_tensor* const tensors[] = {x, y};
    const double a = 1.5;
    OP(launch, &wave, count, tensors, &a, &count);
    runner_keep(runner, y);
  }
}

const ops_case ops_cases[] = {
    {"elementwise", elementwise, 1.0},
    {"combine", combine, 1.0},
    {"structured", structured, 1.0},
    {"oblong", oblong, 1.0},
    {"reductions", reductions, 4.0},
    {"products", products, 2.0},
    {"triangular", triangular, 10.0},
    {"inverses", case_inverses, 10.0},
    {"factorizations", case_factorizations, 10.0},
    {"rows", rows_by_index, 1.0},
    {"random", random_numbers, 10.0},
    {"kernels", kernels_and_crossing, 2.0},
};
const size_t n_ops_cases = sizeof(ops_cases) / sizeof(ops_cases[0]);
