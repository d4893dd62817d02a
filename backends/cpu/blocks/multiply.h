/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products of large matrices, on which all that is done in blocks is built. */

#ifndef CPU_MULTIPLY_H
#define CPU_MULTIPLY_H

#include "scratch.h"
#include "view.h"

#include <string.h>

/* Memory for the packed operands of products, and the threads that may share one product. */
typedef struct blocks {
  const pz_backend_host* host;
  real* packed; /* that of every thread, `each` elements apart */
  int64_t each;
  uint32_t threads;
} blocks;

/* For products none of whose extents exceeds `most`, in an operation that takes one thread so many
   nanoseconds. An operation has one at a time: the memory is the queue's. */
pz_status TYPED(blocks_init)(pz_backend_queue* q, int64_t most, double nanoseconds, blocks* out);

/* The same for one thread of a loop, whose products it does alone. */
static inline blocks
blocks_of_thread(const blocks* const all, const uint32_t thread)
{
  const blocks one = {all->host, all->packed + (int64_t)thread * all->each, all->each, 1};
  return one;
}

/* Copies n < 64 numbers, mostly few: a call would take longer. */
static inline void
copy_few(const int64_t n, const real* from, real* to)
{
#define COPY_PART(size)                      \
  if ((n & (size)) != 0) {                   \
    memcpy(to, from, (size) * sizeof(real)); \
    from += (size);                          \
    to += (size);                            \
  }
  COPY_PART(32)
  COPY_PART(16)
  COPY_PART(8)
  COPY_PART(4)
  COPY_PART(2)
  COPY_PART(1)
#undef COPY_PART
}

/* Which entries of a product are made; the others are not touched. */
typedef enum product_part {
  PRODUCT_WHOLE = 0,
  PRODUCT_LOWER = 1,
  PRODUCT_UPPER = 2,
} product_part;

/* y = alpha a b + beta y, any strides of a and b, one unit stride of y. Every entry is a sum of the
   same terms in the same order, however the product is divided. */
void TYPED(view_gemm)(const blocks* m, real alpha, view a, view b, real beta, view y);

/* The same of a part of y. */
void TYPED(view_gemm_part)(const blocks* m, product_part part, real alpha, view a, view b,
                           real beta, view y);

/* The same for a vector y, a row or a column. `x` is b as a column, or a, transposed. */
void TYPED(multiply_vector)(const blocks* m, real alpha, view a, view x, real beta, view y);

/* The largest magnitude among n numbers; 0 for none. */
real TYPED(largest_magnitude)(int64_t n, const real* x);

#endif /* CPU_MULTIPLY_H */
