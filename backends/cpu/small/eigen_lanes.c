/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Eigenvalues and eigenvectors of a batch of small symmetric matrices across lanes
   (diagonalize.c). Entries are widened to double on their way there. On the way back every
   matrix takes its eigenvalues, and its vectors with them, in an order of its own. */

#include "batches.h"

#include "batch.h"
#include "eigen.h"
#include "view.h"

typedef struct batch {
  const pz_mat* a;
  const pz_mat* w;
  const pz_mat* v; /* or NULL */
  unsigned char* flags;
} batch;

enum { EIGEN_MATRICES = EIGEN_LANES * EIGEN_VECTORS };

/* One lane of `to` becomes x. */
static void
widen(const view x, const int64_t width, double* const to)
{
  for (int64_t i = 0; i < x.rows; ++i) {
    for (int64_t j = 0; j < x.cols; ++j) {
      to[(i * width + j) * EIGEN_LANES] = (double)x.data[i * x.row_stride + j * x.col_stride];
    }
  }
}

/* Rows of y become those of one lane in their order. Zeros lose their signs: rotations of no angle
   may turn them, of which neighbours need more or fewer. */
static void
narrow(const int64_t width, const double* const from, const int32_t* const order, const view y)
{
  for (int64_t i = 0; i < y.rows; ++i) {
    const double* const row = from + order[i] * width * EIGEN_LANES;
    for (int64_t j = 0; j < y.cols; ++j) {
      y.data[i * y.row_stride + j * y.col_stride] = (real)(row[j * EIGEN_LANES] + 0.0);
    }
  }
}

/* order[i] is the place of the i-th smallest value of one lane, the first of equal ones first. */
static void
sort(const int64_t n, const double* const values, int32_t* const order)
{
  for (int64_t i = 0; i < n; ++i) {
    const double value = values[i * EIGEN_LANES];
    int64_t place = i;
    for (; place > 0 && values[order[place - 1] * EIGEN_LANES] > value; --place) {
      order[place] = order[place - 1];
    }
    order[place] = (int32_t)i;
  }
}

static void
diagonalize_group(const void* const context, const int64_t first, const int64_t count,
                  lane* const memory)
{
  const batch* const t = context;
  const int64_t n = t->a->rows;
  eigen e[EIGEN_VECTORS];
  unsigned char flags[EIGEN_MATRICES];
  for (int64_t h = 0; h < EIGEN_VECTORS; ++h) {
    e[h] = cpu_eigen_in(n, (double*)(void*)memory + h * cpu_eigen_doubles(n));
  }
  for (int64_t k = 0; k < EIGEN_MATRICES; ++k) {
    const eigen* const part = &e[k / EIGEN_LANES];
    widen(view_of(t->a, first + smaller(k, count - 1)), part->width, part->a + k % EIGEN_LANES);
  }
  TYPED_EXPANDED(diagonalize, 64, CPU_ISA)(e, t->v != NULL, flags);
  for (int64_t k = 0; k < count; ++k) {
    const eigen* const part = &e[k / EIGEN_LANES];
    const double* const values = part->values + k % EIGEN_LANES;
    const double* const vectors = part->vectors + k % EIGEN_LANES;
    int32_t order[LANES_MOST];
    sort(n, values, order);
    narrow(1, values, order, view_of(t->w, first + k));
    if (t->v) {
      narrow(part->width, vectors, order, view_transposed(view_of(t->v, first + k)));
    }
    t->flags[first + k] = flags[k];
  }
}

pz_status
TYPED(eigh_lanes)(pz_backend_queue* const q, const pz_mat* const a, const pz_mat* const w,
                  const pz_mat* const v, unsigned char* const flags)
{
  const batch t = {a, w, v, flags};
  const int64_t n = a->rows;
  const int64_t bytes = EIGEN_VECTORS * cpu_eigen_doubles(n) * (int64_t)sizeof(double);
  return TYPED(lane_loop)(q, a->batch, EIGEN_MATRICES, bytes / (int64_t)sizeof(lane),
                          0.4 * (double)(n * n * (n + 8)), diagonalize_group, &t);
}
