/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What the two files of the backend share. */

#ifndef MINIMAL_H
#define MINIMAL_H

#include <parametrize/backend.h>

struct pz_backend_queue {
  const pz_backend_host* host;
};

/* operations.c: gemm and launch, which make everything else a composition. */
extern const pz_backend_ops minimal_operations;

#endif /* MINIMAL_H */
