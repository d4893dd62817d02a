/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Small maps for tests, given to a context by descriptor. Between them they use every part of the
   plugin contract; some count, fail and call back on demand, which a real plugin must not.

     affine    y = scale o x + shift; own parameter shift (0), buffer scale (2)
     bare      y = 2 x; has forward alone
     base      y = b (I + x); buffer b, which init and assignment set to the value
     counting  y = x; counts and calls back in forward
     factors   y = u v; shapes by the option rank; right inverse by SVD
     fold      skew matrix from its upper triangle; structure of the value, residual, sample
     fragile   y = x + b; buffer b (0), which update raises by 1, own parameter p without
               influence; every entry fails on demand
     gain      y = d o x; own parameter d (1)
     idle      y = x; every entry succeeds without writing anything on demand
     mask      y = m o x; buffer m, drawn by init and update; its right inverse fails on demand
     noise     y = x o (1 + level n); n from the draw, in forward and vjp
     norm      y_i = g_i v_i / |v_i|, rows i; originals g and v; kernels
     nowhere   y = x; its right inverse has no answer
     only32    y = x; float32 alone
     power     y = exp(x) by Taylor series; saves a number of tensors that depends on the data
     rows      rows of x by the tensor option index, of a matrix of `of` rows
     sequence  y = x; its only original is called "original0"
     ticking   y = x; buffers count (int64) and exact (float64 always)
     turn      y = (I + x)(I - x)^-1; structure of the input; orthogonal after skew
     turned    y = x^T
     weighted  y = s v; originals s (one number) and v (a matrix)
     widened   y = x; an original of the other dtype

   And of pz_plugin_v1_triangle_maps:

     half      as fold, of either triangle, skew or symmetric; declares the fold
     spin      as turn; takes triangles
     both      folds the other triangle than half, which it declares, and takes triangles
     taken     y = x; takes triangles, which it folds

   And of pz_plugin_v1_density_maps, with log |det| and jvp:

     entries   y = exp(x), entry by entry
     scaled    y = exp(p) x, vector by vector; own parameter p (0)
     doubled   y = 2 x; dimensions and coordinates as its options say */

#ifndef TEST_MAPS_H
#define TEST_MAPS_H

#include <parametrize/parametrize.h>
#include <parametrize/plugin.h>

#include <check.h>
#include <stdatomic.h>

#undef fail /* of check.h: the services have a member of that name */

extern const pz_plugin pz_plugin_v1_test_maps;
extern const pz_plugin pz_plugin_v1_triangle_maps;
extern const pz_plugin pz_plugin_v1_density_maps;

/* ---- knobs and counts --------------------------------------------------------- */

/* Callbacks of fold, turn, mask, gain, base, noise and norm in the order of the calls on this
   thread, with what they saw. Tests empty it by `n = 0`. */
typedef struct map_log {
  uint32_t n;
  char entry[64][32]; /* "fold right_inverse" */
  uint32_t intent[64];
  uint32_t in[64];
  uint32_t flags[64];
  uint64_t want[64];
} map_log;
extern _Thread_local map_log map_calls;

/* Of counting: forwards so far, and what each calls. */
extern atomic_int map_forwards;
extern void (*map_callback)(void);

/* The callback of `fragile` that fails, "forward" say, or NULL, after `map_passes` calls that
   succeed. While it is not NULL, `idle` writes nothing. */
extern const char* map_failing;
extern int map_passes;
/* In place of that: what every callback of `fragile` ends with (plan: begins), and its result;
   `out` is what the callback wrote. */
extern pz_status (*map_hook)(pz_call* c, const char* entry, pz_tensor* out);

/* The status of the right inverse of `mask`, which has written all its outputs by then. */
extern pz_status map_mask_answer;

/* Of half and both: the structure of the value, and the triangle that half folds. */
extern uint32_t map_structure;
extern uint32_t map_triangle;
/* What half does wrong: a fold beside a buffer, of two originals, or declared in forward. */
typedef enum map_fold_mistake {
  MAP_NO_MISTAKE,
  MAP_FOLD_AND_BUFFER,
  MAP_FOLD_OF_TWO,
  MAP_FOLD_IN_FORWARD,
} map_fold_mistake;
extern map_fold_mistake map_mistake;
/* The largest |x - s x^T|, s the sign of the structure, of the last x of init or update of spin. */
extern double map_asymmetry;

/* ---- parts of maps, for those that a single test makes -------------------------- */

/* Adds a call to the log. */
void map_note(const pz_call* c, const char* entry);

/* One original and a value like `given`, an own parameter and a buffer like it where named. */
pz_status map_plan(pz_call* c, const pz_spec* given, const char* parameter, const char* buffer);

/* The identity. */
pz_status map_copy_forward(pz_call* c, const pz_tensor* x, pz_tensor* y);
pz_status map_copy_vjp(pz_call* c, const pz_tensor* x, const pz_tensor* y, const pz_tensor* gy,
                       pz_tensor* gx);

/* ---- the tables ------------------------------------------------------------------ */

extern const pz_parametrization map_affine;
extern const pz_parametrization map_base;
extern const pz_parametrization map_factors;
extern const pz_parametrization map_fold;
extern const pz_parametrization map_fragile;
extern const pz_parametrization map_gain;
extern const pz_parametrization map_mask;
extern const pz_parametrization map_noise;
extern const pz_parametrization map_norm;
extern const pz_parametrization map_power;
extern const pz_parametrization map_rows;
extern const pz_parametrization map_turn;
extern const pz_parametrization map_weighted;

#endif /* TEST_MAPS_H */
