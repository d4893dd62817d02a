/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Runs operations outside of plugins, on any queue, on tensors of awkward layouts with
   guards around them, and keeps the results for comparison. */

#ifndef TEST_OP_RUNNER_H
#define TEST_OP_RUNNER_H

#include "ops_table.h"
#include "support.h"

/* How the elements of a tensor lie in memory. */
typedef enum runner_layout {
  PLAIN,      /* C-contiguous at offset 0 */
  OFFSET,     /* C-contiguous at an offset */
  TRANSPOSED, /* matrices by columns */
  PADDED,     /* rows apart */
  SPACED,     /* no unit stride */
  REVERSED,   /* first and last dimension backwards */
  RAGGED,     /* batch dimensions that do not collapse */
  LAYOUTS,
} runner_layout;

enum { RUNNER_TENSORS = 64, RUNNER_SEGMENTS = 256 };

typedef struct runner_tensor {
  pz_tensor view;
  int64_t shape[PZ_MAX_DIMS];
  int64_t strides[PZ_MAX_DIMS];
  pz_tensor whole; /* all memory as one dimension */
  int64_t whole_shape[1];
  int64_t first;  /* element of the view in the whole */
  double* before; /* the whole as uploaded */
  bool input;     /* must not change */
} runner_tensor;

typedef struct op_runner {
  pz_queue* queue;
  pzi_frame frame;
  pz_call call;
  uint32_t dtype;
  runner_layout layout;
  uint64_t random;
  uint32_t n_tensors;
  runner_tensor tensors[RUNNER_TENSORS];
  double* record; /* kept results */
  size_t n_record;
  uint32_t n_segments;
  size_t segment[RUNNER_SEGMENTS + 1]; /* first of each kept tensor */
} op_runner;

void runner_open(op_runner* runner, pz_queue* queue, uint32_t dtype, runner_layout layout,
                 uint64_t seed);
void runner_close(op_runner* runner);

/* A tensor of these values in C order, or of standard normal ones exact in float32. */
pz_tensor* runner_input(op_runner* runner, int32_t ndim, const int64_t* shape,
                        const double* values);
/* As above, to be written as well. */
pz_tensor* runner_inout(op_runner* runner, int32_t ndim, const int64_t* shape,
                        const double* values);
/* A tensor full of NaN. */
pz_tensor* runner_output(op_runner* runner, int32_t ndim, const int64_t* shape);
/* int64, whatever the runner's dtype and always plain. */
pz_tensor* runner_integers(op_runner* runner, int32_t ndim, const int64_t* shape,
                           const int64_t* values);

/* The elements in C order, to be freed. */
double* runner_values(op_runner* runner, const pz_tensor* tensor);
/* Records a tensor, or numbers. */
void runner_keep(op_runner* runner, const pz_tensor* tensor);
void runner_keep_values(op_runner* runner, const double* values, size_t n);

/* Guards and inputs are as they were; then all tensors are gone. */
void runner_check(op_runner* runner);

/* Kept results agree: normalized error of each at most `tolerance` in units of epsilon. */
void runner_compare(const op_runner* found, const op_runner* expected, double tolerance,
                    const char* what);

#endif /* TEST_OP_RUNNER_H */
