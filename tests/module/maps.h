/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Maps of the tests' own, given to a context by descriptor. They count, fail and call back
   on demand, which a real plugin must not. */

#ifndef TEST_MODULE_MAPS_H
#define TEST_MODULE_MAPS_H

#include <parametrize/plugin.h>

#include <stdatomic.h>

/* Offers, all of one tensor of any shape unless said:
     counting  y = x; counts and calls back in forward
     fragile   y = x + b; buffer b, own parameter p without influence; update adds 1 to b;
               every entry fails on demand
     affine    y = 2 x + shift; buffer "scale" (2), own parameter "shift" (0)
     weighted  y = s v; originals s (one number) and v (a matrix)
     sequence  y = x; its only original is called "original0"
     opaque    y = x; no right inverse, no vjp
     turned    y = x^T
     only32    y = x; float32 alone
     ticking   y = x; buffers "count" (int64) and "exact" (float64 always)
     widened   an original of the other dtype
     noisy     y = x + one number drawn by its random stream
     idle      y = x; every entry succeeds without writing anything on demand
     nowhere   y = x; its right inverse has no answer */
extern const pz_plugin pz_plugin_v1_test_maps;

extern atomic_int map_forwards;    /* of counting */
extern void (*map_callback)(void); /* in forward of counting */

/* The entry of `fragile` that fails, "forward" say, or NULL, after `map_passes` calls that
   go well. */
extern const char* map_failing;
extern int map_passes;

#endif /* TEST_MODULE_MAPS_H */
