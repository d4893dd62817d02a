/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What the tests of modules share: a context with the tests' own maps, a module in it,
   tensors by name, and pictures of a module to compare. */

#ifndef TEST_MODULE_RIG_H
#define TEST_MODULE_RIG_H

#include <maps.h>

#include <support.h>

#include <string.h>

/* Fresh for every test: rig_setup and rig_teardown are the fixture. The module is a
   "Linear" on the device of TEST_DEVICE, else the default one. */
extern pz_context* context;
extern pz_module* module;
extern uint64_t seed; /* state of the test's own generator */

void rig_setup(void);
void rig_teardown(void);

/* A case with that fixture; tests are added with tcase_add_test. */
TCase* rig_case(const char* name);

/* A host tensor that carries its own data and shape. */
typedef struct rig_tensor {
  pz_tensor tensor;
  int64_t shape[PZ_MAX_DIMS];
  union {
    float f32[4096];
    double f64[2048];
  } data;
} rig_tensor;

/* Matrices of at most 4096 elements, zero or standard normal. */
void rig_zeros(rig_tensor* t, uint32_t dtype, int64_t rows, int64_t cols);
void rig_normal(rig_tensor* t, uint32_t dtype, int64_t rows, int64_t cols);

/* Adds a normal float32 parameter to a module, and gives what was added. */
void rig_add(pz_module* to, const char* name, int64_t rows, int64_t cols, rig_tensor* out);

/* The tensor `name` of the module now, copied to the host. */
void rig_read(const char* name, rig_tensor* out);

/* Element k of the tensor `name`, and where a stored one lies: edits and commits it. */
double rig_value(const char* name, int64_t k);
const void* rig_memory(const char* name);

/* Element k of a host copy; the largest difference of two. */
double rig_at(const rig_tensor* t, int64_t k);
double rig_distance(const rig_tensor* a, const rig_tensor* b);

/* Asserts that the stored tensors have these names, a space after each. */
void rig_names(const char* expected);

/* Everything a host can see of the module without reading values: print and stored
   tensors with names, kinds, flags and bits. To be freed. */
char* rig_picture(void);

/* Asserts that the module looks like `picture`, and frees it. */
void rig_unchanged(char* picture);

#endif /* TEST_MODULE_RIG_H */
