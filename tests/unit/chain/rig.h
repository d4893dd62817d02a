/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A chain with its state and evaluation on one device, and the maps of maps.h. */

#ifndef TEST_RIG_H
#define TEST_RIG_H

#include <maps.h>
#include <support.h>

#include <stdlib.h>
#include <string.h>

typedef struct rig {
  pz_context* context;
  pz_queue* queue;
  pz_chain* chain;
  pz_state* state;
  pz_eval* eval;
  uint64_t random; /* state of the generator */
} rig;

/* Opens a context that knows the test maps, and a queue. `device` NULL: the reference, and
   no files are looked at. */
void rig_open(rig* r, const char* device);
void rig_close(rig* r);

/* Makes chain, state and evaluation; earlier ones are given up. */
void rig_chain(rig* r, const char* text, const pz_option_setting* settings, uint32_t n_settings,
               pz_direction direction, const pz_spec* given, uint32_t n_given);
/* The same from one tensor of that shape, without settings. */
void rig_from_tensor(rig* r, const char* text, uint32_t dtype, int32_t ndim, const int64_t* shape);

/* Tensors of the state: host memory on the devices tested here. */
pz_tensor rig_tensor(const rig* r, pz_role role, uint32_t index);
/* Originals and own parameters become normal numbers times `scale`; touches. */
void rig_fill(rig* r, double scale);

/* Number of trained tensors, and the k-th of them. */
uint32_t rig_trained(const rig* r);
pz_tensor rig_trained_tensor(const rig* r, uint32_t k);

/* A C-contiguous host tensor with memory of its own; shape and data in one block: free the
   shape. */
pz_tensor rig_host(const pz_spec* spec);
pz_tensor rig_host_normal(rig* r, const pz_spec* spec, double scale);
/* Skew matrices, shape (batch, n, n), float64. */
pz_tensor rig_host_skew(rig* r, const pz_spec* spec);
void rig_host_free(pz_tensor* tensor);

double rig_dot(const pz_tensor* a, const pz_tensor* b);

/* Bytes of a tensor of the host, C-contiguous. */
size_t rig_bytes(const pz_tensor* tensor);

#endif /* TEST_RIG_H */
