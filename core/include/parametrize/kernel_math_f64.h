/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The mathematics of portable kernels for double: branch-free code without calls and tables, so
   that the compiler vectorises the loops around it; only sine and cosine call the C library, for
   large arguments. kernel_math.h has the names that bodies use.

   Polynomials are minimax, in two halves of even and odd powers to shorten the chain of
   operations. Adding 1.5 2^52 rounds to an integer, which then stands in the low bits. Errors are
   the largest that tests/kernel_math has found, in units in the last place (ulp). */

#ifndef PARAMETRIZE_KERNEL_MATH_F64_H
#define PARAMETRIZE_KERNEL_MATH_F64_H

#include <parametrize/kernel_isa.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

#define PZ_ROUND_F64_ 0x1.8p52
/* ln 2 in two parts, the first with 11 zeros at its end */
#define PZ_LN2_HIGH_F64_ 0x1.62e42fefa38p-1
#define PZ_LN2_LOW_F64_ 0x1.ef35793c7673p-45

PZ_INLINE_ uint64_t
pz_bits_f64_(const double x)
{
  uint64_t bits;
  memcpy(&bits, &x, sizeof(bits));
  return bits;
}

PZ_INLINE_ double
pz_of_bits_f64_(const uint64_t bits)
{
  double x;
  memcpy(&x, &bits, sizeof(x));
  return x;
}

/* 2^n, n an integer in -1022 .. 1023 */
PZ_INLINE_ double
pz_pow2_f64_(const double n)
{
  return pz_of_bits_f64_(pz_bits_f64_(n + (PZ_ROUND_F64_ + 1023)) << 52);
}

/* y 2^n, rounded once, n an integer in -1100 .. 1100 and |y| near 1 */
PZ_INLINE_ double
pz_scale_f64_(const double y, const double n)
{
  PZ_UNCONTRACTED_
  const double half = (0.5 * n + PZ_ROUND_F64_) - PZ_ROUND_F64_;
  return y * pz_pow2_f64_(half) * pz_pow2_f64_(n - half);
}

/* x = n ln 2 + r, |r| <= ln 2 / 2, for |x| < 760: returns n */
PZ_INLINE_ double
pz_reduce_f64_(const double x, double* const r)
{
  PZ_UNCONTRACTED_
  const double n = (x * 0x1.71547652b82fep+0 + PZ_ROUND_F64_) - PZ_ROUND_F64_;
  *r = (x - n * PZ_LN2_HIGH_F64_) - n * PZ_LN2_LOW_F64_;
  return n;
}

/* e^r - 1 = r + r^2 q(r), |r| <= ln 2 / 2 */
PZ_INLINE_ double
pz_expm1_near_f64_(const double r)
{
  PZ_UNCONTRACTED_
  const double z = r * r;
  const double even =
      0x1.0000000000005p-1 +
      z * (0x1.5555555552093p-5 +
           z * (0x1.6c16c17f51e34p-10 + z * (0x1.a019a631ece81p-16 + z * 0x1.28a302d39b2fap-22)));
  const double odd =
      0x1.555555555555cp-3 +
      z * (0x1.111111110e695p-7 +
           z * (0x1.a01a01b5f114ep-13 + z * (0x1.71dde9c7990edp-19 + z * 0x1.af77164447d79p-26)));
  return r + z * (even + r * odd);
}

/* e^x = 2^n e^r. All x; infinite above 709.78, subnormal below -708.39, 0 below -745.13.
   Error: 1.1 ulp. */
PZ_INLINE_ double
pz_exp_f64_(const double x)
{
  PZ_UNCONTRACTED_
  double r;
  const double n = pz_reduce_f64_(x > 710 ? 710 : (x < -746 ? -746 : x), &r);
  return pz_scale_f64_(1 + pz_expm1_near_f64_(r), n);
}

/* e^x - 1 = 2^n ((1 - 2^-n) + (e^r - 1)). All x. Error: 2.4 ulp. */
PZ_INLINE_ double
pz_expm1_f64_(const double x)
{
  PZ_UNCONTRACTED_
  double r;
  const double n = pz_reduce_f64_(x > 710 ? 710 : (x < -40 ? -40 : x), &r);
  const double one = 1 - pz_pow2_f64_(n > 1000 ? -1000 : -n);
  return copysign(pz_scale_f64_(one + pz_expm1_near_f64_(r), n), x);
}

/* log u + c for normal u and |c| far below u: u = 2^k m, m in [sqrt(1/2), sqrt 2), and
   log m = 2 artanh s, s = f / (2 + f), f = m - 1. */
