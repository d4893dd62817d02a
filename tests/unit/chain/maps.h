/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Ten small maps that use every part of the plugin contract, given by descriptor:
     fold     skew matrix from its upper triangle                   (structure out)
     turn     (I + X)(I - X)^-1                                     (structure in)
     power    a Taylor exponential with scaling by the norm         (number saved by data)
     mask     M * X, M drawn once                                   (buffer from init)
     norm     rows of g v / |v|                                     (two originals, kernels)
     gain     D * X, D trained                                      (own parameter)
     base     B (I + X); assignment moves B to the value            (buffer by assignment)
     rows     rows of X by index                                    (tensor option, shape)
     noise    X * (1 + level N), N from the draw                    (update)
     factors  U V, from a value by its SVD                          (shapes by option)
   and `bare`, which has forward alone. */

#ifndef TEST_MAPS_H
#define TEST_MAPS_H

#include <parametrize/parametrize.h>
#include <parametrize/plugin.h>

extern const pz_plugin pz_plugin_v1_test_maps;

/* What entries saw, in order of the calls on this thread: the host keeps it, the maps only write. */
typedef struct map_log {
  uint32_t n;
  char entry[64][32]; /* "fold right_inverse" */
  uint32_t intent[64];
  uint32_t in[64];
  uint32_t flags[64];
  uint64_t want[64];
} map_log;
extern _Thread_local map_log test_map_log;

/* Notes a call, for the maps. */
void test_note(const pz_call* c, const char* entry);

extern const pz_parametrization map_factors;
extern const pz_parametrization map_norm;
extern const pz_parametrization map_power;
extern const pz_parametrization map_rows;

/* `mask` answers its right inverse with this status, when it is not PZ_OK. */
extern pz_status test_mask_answer;

#endif /* TEST_MAPS_H */
