/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Portable kernels over rows: for maps whose entries depend on a sum, a maximum or a running sum
   over a whole row. As in kernel.h, the body is written once and runs on every device.

     PZ_ROW_KERNEL(softmax, 1, 1, 0, 0,
       PZ_ROW_IN(0, x);
       PZ_ROW_OUT(0, y);
       PZ_ROW_MAX(top, j, n, x[j]);
       PZ_ROW_EACH(j, n) {
         y[j] = pz_exp(x[j] - top);
       }
       PZ_ROW_SUM(total, j, n, y[j]);
       PZ_ROW_EACH(j, n) {
         y[j] = y[j] / total;
       }
     )

   defines `softmax`, a pz_row_kernel with one input, one output, no real and no integer argument.
   The body runs once for each row; `n` is the length of the first input's rows. Inputs are read
   only; an output must be written whole, and never overlaps an input.

     PZ_ROW_IN(k, x)      x[0], x[1] ...: the row of input k
     PZ_ROW_OUT(k, y)     the same of output k
     PZ_VALUE_IN(k, v)    v: the first entry of the row of input k, for one number per row
     PZ_VALUE_OUT(k, e)   makes e the first entry of the row of output k
     PZ_LENGTH_IN(k)      the length of the rows of input k; PZ_LENGTH_OUT(k)
     PZ_REAL_ARG, PZ_INTEGER_ARG   as in kernel.h

     PZ_ROW_EACH(j, count) { ... }      the statements for j = 0 .. count-1, in any order
     PZ_ROW_SUM(s, j, count, e)         defines s = sum over j of e
     PZ_ROW_MAX(s, j, count, e)         defines s = largest e, -Inf without any; NaN if one is NaN
     PZ_ROW_NORM(s, t, j, count, e)     defines t, a power of two, and s = t sqrt(sum over j of e^2),
                                        neither of which overflows or vanishes; t is near the inverse
                                        of the norm, and s / t may be beyond the range
     PZ_ROW_SCAN(y, j, count, e)        y[j] = sum over i <= j of e at i, y an output
     PZ_ROW_REVERSE_SCAN(y, j, count, e)   y[j] = sum over i >= j of e at i
     PZ_ROW_PRODUCT_SCAN(y, j, count, e)   y[j] = product over i <= j of e at i

   Scans join neighbours before they join them to what comes first, so those must be in range as well.
   The expression of a scan may read y[j]. These seven stand at the top level of the body, not inside
   conditionals or loops, because on a device many work items share a row. `count` is the same for all
   rows: made of lengths and integer arguments. What one of them writes, the next ones may read.
   Ordinary declarations and statements may stand between them; they see the same numbers in every work
   item, so they must not write outputs. An expression `e` has no comma outside parentheses.

   In C, sums and products are accumulated in double, in an order that depends on `count` alone: the
   result is the same for every instruction set. On devices they are accumulated in the tensors'
   dtype. */

#ifndef PARAMETRIZE_ROW_KERNEL_H
#define PARAMETRIZE_ROW_KERNEL_H

#include <parametrize/kernel.h>

PZ_BEGIN_DECLS

/* The rows of one tensor on the host: row r begins r * stride elements after `data`. */
typedef struct pz_row_span {
  void* data;
  int64_t stride;
  int64_t length;
} pz_row_span;

/* Runs rows begin .. end-1. `spans` are the inputs, then the outputs. */
typedef void (*pz_row_function)(int64_t begin, int64_t end, const pz_row_span* spans,
                                const double* reals, const int64_t* integers);

typedef struct pz_row_kernel {
  uint32_t size; /* sizeof(pz_row_kernel) */
  uint32_t n_inputs;
  uint32_t n_outputs; /* with the inputs at most PZ_KERNEL_MAX_ARGS */
  uint32_t n_reals;
  uint32_t n_integers;
  uint32_t dialect; /* PZ_KERNEL_DIALECT */
  const char* name; /* an identifier, unique within its file */
  const char* text; /* the body */
  pz_row_function f32;
  pz_row_function f64;
  uint32_t reserved[4]; /* zero */
} pz_row_kernel;

#define PZ_IN_(k) PZ_BELOW_(k, pz_n_inputs_)
#define PZ_OUT_(k) (pz_n_inputs_ + PZ_BELOW_(k, pz_n_outputs_))

