/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Operands of the cases, and the cases of inverses and factorizations. */

#include "operands.h"

#include <math.h>
#include <stdlib.h>

extents
under(const int32_t nb, const int64_t* const batch, const int64_t rows, const int64_t cols)
{
  extents e = {.ndim = nb};
  for (int32_t i = 0; i < nb; ++i) {
    e.shape[i] = batch[i];
  }
  if (rows >= 0) {
    e.shape[e.ndim++] = rows;
  }
  if (cols >= 0) {
    e.shape[e.ndim++] = cols;
  }
  return e;
}

double*
square_values(op_runner* const runner, const extents* const e, const char kind)
{
  const int64_t n = e->shape[e->ndim - 1];
  const int64_t count = pz_shape_count(e->ndim, e->shape);
  double* const v = calloc((size_t)count + 1, sizeof(double));
  for (int64_t k = 0; k < count; ++k) {
    v[k] = (double)(float)(0.25 * test_normal(&runner->random));
  }
  for (int64_t m = 0; n > 0 && m < count / (n * n); ++m) {
    double* const a = v + m * n * n;
    for (int64_t r = 0; r < n; ++r) {
      for (int64_t c = 0; c < r && kind != 'd'; ++c) {
        a[r * n + c] = kind == 'k' ? -a[c * n + r] : a[c * n + r];
      }
      a[r * n + r] += kind == 'p' || kind == 'd' ? (double)(float)(3.0 * sqrt((double)n)) : 0.0;
      a[r * n + r] = kind == 'k' ? 0.0 : (double)(float)a[r * n + r];
    }
  }
  return v;
}

pz_tensor*
square_input(op_runner* const runner, const extents* const e, const char kind)
{
  double* const v = square_values(runner, e, kind);
  pz_tensor* const t = runner_input(runner, e->ndim, e->shape, v);
  free(v);
  return t;
}

/* Keeps the products a b of batches (m x k) (k x n), either transposed. */
static void
keep_product(op_runner* const runner, const double* const a, const bool ta, const double* const b,
             const bool tb, const int64_t batch, const int64_t m, const int64_t k, const int64_t n)
{
  double* const y = calloc((size_t)(batch * m * n) + 1, sizeof(double));
  for (int64_t i = 0; i < batch * m * n; ++i) {
    const int64_t c = i % n;
    const int64_t r = i / n % m;
    const double* const am = a + i / n / m * m * k;
    const double* const bm = b + i / n / m * k * n;
    for (int64_t t = 0; t < k; ++t) {
      y[i] += (ta ? am[t * m + r] : am[r * k + t]) * (tb ? bm[c * k + t] : bm[t * n + c]);
    }
  }
  runner_keep_values(runner, y, (size_t)(batch * m * n));
  free(y);
}

void
case_inverses(op_runner* const runner, const int32_t nb, const int64_t* const batch,
              const int64_t n)
{
  const extents e = under(nb, batch, n, n);
  const extents eb = under(nb, batch, n, n + 1);
  pz_tensor* const skew = square_input(runner, &e, 'k');
  pz_tensor* const general = square_input(runner, &e, 'd');
  pz_tensor* const definite = square_input(runner, &e, 'p');
  pz_tensor* const b = IN(eb);
  pz_tensor* const cayley = OUT(e);
  pz_tensor* const inverse = OUT(e);
  pz_tensor* const plain = OUT(e);
  pz_tensor* const x = OUT(eb);
  pz_tensor* const z = OUT(eb);
  OP(shifted_inverse, PZ_SKEW, &(pz_shift){-1.0, 2.0, 1.0, -1.0}, skew, cayley);
  // both terms of one sign: the result of order 1 is no difference of equal numbers
  OP(shifted_inverse, PZ_GENERAL, &(pz_shift){-0.5, -1.5, 0.0, 1.0}, general, inverse);
  OP(shifted_inverse, PZ_SPD, &(pz_shift){0.0, 1.0, 1.0, 1.0}, definite, plain);
  OP(solve, PZ_GENERAL, general, b, x);
  OP(solve, PZ_SPD, definite, b, z);
  runner_keep(runner, cayley);
  runner_keep(runner, inverse);
  runner_keep(runner, plain);
  runner_keep(runner, x);
  runner_keep(runner, z);
  for (int triangle = 0; triangle <= 1; ++triangle) {
    pz_tensor* const l = OUT(e);
    OP(potrf, (pz_triangle)triangle, definite, l);
    runner_keep(runner, l);
  }
}

/* By what the factors multiply to, and by their orthonormality. */
void
case_factorizations(op_runner* const runner, const int32_t nb, const int64_t* const batch,
                    const int64_t n)
{
  const int64_t count = pz_shape_count(nb, batch);
  const int64_t shapes[][2] = {{n, n + 2}, {n + 2, n}, {n, n}};
  for (int s = 0; s < 3; ++s) {
    const int64_t rows = shapes[s][0];
    const int64_t cols = shapes[s][1];
    const extents ea = under(nb, batch, rows, cols);
    const extents el = under(nb, batch, rows, n);
    const extents er = under(nb, batch, n, cols);
    const extents es = under(nb, batch, n, -1);
    pz_tensor* const a = IN(ea);
    pz_tensor* const q = OUT(el);
    pz_tensor* const r = OUT(er);
    pz_tensor* const u = OUT(el);
    pz_tensor* const d = OUT(es);
    pz_tensor* const vt = OUT(er);
    pz_tensor* const alone = OUT(es);
    OP(qr, a, q, r);
    OP(svd, a, u, d, vt);
    OP(svd, a, NULL, alone, NULL);
    runner_keep(runner, d);
    runner_keep(runner, alone);
    double* const qv = runner_values(runner, q);
    double* const rv = runner_values(runner, r);
    double* const uv = runner_values(runner, u);
    double* const vv = runner_values(runner, vt);
    double* const dv = runner_values(runner, d);
    keep_product(runner, qv, false, rv, false, count, rows, n, cols);
    keep_product(runner, qv, true, qv, false, count, n, rows, n);
    keep_product(runner, uv, true, uv, false, count, n, rows, n);
    for (int64_t k = 0; k < count * rows * n; ++k) {
      uv[k] *= dv[k / (rows * n) * n + k % n];
    }
    keep_product(runner, uv, false, vv, false, count, rows, n, cols);
    free(qv), free(rv), free(uv), free(vv), free(dv);
  }
  const extents e = under(nb, batch, n, n);
  const extents es = under(nb, batch, n, -1);
  pz_tensor* const a = square_input(runner, &e, 's');
  pz_tensor* const w = OUT(es);
  pz_tensor* const v = OUT(e);
  pz_tensor* const alone = OUT(es);
  OP(eigh, a, w, v);
  OP(eigh, a, alone, NULL);
  runner_keep(runner, w);
  runner_keep(runner, alone);
  double* const wv = runner_values(runner, w);
  double* const vv = runner_values(runner, v);
  double* const scaled = runner_values(runner, v);
  for (int64_t k = 0; k < count * n * n; ++k) {
    scaled[k] *= wv[k / (n * n) * n + k % n];
  }
  keep_product(runner, scaled, false, vv, true, count, n, n, n);
  free(wv), free(vv), free(scaled);
}
