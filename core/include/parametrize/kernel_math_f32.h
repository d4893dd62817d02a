/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The mathematics of portable kernels for float: branch-free code without calls and tables, so
   that the compiler vectorises the loops around it; only sine and cosine call the C library, for
   large arguments. kernel_math.h has the names that bodies use.

   Polynomials are minimax, in two halves of even and odd powers to shorten the chain of
   operations. Adding 1.5 2^23 rounds to an integer, which then stands in the low bits. Errors are
   the largest that tests/kernel_math has found, in units in the last place (ulp). */

#ifndef PARAMETRIZE_KERNEL_MATH_F32_H
#define PARAMETRIZE_KERNEL_MATH_F32_H

#include <parametrize/kernel_isa.h>
#include <parametrize/kernel_math_f64.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

#define PZ_ROUND_F32_ 1.2582912e+07f
/* ln 2 in two parts, the first with 9 zeros at its end */
#define PZ_LN2_HIGH_F32_ 0.69314575f
#define PZ_LN2_LOW_F32_ 1.4286068e-06f

PZ_INLINE_ uint32_t
pz_bits_f32_(const float x)
{
  uint32_t bits;
  memcpy(&bits, &x, sizeof(bits));
  return bits;
}

PZ_INLINE_ float
pz_of_bits_f32_(const uint32_t bits)
{
  float x;
  memcpy(&x, &bits, sizeof(x));
  return x;
}

/* 2^n, n an integer in -126 .. 127 */
PZ_INLINE_ float
pz_pow2_f32_(const float n)
{
  return pz_of_bits_f32_(pz_bits_f32_(n + (PZ_ROUND_F32_ + 127)) << 23);
}

/* y 2^n, rounded once, n an integer in -160 .. 160 and |y| near 1 */
PZ_INLINE_ float
pz_scale_f32_(const float y, const float n)
{
  PZ_UNCONTRACTED_
  const float half = (0.5f * n + PZ_ROUND_F32_) - PZ_ROUND_F32_;
  return y * pz_pow2_f32_(half) * pz_pow2_f32_(n - half);
}

/* x = n ln 2 + r, |r| <= ln 2 / 2, for |x| < 110: returns n */
PZ_INLINE_ float
pz_reduce_f32_(const float x, float* const r)
{
  PZ_UNCONTRACTED_
  const float n = (x * 1.442695f + PZ_ROUND_F32_) - PZ_ROUND_F32_;
  *r = (x - n * PZ_LN2_HIGH_F32_) - n * PZ_LN2_LOW_F32_;
  return n;
}

/* e^r - 1 = r + r^2 q(r), |r| <= ln 2 / 2 */
PZ_INLINE_ float
pz_expm1_near_f32_(const float r)
{
  PZ_UNCONTRACTED_
  const float z = r * r;
  const float even = 0.5f + z * (0.04166628f + z * 0.0013946554f);
  const float odd = 0.16666542f + z * 0.008366644f;
  return r + z * (even + r * odd);
}

/* e^x = 2^n e^r. All x; infinite above 88.72, subnormal below -87.33, 0 below -103.97.
   Error: 1.1 ulp. */
PZ_INLINE_ float
pz_exp_f32_(const float x)
{
  PZ_UNCONTRACTED_
  float r;
  const float n = pz_reduce_f32_(x > 89 ? 89 : (x < -105 ? -105 : x), &r);
  return pz_scale_f32_(1 + pz_expm1_near_f32_(r), n);
}

/* e^x - 1 = 2^n ((1 - 2^-n) + (e^r - 1)). All x. Error: 1.9 ulp. */
PZ_INLINE_ float
pz_expm1_f32_(const float x)
{
  PZ_UNCONTRACTED_
  float r;
  const float n = pz_reduce_f32_(x > 89 ? 89 : (x < -20 ? -20 : x), &r);
  const float one = 1 - pz_pow2_f32_(n > 120 ? -120 : -n);
  return copysignf(pz_scale_f32_(one + pz_expm1_near_f32_(r), n), x);
}

/* log u + c for normal u and |c| far below u: u = 2^k m, m in [sqrt(1/2), sqrt 2), and
   log m = 2 artanh s, s = f / (2 + f), f = m - 1. */
