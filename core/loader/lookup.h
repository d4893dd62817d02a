/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Tables by id, for the rest of core. */

#ifndef PZI_LOOKUP_H
#define PZI_LOOKUP_H

#include <parametrize/backend.h>
#include <parametrize/context.h>
#include <parametrize/plugin.h>

/* A parametrization as loaded: the plugin's table copied into a full-size one, options
   into full-size entries, texts into memory of ours. Lives as long as the context. */
typedef struct pzi_parametrization {
  pz_parametrization table;
  const char* version;
  const char* path;
} pzi_parametrization;

/* A backend as loaded; `table.ops` points to a full-size table, never NULL. Lives as long
   as the context. */
typedef struct pzi_backend {
  pz_backend table;
  const char* path;
} pzi_backend;

/* Finds a parametrization, opening files as needed; PZ_NOT_FOUND with the nearest id and
   the folders searched. [any thread] */
pz_status pzi_context_parametrization(pz_context* context, const char* id,
                                      const pzi_parametrization** out);

/* Finds a backend by id, likewise; and backend `index` of all, opening everything, in
   order of preference: cuda, opencl, other, cpu, reference. NULL past the last. */
pz_status pzi_context_backend(pz_context* context, const char* id, const pzi_backend** out);
const pzi_backend* pzi_context_backend_at(pz_context* context, uint32_t index);

#endif /* PZI_LOOKUP_H */
