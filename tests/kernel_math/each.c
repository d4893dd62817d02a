/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "each.h"

// clang-format off

#define FUNCTION(name)                \
  PZ_KERNEL(each_##name, 2, 0, 0,     \
    PZ_TENSOR_ARG(0, x);              \
    PZ_TENSOR_ARG(1, y);              \
    y[i] = pz_##name(x[i]);           \
  )

FUNCTION(abs)
FUNCTION(cos)
FUNCTION(erf)
FUNCTION(exp)
FUNCTION(expm1)
FUNCTION(floor)
FUNCTION(log)
FUNCTION(log1p)
FUNCTION(logistic)
FUNCTION(rint)
FUNCTION(sin)
FUNCTION(softplus)
FUNCTION(sqrt)
FUNCTION(tanh)
FUNCTION(unit_scale)

PZ_KERNEL(each_max, 2, 1, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  PZ_REAL_ARG(0, t);
  y[i] = pz_max(x[i], t);
)

PZ_KERNEL(each_min, 2, 1, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  PZ_REAL_ARG(0, t);
  y[i] = pz_min(x[i], t);
)

/* Conditionals whose sides compute, and a product and a sum that could be contracted. */
PZ_KERNEL(each_threshold, 2, 1, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  PZ_REAL_ARG(0, t);
  y[i] = x[i] > t ? x[i] - t : (x[i] < -t ? x[i] + t : x[i] * t + (real)0.1);
)

PZ_KERNEL(swap, 2, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  y[2 * i] = x[2 * i + 1];
  y[2 * i + 1] = x[2 * i];
)

// clang-format on

#ifdef PZ_AVX2_
#define LOOPS(name, type)                                                     \
  {                                                                           \
    name##_##type##_baseline_, name##_##type##_avx2_, name##_##type##_avx512_ \
  }
#else
#define LOOPS(name, type)     \
  {                           \
    name##_##type##_baseline_ \
  }
#endif
#define EACH(name)                            \
  {                                           \
    &name,                                    \
    {                                         \
      LOOPS(name, float), LOOPS(name, double) \
    }                                         \
  }

const each each_function[] = {
    EACH(each_abs),       EACH(each_cos),        EACH(each_erf),   EACH(each_exp),
    EACH(each_expm1),     EACH(each_floor),      EACH(each_log),   EACH(each_log1p),
    EACH(each_logistic),  EACH(each_max),        EACH(each_min),   EACH(each_rint),
    EACH(each_sin),       EACH(each_softplus),   EACH(each_sqrt),  EACH(each_tanh),
    EACH(each_threshold), EACH(each_unit_scale), {NULL, {{NULL}}},
};
const each each_swap = EACH(swap);
