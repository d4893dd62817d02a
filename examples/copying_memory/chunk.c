/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Forward, with sequences as rows: Z_t = U[x_t] + H_{t-1} W^T, H_t = modrelu(Z_t) in place.
   U x is a row of U^T where x is one-hot. Z need not be kept: H_t != 0 exactly where modrelu
   has slope 1, and sign(H_t) = sign(Z_t) there.

   Backward, D_t = dloss/dZ_t:
     D_t = (Y'_t V + D_{t+1} W) o [H_t != 0]
     gW = sum D_t^T H_{t-1}    gU[x] = sum of the rows of D_t with input x
     gb = sum D_t o sign(H_t)  gV = sum Y'_t^T H_t    gc = sum Y'_t
   Sums over steps run over blocks of steps, one product each. */

#include "chunk.h"

#include <cblas.h>
#include <string.h>
#include <tgmath.h>

/* c (m x n) = a (m x k) b (k x n) + beta c, rows ld* apart. */
static void
multiply(const int m, const int n, const int k, const real* const a, const int lda,
         const real* const b, const int ldb, const real beta, real* const c, const int ldc)
{
  real_gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}

/* c (m x n) += a^T b for a (k x m), b (k x n). */
static void
add_product_transposed(const int m, const int n, const int k, const real* const a, const int lda,
                       const real* const b, const int ldb, real* const c, const int ldc)
{
  real_gemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, n, k, 1, a, lda, b, ldb, 1, c, ldc);
}

/* Elements of one step of the states. */
static size_t
step_size(const chunk* const c)
{
  return (size_t)c->width * (size_t)c->ld;
}

/* z = U x_t, for all sequences. */
static void
put_input(const chunk* const c, const int t, real* restrict z)
{
  const size_t ld = (size_t)c->ld;
  const size_t at = (size_t)t * (size_t)c->p->batch + (size_t)c->first;
  const real* const u = c->weights->input_t;
  for (int s = 0; s < c->width; ++s, z += ld) {
    const uint8_t symbol = c->batch->symbol[at + (size_t)s];
    if (c->p->kind == PROBLEM_COPYING) {
      memcpy(z, u + symbol * ld, ld * sizeof(real));
      continue;
    }
    const real value = c->batch->value[at + (size_t)s];
    const real marker = symbol;
    for (size_t i = 0; i < ld; ++i) {
      z[i] = value * u[i] + marker * u[ld + i];
    }
  }
}

/* z = modrelu(z), n sequences. */
static void
modrelu(const int n, const int ld, const real* restrict const bias, real* restrict z)
{
  for (int s = 0; s < n; ++s, z += ld) {
    for (int i = 0; i < ld; ++i) {
      const real size = fabs(z[i]) + bias[i];
      const real part = size > 0 ? size : 0;
      z[i] = z[i] > 0 ? part : z[i] < 0 ? -part : 0;
    }
  }
}

/* d = dloss/dh becomes dloss/dz, and is added to the gradient of b and to `row`, that of the
   input's row of U^T; one sequence. */
static void
modrelu_vjp(const int ld, const real* restrict const h, real* restrict const d,
            real* restrict const bias, real* restrict const row)
{
  for (int i = 0; i < ld; ++i) {
    const real g = h[i] != 0 ? d[i] : 0;
    d[i] = g;
    bias[i] += h[i] > 0 ? g : -g;
    row[i] += g;
  }
}

/* Cross-entropy of one sequence at one step against class `target`: y becomes
   scale (softmax(y) - e_target); `right` says whether the largest is the target. */
static double
cross_entropy(const int n, const uint8_t target, const real scale, real* const y, int* const right)
{
  int largest = 0;
  for (int i = 1; i < n; ++i) {
    largest = y[i] > y[largest] ? i : largest;
  }
  const real top = y[largest];
  const real at_target = y[target] - top;
  real sum = 0;
  for (int i = 0; i < n; ++i) {
    y[i] = exp(y[i] - top);
    sum += y[i];
  }
  const real factor = scale / sum;
  for (int i = 0; i < n; ++i) {
    y[i] *= factor;
  }
  y[target] -= scale;
  *right = largest == target;
  return (double)log(sum) - (double)at_target;
}

/* Losses of the outputs of steps t .. t + n - 1, which become gradients. */
static void
judge(chunk* const c, const int t, const int n, real* y)
{
  const problem* const p = c->p;
  const double count = (double)p->batch * (p->steps - p->first_output);
  const double symbols = (double)p->batch * PROBLEM_SYMBOLS;
  for (int k = t; k < t + n; ++k) {
    for (int s = 0; s < c->width; ++s, y += c->ld_out) {
      const size_t sequence = (size_t)c->first + (size_t)s;
      if (p->kind == PROBLEM_COPYING) {
        const uint8_t target = c->batch->target[(size_t)k * (size_t)p->batch + sequence];
        int right = 0;
        c->loss += cross_entropy(p->n_outputs, target, (real)(1 / count), y, &right) / count;
        c->correct += k >= p->steps - PROBLEM_SYMBOLS ? right / symbols : 0;
      } else {
        const double error = (double)y[0] - (double)c->batch->sum[sequence];
        c->loss += error * error / count;
        y[0] = (real)(2 * error / count);
      }
    }
  }
}

