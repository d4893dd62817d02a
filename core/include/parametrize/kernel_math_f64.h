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

#define PZ_ROUND_F64_ 6755399441055744.0
/* ln 2 in two parts, the first with 11 zeros at its end */
#define PZ_LN2_HIGH_F64_ 0.6931471805598903
#define PZ_LN2_LOW_F64_ 5.497923018708371e-14

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
  const double n = (x * 1.4426950408889634 + PZ_ROUND_F64_) - PZ_ROUND_F64_;
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
      0.5000000000000006 +
      z * (0.04166666666657295 +
           z * (0.0013888888932615086 + z * (2.480150414614505e-05 + z * 2.7626451279995054e-07)));
  const double odd =
      0.16666666666666685 +
      z * (0.008333333333314466 + z * (0.00019841269903343245 +
                                       z * (2.7557227644682857e-06 + z * 2.5114579097903464e-08)));
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
  const double k =
      pz_of_bits_f64_((bits >> 52) | 0x4330000000000000) - (4503599627370496.0 + 1023) + more_k;
  const double f = pz_of_bits_f64_((bits & 0x000fffffffffffff) + root) - 1;
  const double s = f / (2 + f);
  const double z = s * s;
  const double w = z * z;
  const double even =
      0.6666666666666736 +
      w * (0.28571428745914157 + w * (0.18183586075417246 + w * 0.14802189796385742));
  const double odd = 0.39999999999400204 + w * (0.22222198182087022 + w * 0.15313459666706497);
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
  const int subnormal = x < 2.2250738585072014e-308;
  const double y =
      pz_log_normal_f64_(subnormal ? x * 1.8014398509481984e+16 : x, 0, subnormal ? -54 : 0);
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
  const double even = pz_cubic_f64_(z, 0.8150250600771632, -0.04778028222125896,
                                    -0.009842551881471647, -0.0008416254395580079) +
                      w * (pz_cubic_f64_(z, 0.0004334061223897785, 0.00024084748115469896,
                                         6.131632486264013e-05, 0.00040725527645172195) +
                           w * pz_cubic_f64_(z, -0.0009249910966304172, -0.0006953015345725393,
                                             0.0018547052961734054, 0.0004926534787109058));
  const double odd = pz_cubic_f64_(z, 0.09507472048212415, 0.022721519449081157,
                                   0.0035972560013158394, -0.0001846805141535441) +
                     w * (pz_cubic_f64_(z, -0.00038087509486742753, -0.0001822424396217611,
                                        0.00018175990577603895, 8.55672828205243e-05) +
                          w * pz_cubic_f64_(z, -0.0015394835212031376, 0.0010186562773525575,
                                            0.0013441563169379073, 7.43653702696576e-05));
  return copysign(pz_expm1_f64_(-(a + a * (0.1283791670955126 + a * (even + t * odd)))), x);
}

#ifdef PZ_VECTOR_CALL_
/* |x| = n pi/2 + r, |r| <= pi/4, for |x| <= 2^20: sin and cos of r, exchanged where n + quarter is
   odd, negative where n + quarter is 2 or 3 modulo 4. */
PZ_INLINE_ double
pz_sine_inner_f64_(const double x, const uint64_t quarter)
{
  PZ_UNCONTRACTED_
  const double a = fabs(x);
  const double shifted = a * 0.6366197723675814 + PZ_ROUND_F64_;
  const double n = shifted - PZ_ROUND_F64_;
  const uint64_t q = pz_bits_f64_(shifted) + quarter;
  const double r =
      ((a - n * 1.5707963267341256) - n * 6.077100506303966e-11) - n * 2.0222662487959506e-21;
  const double z = r * r;
  const double w = z * z;
  const double sine = r + r * z *
                              ((-0.16666666666666632 + z * 0.008333333333322205) +
                               w * ((-0.00019841269829632788 + z * 2.755731362871398e-06) +
                                    w * (-2.50507478584124e-08 + z * 1.5896181577099094e-10)));
  const double cosine =
      1 - (0.5 * z - w * ((0.041666666666666595 - z * 0.001388888888887384) +
                          w * ((2.4801587289297318e-05 - z * 2.7557314296665135e-07) +
                               w * (2.0875715419434467e-09 - z * 1.1359227209774137e-11))));
  const uint64_t odd = 0 - (q & 1);
  const uint64_t size = (pz_bits_f64_(cosine) & odd) | (pz_bits_f64_(sine) & ~odd);
  return pz_of_bits_f64_(size ^ ((q & 2) << 62));
}

/* `inner` for |x| <= 2^20, else that of <math.h> */
PZ_VECTOR_CALL_ double
pz_sin_outer_f64_(const double x, const double inner)
{
  return fabs(x) <= 1048576.0 ? inner : sin(x);
}

PZ_VECTOR_CALL_ double
pz_cos_outer_f64_(const double x, const double inner)
{
  return fabs(x) <= 1048576.0 ? inner : cos(x);
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
  return copysign(a < 4503599627370496.0 ? (a + 4503599627370496.0) - 4503599627370496.0 : a, x);
}

/* The largest integer that is not above x. Exact. */
PZ_INLINE_ double
pz_floor_f64_(const double x)
{
  PZ_UNCONTRACTED_
  const double n = pz_rint_f64_(x);
  return copysign(n > x ? n - 1 : n, x);
}

/* x where it is the larger or NaN, else y: two selections, of which compilers make no branches */
PZ_INLINE_ double
pz_max_f64_(const double x, const double y)
{
  const double larger = x > y ? x : y;
  return x != x ? x : larger;
}

PZ_INLINE_ double
pz_min_f64_(const double x, const double y)
{
  const double smaller = x < y ? x : y;
  return x != x ? x : smaller;
}

/* The power of two s with 1 <= |s x| < 2, as far as s and 1 / s are normal numbers. */
PZ_INLINE_ double
pz_unit_scale_f64_(const double x)
{
  const double power =
      pz_of_bits_f64_(pz_bits_f64_(x) & 0x7ff0000000000000); /* of two, 0 or infinity */
  return 1 / (power > 4.4942328371557897693e307
                  ? 4.4942328371557897693e307
                  : (power < 2.2250738585072014e-308 ? 2.2250738585072014e-308 : power));
}

#endif /* PARAMETRIZE_KERNEL_MATH_F64_H */
