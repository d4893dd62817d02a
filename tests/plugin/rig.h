/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* One chain on one device with its state and evaluation, spoken to in double arrays. */

#ifndef TEST_PLUGIN_RIG_H
#define TEST_PLUGIN_RIG_H

#include <dense.h>
#include <support.h>

#include <stdbool.h>

/* What the program was asked to test; the file of the device's backend may be NULL. */
extern const char* subject_plugin;
extern const char* subject_device;
extern const char* subject_file;

/* Dimensions and extents. */
typedef struct extents {
  int32_t ndim;
  int64_t shape[4];
} extents;

typedef struct rig {
  pz_chain* chain;
  pz_state* state;
  pz_eval* eval;
  pz_spec x;          /* of the first original */
  pz_spec y;          /* of the value */
  int64_t n_x;        /* elements of all originals */
  int64_t n_y;        /* of the value */
  uint32_t n_tensors; /* originals and own parameters */
  uint64_t random;
} rig;

/* The context and the subject's device that rigs share: a checked fixture of every test. */
void rig_start(void);
void rig_finish(void);

/* Maps of the test itself, beside those found. */
void rig_offer(const pz_plugin* plugin);

/* May the device have help of the host? Until it is said otherwise, it may. */
void rig_forbid_host(bool forbid);

/* Opens a chain on a value of that shape and initializes it on a normal tensor. `rig_try`
   fails as pz_chain_new does, and leaves nothing open then. */
void rig_open(rig* r, const char* chain, uint32_t dtype, extents shape);
pz_status rig_try(rig* r, const char* chain, uint32_t dtype, extents shape);
void rig_close(rig* r);

/* Another chain in its place. */
void rig_change(rig* r, const char* chain, uint32_t dtype, extents shape);

/* A tensor of the state as doubles, and back (rounded to its dtype first, so that what is
   read afterwards is what the map sees). */
double* rig_read(const rig* r, pz_role role, uint32_t index);
void rig_write(rig* r, pz_role role, uint32_t index, const double* values);

/* All originals in order, one after the other. */
double* rig_read_originals(const rig* r);
void rig_write_originals(rig* r, const double* values);

/* The value at the present originals, to be freed; saving for rig_vjp. */
double* rig_forward(rig* r);

/* The gradient of original or parameter `index`, to be freed. */
double* rig_vjp(rig* r, const double* gradient, uint32_t index);

/* The gradients of all originals in order, to be freed. */
double* rig_gradients(rig* r, const double* gradient);

/* One step of the maps' own state. */
void rig_update(rig* r);

pz_status rig_assign(rig* r, pz_intent intent, const double* value);

/* The value after an assignment that must succeed, to be freed. */
double* rig_assigned(rig* r, const double* value);

pz_status rig_residual(rig* r, const double* value, double* distance);

/* Normal numbers times `scale`, rounded to dtype, to be freed. */
double* rig_normal(rig* r, uint32_t dtype, int64_t n, double scale);

/* How the value of the chain is structured. */
pz_structure rig_structure(const rig* r);

/* n times the machine epsilon of the chain. */
double rig_unit(const rig* r);

#endif /* TEST_PLUGIN_RIG_H */
