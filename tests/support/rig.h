/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A chain on one device with its state and evaluation. */

#ifndef TEST_RIG_H
#define TEST_RIG_H

#include "host_tensor.h"

typedef struct rig {
  pz_context* context;
  pz_queue* queue;
  bool borrows; /* these two are another rig's */
  pz_chain* chain;
  pz_state* state;
  pz_eval* eval;
  pz_spec x;          /* of the first original */
  pz_spec y;          /* of the value */
  int64_t n_x;        /* elements of all originals */
  int64_t n_y;        /* of the value */
  uint32_t n_tensors; /* trained: originals, then own parameters */
  uint64_t random;    /* state of the generator */
} rig;

/* Opens a context on the build tree that knows `plugin` (may be NULL) too, and a queue.
   `device` NULL: the reference, and no files are looked at. Closing frees host tensors too. */
void rig_open(rig* r, const pz_plugin* plugin, const char* device);
void rig_close(rig* r);
/* Another queue in place of the present one, before there is a chain. */
void rig_device(rig* r, const char* device);
/* Opens a rig on the context and the queue of `owner`, which is closed after it. */
void rig_share(rig* r, const rig* owner);

/* Makes chain, state and evaluation; earlier ones are freed. `rig_try_chain` fails as
   pz_chain_new does. */
void rig_chain(rig* r, const char* text, const pz_option_setting* settings, uint32_t n_settings,
               pz_direction direction, const pz_spec* given, uint32_t n_given);
pz_status rig_try_chain(rig* r, const char* text, const pz_option_setting* settings,
                        uint32_t n_settings, pz_direction direction, const pz_spec* given,
                        uint32_t n_given);
/* The same from one tensor of that shape, without settings. */
void rig_from_tensor(rig* r, const char* text, uint32_t dtype, int32_t ndim, const int64_t* shape);

/* A tensor of the state; the k-th trained one, and its spec. */
pz_tensor rig_tensor(const rig* r, pz_role role, uint32_t index);
pz_tensor rig_trained(const rig* r, uint32_t k);
pz_spec rig_trained_spec(const rig* r, uint32_t k);
/* Trained tensors in host memory become normal numbers times `scale`; touches. */
void rig_fill(rig* r, double scale);

/* Version and bytes of all tensors of the state, which lie in host memory; and asserts that they
   are the same now. */
typedef struct rig_snapshot {
  uint64_t version;
  size_t bytes;
  char data[16384];
} rig_snapshot;
void rig_look(const rig* r, rig_snapshot* s);
void rig_assert_unchanged(const rig* r, const rig_snapshot* before);

/* ---- arrays of double on any device; those returned are to be freed ------------------ */

/* A tensor of the device, and of the state; and into it (rounded to its dtype; touches). */
double* rig_download(const rig* r, const pz_tensor* tensor);
double* rig_read(const rig* r, pz_role role, uint32_t index);
void rig_write(rig* r, pz_role role, uint32_t index, const double* values);

/* All originals in order, one after the other. */
double* rig_read_originals(const rig* r);
void rig_write_originals(rig* r, const double* values);

/* The value at the present originals, saving for rig_vjp; then the gradient of trained
   tensor k, and those of all originals in order. */
double* rig_forward(rig* r);
double* rig_vjp(rig* r, const double* gradient, uint32_t k);
double* rig_gradients(rig* r, const double* gradient);

/* The derivative of that value along dx, of all originals in order; its log |det|; and for g_out
   the gradients of that of all originals in order. They return NULL where that is
   PZ_UNSUPPORTED. */
double* rig_jvp(rig* r, const double* dx);
double* rig_log_abs_det(rig* r, pz_spec* spec);
double* rig_log_abs_det_gradients(rig* r, const double* g_out);

/* pz_eval_initialize, pz_eval_assign and, by the last map, pz_eval_residual. */
void rig_initialize(rig* r, const double* values);
pz_status rig_assign(rig* r, pz_intent intent, const double* value);
pz_status rig_residual(rig* r, const double* value, double* distance);
/* The value after an assignment that must succeed. */
double* rig_assigned(rig* r, const double* value);

/* n normal numbers times `scale`, rounded to dtype. */
double* rig_normal(rig* r, uint32_t dtype, int64_t n, double scale);

/* n times the machine epsilon, for values of n columns. */
double rig_unit(const rig* r);

#endif /* TEST_RIG_H */