PZ_INLINE_ float
pz_log_normal_f32_(const float u, const float c, const float more_k)
{
  PZ_UNCONTRACTED_
  const uint32_t root = 0x3f3504f3; /* sqrt(1/2) */
  const uint32_t bits = pz_bits_f32_(u) + (0x3f800000 - root);
  const float k = pz_of_bits_f32_((bits >> 23) | 0x4b000000) - (8388608.0f + 127) + more_k;
  const float f = pz_of_bits_f32_((bits & 0x007fffff) + root) - 1;
  const float s = f / (2 + f);
  const float z = s * s;
  const float tail = z * (0.66666776f + z * (0.39977357f + z * 0.29877114f));
  const float square = 0.5f * f * f;
  const float low = k * PZ_LN2_LOW_F32_ + c;
  return k * PZ_LN2_HIGH_F32_ - ((square - (s * (square + tail) + low)) - f);
}

/* log x. NaN below 0. Error: 0.9 ulp. */
PZ_INLINE_ float
pz_log_f32_(const float x)
{
  PZ_UNCONTRACTED_
  const int subnormal = x < 1.1754944e-38f;
  const float y = pz_log_normal_f32_(subnormal ? x * 3.3554432e+07f : x, 0, subnormal ? -25 : 0);
  const float edge = x == 0 ? -INFINITY : NAN;
  return x > 0 ? (x < INFINITY ? y : x) : edge;
}

/* log(1 + x) = log u + c / u, u = 1 + x rounded and c what was lost. NaN below -1.
   Error: 0.9 ulp. */
PZ_INLINE_ float
pz_log1p_f32_(const float x)
{
  PZ_UNCONTRACTED_
  const float u = 1 + x;
  const float lost = x < 1 ? x - (u - 1) : 1 - (u - x);
  const float y = copysignf(pz_log_normal_f32_(u, lost / u, 0), x);
  const float edge = x == -1 ? -INFINITY : NAN;
  return x > -1 ? (x < INFINITY ? y : x) : edge;
}

/* 1 / (1 + e^-x), from e^-|x|. Error: 2.4 ulp. */
PZ_INLINE_ float
pz_logistic_f32_(const float x)
{
  PZ_UNCONTRACTED_
  const float e = pz_exp_f32_(-fabsf(x));
  return (x < 0 ? e : 1) / (1 + e);
}

/* log(1 + e^x) = max(x, 0) + log(1 + e), e = e^-|x|. With u = 1 + e rounded, as in pz_log1p; that
   1 / u is near 1 - e + e^2 / 2 is enough for what was lost. Error: 1.7 ulp. */
PZ_INLINE_ float
pz_softplus_f32_(const float x)
{
  PZ_UNCONTRACTED_
  const float e = pz_exp_f32_(-fabsf(x));
  const float u = 1 + e;
  const float lost = (e - (u - 1)) * (1 - e * (1 - 0.5f * e));
  return (x > 0 ? x : 0) + pz_log_normal_f32_(u, lost, 0);
}

/* tanh |x| = -e / (2 + e), e = e^(-2 |x|) - 1. Error: 2.6 ulp. */
PZ_INLINE_ float
pz_tanh_f32_(const float x)
{
  PZ_UNCONTRACTED_
  const float e = pz_expm1_f32_(-2 * fabsf(x));
  return copysignf(e / (2 + e), x);
}

/* erf |x| = 1 - e^-q, q = -log erfc |x| = x (2 / sqrt(pi) + x p(x)), a polynomial in x / 2 - 1;
   it is 1 from 3.92 on. Error: 2.3 ulp. */
PZ_INLINE_ float
pz_erf_f32_(const float x)
{
  PZ_UNCONTRACTED_
  const float a = fabsf(x) > 4 ? 4 : fabsf(x);
  const float t = a * 0.5f - 1;
  const float z = t * t;
  const float even =
      0.7770457f +
      z * (-0.034891494f + z * (-0.0032212106f + z * (1.2545963e-04f + z * 3.0047985e-04f)));
  const float odd = 0.090799265f + z * (0.011929998f + z * (3.1331702e-04f + z * -3.0344864e-04f));
  return copysignf(pz_expm1_f32_(-(a + a * (0.12837917f + a * (even + t * odd)))), x);
}

