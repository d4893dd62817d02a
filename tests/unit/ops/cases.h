/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* One case for each operation: makes operands on a runner, runs it in all its forms, keeps the
   results. The same seed gives the same operands on every runner. */

#ifndef TEST_OPS_CASES_H
#define TEST_OPS_CASES_H

#include "op_runner.h"

typedef struct ops_case {
  const char* name;
  /* matrices of n rows or so under `nb` batch dimensions */
  void (*run)(op_runner* runner, int32_t nb, const int64_t* batch, int64_t n);
  double conditioning; /* errors grow with it and with n */
} ops_case;

extern const ops_case ops_cases[];
extern const size_t n_ops_cases;

#endif /* TEST_OPS_CASES_H */
