/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Tables by id, for the rest of core. */

#ifndef PZI_LOOKUP_H
#define PZI_LOOKUP_H

#include <parametrize/backend.h>
#include <parametrize/context.h>
#include <parametrize/plugin.h>

/* A loaded parametrization: the plugin's table, options and texts, checked and copied. Lives as
   long as the context. */
typedef struct pzi_parametrization {
  pz_parametrization table;
  const char* version;
  const char* path;
} pzi_parametrization;

/* A loaded backend; `table.ops` is a full-size table, never NULL. Lives as long as the
   context. */
typedef struct pzi_backend {
  pz_backend table;
  const char* path;
} pzi_backend;

/* Finds a parametrization by id, opening files as needed, or a word of chains (words.h).
   PZ_NOT_FOUND, naming the nearest id and the folders searched. [any thread] */
pz_status pzi_lookup_parametrization(pz_context* context, const char* id,
                                     const pzi_parametrization** out);

/* The same for a backend; and backend `index` of all, opening all files, in order of
   preference: cuda, opencl, other, cpu, reference. NULL in `out` past the last. [any thread] */
pz_status pzi_lookup_backend(pz_context* context, const char* id, const pzi_backend** out);
pz_status pzi_lookup_backend_at(pz_context* context, uint32_t index, const pzi_backend** out);

#endif /* PZI_LOOKUP_H */
