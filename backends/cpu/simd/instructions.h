/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What vector extensions do not express, or not well. Each of the three headers defines

     lane_all(mask), lane_any(mask)      whether a mask is set in all lanes, in any
     lane_root(a)                        square roots, NaN below zero
     lane_gather_quads(from, step)       four entries of the matrices r, 4 + r, ... `step` apart;
     lane_scatter_quads(v, to, step)     and back

   Gathers by intrinsics make the compiler insert from memory, which needs no shuffle. The
   intrinsics' own header takes longer to read than most files that include this one take to
   compile: include it only where one of these is called. */

#ifndef CPU_INSTRUCTIONS_H
#define CPU_INSTRUCTIONS_H

#if defined(__AVX512F__)
#include "avx512.h"
#elif defined(__AVX2__)
#include "avx2.h"
#else
#include "portable.h"
#endif

#endif /* CPU_INSTRUCTIONS_H */
