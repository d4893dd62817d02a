/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The BLAS and LAPACK that the dynamic linker has bound, and their threads. */

#ifndef CPU_LIBRARIES_H
#define CPU_LIBRARIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes the names and versions of BLAS, LAPACK and LAPACKE into `detail`. False when calls would
   go wrong (64-bit integers, wrong results); then `reason` says why. [any thread] */
bool cpu_libraries_work(size_t detail_size, char* detail, size_t reason_size, char* reason);

/* How many threads, of those that BLAS uses at present, are worth using for work that takes one
   thread so many nanoseconds: at least 1. [any thread] */
uint32_t cpu_threads(double nanoseconds);

#endif /* CPU_LIBRARIES_H */
