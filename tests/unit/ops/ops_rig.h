/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Runs operations outside of plugins, on any queue, on tensors of awkward layouts with
   guards around them, and keeps the results for comparison. */

#ifndef TEST_OPS_RIG_H
#define TEST_OPS_RIG_H

#include "ops.h"
#include "support.h"

/* How the elements of a tensor lie in memory. */
typedef enum rig_layout {
  PLAIN,      /* C-contiguous at offset 0 */
  OFFSET,     /* C-contiguous at an offset */
  TRANSPOSED, /* matrices by columns */
  PADDED,     /* rows apart */
  SPACED,     /* no unit stride */
  REVERSED,   /* first and last dimension backwards */
  RAGGED,     /* batch dimensions that do not collapse */
  LAYOUTS,
} rig_layout;

enum { RIG_TENSORS = 64, RIG_SEGMENTS = 256 };

typedef struct rig_tensor {
  pz_tensor view;
  int64_t shape[PZ_MAX_DIMS];
  int64_t strides[PZ_MAX_DIMS];
  pz_tensor whole; /* all memory as one dimension */
  int64_t whole_shape[1];
  int64_t first;  /* element of the view in the whole */
  double* before; /* the whole as uploaded */
  bool input;     /* must not change */
} rig_tensor;

typedef struct ops_rig {
  pz_queue* queue;
  pzi_frame frame;
  pz_call call;
  uint32_t dtype;
  rig_layout layout;
  uint64_t random;
  uint32_t n_tensors;
  rig_tensor tensors[RIG_TENSORS];
  double* record; /* kept results */
  size_t n_record;
  uint32_t n_segments;
  size_t segment[RIG_SEGMENTS + 1]; /* first of each kept tensor */
} ops_rig;

void rig_open(ops_rig* rig, pz_queue* queue, uint32_t dtype, rig_layout layout, uint64_t seed);
void rig_close(ops_rig* rig);

/* A tensor of these values in C order, or of standard normal ones exact in float32. */
pz_tensor* rig_input(ops_rig* rig, int32_t ndim, const int64_t* shape, const double* values);
/* As above, to be written as well. */
pz_tensor* rig_inout(ops_rig* rig, int32_t ndim, const int64_t* shape, const double* values);
/* A tensor full of NaN. */
pz_tensor* rig_output(ops_rig* rig, int32_t ndim, const int64_t* shape);
/* int64, whatever the rig's dtype and always plain. */
pz_tensor* rig_integers(ops_rig* rig, int32_t ndim, const int64_t* shape, const int64_t* values);

/* The elements in C order, to be freed. */
double* rig_values(ops_rig* rig, const pz_tensor* tensor);
/* Records a tensor, or numbers. */
void rig_keep(ops_rig* rig, const pz_tensor* tensor);
void rig_keep_values(ops_rig* rig, const double* values, size_t n);

/* Guards and inputs are as they were; then all tensors are gone. */
void rig_check(ops_rig* rig);

/* Kept results agree: normalized error of each at most `tolerance` in units of epsilon. */
void rig_compare(const ops_rig* found, const ops_rig* expected, double tolerance, const char* what);

#endif /* TEST_OPS_RIG_H */
