/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Derivatives by central differences. */

#ifndef TOOLS_CHECK_DIFFERENCE_H
#define TOOLS_CHECK_DIFFERENCE_H

#include "trial.h"

extern const double difference_step;

/* The derivative of what `measure` gives, n numbers, along dx, of fourth order; x is as before
   then. */
double* difference(trial* t, double* (*measure)(trial* t), int64_t n, const double* x,
                   const double* dx);

#endif /* TOOLS_CHECK_DIFFERENCE_H */
