/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The batch is cut into chunks of CHUNK_WIDTH sequences, whatever the number of threads, and
   their gradients are added in order: that is why threads change no bit. All memory is one
   array, taken once; the states of all steps are most of it, 4 bytes x steps x batch x
   hidden. */

#include "network.h"

#include "chunk.h"
#include "threads.h"

#include <stdlib.h>
#include <string.h>

struct network {
  problem p;
  int hidden;
  int threads;
  int ld;
  int ld_out;
  int n_chunks;
  chunk_weights weights;
  chunk* chunks;
  real* memory;
};

static int
padded(const int n)
{
  return (n + CHUNK_PAD - 1) / CHUNK_PAD * CHUNK_PAD;
}

/* Hands out `count` elements at *used, rounded up so that every array is aligned. With
   memory NULL it only counts. */
static real*
take(real* const memory, size_t* const used, const size_t count)
{
  real* const at = memory ? memory + *used : NULL;
  *used += (count + CHUNK_PAD - 1) / CHUNK_PAD * CHUNK_PAD;
  return at;
}

/* Places every array in `memory`; returns how many elements there are. */
static size_t
lay_out(network* const net, real* const memory)
{
  const size_t ld = (size_t)net->ld;
  const size_t ld_out = (size_t)net->ld_out;
  const size_t inputs = (size_t)net->p.n_inputs;
  const size_t steps = (size_t)net->p.steps;
  size_t used = 0;
  net->weights = (chunk_weights){
      .kernel = take(memory, &used, ld * ld),
      .kernel_t = take(memory, &used, ld * ld),
      .input_t = take(memory, &used, inputs * ld),
      .bias = take(memory, &used, ld),
      .out = take(memory, &used, ld_out * ld),
      .out_t = take(memory, &used, ld * ld_out),
      .out_bias = take(memory, &used, ld_out),
  };
  for (int i = 0; i < net->n_chunks; ++i) {
    chunk* const c = &net->chunks[i];
    const size_t width = (size_t)c->width;
    c->gradients = (chunk_gradients){
        .kernel = take(memory, &used, ld * ld),
        .input_t = take(memory, &used, (inputs + 1) * ld),
        .bias = take(memory, &used, ld),
        .out = take(memory, &used, ld_out * ld),
        .out_bias = take(memory, &used, ld_out),
    };
    c->states = take(memory, &used, (steps + 1) * width * ld);
    c->outputs = take(memory, &used, (steps - (size_t)net->p.first_output) * width * ld_out);
    c->deltas = take(memory, &used, 2 * CHUNK_BLOCK * width * ld);
  }
  return used;
}

network*
network_new(const problem* const p, const int hidden, const int threads)
{
  network* const net = calloc(1, sizeof(*net));
  if (!net) {
    return NULL;
  }
  net->p = *p;
  net->hidden = hidden;
  net->threads = threads;
  net->ld = padded(hidden);
  net->ld_out = padded(p->n_outputs);
  net->n_chunks = (p->batch + CHUNK_WIDTH - 1) / CHUNK_WIDTH;
  net->chunks = calloc((size_t)net->n_chunks, sizeof(*net->chunks));
  if (!net->chunks) {
    network_free(net);
    return NULL;
  }
  for (int i = 0; i < net->n_chunks; ++i) {
    const int first = i * CHUNK_WIDTH;
    const int left = p->batch - first;
    net->chunks[i] = (chunk){
        .p = &net->p,
        .weights = &net->weights,
        .first = first,
        .width = left < CHUNK_WIDTH ? left : CHUNK_WIDTH,
        .ld = net->ld,
        .ld_out = net->ld_out,
    };
  }
  const size_t bytes = lay_out(net, NULL) * sizeof(real);
  net->memory = aligned_alloc(CHUNK_PAD * sizeof(real), bytes);
  if (!net->memory) {
    network_free(net);
    return NULL;
  }
  memset(net->memory, 0, bytes);
  lay_out(net, net->memory);
  return net;
}

void
network_free(network* const net)
{
  if (net) {
    free(net->memory);
    free(net->chunks);
    free(net);
  }
}

