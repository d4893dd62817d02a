/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "simplex.h"
#include "vectors.h"

#include <float.h>
#include <math.h>

// clang-format off

PZ_ROW_KERNEL(simplex_positive, 1, 1, 3, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_OUT(0, p);
  PZ_REAL_ARG(0, tau);
  PZ_REAL_ARG(1, least);
  PZ_REAL_ARG(2, most);
  PZ_ROW_MAX(top, j, n, y[j][r]);
  PZ_ROW_EACH(j, n) {
    const real positive = y[j][r] <= (real)0 ? tau * top[r] : y[j][r];
    p[j][r] = top[r] <= (real)0 ? (real)1 : pz_min(pz_max(positive, least), most);
  }
)

PZ_ROW_KERNEL(simplex_measure, 1, 2, 2, 0,
  PZ_ROW_IN(0, y);
  PZ_REAL_ARG(0, tol);
  PZ_ROW_SUM(total, j, n, y[j][r]);
  PZ_ROW_MAX(below, j, n, -y[j][r]);
  PZ_ROW_VALUE(distance, pz_max(pz_abs(total[r] - 1), below[r]));
  PZ_VALUE_OUT(0, distance[r]);
  PZ_VALUE_OUT(1, !(distance[r] <= tol) ? 2 : (below[r] >= (real)0 ? 1 : 0));
)

/* Normalised exponential variates of uniform u; `least` is half a step of u. */
PZ_ROW_KERNEL(simplex_normalised, 1, 1, 1, 0,
  PZ_ROW_IN(0, u);
  PZ_ROW_OUT(0, p);
  PZ_REAL_ARG(0, least);
  PZ_ROW_EACH(j, n) {
    p[j][r] = -pz_log(pz_max(u[j][r], least));
  }
  PZ_ROW_SUM(total, j, n, p[j][r]);
  PZ_ROW_EACH(j, n) {
    p[j][r] = p[j][r] / total[r];
  }
)

// clang-format on

static const vectors_set simplex_set = {&simplex_measure, "positive entries with sum 1",
                                        "an entry that is not positive"};

pz_status
simplex_member(pz_call* const c, const int32_t dim, const pz_tensor* const y, pz_tensor* const p)
{
  const bool narrow = y->dtype == PZ_F32;
  const double n = (double)vectors_extent(y, dim);
  const double numbers[] = {sqrt(pz_dtype_epsilon(y->dtype)), narrow ? FLT_MIN : DBL_MIN,
                            (narrow ? FLT_MAX : DBL_MAX) / n};
  if (c->intent == PZ_ASSIGN) {
    PZ_TRY(vectors_check(c, &simplex_set, dim, 0.0, y));
  }
  return pz_launch_rows(c, &simplex_positive, PZ_ALONG_DIM, dim, PZ_TENSORS(y), PZ_OUTPUTS(p),
                        numbers, NULL);
}

pz_status
simplex_distance(pz_call* const c, const int32_t dim, const pz_tensor* const y,
                 double* const distance)
{
  return vectors_distance(c, &simplex_set, dim, 0.0, y, distance);
}

pz_status
simplex_uniform(pz_call* const c, const int32_t dim, pz_tensor* const y)
{
  const double least = pz_dtype_epsilon(y->dtype) / 4.0;
  pz_tensor u;
  PZ_TRY(pz_work_like(c, y, &u));
  PZ_TRY(pz_random(c, PZ_UNIFORM, c->draw, 0, 0.0, 1.0, &u));
  return pz_launch_rows(c, &simplex_normalised, PZ_ALONG_DIM, dim, PZ_TENSORS(&u), PZ_OUTPUTS(y),
                        &least, NULL);
}