PZ_INLINE_ double
pz_log_normal_f64_(const double u, const double c, const double more_k)
{
  PZ_UNCONTRACTED_
  const uint64_t root = 0x3fe6a09e667f3bcd; /* sqrt(1/2) */
  const uint64_t bits = pz_bits_f64_(u) + (0x3ff0000000000000 - root);
  const double k = pz_of_bits_f64_((bits >> 52) | 0x4330000000000000) - (0x1p52 + 1023) + more_k;
  const double f = pz_of_bits_f64_((bits & 0x000fffffffffffff) + root) - 1;
  const double s = f / (2 + f);
  const double z = s * s;
  const double w = z * z;
  const double even =
      0x1.5555555555594p-1 +
      w * (0x1.249249428c3e3p-2 + w * (0x1.74665c196ef64p-3 + w * 0x1.2f261ad6c5defp-3));
  const double odd = 0x1.999999997f388p-2 + w * (0x1.c71c5182fbca2p-3 + w * 0x1.399ea1a491ce8p-3);
  const double tail = z * (even + z * odd);
  const double square = 0.5 * f * f;
  const double low = k * PZ_LN2_LOW_F64_ + c;
  return k * PZ_LN2_HIGH_F64_ - ((square - (s * (square + tail) + low)) - f);
}

/* log x. NaN below 0. Error: 0.9 ulp. */
PZ_INLINE_ double
pz_log_f64_(const double x)
{
  PZ_UNCONTRACTED_
  const int subnormal = x < 0x1p-1022;
  const double y = pz_log_normal_f64_(subnormal ? x * 0x1p54 : x, 0, subnormal ? -54 : 0);
  const double edge = x == 0 ? -(double)INFINITY : (double)NAN;
  return x > 0 ? (x < (double)INFINITY ? y : x) : edge;
}

/* log(1 + x) = log u + c / u, u = 1 + x rounded and c what was lost. NaN below -1.
   Error: 0.9 ulp. */
PZ_INLINE_ double
pz_log1p_f64_(const double x)
{
  PZ_UNCONTRACTED_
  const double u = 1 + x;
  const double lost = x < 1 ? x - (u - 1) : 1 - (u - x);
  const double y = copysign(pz_log_normal_f64_(u, lost / u, 0), x);
  const double edge = x == -1 ? -(double)INFINITY : (double)NAN;
  return x > -1 ? (x < (double)INFINITY ? y : x) : edge;
}

/* 1 / (1 + e^-x), from e^-|x|. Error: 2.4 ulp. */
PZ_INLINE_ double
pz_logistic_f64_(const double x)
{
  PZ_UNCONTRACTED_
  const double e = pz_exp_f64_(-fabs(x));
  return (x < 0 ? e : 1) / (1 + e);
}

/* log(1 + e^x) = max(x, 0) + log(1 + e), e = e^-|x|. With u = 1 + e rounded, as in pz_log1p; that
   1 / u is near 1 - e + e^2 / 2 is enough for what was lost. Error: 1.7 ulp. */
PZ_INLINE_ double
pz_softplus_f64_(const double x)
{
  PZ_UNCONTRACTED_
  const double e = pz_exp_f64_(-fabs(x));
  const double u = 1 + e;
  const double lost = (e - (u - 1)) * (1 - e * (1 - 0.5 * e));
  return (x > 0 ? x : 0) + pz_log_normal_f64_(u, lost, 0);
}

/* tanh |x| = -e / (2 + e), e = e^(-2 |x|) - 1. Error: 2.7 ulp. */
PZ_INLINE_ double
pz_tanh_f64_(const double x)
{
  PZ_UNCONTRACTED_
  const double e = pz_expm1_f64_(-2 * fabs(x));
  return copysign(e / (2 + e), x);
}

PZ_INLINE_ double
pz_cubic_f64_(const double z, const double a, const double b, const double c, const double d)
{
  PZ_UNCONTRACTED_
  return a + z * (b + z * (c + z * d));
}

/* erf |x| = 1 - e^-q, q = -log erfc |x| = x (2 / sqrt(pi) + x p(x)), a polynomial in x / 3 - 1;
   it is 1 from 5.93 on. Error: 2.3 ulp. */
PZ_INLINE_ double
pz_erf_f64_(const double x)
{
  PZ_UNCONTRACTED_
  const double a = fabs(x) > 6 ? 6 : fabs(x);
  const double t = a * (1.0 / 3) - 1;
  const double z = t * t;
  const double w = z * z * (z * z);
  const double even = pz_cubic_f64_(z, 0x1.a14af6f4e7591p-1, -0x1.876a83b1162e0p-5,
                                    -0x1.42854f385553ep-7, -0x1.b9410de8357cbp-11) +
                      w * (pz_cubic_f64_(z, 0x1.c67591f1deb2bp-12, 0x1.f91801c19ad98p-13,
                                         0x1.012de70a2c752p-14, 0x1.ab09c17ee8a4bp-12) +
                           w * pz_cubic_f64_(z, -0x1.e4f63412ace30p-11, -0x1.6c89cad09582dp-11,
                                             0x1.e6332a5cf6289p-10, 0x1.024ad4a2749b6p-11));
  const double odd = pz_cubic_f64_(z, 0x1.856d11f25a606p-4, 0x1.7444f5bcc0358p-6,
                                   0x1.d77fe1c311497p-9, -0x1.834d989788fc5p-13) +
                     w * (pz_cubic_f64_(z, -0x1.8f60613897a62p-12, -0x1.7e30aa2e074e9p-13,
                                        0x1.7d2d9b3ba7bb2p-13, 0x1.66e52b9ac679fp-14) +
                          w * pz_cubic_f64_(z, -0x1.9390fd81545e1p-10, 0x1.0b08dd969fe61p-10,
                                            0x1.605ccdb016508p-10, 0x1.37e935542ecbbp-14));
  return copysign(pz_expm1_f64_(-(a + a * (0x1.06eba8214db69p-3 + a * (even + t * odd)))), x);
}