/* to (rows x ld_to, the padding stays zero) = from (rows x cols), or from^T. */
static void
widen(const int rows, const int cols, const real* const from, real* const to, const int ld_to)
{
  for (int i = 0; i < rows; ++i) {
    memcpy(to + (size_t)i * (size_t)ld_to, from + (size_t)i * (size_t)cols,
           (size_t)cols * sizeof(real));
  }
}

static void
widen_transposed(const int rows, const int cols, const real* const from, real* const to,
                 const int ld_to)
{
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < cols; ++j) {
      to[(size_t)j * (size_t)ld_to + (size_t)i] = from[(size_t)i * (size_t)cols + (size_t)j];
    }
  }
}

static void
prepare(network* const net, const network_weights* const w)
{
  const int n = net->hidden;
  widen(n, n, w->kernel, net->weights.kernel, net->ld);
  widen_transposed(n, n, w->kernel, net->weights.kernel_t, net->ld);
  widen_transposed(n, net->p.n_inputs, w->input, net->weights.input_t, net->ld);
  widen(1, n, w->bias, net->weights.bias, net->ld);
  widen(net->p.n_outputs, n, w->out, net->weights.out, net->ld);
  widen_transposed(net->p.n_outputs, n, w->out, net->weights.out_t, net->ld_out);
  widen(1, net->p.n_outputs, w->out_bias, net->weights.out_bias, net->ld_out);
}

static void
clear(const network* const net, const chunk_gradients* const g)
{
  const size_t ld = (size_t)net->ld;
  const size_t ld_out = (size_t)net->ld_out;
  memset(g->kernel, 0, ld * ld * sizeof(real));
  memset(g->input_t, 0, ((size_t)net->p.n_inputs + 1) * ld * sizeof(real));
  memset(g->bias, 0, ld * sizeof(real));
  memset(g->out, 0, ld_out * ld * sizeof(real));
  memset(g->out_bias, 0, ld_out * sizeof(real));
}

/* to (rows x cols) = the sum over chunks of arrays whose element (i, j) lies at
   i row_stride + j col_stride. */
static void
gather(const network* const net, const size_t member, const int rows, const int cols,
       const int row_stride, const int col_stride, real* const to)
{
  memset(to, 0, (size_t)rows * (size_t)cols * sizeof(real));
  for (int k = 0; k < net->n_chunks; ++k) {
    const char* const place = (const char*)&net->chunks[k].gradients + member;
    const real* const from = *(real* const*)place;
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < cols; ++j) {
        to[(size_t)i * (size_t)cols + (size_t)j] +=
            from[(size_t)i * (size_t)row_stride + (size_t)j * (size_t)col_stride];
      }
    }
  }
}

static void
collect(const network* const net, const network_gradients* const g)
{
  const int n = net->hidden;
  const int outputs = net->p.n_outputs;
  const int ld = net->ld;
  gather(net, offsetof(chunk_gradients, kernel), n, n, ld, 1, g->kernel);
  gather(net, offsetof(chunk_gradients, input_t), n, net->p.n_inputs, 1, ld, g->input);
  gather(net, offsetof(chunk_gradients, bias), 1, n, ld, 1, g->bias);
  gather(net, offsetof(chunk_gradients, out), outputs, n, ld, 1, g->out);
  gather(net, offsetof(chunk_gradients, out_bias), 1, outputs, net->ld_out, 1, g->out_bias);
}

static void
forward_job(void* const context, const int i)
{
  chunk_forward(&((network*)context)->chunks[i]);
}

static void
both_job(void* const context, const int i)
{
  network* const net = context;
  clear(net, &net->chunks[i].gradients);
  chunk_forward(&net->chunks[i]);
  chunk_backward(&net->chunks[i]);
}

network_result
network_run(network* const net, const network_weights* const weights,
            const problem_batch* const batch, const network_gradients* const gradients)
{
  network_result result = {0};
  prepare(net, weights);
  for (int k = 0; k < net->n_chunks; ++k) {
    net->chunks[k].batch = batch;
  }
  threads_run(net->threads, net->n_chunks, gradients ? both_job : forward_job, net);
  for (int k = 0; k < net->n_chunks; ++k) {
    result.loss += net->chunks[k].loss;
    result.correct += net->chunks[k].correct;
  }
  if (gradients) {
    collect(net, gradients);
  }
  return result;
}
