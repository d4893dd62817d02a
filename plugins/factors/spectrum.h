/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Maps with values U diag(f(s)) V^T. U and V are values of the map `orthogonal` at the originals `left`,
   n x r, and `right`, m x r; s is the original `spectrum`, a row of r numbers. Only f and the set
   of singular values make one map another. */

#ifndef PLUGINS_FACTORS_SPECTRUM_H
#define PLUGINS_FACTORS_SPECTRUM_H

#include "orthogonal/orthogonal.h"
#include "part.h"

#include <parametrize/plugin.h>

/* Options: the first ones of every map; those of square maps lack SIGNS. */
enum { FRAMES, TRIVIALIZATION, SIGNS, OWN_OPTIONS, SQUARE_OPTIONS = SIGNS };

typedef struct spectrum {
  bool square;            /* n = m = r, and U and V are rotations: the determinant is that of f */
  bool ranked;            /* r is option OWN_OPTIONS; 0 there, and without it, is min(n, m) */
  bool centred;           /* the mean of s has no part in f */
  bool any_sign;          /* f may be negative */
  const pz_kernel* value; /* s, f, f' and the real `parameter` */
  double (*parameter)(const pz_call* c); /* or NULL: 0 */
  /* The distance from the set of a matrix with k singular values, those beyond r not in the value,
     and the sign of its determinant if `square`. */
  double (*distance)(const pz_call* c, int64_t k, int64_t r, const double* sigma, double det);
  /* sigma <- s with f(s) = sigma. What is not in the set, or too near its edge by `share` of the largest, is
     moved; false if it is assigned. */
  bool (*invert)(const pz_call* c, int64_t r, double share, double* sigma);
  const char* reachable; /* what an assigned matrix must have for it to be true */
} spectrum;

enum { LEFT, SPECTRUM, RIGHT }; /* originals */

/* U and V as parts of the map. */
typedef struct frames {
  part left;
  part right;
  pz_value options[ORTH_OPTIONS];
} frames;

/* For values n x m of rank r. */
void spectrum_open_frames(pz_call* c, const spectrum* map, int64_t n, int64_t m, int64_t r,
                          frames* f);

pz_status spectrum_plan(pz_call* c, const spectrum* map, const pz_spec* given);
pz_status spectrum_init(pz_call* c, const spectrum* map, const pz_tensor* tensor);
pz_status spectrum_forward(pz_call* c, const spectrum* map, const pz_tensor* x, pz_tensor* y);
pz_status spectrum_vjp(pz_call* c, const spectrum* map, const pz_tensor* x, const pz_tensor* g,
                       pz_tensor* gx);
pz_status spectrum_jvp(pz_call* c, const spectrum* map, const pz_tensor* x, const pz_tensor* dx,
                       pz_tensor* dy);
pz_status spectrum_right_inverse(pz_call* c, const spectrum* map, const pz_tensor* y, pz_tensor* x);
pz_status spectrum_residual(pz_call* c, const spectrum* map, const pz_tensor* y, double* distance);

/* Raises singular values below a share of the largest to that, or all to the share if none is positive.
   False if there are such, and they are assigned. */
bool spectrum_raise(const pz_call* c, int64_t r, double share, double* sigma);

/* Options of all these maps. */
extern const char* const spectrum_frames[4];
#define SPECTRUM_SQUARE_OPTIONS(n_frames)                                    \
  [FRAMES] = {"frames",                                                      \
              "how U and V come from their originals, as map of orthogonal", \
              PZ_CHOICE,                                                     \
              n_frames,                                                      \
              spectrum_frames,                                               \
              0,                                                             \
              0,                                                             \
              0},                                                            \
  [TRIVIALIZATION] = PZ_OPTION_FLAG(                                         \
      "trivialization", 1, "keep bases of U and V, which assignment sets, as orthogonal does")
#define SPECTRUM_OPTIONS                                \
  SPECTRUM_SQUARE_OPTIONS(4), [SIGNS] = PZ_OPTION_FLAG( \
                                  "signs", 1, "without bases: keep signs of columns of U and V")

/* The callbacks NAME_plan ... of the map `name`, a spectrum, and what its table has of them. */
#define SPECTRUM_CALLBACKS(name)                                                                  \
  static pz_status name##_plan(pz_call* const c, const pz_spec* const given)                      \
  {                                                                                               \
    return spectrum_plan(c, &(name), given);                                                      \
  }                                                                                               \
  static pz_status name##_init(pz_call* const c, const pz_tensor* const tensor)                   \
  {                                                                                               \
    return spectrum_init(c, &(name), tensor);                                                     \
  }                                                                                               \
  static pz_status name##_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y) \
  {                                                                                               \
    return spectrum_forward(c, &(name), x, y);                                                    \
  }                                                                                               \
  static pz_status name##_vjp(pz_call* const c, const pz_tensor* const x,                         \
                              const pz_tensor* const y, const pz_tensor* const g,                 \
                              pz_tensor* const gx)                                                \
  {                                                                                               \
    (void)y;                                                                                      \
    return spectrum_vjp(c, &(name), x, g, gx);                                                    \
  }                                                                                               \
  static pz_status name##_jvp(pz_call* const c, const pz_tensor* const x,                         \
                              const pz_tensor* const y, const pz_tensor* const dx,                \
                              pz_tensor* const dy)                                                \
  {                                                                                               \
    (void)y;                                                                                      \
    return spectrum_jvp(c, &(name), x, dx, dy);                                                   \
  }                                                                                               \
  static pz_status name##_right_inverse(pz_call* const c, const pz_tensor* const y,               \
                                        pz_tensor* const x)                                       \
  {                                                                                               \
    return spectrum_right_inverse(c, &(name), y, x);                                              \
  }                                                                                               \
  static pz_status name##_residual(pz_call* const c, const pz_tensor* const y,                    \
                                   double* const distance)                                        \
  {                                                                                               \
    return spectrum_residual(c, &(name), y, distance);                                            \
  }

#define SPECTRUM_TABLE(name)                                                             \
  .n_originals = 3, .plan = name##_plan, .init = name##_init, .forward = name##_forward, \
  .right_inverse = name##_right_inverse, .vjp = name##_vjp, .residual = name##_residual, \
  .jvp = name##_jvp

extern const pz_parametrization factors_low_rank;
extern const pz_parametrization factors_fixed_rank;
extern const pz_parametrization factors_general_linear;
extern const pz_parametrization factors_special_linear;
extern const pz_parametrization factors_almost_orthogonal;
extern const pz_parametrization factors_grassmannian;
extern const pz_parametrization factors_lu;

#endif /* PLUGINS_FACTORS_SPECTRUM_H */