#ifdef PZ_VECTOR_CALL_
/* |x| = n pi/2 + r, |r| <= pi/4, for |x| <= 2^20: sin and cos of r, exchanged where n + quarter is
   odd, negative where n + quarter is 2 or 3 modulo 4. */
PZ_INLINE_ float
pz_sine_inner_f32_(const float x, const uint32_t quarter)
{
  PZ_UNCONTRACTED_
  const float a = fabsf(x);
  const double shifted = (double)a * 0.6366197723675814 + 6755399441055744.0;
  const double n = shifted - 6755399441055744.0;
  const uint32_t q = (uint32_t)pz_bits_f64_(shifted) + quarter;
  const float r = (float)(((double)a - n * 1.5707963267341256) - n * 6.077100506506192e-11);
  const float z = r * r;
  const float w = z * z;
  const float sine = r + r * z * (-0.16666655f + z * (0.008332169f - z * 1.9516012e-04f));
  const float cosine =
      1 - (0.5f * z - w * (0.041666646f - z * (0.0013887355f - z * 2.4437008e-05f)));
  const uint32_t odd = 0 - (q & 1);
  const uint32_t size = (pz_bits_f32_(cosine) & odd) | (pz_bits_f32_(sine) & ~odd);
  return pz_of_bits_f32_(size ^ ((q & 2) << 30));
}

/* `inner` for |x| <= 2^20, else that of <math.h> */
PZ_VECTOR_CALL_ float
pz_sin_outer_f32_(const float x, const float inner)
{
  return fabsf(x) <= 1048576.0f ? inner : sinf(x);
}

PZ_VECTOR_CALL_ float
pz_cos_outer_f32_(const float x, const float inner)
{
  return fabsf(x) <= 1048576.0f ? inner : cosf(x);
}

/* Error: 1.6 ulp, where it is not that of <math.h>. */
PZ_INLINE_ float
pz_sin_f32_(const float x)
{
  const uint32_t sign = pz_bits_f32_(x) & 0x80000000;
  return pz_sin_outer_f32_(x, pz_of_bits_f32_(pz_bits_f32_(pz_sine_inner_f32_(x, 0)) ^ sign));
}

/* Error: 1.6 ulp, where it is not that of <math.h>. */
PZ_INLINE_ float
pz_cos_f32_(const float x)
{
  return pz_cos_outer_f32_(x, pz_sine_inner_f32_(x, 1));
}
#else
PZ_INLINE_ float
pz_sin_f32_(const float x)
{
  return sinf(x);
}

PZ_INLINE_ float
pz_cos_f32_(const float x)
{
  return cosf(x);
}
#endif

/* The nearest integer, the even one of two. Exact. */
PZ_INLINE_ float
pz_rint_f32_(const float x)
{
  PZ_UNCONTRACTED_
  const float a = fabsf(x);
  return copysignf(a < 8388608.0f ? (a + 8388608.0f) - 8388608.0f : a, x);
}

/* The largest integer that is not above x. Exact. */
PZ_INLINE_ float
pz_floor_f32_(const float x)
{
  PZ_UNCONTRACTED_
  const float n = pz_rint_f32_(x);
  return copysignf(n > x ? n - 1 : n, x);
}

/* x where it is the larger or NaN, else y: two selections, of which compilers make no branches */
PZ_INLINE_ float
pz_max_f32_(const float x, const float y)
{
  const float larger = x > y ? x : y;
  return x != x ? x : larger;
}

PZ_INLINE_ float
pz_min_f32_(const float x, const float y)
{
  const float smaller = x < y ? x : y;
  return x != x ? x : smaller;
}

/* The power of two s with 1 <= |s x| < 2, as far as s and 1 / s are normal numbers. */
PZ_INLINE_ float
pz_unit_scale_f32_(const float x)
{
  const float power = pz_of_bits_f32_(pz_bits_f32_(x) & 0x7f800000); /* of two, 0 or infinity */
  return 1 / (power > 8.507059173023461586e37f
                  ? 8.507059173023461586e37f
                  : (power < 1.1754943508222875e-38f ? 1.1754943508222875e-38f : power));
}

#endif /* PARAMETRIZE_KERNEL_MATH_F32_H */
