/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Names of a chain's tensors in files, as PyTorch builds them: "rnn.parametrizations.weight." is
   the prefix of the tensors of "rnn.weight". `allocs` owns the names. NULL without memory. */

#ifndef PZI_TENSOR_NAMES_H
#define PZI_TENSOR_NAMES_H

#include "alloc_list.h"

#include <stdint.h>

/* Splits the name of a chain's tensor: "rnn.parametrizations.weight.0.mask" writes the value's
   path "rnn.weight" to `path` (room for strlen(name) + 1 bytes) and returns the length of the
   prefix. Returns 0 for any other name. The innermost chain counts: an original that has a
   chain of its own is the value of that chain. */
size_t pzi_tensor_names_split(const char* name, char* path);

/* The prefix "rnn.parametrizations.weight." for the value "rnn.weight". */
char* pzi_tensor_names_prefix(pzi_alloc_list* allocs, const char* path);

/* A prefix and a name: "rnn.parametrizations.weight.original". */
char* pzi_tensor_names_join(pzi_alloc_list* allocs, const char* prefix, const char* name);

/* "rnn.parametrizations.weight.0.options.mask": tensor option "mask" of stage 0. `module` is the
   first n_module bytes of the prefix, `chain` the other n_chain. */
char* pzi_tensor_names_option(pzi_alloc_list* allocs, const char* module, size_t n_module,
                              const char* chain, size_t n_chain, uint32_t stage,
                              const char* option);

#endif /* PZI_TENSOR_NAMES_H */
