/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Operations on lowered operands: a request names the operation, its matrices and
   scalars; running it finds the way, native, composed or on the host, and counts. */

#ifndef PZI_ROUTE_H
#define PZI_ROUTE_H

#include "queue.h"

#include <parametrize/backend.h>

enum {
  PZI_READ = 1,
  PZI_WRITE = 2,
  PZI_UPDATE = PZI_READ | PZI_WRITE,
};

enum { PZI_MAX_MATS = 10 };

/* Operands stand in the order of the backend's entry. A factor that is not wanted has
   rows 0 and is handed over as NULL. */
typedef struct pzi_request {
  pzi_op op;
  uint32_t n;
  uint32_t dtype; /* PZ_F32 or PZ_F64; of copies and random bits also PZ_I64 */
  int which;      /* triangle, axis, side, distribution, structure of x, accumulate */
  int sign;       /* sign, norm kind */
  int triangle;   /* of trmm and trsm */
  int diagonal;
  uint8_t access[PZI_MAX_MATS];
  pz_mat mat[PZI_MAX_MATS];
  double real[8];  /* the factors, in order; combine: those of x */
  double shift;    /* combine */
  int64_t integer; /* offset of triangle, n_items, number of polynomials */
  uint64_t key;
  uint64_t first;
  const pz_fault* fault;
  const pz_kernel* kernel;
  const pz_polynomial* polynomials; /* `integer` of them */
  const double* reals;
  const int64_t* integers;
} pzi_request;

/* "gemm" */
const char* pzi_op_name(pzi_op op);

/* Counts a call. Mutex held. */
void pzi_op_count(pz_queue* queue, pzi_op op, pz_route route);

/* Is the operation done on the device, by an entry of the backend, for this dtype? */
bool pzi_op_native(const pz_queue* queue, pzi_op op, uint32_t dtype);

/* Runs a request. Operands obey the promises of backend.h, and matrices with more than
   one row and column have a major stride of at least the minor extent. Mutex held; the
   host queue's is taken as needed. */
pz_status pzi_run(pz_queue* queue, const pzi_request* request);

/* Only by the backend's own entry, else PZ_UNSUPPORTED. */
pz_status pzi_run_native(pz_queue* queue, const pzi_request* request);

/* An inverse or its adjoint by triangle (compose_inverse.c), on whole matrices in scratch that
   the caller gives back. */
pz_status pzi_run_whole(pz_queue* queue, const pzi_request* request);

/* The host's way (dispatch_host.c): PZ_UNSUPPORTED where there is no host queue. */
pz_status pzi_run_on_host(pz_queue* queue, const pzi_request* request);

/* Compositions (compose.c): whether one exists on what the backend offers, and running it.
   It returns PZ_UNSUPPORTED before it has changed any operand. */
bool pzi_can_compose(const pz_queue* queue, pzi_op op, uint32_t dtype);
pz_status pzi_compose(pz_queue* queue, const pzi_request* request);

#endif /* PZI_ROUTE_H */
