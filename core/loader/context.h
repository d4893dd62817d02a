/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What the rest of core asks of a context besides tables: its life, its random stream. */

#ifndef PZI_CONTEXT_H
#define PZI_CONTEXT_H

#include <parametrize/backend.h>
#include <parametrize/context.h>

/* Services for backends; lives for ever. */
const pz_backend_host* pzi_backend_host(void);

/* A fresh Philox key from the context's stream, never 0. [any thread] */
uint64_t pzi_context_draw(pz_context* context);

/* Keeps a context alive while queues and chains use it: pz_context_free gives up the
   host's reference only. */
pz_context* pzi_context_retain(pz_context* context);
void pzi_context_release(pz_context* context);

#endif /* PZI_CONTEXT_H */
