/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The rules that every backend keeps: those of the folder backend. */

#ifndef TOOLS_CHECK_BACKENDS_H
#define TOOLS_CHECK_BACKENDS_H

#include "backend/cases.h"

typedef struct backend_rule {
  const char* id;      /* "inverses" */
  const char* summary; /* what holds, one line */
  TCase* (*make)(void);
} backend_rule;

extern const backend_rule backend_rules[];
extern const size_t n_backend_rules;

/* Writes the ids of the backends in a file that is loaded, separated by spaces. */
void backends_list(const char* file, char* ids, size_t size);

/* Runs one rule in this process, on the first device of a backend. */
void backend_keep(const char* file, const char* id, uint64_t seed, const backend_rule* rule);

#endif /* TOOLS_CHECK_BACKENDS_H */
