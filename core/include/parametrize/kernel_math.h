/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The mathematics of portable kernels (kernel.h), in the precision of its argument.

     pz_exp pz_expm1 pz_log pz_log1p    as in <math.h>, within 4 ulp, NaN and infinities included
     pz_sin pz_cos pz_tanh pz_erf
     pz_logistic                        1 / (1 + e^-x)
     pz_softplus                        log(1 + e^x)
     pz_rint pz_floor pz_abs pz_sqrt    exact, or rounded correctly
     pz_unit_scale                      the power of two s with 1 <= |s x| < 2, as far as s and 1 / s
                                        are normal numbers: for sums of squares without overflow
     pz_max pz_min                      NaN if an argument is
     pz_tan pz_pow pz_atan2 pz_hypot    those of <math.h>: a loop with one is not vectorised

   All but the last line compile to straight code; sine and cosine call <math.h> where |x| is above
   2^20, or everywhere if the compiler is not GCC. They need rounding to nearest, and
   compilers that keep to IEEE 754: no -ffast-math. They leave errno alone. */

#ifndef PARAMETRIZE_KERNEL_MATH_H
#define PARAMETRIZE_KERNEL_MATH_H

#include <parametrize/kernel_isa.h>
#include <parametrize/kernel_math_f32.h>
#include <parametrize/kernel_math_f64.h>

#include <math.h>

#ifdef __cplusplus
#define PZ_MATH_1_(name, f32, f64)       \
  PZ_INLINE_ float name(const float x)   \
  {                                      \
    return f32(x);                       \
  }                                      \
  PZ_INLINE_ double name(const double x) \
  {                                      \
    return f64(x);                       \
  }
#define PZ_MATH_2_(name, f32, f64)                       \
  PZ_INLINE_ float name(const float x, const float y)    \
  {                                                      \
    return f32(x, y);                                    \
  }                                                      \
  PZ_INLINE_ double name(const double x, const double y) \
  {                                                      \
    return f64(x, y);                                    \
  }
PZ_MATH_1_(pz_exp, pz_exp_f32_, pz_exp_f64_)
PZ_MATH_1_(pz_expm1, pz_expm1_f32_, pz_expm1_f64_)
PZ_MATH_1_(pz_log, pz_log_f32_, pz_log_f64_)
PZ_MATH_1_(pz_log1p, pz_log1p_f32_, pz_log1p_f64_)
PZ_MATH_1_(pz_logistic, pz_logistic_f32_, pz_logistic_f64_)
PZ_MATH_1_(pz_softplus, pz_softplus_f32_, pz_softplus_f64_)
PZ_MATH_1_(pz_sin, pz_sin_f32_, pz_sin_f64_)
PZ_MATH_1_(pz_cos, pz_cos_f32_, pz_cos_f64_)
PZ_MATH_1_(pz_tanh, pz_tanh_f32_, pz_tanh_f64_)
PZ_MATH_1_(pz_erf, pz_erf_f32_, pz_erf_f64_)
PZ_MATH_1_(pz_rint, pz_rint_f32_, pz_rint_f64_)
PZ_MATH_1_(pz_floor, pz_floor_f32_, pz_floor_f64_)
PZ_MATH_1_(pz_unit_scale, pz_unit_scale_f32_, pz_unit_scale_f64_)
PZ_MATH_1_(pz_abs, fabsf, fabs)
PZ_MATH_1_(pz_sqrt, sqrtf, sqrt)
PZ_MATH_1_(pz_tan, tanf, tan)
PZ_MATH_2_(pz_max, pz_max_f32_, pz_max_f64_)
PZ_MATH_2_(pz_min, pz_min_f32_, pz_min_f64_)
PZ_MATH_2_(pz_pow, powf, pow)
PZ_MATH_2_(pz_atan2, atan2f, atan2)
PZ_MATH_2_(pz_hypot, hypotf, hypot)
#undef PZ_MATH_1_
#undef PZ_MATH_2_
#else
#define PZ_MATH_(x, f32, f64) _Generic((x), float : f32, default : f64)
#define PZ_MATH_1_(name, x) PZ_MATH_(x, name##_f32_, name##_f64_)(x)
#define PZ_MATH_2_(name, x, y) PZ_MATH_((x) + (y), name##_f32_, name##_f64_)(x, y)
#define pz_exp(x) PZ_MATH_1_(pz_exp, x)
#define pz_expm1(x) PZ_MATH_1_(pz_expm1, x)
#define pz_log(x) PZ_MATH_1_(pz_log, x)
#define pz_log1p(x) PZ_MATH_1_(pz_log1p, x)
#define pz_logistic(x) PZ_MATH_1_(pz_logistic, x)
#define pz_softplus(x) PZ_MATH_1_(pz_softplus, x)
#define pz_sin(x) PZ_MATH_1_(pz_sin, x)
#define pz_cos(x) PZ_MATH_1_(pz_cos, x)
#define pz_tanh(x) PZ_MATH_1_(pz_tanh, x)
#define pz_erf(x) PZ_MATH_1_(pz_erf, x)
#define pz_rint(x) PZ_MATH_1_(pz_rint, x)
#define pz_floor(x) PZ_MATH_1_(pz_floor, x)
#define pz_unit_scale(x) PZ_MATH_1_(pz_unit_scale, x)
#define pz_max(x, y) PZ_MATH_2_(pz_max, x, y)
#define pz_min(x, y) PZ_MATH_2_(pz_min, x, y)
#define pz_abs(x) PZ_MATH_(x, fabsf, fabs)(x)
#define pz_sqrt(x) PZ_MATH_(x, sqrtf, sqrt)(x)
#define pz_tan(x) PZ_MATH_(x, tanf, tan)(x)
#define pz_pow(x, y) PZ_MATH_((x) + (y), powf, pow)(x, y)
#define pz_atan2(y, x) PZ_MATH_((y) + (x), atan2f, atan2)(y, x)
#define pz_hypot(x, y) PZ_MATH_((x) + (y), hypotf, hypot)(x, y)
#endif

#endif /* PARAMETRIZE_KERNEL_MATH_H */
