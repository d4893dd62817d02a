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
   float or double, `pz_int` for 64-bit integers, the mathematics of kernel_math.h
   (pz_exp ...), no preprocessor directives, no calls of other functions, no barriers,
   no static data. Tensor arguments are C-contiguous arrays of `real`, their byte offset
   already applied. The macro compiles the body for float and for double, in loops for
   each instruction set (kernel_isa.h), and keeps its text, from which OpenCL and CUDA
   backends build theirs. Compile with -O3 -fno-math-errno, so that the loops become
   vector instructions. */

#ifndef PARAMETRIZE_KERNEL_H
#define PARAMETRIZE_KERNEL_H

#include <parametrize/kernel_isa.h>
#include <parametrize/kernel_math.h>
#include <parametrize/types.h>

#ifdef __cplusplus
#include <initializer_list>
#endif

PZ_BEGIN_DECLS

enum {
  PZ_KERNEL_MAX_ARGS = 8, /* of each kind */
  PZ_KERNEL_DIALECT = 1,  /* rises when bodies can use more, such as another function */
};

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
  uint32_t dialect;     /* PZ_KERNEL_DIALECT; an older host refuses a newer one by its name */
  uint32_t reserved[3]; /* zero */
} pz_kernel;

typedef int64_t pz_int;

/* `index`, which does not compile unless it is a constant below `count`. */
#define PZ_BELOW_(index, count) \
  ((index) + 0 * (int)sizeof(char[(index) >= 0 && (index) < (count) ? 1 : -1]))

#define PZ_TENSOR_ARG(index, name) \
  real* const name = (real*)pz_tensors[PZ_BELOW_(index, pz_n_tensors_)]
#define PZ_REAL_ARG(index, name) const real name = (real)pz_reals[PZ_BELOW_(index, pz_n_reals_)]
#define PZ_INTEGER_ARG(index, name) \
  const pz_int name = pz_integers[PZ_BELOW_(index, pz_n_integers_)]

#define PZ_KERNEL_ITEM_(name, type, n_tensors, n_reals, n_integers, ...)                      \
  PZ_INLINE_ void name##_item_(const pz_int i, void* const* const pz_tensors,                 \
                               const double* const pz_reals, const pz_int* const pz_integers) \
  {                                                                                           \
    PZ_UNCONTRACTED_                                                                          \
    typedef type real;                                                                        \
    enum { pz_n_tensors_ = n_tensors, pz_n_reals_ = n_reals, pz_n_integers_ = n_integers };   \
    (void)i;                                                                                  \
    (void)pz_tensors;                                                                         \
    (void)pz_reals;                                                                           \
    (void)pz_integers;                                                                        \
    __VA_ARGS__                                                                               \
  }

/* Copies the arguments, so that the compiler sees that no item writes them. */
#define PZ_KERNEL_LOOP_(function, attributes, wide, name, n_tensors_, n_reals_, n_integers_) \
  attributes static void function(const int64_t begin, const int64_t end,                    \
                                  void* const* const tensors, const double* const reals,     \
                                  const int64_t* const integers)                             \
  {                                                                                          \
    void* t[PZ_KERNEL_MAX_ARGS] = {NULL};                                                    \
    double r[PZ_KERNEL_MAX_ARGS] = {0};                                                      \
    pz_int n[PZ_KERNEL_MAX_ARGS] = {0};                                                      \
    for (int k = 0; k < (n_tensors_); ++k) {                                                 \
      t[k] = tensors[k];                                                                     \
    }                                                                                        \
    for (int k = 0; k < (n_reals_); ++k) {                                                   \
      r[k] = reals[k];                                                                       \
    }                                                                                        \
    for (int k = 0; k < (n_integers_); ++k) {                                                \
      n[k] = integers[k];                                                                    \
    }                                                                                        \
    for (int64_t i = begin; i < end; ++i) {                                                  \
      name##_item_(i, t, r, n);                                                              \
    }                                                                                        \
  }

#define PZ_KERNEL_BODY_(name, type, n_tensors_, n_reals_, n_integers_, ...)               \
  PZ_KERNEL_ITEM_(name, type, n_tensors_, n_reals_, n_integers_, __VA_ARGS__)             \
  PZ_FOR_ISAS_(PZ_KERNEL_LOOP_, name, name, n_tensors_, n_reals_, n_integers_)            \
  static void name##_(const int64_t begin, const int64_t end, void* const* const tensors, \
                      const double* const reals, const int64_t* const integers)           \
  {                                                                                       \
    PZ_WIDEST_(name)(begin, end, tensors, reals, integers);                               \
  }

#define PZ_KERNEL(name, n_tensors_, n_reals_, n_integers_, ...)                          \
  PZ_KERNEL_BODY_(name##_float, float, n_tensors_, n_reals_, n_integers_, __VA_ARGS__)   \
  PZ_KERNEL_BODY_(name##_double, double, n_tensors_, n_reals_, n_integers_, __VA_ARGS__) \
  static const pz_kernel name = {                                                        \
      (uint32_t)sizeof(pz_kernel),                                                       \
      n_tensors_,                                                                        \
      n_reals_,                                                                          \
      n_integers_,                                                                       \
      #name,                                                                             \
      #__VA_ARGS__,                                                                      \
      name##_float_,                                                                     \
      name##_double_,                                                                    \
      PZ_KERNEL_DIALECT,                                                                 \
      {0, 0, 0},                                                                         \
  };

/* ---- arguments of launches: PZ_TENSORS(&x, &y) is an array of them ------------- */

#ifdef __cplusplus
#define PZ_ARRAY_(type, ...) (std::initializer_list<type>{__VA_ARGS__}.begin())
#else
#define PZ_ARRAY_(type, ...) ((type const[]){__VA_ARGS__})
#endif
#define PZ_TENSORS(...) PZ_ARRAY_(const pz_tensor*, __VA_ARGS__)
#define PZ_OUTPUTS(...) PZ_ARRAY_(pz_tensor*, __VA_ARGS__)
#define PZ_REALS(...) PZ_ARRAY_(double, __VA_ARGS__)
#define PZ_INTEGERS(...) PZ_ARRAY_(int64_t, __VA_ARGS__)

PZ_END_DECLS

#endif /* PARAMETRIZE_KERNEL_H */
