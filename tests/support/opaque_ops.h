/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Between the memory of the test doubles and their operations. */

#ifndef TEST_OPAQUE_OPS_H
#define TEST_OPAQUE_OPS_H

#include <parametrize/backend.h>

struct pz_backend_queue {
  const pz_backend_host* host;
};

/* Memory behind a handle; what lies outside of the allocation aborts. */
char* opaque_place(const void* handle, uint64_t offset, size_t bytes);

/* One call of the device: fails with `status` where it is the one to be refused. */
pz_status opaque_turn(const pz_backend_queue* q, pz_status status);

extern const pz_backend_ops opaque_lean;
extern const pz_backend_ops opaque_kernels;
extern const pz_backend_ops opaque_solver;
extern const pz_backend_ops opaque_inverter;
extern const pz_backend_ops opaque_later;
extern const pz_backend_ops opaque_rude;

#endif /* TEST_OPAQUE_OPS_H */
