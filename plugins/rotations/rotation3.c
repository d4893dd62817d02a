/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Rotations of space, 3 x 3, from the numbers of the last dimension:

     rotvec       x = t n of 3, the rotation by t = |x| about n: R = exp([x]x)
     quaternion   q of 4, scalar first, of any length but 0
     6d           two columns of 3 each, of which Gram and Schmidt make a frame (columns.c)

   The first two go through unit quaternions (turns.c). rotvec has log |det| = 2 log |sin(t/2) / (t/2)| in
   rotation coordinates, which is -Inf at t = 2 pi; the others have a number too many.

   Right inverse: the logarithm, which is exact to rounding at every angle up to pi, where the sign of x is
   free; its quaternion, w >= 0; two columns. Registration takes the nearest rotation. Samples are
   uniform: quaternions of four independent normal numbers. */

#include "fixed_order.h"
#include "rotation.h"
#include "turns.h"

enum { FROM }; /* options */
enum { ROTVEC, QUATERNION, COLUMNS };
static const char* const froms[] = {"rotvec", "quaternion", "6d"};
static const int64_t extents[] = {3, 4, 6};

static int64_t
from(const pz_call* const c)
{
  return c->options[FROM].as.integer;
}

static pz_status
plan(pz_call* const c, const pz_spec* const given)
{
  if (from(c) == ROTVEC) {
    PZ_TRY(pz_declare_density(c, 2, PZ_ALL_ENTRIES, PZ_ROTATION));
  }
  return fixed_order_plan(c, given, 3, extents[from(c)], PZ_ORTHOGONAL);
}

static pz_status
forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  const pz_spec spec = fixed_order_row(y, from(c) == COLUMNS ? 3 : 4);
  pz_tensor kept; /* q, or the sizes of columns */
  PZ_TRY(pz_save(c, &spec, &kept));
  if (from(c) == COLUMNS) {
    return columns_value(c, x, &kept, y);
  }
  PZ_TRY(from(c) == ROTVEC ? turns_of_vector(c, 3, x, &kept) : turns_of_quaternion(c, x, &kept));
  return turns_matrix(c, &kept, y);
}

static pz_status
vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y, const pz_tensor* const g,
    pz_tensor* const gx)
{
  pz_tensor kept;
  pz_tensor gq;
  PZ_TRY(pz_saved(c, 0, &kept));
  if (from(c) == COLUMNS) {
    return columns_vjp(c, x, &kept, y, g, gx);
  }
  PZ_TRY(pz_work_like(c, &kept, &gq));
  PZ_TRY(turns_matrix_vjp(c, &kept, g, &gq));
  return from(c) == ROTVEC ? turns_of_vector_vjp(c, 3, x, &kept, &gq, gx)
                           : turns_of_quaternion_slope(c, x, &kept, &gq, gx);
}

static pz_status
jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y, const pz_tensor* const dx,
    pz_tensor* const dy)
{
  pz_tensor kept;
  pz_tensor dq;
  PZ_TRY(pz_saved(c, 0, &kept));
  if (from(c) == COLUMNS) {
    return columns_jvp(c, x, &kept, y, dx, dy);
  }
  PZ_TRY(pz_work_like(c, &kept, &dq));
  PZ_TRY(from(c) == ROTVEC ? turns_of_vector_jvp(c, 3, x, &kept, dx, &dq)
                           : turns_of_quaternion_slope(c, x, &kept, dx, &dq));
  return turns_matrix_jvp(c, &kept, &dq, dy);
}

static pz_status
right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  const pz_spec row = fixed_order_row(y, 3);
  pz_spec pairs = pz_spec_of(y);
  pz_tensor r;
  pz_tensor w;
  pz_view columns;
  pz_view turned;
  pz_view rows;
  PZ_TRY(turns_admit(c, y, &r));
  if (from(c) == ROTVEC) {
    return turns_vector(c, &r, x);
  }
  if (from(c) == QUATERNION) {
    PZ_TRY(pz_work(c, &row, &w));
    PZ_TRY(turns_vector(c, &r, &w));
    return turns_of_vector(c, 3, &w, x);
  }
  // x <- the first two columns, as rows
  pairs.shape[pairs.ndim - 2] = 2;
  return pz_copy(c, pz_view_transposed(&turned, pz_view_block(&columns, &r, 0, 3, 0, 2)),
                 pz_view_reshaped(&rows, x, pairs.ndim, pairs.shape));
}

static pz_status
residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  *distance = 0.0;
  return pz_count(y) == 0 ? PZ_OK : rotation_residual(c, true, y, distance);
}

static pz_status
sample(pz_call* const c, pz_tensor* const y)
{
  const pz_spec spec = fixed_order_row(y, 4);
  pz_tensor z;
  PZ_TRY(pz_work(c, &spec, &z));
  PZ_TRY(pz_random(c, PZ_NORMAL, c->draw, 0, 0.0, 1.0, &z));
  PZ_TRY(turns_of_quaternion(c, &z, &z));
  return turns_matrix(c, &z, y);
}

static pz_status
log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            pz_tensor* const out)
{
  (void)y;
  return turns_log_abs_det(c, 3, x, out);
}

static pz_status
log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                const pz_tensor* const g_out, pz_tensor* const gx)
{
  (void)y;
  return turns_log_abs_det_vjp(c, 1.0, 3, x, g_out, gx);
}

static const pz_option options[] = {
    [FROM] = PZ_OPTION_CHOICE("from", ROTVEC, froms,
                              "what an original is: a rotation vector, a quaternion (scalar "
                              "first), or two columns"),
};

static const pz_parametrization rotation3 = {
    .size = sizeof(rotation3),
    .option_size = sizeof(pz_option),
    .id = "rotation3",
    .summary = "Rotations of space from vectors, quaternions or two columns",
    .tags = "matrix orthogonal rotation robotics",
    .formula =
        "R = exp([x]x), x of 3 numbers; the rotation of q / |q|, q of 4, scalar first; or the "
        "frame "
        "of two columns, 6 numbers\n"
        "domain: any x; 0 for q or the first column gives the identity's and gradient 0\n"
        "right inverse: the logarithm, of angles up to pi; its quaternion; two columns. "
        "Registration takes the nearest rotation\n"
        "log |det|: 2 log |sin(t/2) / (t/2)|, t = |x|, in rotation coordinates; rotvec only\n"
        "sample: uniform rotations\n"
        "cost: one pass over memory, about 60 operations for each matrix",
    PZ_OPTIONS(options),
    .plan = plan,
    .forward = forward,
    .right_inverse = right_inverse,
    .vjp = vjp,
    .residual = residual,
    .sample = sample,
    .log_abs_det = log_abs_det,
    .log_abs_det_vjp = log_abs_det_vjp,
    .jvp = jvp,
};

PZ_PLUGIN(rotations, "1.0.0", PZ_PARAMETRIZATION(&rotation3), PZ_PARAMETRIZATION(&rotations_pose3));
