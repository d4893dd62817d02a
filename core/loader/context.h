/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A context for the rest of core: references, random numbers, services for backends. */

#ifndef PZI_CONTEXT_H
#define PZI_CONTEXT_H

#include <parametrize/backend.h>
#include <parametrize/context.h>

/* Services for backends; never freed. */
const pz_backend_host* pzi_context_backend_host(void);

/* A fresh Philox key from the context's stream, never 0. [any thread] */
uint64_t pzi_context_draw(pz_context* context);

/* The devices that "auto" prefers, separated by commas, or NULL; and who prefers them: "given by the
   host" or "PARAMETRIZE_DEVICE". */
const char* pzi_context_devices(const pz_context* context, const char** origin);

/* Does the host take tensors whose `data` is no host pointer? */
bool pzi_context_device_tensors(const pz_context* context);

/* Are callbacks of parametrizations verified? */
bool pzi_context_check_plugins(const pz_context* context);

/* Counted references: queues and chains keep their context alive after pz_context_free, which
   drops the host's reference only. */
pz_context* pzi_context_retain(pz_context* context);
void pzi_context_release(pz_context* context);

#endif /* PZI_CONTEXT_H */
