/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The threads of the process that core and backends share. */

#ifndef PZI_WORKERS_H
#define PZI_WORKERS_H

#include <parametrize/backend.h>

enum { PZI_MOST_THREADS = 64 };

/* pz_backend_host.parallel */
void pzi_parallel(uint32_t threads, int64_t n, pz_part* part, void* context);

/* Processors that this thread may run on. */
uint32_t pzi_processors(void);

#endif /* PZI_WORKERS_H */
