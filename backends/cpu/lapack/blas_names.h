/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The names of BLAS and LAPACK for the element type. LAPACKE's header takes long to read: only
   lapack/ includes this one. */

#ifndef CPU_BLAS_NAMES_H
#define CPU_BLAS_NAMES_H

#include "real.h"

#include <cblas.h>
#include <lapacke.h>

#if CPU_REAL_BITS == 32
#define BLAS(name) cblas_s##name
#define LAPACK(name) LAPACKE_s##name##_work
#else
#define BLAS(name) cblas_d##name
#define LAPACK(name) LAPACKE_d##name##_work
#endif

#endif /* CPU_BLAS_NAMES_H */
