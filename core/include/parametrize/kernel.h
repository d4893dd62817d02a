/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Portable kernels: a few lines of arithmetic written once, run on every device.

     PZ_KERNEL(soft_threshold, 2, 1, 0,
       PZ_TENSOR_ARG(0, x);
       PZ_TENSOR_ARG(1, y);
       PZ_REAL_ARG(0, t);
       y[i] = x[i] > t ? x[i] - t : (x[i] < -t ? x[i] + t : (real)0);
     )

   defines `soft_threshold`, a pz_kernel with two tensors, one real and no integer
   argument. The body runs once for each work item `i` (an element or a matrix); items
   run in any order and at the same time, so each writes only what no other touches.

   The body is written in what C99, OpenCL C 1.2 and CUDA C have in common: `real` for
   float or double, `pz_int` for 64-bit integers, the mathematics below (pz_exp ...),
   no preprocessor directives, no calls of other functions, no barriers, no static
   data. Tensor arguments are C-contiguous arrays of `real`, their byte offset already
   applied. The macro compiles the body for float and for double and keeps its text,
   from which OpenCL and CUDA backends build theirs. */

#ifndef PARAMETRIZE_KERNEL_H
#define PARAMETRIZE_KERNEL_H

#include <parametrize/types.h>

#include <math.h>

PZ_BEGIN_DECLS

enum { PZ_KERNEL_MAX_ARGS = 8 }; /* of each kind */

/* Runs items begin .. end-1 on host memory. `tensors` are first elements. */
typedef void (*pz_kernel_function)(int64_t begin, int64_t end, void* const* tensors,
                                   const double* reals, const int64_t* integers);

typedef struct pz_kernel {
  uint32_t size; /* sizeof(pz_kernel) */
  uint32_t n_tensors;
  uint32_t n_reals;
  uint32_t n_integers;
  const char* name; /* an identifier, unique within its file */
  const char* text; /* the body */
  pz_kernel_function f32;
  pz_kernel_function f64;
} pz_kernel;

typedef int64_t pz_int;

#define PZ_TENSOR_ARG(index, name) real* const name = (real*)pz_tensors[index]
#define PZ_REAL_ARG(index, name) const real name = (real)pz_reals[index]
#define PZ_INTEGER_ARG(index, name) const pz_int name = pz_integers[index]

#define PZ_KERNEL_BODY_(name, type, ...)                                                           \
  static inline void name##_##type##_item_(const pz_int i, void* const* const pz_tensors,          \
                                           const double* const pz_reals,                           \
                                           const pz_int* const pz_integers)                        \
  {                                                                                                \
    typedef type real;                                                                             \
    (void)i;                                                                                       \
    (void)pz_tensors;                                                                              \
    (void)pz_reals;                                                                                \
    (void)pz_integers;                                                                             \
    __VA_ARGS__                                                                                    \
  }                                                                                                \
  static void name##_##type##_(const int64_t begin, const int64_t end, void* const* const tensors, \
                               const double* const reals, const int64_t* const integers)           \
  {                                                                                                \
    for (int64_t i = begin; i < end; ++i) {                                                        \
      name##_##type##_item_(i, tensors, reals, integers);                                          \
    }                                                                                              \
  }

#define PZ_KERNEL(name, n_tensors_, n_reals_, n_integers_, ...) \
  PZ_KERNEL_BODY_(name, float, __VA_ARGS__)                     \
  PZ_KERNEL_BODY_(name, double, __VA_ARGS__)                    \
  static const pz_kernel name = {                               \
      (uint32_t)sizeof(pz_kernel),                              \
      n_tensors_,                                               \
      n_reals_,                                                 \
      n_integers_,                                              \
      #name,                                                    \
      #__VA_ARGS__,                                             \
      name##_float_,                                            \
      name##_double_,                                           \
  };

PZ_END_DECLS

/* The mathematics of the dialect, in the precision of its argument. */
#ifdef __cplusplus
#define PZ_MATH_1_(name, function)          \
  static inline float name(const float x)   \
  {                                         \
    return function##f(x);                  \
  }                                         \
  static inline double name(const double x) \
  {                                         \
    return function(x);                     \
  }
#define PZ_MATH_2_(name, function)                          \
  static inline float name(const float x, const float y)    \
  {                                                         \
    return function##f(x, y);                               \
  }                                                         \
  static inline double name(const double x, const double y) \
  {                                                         \
    return function(x, y);                                  \
  }
PZ_MATH_1_(pz_exp, exp)
PZ_MATH_1_(pz_expm1, expm1)
PZ_MATH_1_(pz_log, log)
PZ_MATH_1_(pz_log1p, log1p)
PZ_MATH_1_(pz_sqrt, sqrt)
PZ_MATH_1_(pz_abs, fabs)
PZ_MATH_1_(pz_sin, sin)
PZ_MATH_1_(pz_cos, cos)
PZ_MATH_1_(pz_tan, tan)
PZ_MATH_1_(pz_tanh, tanh)
PZ_MATH_2_(pz_pow, pow)
PZ_MATH_2_(pz_min, fmin)
PZ_MATH_2_(pz_max, fmax)
PZ_MATH_2_(pz_atan2, atan2)
PZ_MATH_2_(pz_hypot, hypot)
#undef PZ_MATH_1_
#undef PZ_MATH_2_
#else
#define PZ_MATH_(x, function) _Generic((x), float : function##f, default : function)
#define pz_exp(x) PZ_MATH_(x, exp)(x)
#define pz_expm1(x) PZ_MATH_(x, expm1)(x)
#define pz_log(x) PZ_MATH_(x, log)(x)
#define pz_log1p(x) PZ_MATH_(x, log1p)(x)
#define pz_sqrt(x) PZ_MATH_(x, sqrt)(x)
#define pz_abs(x) PZ_MATH_(x, fabs)(x)
#define pz_sin(x) PZ_MATH_(x, sin)(x)
#define pz_cos(x) PZ_MATH_(x, cos)(x)
#define pz_tan(x) PZ_MATH_(x, tan)(x)
#define pz_tanh(x) PZ_MATH_(x, tanh)(x)
#define pz_pow(x, y) PZ_MATH_(x, pow)(x, y)
#define pz_min(x, y) PZ_MATH_(x, fmin)(x, y)
#define pz_max(x, y) PZ_MATH_(x, fmax)(x, y)
#define pz_atan2(y, x) PZ_MATH_(y, atan2)(y, x)
#define pz_hypot(x, y) PZ_MATH_(x, hypot)(x, y)
#endif

#endif /* PARAMETRIZE_KERNEL_H */
