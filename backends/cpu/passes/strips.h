/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Loops (loops.h) over strips of elements. Strips of unit stride vectorize; an output may be the
   very same operand as an input, so strips promise the compiler independent iterations, not
   distinct pointers. */

#ifndef CPU_STRIPS_H
#define CPU_STRIPS_H

#include "loops.h"
#include "real.h"

/* n elements of each operand, `step` elements apart. */
typedef void strip_function(int64_t n, real* const* at, const int64_t* step, const void* arguments);

/* The output is the last operand. On several threads where that pays and there is a queue. */
void TYPED(run_strips)(pz_backend_queue* q, const cpu_loops* l, strip_function* strip,
                       const void* arguments);

#endif /* CPU_STRIPS_H */
