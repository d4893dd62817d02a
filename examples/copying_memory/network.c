/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A batch is divided into chunks of CHUNK_WIDTH sequences, for any number of threads, and their
   gradients are added in order, so that the number of threads does not change any bit. All memory
   is one array, allocated once. The records of all steps are most of it: 4 bytes x steps x batch x
   hidden. */

#include "network.h"

#include "chunk.h"
#include "threads.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct network {
  problem p;
  int hidden;
  int threads;
  int n_chunks;
  chunk_weights weights;
  chunk* chunks;
  real* memory;
};

/* Takes `count` elements at *used, rounded up so that every array is aligned. If memory is NULL, it
   only counts. */
static real*
take(real* const memory, size_t* const used, const size_t count)
{
  real* const at = memory ? memory + *used : NULL;
  *used += (count + CHUNK_PAD - 1) / CHUNK_PAD * CHUNK_PAD;
  return at;
}

/* The number of elements in the matrix of a step. */
static size_t
matrix_size(const network* const net)
{
  return (size_t)chunk_rows(&net->p, net->hidden) * (size_t)chunk_columns(&net->p, net->hidden);
}

static chunk_weights
take_weights(const network* const net, real* const memory, size_t* const used)
{
  return (chunk_weights){
      .matrix = take(memory, used, matrix_size(net)),
      .bias = take(memory, used, (size_t)net->hidden),
      .out_bias = take(memory, used, (size_t)net->p.n_outputs),
  };
}

/* Places every array in `memory`; returns the number of elements. */
static size_t
lay_out(network* const net, real* const memory)
{
  size_t used = 0;
  net->weights = take_weights(net, memory, &used);
  for (int i = 0; i < net->n_chunks; ++i) {
    chunk* const c = &net->chunks[i];
    c->gradients = take_weights(net, memory, &used);
    c->records = take(memory, &used, ((size_t)net->p.steps + 2) * chunk_record(c));
    c->deltas = take(memory, &used, 2 * chunk_delta(c));
  }
  return used;
}

/* Allocates with huge pages. Each training step reads all records once, so that with small pages
   most accesses miss the TLB, which costs 2 % of a step at length 1000. */
static real*
allocate(const size_t bytes)
{
  const size_t page = (size_t)1 << 21;
  real* const memory = aligned_alloc(page, (bytes + page - 1) / page * page);
#ifdef MADV_HUGEPAGE
  if (memory) {
    madvise(memory, bytes, MADV_HUGEPAGE); /* optional: an error is ignored */
  }
#endif
  return memory;
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
        .hidden = hidden,
    };
  }
  const size_t bytes = lay_out(net, NULL) * sizeof(real);
  net->memory = allocate(bytes);
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

/* Copies rows x cols from one matrix into another. */
static void
put(const int rows, const int cols, const real* from, const int ld_from, real* to, const int ld_to)
{
  for (int i = 0; i < rows; ++i, from += ld_from, to += ld_to) {
    memcpy(to, from, (size_t)cols * sizeof(real));
  }
}

/* W and U within the matrix of a step. */
static real*
recurrent(const network* const net, const chunk_weights* const w)
{
  return w->matrix + (size_t)chunk_top(&net->p) * (size_t)chunk_columns(&net->p, net->hidden);
}

/* Copies the weights into the matrix of a step, whose zeros never change. */
static void
prepare(const network* const net, const network_weights* const from)
{
  const int n = net->hidden;
  const int inputs = net->p.n_inputs;
  const int outputs = net->p.n_outputs;
  const int ld = chunk_columns(&net->p, n);
  const chunk_weights* const to = &net->weights;
  put(outputs, n, from->out, n, to->matrix, ld);
  put(n, n, from->kernel, n, recurrent(net, to), ld);
  put(n, inputs, from->input, inputs, recurrent(net, to) + n, ld);
  put(1, n, from->bias, n, to->bias, n);
  put(1, outputs, from->out_bias, outputs, to->out_bias, outputs);
}

/* to += from, `count` elements. */
static void
add(const size_t count, const real* restrict const from, real* restrict const to)
{
  for (size_t i = 0; i < count; ++i) {
    to[i] += from[i];
  }
}

/* Adds up the gradients of all chunks, in order, in the arrays of the first one. */
static void
collect(const network* const net, const network_gradients* const to)
{
  const int n = net->hidden;
  const int inputs = net->p.n_inputs;
  const int outputs = net->p.n_outputs;
  const int ld = chunk_columns(&net->p, n);
  const chunk_weights* const sum = &net->chunks[0].gradients;
  for (int k = 1; k < net->n_chunks; ++k) {
    const chunk_weights* const part = &net->chunks[k].gradients;
    add(matrix_size(net), part->matrix, sum->matrix);
    add((size_t)n, part->bias, sum->bias);
    add((size_t)outputs, part->out_bias, sum->out_bias);
  }
  put(outputs, n, sum->matrix, ld, to->out, n);
  put(n, n, recurrent(net, sum), ld, to->kernel, n);
  put(n, inputs, recurrent(net, sum) + n, ld, to->input, inputs);
  put(1, n, sum->bias, n, to->bias, n);
  put(1, outputs, sum->out_bias, outputs, to->out_bias, outputs);
}

static void
forward_job(void* const context, const int i)
{
  chunk_forward(&((network*)context)->chunks[i]);
}

static void
both_job(void* const context, const int i)
{
  chunk* const c = &((network*)context)->chunks[i];
  chunk_forward(c);
  chunk_backward(c);
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
