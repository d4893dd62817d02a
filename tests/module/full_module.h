/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A module with parametrizations, tensors and children of every kind, for tests that copy, move
   and load whole modules. */

#ifndef TEST_MODULE_FULL_MODULE_H
#define TEST_MODULE_FULL_MODULE_H

#include "fixture.h"

/* Adds to an empty module: parameters and buffers; chains with buffers, own parameters, several
   originals, random numbers, chains on originals; frozen tensors; a child and a child of that. */
void full_module_fill(pz_module* empty);

/* The names of its values, ended by NULL. */
extern const char* const full_module_values[];

/* Asserts that the values of two full modules agree to c n eps of their scale, `tolerance` being
   c n eps; 0: bit for bit. */
void full_module_assert_same(pz_module* a, pz_module* b, double tolerance);

#endif /* TEST_MODULE_FULL_MODULE_H */
