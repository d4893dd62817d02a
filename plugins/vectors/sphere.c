/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Vectors of one length r: y = r x / |x|. With u = x / |x|,

     gx = (r / |x|) (g - <g, u> u)          dy = (r / |x|) (dx - <dx, u> u)

   `size` below is scale |x|, with a power of two `scale`: no square overflows. x = 0 gives r e_1 and
   gradients of zero; gradients overflow where |x| < r / 1.8e308. x has one number too many, so
   there is no log |det|: for the uniform law add -|x|^2 / 2 to the log density.

   Right inverse: y itself. Any vector registers. */

#include "vectors.h"

#include <float.h>

enum { RADIUS, DIM }; /* options */

// clang-format off

PZ_ROW_KERNEL(sphere_value, 1, 3, 1, 0,
  PZ_ROW_IN(0, x);
  PZ_ROW_OUT(0, y);
  PZ_REAL_ARG(0, radius);
  PZ_ROW_NORM(size, scale, j, n, x[j][r]);
  PZ_ROW_VALUE(factor, size[r] == (real)0 ? (real)0 : radius / size[r]);
  PZ_ROW_EACH(j, n) {
    y[j][r] = scale[r] * x[j][r] * factor[r];
  }
  PZ_ROW_EACH(j, 1) {
    y[j][r] = size[r] == (real)0 ? radius : y[j][r];
  }
  PZ_VALUE_OUT(1, scale[r]);
  PZ_VALUE_OUT(2, size[r]);
)

PZ_ROW_KERNEL(sphere_slope, 4, 1, 1, 0,
  PZ_ROW_IN(0, y);
  PZ_VALUE_IN(1, scale);
  PZ_VALUE_IN(2, size);
  PZ_ROW_IN(3, g);
  PZ_ROW_OUT(0, out);
  PZ_REAL_ARG(0, radius);
  PZ_ROW_VALUE(factor, size[r] == (real)0 ? (real)0 : radius / size[r]);
  PZ_ROW_SUM(along, j, n, g[j][r] * (y[j][r] / radius));
  PZ_ROW_EACH(j, n) {
    out[j][r] = (g[j][r] - along[r] * (y[j][r] / radius)) * factor[r] * scale[r];
  }
)

PZ_ROW_KERNEL(sphere_measure, 1, 2, 2, 0,
  PZ_ROW_IN(0, y);
  PZ_REAL_ARG(0, tol);
  PZ_REAL_ARG(1, radius);
  PZ_ROW_NORM(size, scale, j, n, y[j][r]);
  PZ_ROW_VALUE(distance, pz_abs(size[r] / scale[r] - radius));
  PZ_VALUE_OUT(0, distance[r]);
  PZ_VALUE_OUT(1, distance[r] <= tol * radius ? 0 : 2);
)

// clang-format on

static double
radius_of(const pz_call* const c)
{
  return c->options[RADIUS].as.real;
}

static int32_t
dim_of(const pz_call* const c)
{
  return (int32_t)c->options[DIM].as.integer;
}

static pz_status
sphere_plan(pz_call* const c, const pz_spec* const given)
{
  bool last = false;
  PZ_TRY(vectors_expect(c, given, dim_of(c), &last));
  const bool narrow = given->dtype == PZ_F32;
  const double least = narrow ? FLT_MIN : DBL_MIN;
  const double most = narrow ? FLT_MAX : DBL_MAX;
  if (!(radius_of(c) >= least && radius_of(c) <= most)) {
    return pz_fail(c, PZ_INVALID, "found radius %g, expected a number between %.2g and %.2g",
                   radius_of(c), least, most);
  }
  pz_spec original = *given;
  pz_spec value = *given;
  PZ_TRY(vectors_extend(c, dim_of(c), 0, 1, &original, &value));
  PZ_TRY(pz_declare_original(c, NULL, &original));
  return pz_declare_value(c, &value, PZ_GENERAL);
}

static pz_status
sphere_launch(pz_call* const c, const vectors_memory memory, const pz_tensor* const x,
              pz_tensor* const y)
{
  const pz_spec number = pz_spec_of_numbers(pz_spec_of(x), PZ_ALONG_DIM, dim_of(c));
  const double radius = radius_of(c);
  pz_tensor scale;
  pz_tensor size;
  PZ_TRY(memory(c, &number, &scale));
  PZ_TRY(memory(c, &number, &size));
  return pz_launch_rows(c, &sphere_value, PZ_ALONG_DIM, dim_of(c), PZ_TENSORS(x),
                        PZ_OUTPUTS(y, &scale, &size), &radius, NULL);
}

static pz_status
sphere_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return sphere_launch(c, c->host->save, x, y);
}

/* vjp and jvp */
static pz_status
sphere_times_slope(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                   const pz_tensor* const g, pz_tensor* const out)
{
  const double radius = radius_of(c);
  pz_tensor scale;
  pz_tensor size;
  (void)x;
  PZ_TRY(pz_saved(c, 0, &scale));
  PZ_TRY(pz_saved(c, 1, &size));
  return pz_launch_rows(c, &sphere_slope, PZ_ALONG_DIM, dim_of(c), PZ_TENSORS(y, &scale, &size, g),
                        PZ_OUTPUTS(out), &radius, NULL);
}

static const vectors_set sphere_set = {&sphere_measure, "one whose norm is the radius", ""};

static pz_status
sphere_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  if (c->intent == PZ_ASSIGN) {
    PZ_TRY(vectors_check(c, &sphere_set, dim_of(c), radius_of(c), y));
  }
  return pz_copy(c, y, x);
}

static pz_status
sphere_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  return vectors_distance(c, &sphere_set, dim_of(c), radius_of(c), y, distance);
}

/* Uniform on the sphere. */
static pz_status
sphere_sample(pz_call* const c, pz_tensor* const y)
{
  pz_tensor x;
  PZ_TRY(pz_work_like(c, y, &x));
  PZ_TRY(pz_random(c, PZ_NORMAL, c->draw, 0, 0.0, 1.0, &x));
  return sphere_launch(c, c->host->work, &x, y);
}

static const pz_option sphere_options[] = {
    [RADIUS] = PZ_OPTION_REAL("radius", 1.0, -HUGE_VAL, HUGE_VAL, "length of the vectors, above 0"),
    [DIM] = VECTORS_DIM,
};

const pz_parametrization vectors_sphere = {
    .size = sizeof(vectors_sphere),
    .option_size = sizeof(pz_option),
    .id = "sphere",
    .summary = "Vectors of one length: points on a sphere",
    .tags = "statistics vector sphere",
    .formula =
        "y = radius x / |x|\n"
        "domain: vectors of one or more entries along dim; zeros give radius e_1 and gradients "
        "of zero; neither squares nor norms overflow\n"
        "right inverse: y itself; any vector registers\n"
        "log |det|: none; for the uniform law add -|x|^2 / 2 to the log density\n"
        "sample: uniform on the sphere\n"
        "cost: one pass over memory",
    PZ_OPTIONS(sphere_options),
    .plan = sphere_plan,
    .forward = sphere_forward,
    .right_inverse = sphere_right_inverse,
    .vjp = sphere_times_slope,
    .residual = sphere_residual,
    .sample = sphere_sample,
    .jvp = sphere_times_slope,
};
