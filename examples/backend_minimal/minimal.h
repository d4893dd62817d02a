/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Declarations shared by the two files of the backend. */

#ifndef MINIMAL_H
#define MINIMAL_H

#include <parametrize/backend.h>

struct pz_backend_queue {
  const pz_backend_host* host;
};

/* operations.c: gemm and launch, of which the library composes other operations. */
extern const pz_backend_ops minimal_operations;

#endif /* MINIMAL_H */