#ifdef PZ_VECTOR_CALL_
/* |x| = n pi/2 + r, |r| <= pi/4, for |x| <= 2^20: sin and cos of r, exchanged where n + quarter is
   odd, negative where n + quarter is 2 or 3 modulo 4. */
PZ_INLINE_ double
pz_sine_inner_f64_(const double x, const uint64_t quarter)
{
  PZ_UNCONTRACTED_
  const double a = fabs(x);
  const double shifted = a * 0x1.45f306dc9c883p-1 + PZ_ROUND_F64_;
  const double n = shifted - PZ_ROUND_F64_;
  const uint64_t q = pz_bits_f64_(shifted) + quarter;
  const double r = ((a - n * 0x1.921fb544p+0) - n * 0x1.0b4611a6p-34) - n * 0x1.3198a2e037073p-69;
  const double z = r * r;
  const double w = z * z;
  const double sine = r + r * z *
                              ((-0x1.5555555555549p-3 + z * 0x1.111111110f802p-7) +
                               w * ((-0x1.a01a019c01d57p-13 + z * 0x1.71de35697afc1p-19) +
                                    w * (-0x1.ae5e5aae1ca51p-26 + z * 0x1.5d8f8bfa0a0ddp-33)));
  const double cosine =
      1 - (0.5 * z - w * ((0x1.555555555554bp-5 - z * 0x1.6c16c16c150fbp-10) +
                          w * ((0x1.a01a019ca46b7p-16 - z * 0x1.27e4f7ffe965dp-22) +
                               w * (0x1.1ee9e4d639479p-29 - z * 0x1.8faad2a6d79fep-37))));
  const uint64_t odd = 0 - (q & 1);
  const uint64_t size = (pz_bits_f64_(cosine) & odd) | (pz_bits_f64_(sine) & ~odd);
  return pz_of_bits_f64_(size ^ ((q & 2) << 62));
}

/* `inner` for |x| <= 2^20, else that of <math.h> */
PZ_VECTOR_CALL_ double
pz_sin_outer_f64_(const double x, const double inner)
{
  return fabs(x) <= 0x1p20 ? inner : sin(x);
}

PZ_VECTOR_CALL_ double
pz_cos_outer_f64_(const double x, const double inner)
{
  return fabs(x) <= 0x1p20 ? inner : cos(x);
}

/* Error: 2.0 ulp, where it is not that of <math.h>. */
PZ_INLINE_ double
pz_sin_f64_(const double x)
{
  const uint64_t sign = pz_bits_f64_(x) & 0x8000000000000000;
  return pz_sin_outer_f64_(x, pz_of_bits_f64_(pz_bits_f64_(pz_sine_inner_f64_(x, 0)) ^ sign));
}

/* Error: 2.1 ulp, where it is not that of <math.h>. */
PZ_INLINE_ double
pz_cos_f64_(const double x)
{
  return pz_cos_outer_f64_(x, pz_sine_inner_f64_(x, 1));
}
#else
PZ_INLINE_ double
pz_sin_f64_(const double x)
{
  return sin(x);
}

PZ_INLINE_ double
pz_cos_f64_(const double x)
{
  return cos(x);
}
#endif

/* The nearest integer, the even one of two. Exact. */
PZ_INLINE_ double
pz_rint_f64_(const double x)
{
  PZ_UNCONTRACTED_
  const double a = fabs(x);
  return copysign(a < 0x1p52 ? (a + 0x1p52) - 0x1p52 : a, x);
}

/* The largest integer that is not above x. Exact. */
PZ_INLINE_ double
pz_floor_f64_(const double x)
{
  PZ_UNCONTRACTED_
  const double n = pz_rint_f64_(x);
  return copysign(n > x ? n - 1 : n, x);
}

/* x where it is the larger or NaN, else y */
PZ_INLINE_ double
pz_max_f64_(const double x, const double y)
{
  return ((x > y) | (x != x)) ? x : y;
}

PZ_INLINE_ double
pz_min_f64_(const double x, const double y)
{
  return ((x < y) | (x != x)) ? x : y;
}

#endif /* PARAMETRIZE_KERNEL_MATH_F64_H */
