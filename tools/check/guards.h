/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Memory of one callback, between guards: GUARD numbers before and after every tensor, which only a
   mistake writes. They hold the filler, and so does memory that is not written yet. */

#ifndef TOOLS_CHECK_GUARDS_H
#define TOOLS_CHECK_GUARDS_H

#include <parametrize/plugin.h>

enum { GUARD = 64 }; /* numbers, so that the tensor stays aligned to 64 bytes */

typedef struct guarded guarded;

typedef struct guards {
  pz_call* call; /* the library's */
  const char* callback;
  double filler;
  guarded* newest;
} guards;

/* Memory from a service of plugin.h. */
typedef pz_status guards_source(pz_call* c, const pz_spec* spec, pz_tensor* out);
typedef pz_status guards_host_source(pz_call* c, size_t bytes, void** out);

/* A tensor of `spec` in memory from `source`; valid until the guards are checked. */
pz_status guards_take(guards* g, guards_source* source, const pz_spec* spec, const char* what,
                      pz_tensor* out);
pz_status guards_take_host(guards* g, guards_host_source* source, size_t bytes, const char* what,
                           void** out);

/* A copy of `t`. `back`: what it holds when the guards are checked goes to `t`, which lives as long. */
pz_tensor guards_copy(guards* g, const pz_tensor* t, pz_tensor* back, const char* what);
/* An output, unset, whose contents go to `to`. */
pz_tensor guards_output(guards* g, pz_tensor* to, const char* what);

/* The tensor in memory that guards_take had from `save`, for a later callback. */
pz_tensor guards_found(guards* g, const pz_tensor* whole, const pz_spec* spec, const char* what);
const void* guards_found_host(const void* whole);

/* Checks and forgets those that are newer than `last`; NULL: all. A guard that was written is a
   breach. `write_back`: outputs go where they belong. */
void guards_check(guards* g, const guarded* last, bool write_back);

#endif /* TOOLS_CHECK_GUARDS_H */
