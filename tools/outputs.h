/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The output files of a command: either all are written, or none. */

#ifndef TOOLS_OUTPUTS_H
#define TOOLS_OUTPUTS_H

#include "npy.h"

#include <parametrize/parametrize.h>

#include <stdbool.h>

/* Checks before the computation that all outputs can be written. Errors, which it prints, are an
   existing file (unless `force`), two outputs of the same name and a missing folder. */
bool outputs_check(const char* const* paths, size_t n, const char* state, bool force);

/* Writes arrays[k] to paths[k] for k < n, and the state to `state_path` unless that is NULL. After
   Ctrl-C no file is left behind. Prints errors. */
bool outputs_write(const char* const* paths, const npy_array* arrays, size_t n,
                   const char* state_path, const pz_state* state, bool force);

#endif /* TOOLS_OUTPUTS_H */
