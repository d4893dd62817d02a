/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What the tests of modules share: a context with the tests' own maps, a module in it,
   tensors by name, and pictures of a module to compare. */

#ifndef TEST_MODULE_FIXTURE_H
#define TEST_MODULE_FIXTURE_H

#include <host_tensor.h>
#include <maps.h>

#include <string.h>

/* Fresh for every test: fixture_setup and fixture_teardown are the fixture. The module is a
   "Linear" on the device of TEST_DEVICE, else the default one. */
extern pz_context* context;
extern pz_module* module;
extern uint64_t seed; /* state of the test's own generator */

void fixture_setup(void);
void fixture_teardown(void);

/* A case with that fixture; tests are added with tcase_add_test. */
TCase* fixture_case(const char* name);
/* The same in a context that knows the test doubles of opaque.h; nothing must be left there. */
TCase* fixture_case_on_doubles(const char* name);
/* For a case with another fixture: the test doubles alone. */
void fixture_add_doubles(void);

/* A module without anything, on the reference; and a deep copy of one. Both to be freed. */
pz_module* fixture_empty_module(const char* type);
pz_module* fixture_copy_of(pz_module* from);

#define ORIGINAL "parametrizations.weight.original"
#define INNER "parametrizations.weight.parametrizations.original.original"

/* Host tensors of two dimensions, zero or standard normal; freed by fixture_teardown. */
pz_tensor fixture_zeros(uint32_t dtype, int64_t rows, int64_t cols);
pz_tensor fixture_normal(uint32_t dtype, int64_t rows, int64_t cols);

/* Adds a normal float32 parameter to a module; what was added. */
pz_tensor fixture_add(pz_module* to, const char* name, int64_t rows, int64_t cols);

/* The same, and registers `text` on it. */
pz_tensor fixture_parametrize(pz_module* to, const char* name, int64_t rows, int64_t cols,
                              const char* text);
/* Adds "weight" of 3 x 3 with the chain `outer`, and `inner` on its original. */
pz_tensor fixture_nest(const char* outer, const char* inner);

/* The tensor `name` of the module now, copied to the host; that of another module. */
pz_tensor fixture_read(const char* name);
pz_tensor fixture_read_of(pz_module* other, const char* name);
/* Asserts that the tensor `name` equals `expected`, of this module and of another one. */
void fixture_expect(const char* name, const pz_tensor* expected);
void fixture_expect_of(pz_module* other, const char* name, const pz_tensor* expected);
/* The gradient of `name`, copied to the host. */
pz_tensor fixture_gradient(const char* name);

/* Element k of the tensor `name`, and where a stored one lies: edits and commits it. */
double fixture_value(const char* name, int64_t k);
const void* fixture_memory(const char* name);
/* Address or handle of the memory of a tensor or value of any module. */
const void* fixture_place_of(pz_module* other, const char* name);

/* Asserts that the stored tensors have these names, a space after each. */
void fixture_names(const char* expected);

/* Everything a host can see of the module without reading values: print and stored
   tensors with names, kinds, flags and bits. To be freed. */
char* fixture_picture(void);
char* fixture_picture_of(pz_module* other);

/* Asserts that the module looks like `picture`, and frees it. */
void fixture_unchanged(char* picture);

#endif /* TEST_MODULE_FIXTURE_H */
