/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What the program was asked to test, and chains on its device. */

#ifndef TEST_PLUGIN_SUBJECT_H
#define TEST_PLUGIN_SUBJECT_H

#include <dense.h>
#include <rig.h>

/* The file of the device's backend may be NULL. */
extern const char* subject_plugin;
extern const char* subject_device;
extern const char* subject_file;

/* Dimensions and extents. */
typedef struct extents {
  int32_t ndim;
  int64_t shape[4];
} extents;

/* The context and the queue that rigs share, fresh for every test of a subject_case. */
extern rig subject;
void subject_setup(void);
void subject_teardown(void);
TCase* subject_case(const char* name);

/* Opens a chain on a value of that shape and initializes it on a normal tensor. `subject_try`
   fails as pz_chain_new does, and leaves nothing open then. */
void subject_open(rig* r, const char* chain, uint32_t dtype, extents shape);
pz_status subject_try(rig* r, const char* chain, uint32_t dtype, extents shape);
/* Did the last call find no real Schur form on this device, which log |det| of general exponentials
   needs? */
bool subject_lacks_schur(void);
/* Another chain in its place, with the generator as it is. */
pz_status subject_change(rig* r, const char* chain, uint32_t dtype, extents shape);

#endif /* TEST_PLUGIN_SUBJECT_H */
