/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A module with something of everything, for tests that copy and move whole modules, and
   what they look at. */

#ifndef TEST_MODULE_FURNITURE_H
#define TEST_MODULE_FURNITURE_H

#include "fixture.h"

/* Furnishes an empty module with parameters and buffers; lists with buffers, own parameters,
   several originals, draws, lists in lists; frozen tensors; a child and a child of that. */
void furnish(pz_module* empty);

/* A module without anything, on the device that the children of the furniture are on: values
   agree bit for bit. */
pz_module* empty_module(const char* type);

/* The values in a furnished module, names ended by NULL. */
extern const char* const furniture_values[];

/* fixture_picture of another module than the fixture's. */
char* picture_of(pz_module* other);

/* The largest entry by size, at least 1: what tolerances of tensors scale with. */
double scale_of(const pz_tensor* x);

/* Asserts that the values of two furnished modules agree to c n eps of their scale,
   `tolerance` being c n eps; 0: bit for bit. */
void assert_same_values(pz_module* a, pz_module* b, double tolerance);

/* Address or handle of a tensor's memory. */
const void* place_of(pz_module* other, const char* name);

#endif /* TEST_MODULE_FURNITURE_H */
