/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The files of one command: all of them appear, or none. */

#ifndef TOOLS_OUTPUTS_H
#define TOOLS_OUTPUTS_H

#include "npy.h"

#include <parametrize/parametrize.h>

#include <stdbool.h>

/* Refuses, before anything is computed, what cannot be written: a file that is there (but
   with `force`), one name given twice, a folder that is missing. Says why. */
bool outputs_check(const char* const* paths, size_t n, const char* state, bool force);

/* Writes arrays[k] to paths[k] for k < n, and the state to `state_path` unless that is NULL:
   first everything under temporary names, then the names. Ctrl-C between leaves nothing
   behind. Says why not. */
bool outputs_write(const char* const* paths, const npy_array* arrays, size_t n,
                   const char* state_path, const pz_state* state, bool force);

#endif /* TOOLS_OUTPUTS_H */
