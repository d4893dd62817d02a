/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "series.h"

#include <math.h>

// clang-format off

/* NaN if an entry is not finite */
PZ_ROW_KERNEL(series_largest, 1, 1, 0, 0,
  PZ_ROW_IN(0, beyond);
  PZ_ROW_MAX(most, j, n, beyond[j][r] + 0 * beyond[j][r]);
  PZ_VALUE_OUT(0, most[r]);
)

// clang-format on

static pz_status
largest(pz_call* const c, const pz_tensor* const beyond, double* const most)
{
  const pz_spec one = pz_spec_make(beyond->dtype, 0, NULL);
  pz_tensor number;
  PZ_TRY(pz_work(c, &one, &number));
  PZ_TRY(pz_launch_rows(c, &series_largest, PZ_WHOLE, 0, PZ_TENSORS(beyond), PZ_OUTPUTS(&number),
                        NULL, NULL));
  return pz_read(c, &number, most);
}

pz_status
series_distance(pz_call* const c, const pz_tensor* const beyond, double* const distance)
{
  PZ_TRY(largest(c, beyond, distance));
  *distance = *distance < 0.0 ? 0.0 : *distance;
  return PZ_OK;
}

pz_status
series_check(pz_call* const c, const series_bound* const bound, const double tolerance,
             const pz_tensor* const beyond)
{
  double most = 0.0;
  PZ_TRY(largest(c, beyond, &most));
  if (isnan(most)) {
    return pz_fail(c, PZ_OUTSIDE, "found an entry that is not finite, expected %s less than %g",
                   bound->entry, bound->at);
  }
  return most < 0.0 ? PZ_OK
         : most <= tolerance
             ? pz_fail(c, PZ_SINGULAR, "found %s, which no original reaches", bound->on)
             : pz_fail(c, PZ_OUTSIDE, "found %s %.9g, expected less than %g", bound->entry,
                       bound->at + most, bound->at);
}
