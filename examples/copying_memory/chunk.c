/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* All products of a step are one, with sequences as columns:

     [ y_k - c ]   [ V 0 ] [ h_k     ]       h_{k+1} = modrelu(z_{k+1})
     [ 0       ] = [ 0 0 ] [ x_{k+1} ]
     [ z_{k+1} ]   [ W U ]

   No side is ever copied, because record k has the rows y_{k-1}, 0, h_k, x_{k+1}. The
   product of its last rows is the first rows of record k + 1. Backward, D_k = dloss/dz_k,
   Y'_k = dloss/dy_k:

     D_k = [V^T 0 W^T] [Y'_k; 0; D_{k+1}] o [h_k != 0]
     the gradient of the matrix = sum over k of [Y'_k; 0; D_{k+1}] [h_k; x_{k+1}]^T

   OpenBLAS is 10 % slower for a number of rows that is not a multiple of 4. So D_k is computed
   with the first rows of dloss/dx_k below it. */

#include "chunk.h"

#include "modrelu.h"

#include <cblas.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <tgmath.h>

static int
rounded(const int rows)
{
  return (rows + 3) / 4 * 4;
}

int
chunk_top(const problem* const p)
{
  return p->n_outputs + p->n_outputs % 2;
}

int
chunk_rows(const problem* const p, const int hidden)
{
  return chunk_top(p) + hidden;
}

int
chunk_columns(const problem* const p, const int hidden)
{
  return hidden + p->n_inputs;
}

size_t
chunk_record(const chunk* const c)
{
  const int rows = chunk_top(c->p) + chunk_columns(c->p, c->hidden);
  return (size_t)rows * (size_t)c->width;
}

/* The rows of D_k, and those computed with it. */
static int
delta_rows(const chunk* const c)
{
  const int rows = rounded(c->hidden);
  const int most = chunk_columns(c->p, c->hidden);
  return rows < most ? rows : most;
}

size_t
chunk_delta(const chunk* const c)
{
  return (size_t)(chunk_top(c->p) + delta_rows(c)) * (size_t)c->width;
}

static real*
record(const chunk* const c, const int k)
{
  return c->records + (size_t)k * chunk_record(c);
}

/* h_k, followed by x_{k+1}. */
static real*
operand(const chunk* const c, const int k)
{
  return record(c, k) + (size_t)chunk_top(c->p) * (size_t)c->width;
}

/* Writes x_{k+1} to record k; zero after the last input. */
static void
put_input(const chunk* const c, const int k)
{
  const size_t width = (size_t)c->width;
  real* const x = operand(c, k) + (size_t)c->hidden * width;
  memset(x, 0, (size_t)c->p->n_inputs * width * sizeof(real));
  if (k == c->p->steps) {
    return;
  }
  const size_t at = (size_t)k * (size_t)c->p->batch + (size_t)c->first;
  for (size_t s = 0; s < width; ++s) {
    const uint8_t symbol = c->batch->symbol[at + s];
    if (c->p->kind == PROBLEM_COPYING) {
      x[symbol * width + s] = 1;
    } else {
      x[s] = c->batch->value[at + s];
      x[width + s] = symbol;
    }
  }
}

/* Adds the cross-entropy for the classes of one step. y becomes dloss/dy, for the mean over `count`
   answers. */
static void
judge_classes(chunk* const c, const uint8_t* const target, const double count, const bool is_symbol,
              real* const y)
{
  const int width = c->width;
  real top[CHUNK_WIDTH];
  real sum[CHUNK_WIDTH] = {0};
  uint8_t largest[CHUNK_WIDTH] = {0};
  memcpy(top, y, (size_t)width * sizeof(real));
  for (int i = 1; i < c->p->n_outputs; ++i) {
    for (int s = 0; s < width; ++s) {
      const real one = y[i * width + s];
      largest[s] = one > top[s] ? (uint8_t)i : largest[s];
      top[s] = one > top[s] ? one : top[s];
    }
  }
  for (int s = 0; s < width; ++s) {
    c->loss -= (double)(y[target[s] * width + s] - top[s]) / count;
    c->correct += is_symbol && largest[s] == target[s] ? 1.0 / c->p->batch / PROBLEM_SYMBOLS : 0;
  }
  for (int i = 0; i < c->p->n_outputs; ++i) {
    for (int s = 0; s < width; ++s) {
      y[i * width + s] = exp(y[i * width + s] - top[s]);
      sum[s] += y[i * width + s];
    }
  }
  for (int s = 0; s < width; ++s) {
    c->loss += (double)log(sum[s]) / count;
    sum[s] = (real)(1 / count) / sum[s];
  }
  for (int i = 0; i < c->p->n_outputs; ++i) {
    for (int s = 0; s < width; ++s) {
      y[i * width + s] *= sum[s];
    }
  }
  for (int s = 0; s < width; ++s) {
    y[target[s] * width + s] -= (real)(1 / count);
  }
}

/* Adds the loss of y_k - c, for k = 1 .. steps, which becomes dloss/dy_k; zero for steps without a
   target. */
static void
judge(chunk* const c, const int k)
{
  const problem* const p = c->p;
  const size_t width = (size_t)c->width;
  const double count = (double)p->batch * (p->steps - p->first_output);
  real* const y = record(c, k + 1);
  if (k <= p->first_output) {
    memset(y, 0, (size_t)p->n_outputs * width * sizeof(real));
    return;
  }
  for (int i = 0; i < p->n_outputs; ++i) {
    for (size_t s = 0; s < width; ++s) {
      y[(size_t)i * width + s] += c->weights->out_bias[i];
    }
  }
  if (p->kind == PROBLEM_COPYING) {
    const size_t at = (size_t)(k - 1) * (size_t)p->batch + (size_t)c->first;
    judge_classes(c, c->batch->target + at, count, k > p->steps - PROBLEM_SYMBOLS, y);
    return;
  }
  for (size_t s = 0; s < width; ++s) {
    const double error = (double)y[s] - (double)c->batch->sum[(size_t)c->first + s];
    c->loss += error * error / count;
    y[s] = (real)(2 * error / count);
  }
}

void
chunk_forward(chunk* const c)
{
  const problem* const p = c->p;
  const int columns = chunk_columns(p, c->hidden);
  c->loss = 0;
  c->correct = 0;
  memset(operand(c, 0), 0, (size_t)c->hidden * (size_t)c->width * sizeof(real));
  for (int k = 0; k <= p->steps; ++k) {
    const bool last = k == p->steps;
    const int rows = last ? chunk_top(p) : chunk_rows(p, c->hidden);
    put_input(c, k);
    real_gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, c->width, columns, 1,
              c->weights->matrix, columns, operand(c, k), c->width, 0, record(c, k + 1), c->width);
    judge(c, k);
    if (!last) {
      modrelu(c->hidden, c->width, c->weights->bias, operand(c, k + 1));
    }
  }
}

/* The gradient of c: sums of the rows of dloss/dy. */
static void
pull_out_bias(const chunk* const c, const real* const y)
{
  const size_t width = (size_t)c->width;
  for (int i = 0; i < c->p->n_outputs; ++i) {
    for (size_t s = 0; s < width; ++s) {
      c->gradients.out_bias[i] += y[(size_t)i * width + s];
    }
  }
}

void
chunk_backward(chunk* const c)
{
  const size_t top = (size_t)chunk_top(c->p) * (size_t)c->width;
  const int rows = chunk_rows(c->p, c->hidden);
  const int columns = chunk_columns(c->p, c->hidden);
  real* delta = c->deltas;
  real* before = delta + chunk_delta(c);
  memset(c->gradients.matrix, 0, (size_t)rows * (size_t)columns * sizeof(real));
  memset(c->gradients.bias, 0, (size_t)c->hidden * sizeof(real));
  memset(c->gradients.out_bias, 0, (size_t)c->p->n_outputs * sizeof(real));
  memset(delta, 0, chunk_delta(c) * sizeof(real));
  for (int k = c->p->steps; k >= 0; --k) {
    memcpy(delta, record(c, k + 1), top * sizeof(real));
    pull_out_bias(c, delta);
    real_gemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, columns, c->width, 1, delta, c->width,
              operand(c, k), c->width, 1, c->gradients.matrix, columns);
    if (k > 0) {
      real_gemm(CblasRowMajor, CblasTrans, CblasNoTrans, delta_rows(c), c->width, rows, 1,
                c->weights->matrix, columns, delta, c->width, 0, before + top, c->width);
      modrelu_vjp(c->hidden, c->width, operand(c, k), before + top, c->gradients.bias);
    }
    real* const used = delta;
    delta = before;
    before = used;
  }
}
