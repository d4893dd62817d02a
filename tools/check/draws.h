/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Random input of the tests and of check. */

#ifndef TOOLS_CHECK_DRAWS_H
#define TOOLS_CHECK_DRAWS_H

#include <parametrize/types.h>

#include <stdbool.h>
#include <stdint.h>

/* The seed of this run, and whether it takes all cases and more trials, for minutes. Each program defines
   these two: the tests ask TEST_SEED and TEST_THOROUGH of the environment. */
uint64_t test_seed(void);
bool test_thorough(void);

/* Whether this run takes number k of cases that take long together: one of `of`, others under other
   seeds, or all where the run is thorough. */
bool test_takes(int64_t k, int64_t of);

/* A small generator (SplitMix64), to be kept by the caller; uniform in [0, 1), normal. */
uint64_t test_bits(uint64_t* state);
double test_uniform(uint64_t* state);
double test_normal(uint64_t* state);

/* n standard normal numbers of dtype PZ_F32 or PZ_F64 times `scale`. */
void test_fill_normal(uint64_t* state, uint32_t dtype, int64_t n, double scale, void* out);

/* Element k of an array of that dtype as double, and its opposite. */
double test_at(uint32_t dtype, const void* data, int64_t k);
void test_put(uint32_t dtype, void* data, int64_t k, double value);

/* ||a - b|| / max(||b||, tiny), Frobenius over n elements, in double. */
double test_relative(uint32_t dtype, const void* a, const void* b, int64_t n);

#endif /* TOOLS_CHECK_DRAWS_H */