#define PZ_ROW_IN(k, name) const real* const name = (const real*)pz_rows[PZ_IN_(k)]
#define PZ_ROW_OUT(k, name) real* const name = (real*)pz_rows[PZ_OUT_(k)]
#define PZ_VALUE_IN(k, name) const real name = *(const real*)pz_rows[PZ_IN_(k)]
#define PZ_VALUE_OUT(k, expression) *(real*)pz_rows[PZ_OUT_(k)] = (expression)
#define PZ_LENGTH_IN(k) pz_lengths[PZ_IN_(k)]
#define PZ_LENGTH_OUT(k) pz_lengths[PZ_OUT_(k)]

/* A row is taken in blocks, each entry of a block by a lane of its own, so that the compiler makes
   vectors of any width of a loop over lanes. Then lanes are added in pairs. What is left, shorter than
   a block, is computed in vectors and added one by one: a row of a few entries is all that is left. */
enum { PZ_ROW_LANES_ = 16 };

#define PZ_ROW_EACH(j, count) PZ_INDEPENDENT_ for (pz_int j = 0; j < (count); ++j)

#define PZ_ROW_REDUCE_(s, type, start, join, LOOP, j, count, expression)                    \
  const pz_int s##_rest_ = (count) - (count) % PZ_ROW_LANES_;                               \
  type s##_terms_[PZ_ROW_LANES_];                                                           \
  type s##_all_ = (start);                                                                  \
  if (s##_rest_ > 0) {                                                                      \
    for (int pz_lane_ = 0; pz_lane_ < PZ_ROW_LANES_; ++pz_lane_) {                          \
      s##_terms_[pz_lane_] = (start);                                                       \
    }                                                                                       \
    for (pz_int pz_block_ = 0; pz_block_ < s##_rest_; pz_block_ += PZ_ROW_LANES_) {         \
      LOOP for (int pz_lane_ = 0; pz_lane_ < PZ_ROW_LANES_; ++pz_lane_)                     \
      {                                                                                     \
        const pz_int j = pz_block_ + pz_lane_;                                              \
        s##_terms_[pz_lane_] = join(s##_terms_[pz_lane_], (type)(expression));              \
      }                                                                                     \
    }                                                                                       \
    for (int pz_half_ = PZ_ROW_LANES_ / 2; pz_half_ > 0; pz_half_ /= 2) {                   \
      for (int pz_lane_ = 0; pz_lane_ < pz_half_; ++pz_lane_) {                             \
        s##_terms_[pz_lane_] = join(s##_terms_[pz_lane_], s##_terms_[pz_lane_ + pz_half_]); \
      }                                                                                     \
    }                                                                                       \
    s##_all_ = s##_terms_[0];                                                               \
  }                                                                                         \
  PZ_INDEPENDENT_ for (pz_int j = s##_rest_; j < (count); ++j)                              \
  {                                                                                         \
    s##_terms_[j - s##_rest_] = (type)(expression);                                         \
  }                                                                                         \
  for (pz_int pz_k_ = 0; pz_k_ + s##_rest_ < (count); ++pz_k_) {                            \
    s##_all_ = join(s##_all_, s##_terms_[pz_k_]);                                           \
  }

#define PZ_ADD_(a, b) ((a) + (b))
#define PZ_ROW_SUM(s, j, count, expression)                                \
  PZ_ROW_REDUCE_(s, double, 0.0, PZ_ADD_, , j, count, (real)(expression)); \
  const real s = (real)s##_all_
#define PZ_ROW_MAX(s, j, count, expression)                                           \
  PZ_ROW_REDUCE_(s, real, (real)-HUGE_VAL, pz_max, PZ_ROLLED_, j, count, expression); \
  const real s = (real)s##_all_

/* Squares of floats are summed in double without scaling. Doubles are scaled if that fails. */
#define PZ_ROW_NORM(s, t, j, count, expression)                                                    \
  PZ_ROW_REDUCE_(s, double, 0.0, PZ_ADD_, , j, count, pz_square_((double)(real)(expression)));     \
  const int s##_far_ = sizeof(real) == sizeof(double) && !(s##_all_ > 1e-280 && s##_all_ < 1e280); \
  double s##_sum_ = s##_all_;                                                                      \
  double s##_unit_ = 1.0;                                                                          \
  if (s##_far_) {                                                                                  \
    double pz_top_ = 0.0;                                                                          \
    for (pz_int j = 0; j < (count); ++j) {                                                         \
      pz_top_ = pz_max(pz_top_, fabs((double)(real)(expression)));                                 \
    }                                                                                              \
    s##_unit_ = pz_unit_scale(pz_top_);                                                            \
    s##_sum_ = 0.0;                                                                                \
    for (pz_int j = 0; j < (count); ++j) {                                                         \
      s##_sum_ += pz_square_(s##_unit_ * (double)(real)(expression));                              \
    }                                                                                              \
  }                                                                                                \
  const double s##_size_ = sqrt(s##_sum_);                                                         \
  const double t##_scale_ = s##_far_ ? s##_unit_ : pz_scale_of_(s##_size_, sizeof(real));          \
  const real t = (real)t##_scale_;                                                                 \
  const real s = (real)(s##_far_ ? s##_size_ : s##_size_ * t##_scale_)

PZ_INLINE_ double
pz_square_(const double x)
{
  return x * x;
}

/* pz_unit_scale of a norm in double, for reals of this size. */
PZ_INLINE_ double
pz_scale_of_(const double norm, const size_t size)
{
  const double scale = pz_unit_scale(norm);
  const double most = size == sizeof(float) ? 8.507059173023461586e37 : scale; /* 2^126 */
  const double least = size == sizeof(float) ? 1.1754943508222875e-38 : scale;
  return scale > most ? most : scale < least ? least : scale;
}

/* First all entries, in vector instructions; then their running sums in place. Four entries are added
   among themselves before the running sum comes to them, which waits for one addition, not four.
   PLACE(k) is the index of the entry that comes k-th. */
#define PZ_ROW_SCAN_(y, j, count, expression, start, join, PLACE)                \
  do {                                                                           \
    const pz_int pz_count_ = (count);                                            \
    pz_int pz_k_ = 0;                                                            \
    double pz_running_ = (start);                                                \
    PZ_ROW_EACH(j, pz_count_)                                                    \
    {                                                                            \
      (y)[j] = (real)(expression);                                               \
    }                                                                            \
    for (; pz_k_ + 4 <= pz_count_; pz_k_ += 4) {                                 \
      const double pz_one_ = (double)(y)[PLACE(pz_k_)];                          \
      const double pz_two_ = join(pz_one_, (double)(y)[PLACE(pz_k_ + 1)]);       \
      const double pz_third_ = (double)(y)[PLACE(pz_k_ + 2)];                    \
      const double pz_last_ = (double)(y)[PLACE(pz_k_ + 3)];                     \
      (y)[PLACE(pz_k_)] = (real)join(pz_running_, pz_one_);                      \
      (y)[PLACE(pz_k_ + 1)] = (real)join(pz_running_, pz_two_);                  \
      (y)[PLACE(pz_k_ + 2)] = (real)join(pz_running_, join(pz_two_, pz_third_)); \
      pz_running_ = join(pz_running_, join(pz_two_, join(pz_third_, pz_last_))); \
      (y)[PLACE(pz_k_ + 3)] = (real)pz_running_;                                 \
    }                                                                            \
    for (; pz_k_ < pz_count_; ++pz_k_) {                                         \
      pz_running_ = join(pz_running_, (double)(y)[PLACE(pz_k_)]);                \
      (y)[PLACE(pz_k_)] = (real)pz_running_;                                     \
    }                                                                            \
  } while (0)

#define PZ_MULTIPLY_(a, b) ((a) * (b))
#define PZ_FROM_FIRST_(k) (k)
#define PZ_FROM_LAST_(k) (pz_count_ - 1 - (k))
#define PZ_ROW_SCAN(y, j, count, expression) \
  PZ_ROW_SCAN_(y, j, count, expression, 0.0, PZ_ADD_, PZ_FROM_FIRST_)
#define PZ_ROW_REVERSE_SCAN(y, j, count, expression) \
  PZ_ROW_SCAN_(y, j, count, expression, 0.0, PZ_ADD_, PZ_FROM_LAST_)
#define PZ_ROW_PRODUCT_SCAN(y, j, count, expression) \
  PZ_ROW_SCAN_(y, j, count, expression, 1.0, PZ_MULTIPLY_, PZ_FROM_FIRST_)

#define PZ_ROW_(name, type, n_inputs, n_outputs, n_reals, n_integers, ...)                   \
  PZ_INLINE_ void name##_row_(void* const* const pz_rows, const pz_int* const pz_lengths,    \
                              const double* const pz_reals, const pz_int* const pz_integers) \
  {                                                                                          \
    PZ_UNCONTRACTED_                                                                         \
    typedef type real;                                                                       \
    enum {                                                                                   \
      pz_n_inputs_ = n_inputs,                                                               \
      pz_n_outputs_ = n_outputs,                                                             \
      pz_n_reals_ = n_reals,                                                                 \
      pz_n_integers_ = n_integers,                                                           \
    };                                                                                       \
    const pz_int n = pz_lengths[0];                                                          \
    (void)n;                                                                                 \
    (void)pz_rows;                                                                           \
    (void)pz_reals;                                                                          \
    (void)pz_integers;                                                                       \
    __VA_ARGS__                                                                              \
  }

#define PZ_ROW_LOOP_(function, attributes, name, type, n_spans_, n_reals_, n_integers_)      \
  attributes static void function(const int64_t begin, const int64_t end,                    \
                                  const pz_row_span* const spans, const double* const reals, \
                                  const int64_t* const integers)                             \
  {                                                                                          \
    void* rows[PZ_KERNEL_MAX_ARGS] = {NULL};                                                 \
    pz_int lengths[PZ_KERNEL_MAX_ARGS] = {0};                                                \
    double r[PZ_KERNEL_MAX_ARGS] = {0};                                                      \
    pz_int n[PZ_KERNEL_MAX_ARGS] = {0};                                                      \
    for (int k = 0; k < (n_spans_); ++k) {                                                   \
      lengths[k] = spans[k].length;                                                          \
    }                                                                                        \
    for (int k = 0; k < (n_reals_); ++k) {                                                   \
      r[k] = reals[k];                                                                       \
    }                                                                                        \
    for (int k = 0; k < (n_integers_); ++k) {                                                \
      n[k] = integers[k];                                                                    \
    }                                                                                        \
    for (int64_t i = begin; i < end; ++i) {                                                  \
      for (int k = 0; k < (n_spans_); ++k) {                                                 \
        rows[k] = (type*)spans[k].data + i * spans[k].stride;                                \
      }                                                                                      \
      name##_row_(rows, lengths, r, n);                                                      \
    }                                                                                        \
  }

#define PZ_ROW_BODY_(name, type, n_inputs_, n_outputs_, n_reals_, n_integers_, ...)               \
  PZ_ROW_(name, type, n_inputs_, n_outputs_, n_reals_, n_integers_, __VA_ARGS__)                  \
  PZ_FOR_ISAS_(PZ_ROW_LOOP_, name, name, type, (n_inputs_) + (n_outputs_), n_reals_, n_integers_) \
  static void name##_(const int64_t begin, const int64_t end, const pz_row_span* const spans,     \
                      const double* const reals, const int64_t* const integers)                   \
  {                                                                                               \
    PZ_WIDEST_(name)(begin, end, spans, reals, integers);                                         \
  }

#define PZ_ROW_KERNEL(name, n_inputs_, n_outputs_, n_reals_, n_integers_, ...)                   \
  PZ_ROW_BODY_(name##_float, float, n_inputs_, n_outputs_, n_reals_, n_integers_, __VA_ARGS__)   \
  PZ_ROW_BODY_(name##_double, double, n_inputs_, n_outputs_, n_reals_, n_integers_, __VA_ARGS__) \
  static const pz_row_kernel name = {                                                            \
      (uint32_t)sizeof(pz_row_kernel),                                                           \
      n_inputs_,                                                                                 \
      n_outputs_,                                                                                \
      n_reals_,                                                                                  \
      n_integers_,                                                                               \
      PZ_KERNEL_DIALECT,                                                                         \
      #name,                                                                                     \
      #__VA_ARGS__,                                                                              \
      name##_float_,                                                                             \
      name##_double_,                                                                            \
      {0, 0, 0, 0},                                                                              \
  };

PZ_END_DECLS

#endif /* PARAMETRIZE_ROW_KERNEL_H */
