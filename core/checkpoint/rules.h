/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Which rule gives the chain of a value. */

#ifndef PZI_RULES_H
#define PZI_RULES_H

#include <parametrize/file.h>

/* The index of the first rule that matches a path, or n_rules. */
uint32_t pzi_rules_first(const pz_chain_rule* rules, uint32_t n_rules, const char* path);

#endif /* PZI_RULES_H */
