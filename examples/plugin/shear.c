/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* shear: unit triangular matrices, Y = I + strict triangle of X, whose determinant is 1.

   The other entries of X are not read and get gradient 0. In the coordinates of that triangle the
   map is the identity: log |det| is 0. */

#include <parametrize/plugin.h>

enum { UPPER }; /* options */

static pz_triangle
triangle_of(const pz_call* c)
{
  return c->options[UPPER].as.integer ? PZ_UPPER : PZ_LOWER;
}

/* out = the strict triangle of x, 0 elsewhere */
static pz_status
strict(pz_call* c, const pz_tensor* x, pz_tensor* out)
{
  const pz_triangle triangle = triangle_of(c);
  return pz_triangle(c, triangle, triangle == PZ_UPPER ? 1 : -1, x, out);
}

static pz_status
shear_plan(pz_call* c, const pz_spec* given)
{
  const uint32_t coordinates = triangle_of(c) == PZ_UPPER ? PZ_STRICT_UPPER : PZ_STRICT_LOWER;
  PZ_TRY(pz_expect_square(c, given));
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_declare_density(c, 2, coordinates, coordinates));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static pz_status
shear_forward(pz_call* c, const pz_tensor* x, pz_tensor* y)
{
  PZ_TRY(strict(c, x, y));
  return pz_add_identity(c, 1.0, y);
}

/* vjp, and jvp. */
static pz_status
shear_derivative(pz_call* c, const pz_tensor* x, const pz_tensor* y, const pz_tensor* g,
                 pz_tensor* out)
{
  (void)x;
  (void)y;
  return strict(c, g, out);
}

static pz_status
shear_residual(pz_call* c, const pz_tensor* y, double* distance)
{
  pz_tensor off;
  PZ_TRY(pz_work_like(c, y, &off));
  PZ_TRY(shear_forward(c, y, &off)); /* the nearest value */
  PZ_TRY(pz_axpby(c, 1.0, y, -1.0, &off));
  return pz_largest(c, &off, distance);
}

static pz_status
shear_right_inverse(pz_call* c, const pz_tensor* y, pz_tensor* x)
{
  double distance = 0.0;
  if (c->intent == PZ_ASSIGN) {
    PZ_TRY(shear_residual(c, y, &distance));
  }
  if (!(distance == 0.0)) {
    return pz_fail(c, PZ_OUTSIDE,
                   "found an entry off by %g outside the triangle, expected the identity",
                   distance);
  }
  return strict(c, y, x);
}

static pz_status
shear_log_abs_det(pz_call* c, const pz_tensor* x, const pz_tensor* y, pz_tensor* out)
{
  (void)x;
  (void)y;
  return pz_fill(c, 0.0, out);
}

static pz_status
shear_log_abs_det_vjp(pz_call* c, const pz_tensor* x, const pz_tensor* y, const pz_tensor* g_out,
                      pz_tensor* gx)
{
  (void)x;
  (void)y;
  (void)g_out;
  return pz_fill(c, 0.0, gx);
}

static const pz_option shear_options[] = {
    PZ_OPTION_FLAG("upper", 0, "the upper triangle in place of the lower one"),
};

static const pz_parametrization shear_map = {
    .size = sizeof(shear_map),
    .option_size = sizeof(pz_option),
    .id = "shear",
    .summary = "Unit triangular matrices, Y = I + strict triangle of X",
    PZ_OPTIONS(shear_options),
    .plan = shear_plan,
    .forward = shear_forward,
    .right_inverse = shear_right_inverse,
    .vjp = shear_derivative,
    .residual = shear_residual,
    .log_abs_det = shear_log_abs_det,
    .log_abs_det_vjp = shear_log_abs_det_vjp,
    .jvp = shear_derivative,
};

PZ_PLUGIN(shear, "1.0.0", PZ_PARAMETRIZATION(&shear_map));
