/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* usage: kernel-math-accuracy FUNCTION: a function of kernel_math.h, in float and in double, within
   4 ulp of the C library's in more precision: double for float, and long double, where that has 64
   bits, for double. A run takes one in some thousand floats, a thorough one all of them; doubles
   are random, of every size, and edges with their neighbours. */

#include <parametrize/kernel_math.h>

#include <support.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct function {
  const char* name;
  float (*f32)(float x);
  double (*f64)(double x);
  double (*exact32)(double x);
  long double (*exact64)(long double x);
  bool keeps_zeros; /* of either sign */
} function;

static const double bound = 4.0;

static double
logistic(const double x)
{
  return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

static long double
logistic_long(const long double x)
{
  return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x));
}

static double
softplus(const double x)
{
  return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static long double
softplus_long(const long double x)
{
  return fmaxl(x, 0) + log1pl(expl(-fabsl(x)));
}

/* 2^-e for the exponent e of x, kept within 2^-most .. 2^most. */
static int
unit_exponent(const long double x, const int most)
{
  const int e = x == 0 ? -most : !isfinite(x) ? most : ilogbl(x);
  return e > most ? -most : e < -most ? most : -e;
}

static double
unit_scale(const double x)
{
  return ldexp(1, unit_exponent(x, 126));
}

static long double
unit_scale_long(const long double x)
{
  return ldexpl(1, unit_exponent(x, 1022));
}

#define FUNCTION(name, exact32, exact64, keeps_zeros)                        \
  {                                                                          \
#name, pz_##name##_f32_, pz_##name##_f64_, exact32, exact64, keeps_zeros \
  }

static const function functions[] = {
    FUNCTION(cos, cos, cosl, false),
    FUNCTION(erf, erf, erfl, true),
    FUNCTION(exp, exp, expl, false),
    FUNCTION(expm1, expm1, expm1l, true),
    FUNCTION(floor, floor, floorl, true),
    FUNCTION(log, log, logl, false),
    FUNCTION(log1p, log1p, log1pl, true),
    FUNCTION(logistic, logistic, logistic_long, false),
    FUNCTION(rint, rint, rintl, true),
    FUNCTION(sin, sin, sinl, true),
    FUNCTION(softplus, softplus, softplus_long, false),
    FUNCTION(tanh, tanh, tanhl, true),
    FUNCTION(unit_scale, unit_scale, unit_scale_long, false),
};

static const function* tested;

/* |y - exact| in units of the last place of a format with `digits` bits, whose least exponent is
   `least`; numbers that round to 2^most are infinite. */
static double
error_in_ulp(const long double y, const long double exact, const int digits, const int least,
             const int most)
{
  const long double infinite = ldexpl(1, most);
  int exponent = 0;
  if (isnan(y) || isnan(exact)) {
    return isnan(y) && isnan(exact) ? 0 : HUGE_VAL;
  }
  if (isinf(exact)) {
    return y == exact ? 0 : HUGE_VAL;
  }
  if (isinf(y) && (y < 0) == (exact < 0) && fabsl(exact) >= infinite) {
    return 0;
  }
  const long double finite = isinf(y) ? copysignl(infinite, y) : y;
  (void)frexpl(exact, &exponent);
  exponent = exponent < least ? least : exponent;
  return (double)ldexpl(fabsl(finite - exact), digits - exponent);
}

static double
check32(const float x)
{
  const float y = tested->f32(x);
  const double exact = tested->exact32(x);
  if (y == (float)exact) {
    return 0; /* as most are: saves the time for the rest */
  }
  const double error = error_in_ulp(y, exact, FLT_MANT_DIG, FLT_MIN_EXP, FLT_MAX_EXP);
  if (!(error <= bound)) {
    ck_abort_msg("%s of %a: found %a, expected %a: %.2f ulp", tested->name, (double)x, (double)y,
                 exact, error);
  }
  return error;
}

static double
check64(const double x)
{
  const double y = tested->f64(x);
  const double error = error_in_ulp(y, tested->exact64(x), DBL_MANT_DIG, DBL_MIN_EXP, DBL_MAX_EXP);
  if (!(error <= bound)) {
    ck_abort_msg("%s of %a: found %a, expected %La: %.2f ulp", tested->name, x, y,
                 tested->exact64(x), error);
  }
  return error;
}

START_TEST(floats)
{
  const uint64_t step = test_thorough() ? 1 : 4001;
  double largest = 0;
  for (uint64_t bits = test_thorough() ? 0 : test_seed() % step; bits <= UINT32_MAX; bits += step) {
    largest = fmax(largest, check32(pz_of_bits_f32_((uint32_t)bits)));
  }
  fprintf(stderr, "%s, float: %.2f ulp\n", tested->name, largest);
}
END_TEST

/* Any bits, and numbers of size 2^-54 .. 2^10, 2^-4 .. 2^2, 2^-12 .. 2^12. */
static double
random_double(uint64_t* const state, const int kind)
{
  static const uint64_t least[] = {0, 1023 - 54, 1023 - 4, 1023 - 12};
  static const uint64_t sizes[] = {1, 64, 6, 24};
  const uint64_t bits = test_bits(state);
  const uint64_t exponent = least[kind] + test_bits(state) % sizes[kind];
  return pz_of_bits_f64_(kind == 0 ? bits : (bits & UINT64_C(0x800fffffffffffff)) | exponent << 52);
}

START_TEST(doubles)
{
  const int n = test_thorough() ? 40000000 : 200000;
  uint64_t state = test_seed();
  double largest = 0;
  for (int k = 0; k < n && LDBL_MANT_DIG >= 64; ++k) {
    largest = fmax(largest, check64(random_double(&state, k % 4)));
  }
  fprintf(stderr, "%s, double: %.2f ulp\n", tested->name, largest);
}
END_TEST

/* Where a formula changes, a result overflows or vanishes, or, below 2^20, a multiple of pi/2 is
   nearest. */
static const double edges[] = {
    0.0,
    DBL_TRUE_MIN,
    DBL_MIN,
    0x1p-126,
    0x1p-149,
    0x1p-54,
    0x1p-25,
    0.17157287525380990,
    0.34657359027997264,
    0.5,
    0.70710678118654752,
    1.0,
    1.4142135623730951,
    1.5,
    1.5707963267948966,
    2.0,
    2.5,
    3.1415926535897931,
    3.92,
    4.0,
    5.93,
    6.0,
    16.6355,
    17.3287,
    18.71497,
    20.0,
    36.7368,
    40.0,
    87.33655,
    88.0,
    88.722839,
    89.0,
    103.278929,
    103.972084,
    105.0,
    708.39641853226408,
    709.78271289338397,
    710.0,
    745.13321910194122,
    746.0,
    0x1p20,
    0x1p22,
    0x1p23,
    0x1p24,
    0x1p51,
    0x1p52,
    0x1p53,
    0x1.6c6cbc45dc8dep+5,
    0x1p127,
    FLT_MAX,
    DBL_MAX,
    (double)INFINITY,
    (double)NAN,
};

START_TEST(edges_and_their_neighbours)
{
  for (size_t k = 0; k < sizeof(edges) / sizeof(edges[0]); ++k) {
    for (int sign = -1; sign <= 1; sign += 2) {
      double x = sign * edges[k];
      float narrow = (float)x;
      for (int step = 0; step < 20; ++step) {
        x = step == 0 ? x : nextafter(x, -(double)INFINITY);
        narrow = step == 0 ? narrow : nextafterf(narrow, -INFINITY);
      }
      for (int step = 0; step < 40; ++step) {
        check32(narrow);
        if (LDBL_MANT_DIG >= 64) {
          check64(x);
        }
        x = nextafter(x, (double)INFINITY);
        narrow = nextafterf(narrow, INFINITY);
      }
    }
  }
}
END_TEST

START_TEST(zeros_keep_their_sign)
{
  if (tested->keeps_zeros) {
    for (int sign = 0; sign < 2; ++sign) {
      const double zero = sign ? -0.0 : 0.0;
      ck_assert(tested->f64(zero) == 0 && !signbit(tested->f64(zero)) == !sign);
      ck_assert(tested->f32((float)zero) == 0 && !signbit(tested->f32((float)zero)) == !sign);
    }
  }
}
END_TEST

/* Nothing jumps where a result is cut off: of the functions that grow. */
START_TEST(grows_over_the_edges)
{
  static const char* const growing[] = {"erf", "exp", "expm1", "logistic", "softplus", "tanh"};
  static const double places[] = {-745.5, -709.5, -103.5, -88.5, -40.0, 0.0, 4.0, 6.0, 88.5, 709.5};
  bool grows = false;
  for (size_t k = 0; k < sizeof(growing) / sizeof(growing[0]); ++k) {
    grows = grows || strcmp(tested->name, growing[k]) == 0;
  }
  for (size_t k = 0; grows && k < sizeof(places) / sizeof(places[0]); ++k) {
    for (int step = -1000; step < 1000; ++step) {
      const double x = places[k] + step / 1000.0;
      const double slack = 1 + 8 * DBL_EPSILON;
      const double next = tested->f64(x + 0.001);
      if (!(tested->f64(x) <= (next > 0 ? next * slack : next / slack)) ||
          !(tested->f32((float)x) <= tested->f32((float)(x + 0.1)) + FLT_EPSILON)) {
        ck_abort_msg("%s falls at %.17g", tested->name, x);
      }
    }
  }
}
END_TEST

/* NaN where either argument is, else the larger and the smaller. */
START_TEST(largest_and_smallest)
{
  static const double values[] = {-(double)INFINITY, -1.0, 0.0, 1.0, (double)INFINITY, (double)NAN};
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j < 6; ++j) {
      const double x = values[i];
      const double y = values[j];
      const float x32 = (float)x;
      const float y32 = (float)y;
      const bool none = isnan(x) || isnan(y);
      ck_assert(none ? isnan(pz_max(x, y)) : pz_max(x, y) == fmax(x, y));
      ck_assert(none ? isnan(pz_min(x, y)) : pz_min(x, y) == fmin(x, y));
      ck_assert(none ? isnan(pz_max(x32, y32)) : pz_max(x32, y32) == fmaxf(x32, y32));
      ck_assert(none ? isnan(pz_min(x32, y32)) : pz_min(x32, y32) == fminf(x32, y32));
    }
  }
}
END_TEST

int
main(const int argc, char** const argv)
{
  for (size_t k = 0; argc == 2 && k < sizeof(functions) / sizeof(functions[0]); ++k) {
    tested = strcmp(functions[k].name, argv[1]) == 0 ? &functions[k] : tested;
  }
  if (!tested) {
    fprintf(stderr, "usage: kernel-math-accuracy FUNCTION\n");
    return 2;
  }
  TCase* const tcase = tcase_create(tested->name);
  tcase_set_timeout(tcase, 1200);
  tcase_add_test(tcase, floats);
  tcase_add_test(tcase, doubles);
  tcase_add_test(tcase, edges_and_their_neighbours);
  tcase_add_test(tcase, zeros_keep_their_sign);
  tcase_add_test(tcase, grows_over_the_edges);
  tcase_add_test(tcase, largest_and_smallest);
  return test_main_case(tcase);
}
