/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* One constrained parameter of a posterior: a chain, and a place in the vector q that the sampler
   moves. Of the originals only the coordinates count, those that the chain's log |det| is about: the
   strict lower triangle for a correlation matrix. */

#ifndef SAMPLER_PARAMETER_H
#define SAMPLER_PARAMETER_H

#include <parametrize/parametrize.h>

enum { PARAMETER_MAX = 16 }; /* entries */

typedef struct parameter {
  pz_chain* chain;
  pz_state* state;
  pz_eval* eval;
  pz_spec original; /* shapes of the arrays below: of x and gx, */
  pz_spec value;    /* of y and gy, */
  pz_spec density;  /* and of log_det, one number for each determinant */
  int n;            /* coordinates */
  int64_t coordinates[PARAMETER_MAX];
  double x[PARAMETER_MAX];
  double gx[PARAMETER_MAX];
  double y[PARAMETER_MAX];
  double
      gy[PARAMETER_MAX]; /* of the log density, written by the caller between the two calls below */
  double log_det[PARAMETER_MAX];
} parameter;

/* Opens the chain for values of this shape. On failure, parameter_close frees what there is. */
pz_status parameter_open(parameter* p, pz_context* context, pz_queue* queue, const char* chain,
                         int32_t ndim, const int64_t* shape);
void parameter_close(parameter* p);

/* Computes y at the coordinates q, and adds its log |det| to *log_density. */
pz_status parameter_forward(parameter* p, const double* q, double* log_density);

/* gq = the gradient of the log density in gy, and of log |det|, with respect to the coordinates. */
pz_status parameter_backward(parameter* p, double* gq);

#endif /* SAMPLER_PARAMETER_H */