/* Outputs after steps t .. t + n - 1: Y = H V^T + c, then their losses. */
static void
ask(chunk* const c, int t, int n)
{
  const int first = c->p->first_output;
  if (t + n <= first) {
    return;
  }
  if (t < first) {
    n -= first - t;
    t = first;
  }
  const int rows = n * c->width;
  const real* const h = c->states + (size_t)(t + 1) * step_size(c);
  real* const y = c->outputs + (size_t)(t - first) * (size_t)c->width * (size_t)c->ld_out;
  for (int s = 0; s < rows; ++s) {
    memcpy(y + (size_t)s * (size_t)c->ld_out, c->weights->out_bias,
           (size_t)c->ld_out * sizeof(real));
  }
  multiply(rows, c->ld_out, c->ld, h, c->ld, c->weights->out_t, c->ld_out, 1, y, c->ld_out);
  judge(c, t, n, y);
}

void
chunk_forward(chunk* const c)
{
  const size_t size = step_size(c);
  c->loss = 0;
  c->correct = 0;
  for (int t = 0; t < c->p->steps; t += CHUNK_BLOCK) {
    const int n = c->p->steps - t < CHUNK_BLOCK ? c->p->steps - t : CHUNK_BLOCK;
    for (int k = t; k < t + n; ++k) {
      const real* const before = c->states + (size_t)k * size;
      real* const z = c->states + (size_t)(k + 1) * size;
      put_input(c, k, z);
      multiply(c->width, c->ld, c->ld, before, c->ld, c->weights->kernel_t, c->ld, 1, z, c->ld);
      modrelu(c->width, c->ld, c->weights->bias, z);
    }
    ask(c, t, n);
  }
}

/* The block's part Y' V of dloss/dH of steps t .. t + n - 1, and the gradients of V and c. */
static void
pull_outputs(chunk* const c, const int t, const int n, real* const d)
{
  const int first = c->p->first_output;
  const int silent = t < first ? (first - t < n ? first - t : n) : 0;
  const int rows = (n - silent) * c->width;
  memset(d, 0, (size_t)silent * step_size(c) * sizeof(real));
  if (rows == 0) {
    return;
  }
  const size_t at = (size_t)(t + silent - first) * (size_t)c->width * (size_t)c->ld_out;
  const real* const y = c->outputs + at;
  const real* const h = c->states + (size_t)(t + silent + 1) * step_size(c);
  multiply(rows, c->ld, c->ld_out, y, c->ld_out, c->weights->out, c->ld, 0,
           d + (size_t)silent * step_size(c), c->ld);
  add_product_transposed(c->ld_out, c->ld, rows, y, c->ld_out, h, c->ld, c->gradients.out, c->ld);
  for (int s = 0; s < rows; ++s) {
    for (int i = 0; i < c->p->n_outputs; ++i) {
      c->gradients.out_bias[i] += y[(size_t)s * (size_t)c->ld_out + (size_t)i];
    }
  }
}

/* Step t: d from dloss/dH_{t+1} to dloss/dZ_{t+1}, and the gradients of b and U. */
static void
pull_step(chunk* const c, const int t, real* restrict d)
{
  const size_t ld = (size_t)c->ld;
  const size_t at = (size_t)t * (size_t)c->p->batch + (size_t)c->first;
  const real* h = c->states + (size_t)(t + 1) * step_size(c);
  real* const u = c->gradients.input_t;
  for (int s = 0; s < c->width; ++s, d += ld, h += ld) {
    const uint8_t symbol = c->batch->symbol[at + (size_t)s];
    if (c->p->kind == PROBLEM_COPYING) {
      modrelu_vjp(c->ld, h, d, c->gradients.bias, u + symbol * ld);
      continue;
    }
    const real value = c->batch->value[at + (size_t)s];
    modrelu_vjp(c->ld, h, d, c->gradients.bias, u + 2 * ld); /* the spare row */
    for (size_t i = 0; i < ld; ++i) {
      u[i] += value * d[i];
      u[ld + i] += symbol * d[i];
    }
  }
}

void
chunk_backward(chunk* const c)
{
  const size_t size = step_size(c);
  const int steps = c->p->steps;
  real* d = c->deltas;
  real* other = c->deltas + CHUNK_BLOCK * size;
  const real* after = NULL; /* D of the step after the block */
  for (int t = (steps - 1) / CHUNK_BLOCK * CHUNK_BLOCK; t >= 0; t -= CHUNK_BLOCK) {
    const int n = steps - t < CHUNK_BLOCK ? steps - t : CHUNK_BLOCK;
    pull_outputs(c, t, n, d);
    for (int k = n - 1; k >= 0; --k) {
      real* const dk = d + (size_t)k * size;
      if (after) {
        multiply(c->width, c->ld, c->ld, after, c->ld, c->weights->kernel, c->ld, 1, dk, c->ld);
      }
      pull_step(c, t + k, dk);
      after = dk;
    }
    add_product_transposed(c->ld, c->ld, n * c->width, d, c->ld, c->states + (size_t)t * size,
                           c->ld, c->gradients.kernel, c->ld);
    real* const used = d;
    d = other;
    other = used;
  }
}
