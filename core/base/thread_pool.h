/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The thread pool of the process, which core and backends share. */

#ifndef PZI_THREAD_POOL_H
#define PZI_THREAD_POOL_H

#include <parametrize/backend.h>

enum { PZI_THREAD_POOL_MAX = 64 };

/* pz_backend_host.parallel */
void pzi_thread_pool_run(uint32_t threads, int64_t n, pz_part* part, void* context);

/* The number of processors that this thread may run on. */
uint32_t pzi_thread_pool_processors(void);

#endif /* PZI_THREAD_POOL_H */
