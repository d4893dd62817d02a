/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Portable kernels: their C functions, called for parts of the items or rows on several threads. */

#include "libraries.h"
#include "operations.h"
#include "scratch.h"

#if CPU_REAL_BITS == 32
#define FUNCTION_OF(kernel) ((kernel)->f32)
#else
#define FUNCTION_OF(kernel) ((kernel)->f64)
#endif

/* A loop over items or rows in parts, of which a thread takes one at a time. */
typedef struct parts {
  pz_kernel_function items; /* or NULL, and rows */
  pz_row_function rows;
  int64_t n;
  int64_t part;
  void* places[PZ_KERNEL_MAX_ARGS];
  pz_row_span spans[PZ_KERNEL_MAX_ARGS];
  const double* reals;
  const int64_t* integers;
} parts;

static void
run_part(void* const context, const int64_t k, const uint32_t thread)
{
  const parts* const p = context;
  const int64_t begin = k * p->part;
  const int64_t end = begin + p->part < p->n ? begin + p->part : p->n;
  (void)thread;
  if (p->items) {
    p->items(begin, end, p->places, p->reals, p->integers);
  } else {
    p->rows(begin, end, p->spans, p->reals, p->integers);
  }
}

/* `entries` are those of all tensors; each costs about a nanosecond. */
static pz_status
run(pz_backend_queue* const q, parts* const p, const double entries)
{
  const uint32_t threads = cpu_threads(entries);
  const int64_t n_parts = threads < 2 ? 1 : 4 * (int64_t)threads;
  p->part = (p->n + n_parts - 1) / n_parts;
  if (threads < 2) {
    run_part(p, 0, 0);
  } else {
    q->host->parallel(threads, (p->n + p->part - 1) / p->part, run_part, p);
  }
  return PZ_OK;
}

static pz_status
refuse(pz_backend_queue* const q, const char* const name, const uint64_t n_tensors,
       const bool has_function)
{
  return q->host->fail(PZ_UNSUPPORTED,
                       "kernel \"%s\" has %u tensors and %s C function, expected at most %d and "
                       "one",
                       name, (unsigned)n_tensors, has_function ? "a" : "no",
                       (int)PZ_KERNEL_MAX_ARGS);
}

pz_status
TYPED(launch)(pz_backend_queue* const q, const pz_kernel* const kernel, const int64_t n_items,
              const pz_mat* const tensors, const double* const reals, const int64_t* const integers)
{
  parts p = {.items = FUNCTION_OF(kernel), .n = n_items, .reals = reals, .integers = integers};
  double entries = 0.0;
  if (!p.items || kernel->n_tensors > PZ_KERNEL_MAX_ARGS) {
    return refuse(q, kernel->name, kernel->n_tensors, p.items != NULL);
  }
  for (uint32_t k = 0; k < kernel->n_tensors; ++k) {
    p.places[k] = tensors[k].data ? cpu_at(&tensors[k], 0) : NULL;
    entries += tensors[k].data ? (double)tensors[k].cols : 0.0;
  }
  return run(q, &p, entries);
}

pz_status
TYPED(launch_rows)(pz_backend_queue* const q, const pz_row_kernel* const kernel, const int64_t rows,
                   const pz_mat* const tensors, const double* const reals,
                   const int64_t* const integers)
{
  const uint64_t n_tensors = (uint64_t)kernel->n_inputs + kernel->n_outputs;
  parts p = {.rows = FUNCTION_OF(kernel), .n = rows, .reals = reals, .integers = integers};
  double entries = 0.0;
  if (!p.rows || n_tensors > PZ_KERNEL_MAX_ARGS) {
    return refuse(q, kernel->name, n_tensors, p.rows != NULL);
  }
  for (uint32_t k = 0; k < n_tensors; ++k) {
    p.spans[k] = (pz_row_span){
        .data = tensors[k].data ? cpu_at(&tensors[k], 0) : NULL,
        .stride = tensors[k].row_stride,
        .length = tensors[k].cols,
    };
    entries += (double)rows * (double)tensors[k].cols;
  }
  return run(q, &p, entries);
}
