/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Portable kernels over rows: for maps whose entries depend on a sum, a maximum or a running sum
   over a whole row. As in kernel.h, the body is written once and runs on every device.

     PZ_ROW_KERNEL(softmax, 1, 1, 0, 0,
       PZ_ROW_IN(0, x);
       PZ_ROW_OUT(0, y);
       PZ_ROW_MAX(top, j, n, x[j][r]);
       PZ_ROW_EACH(j, n) {
         y[j][r] = pz_exp(x[j][r] - top[r]);
       }
       PZ_ROW_SUM(total, j, n, y[j][r]);
       PZ_ROW_EACH(j, n) {
         y[j][r] = y[j][r] / total[r];
       }
     )

   defines `softmax`, a pz_row_kernel with one input, one output, no real and no integer argument.
   The body is for each row `r`; `n` is the length of the first input's rows. Inputs are read only; an
   output must be written whole, and never overlaps an input. What a row has is named with [r]: entries
   x[j][r] and numbers top[r]. Each statement chooses r, since the rows of a call may go through the
   statements one by one, or side by side.

     PZ_ROW_IN(k, x)      x[0][r], x[1][r] ...: the row of input k
     PZ_ROW_OUT(k, y)     the same of output k
     PZ_VALUE_IN(k, v)    v[r]: the first entry of the row of input k, for one number per row
     PZ_VALUE_OUT(k, e)   makes e the first entry of the row of output k
     PZ_ROW_VALUE(v, e)   defines v[r] = e, a number of the row
     PZ_LENGTH_IN(k)      the length of the rows of input k; PZ_LENGTH_OUT(k)
     PZ_REAL_ARG, PZ_INTEGER_ARG   as in kernel.h, the same for all rows, without [r]

     PZ_ROW_EACH(j, count) { ... }      the statements for j = 0 .. count-1, in any order
     PZ_ROW_SUM(s, j, count, e)         defines s[r] = sum over j of e
     PZ_ROW_MAX(s, j, count, e)         defines s[r] = largest e, -Inf without any; NaN if one is NaN
     PZ_ROW_NORM(s, t, j, count, e)     defines t[r], a power of two, and s[r] = t[r] sqrt(sum over j of
                                        e^2), neither of which overflows or vanishes; t[r] is near the
                                        inverse of the norm, and s[r] / t[r] may be beyond the range
     PZ_ROW_SCAN(y, j, count, e)        y[j][r] = sum over i <= j of e at i, y an output
     PZ_ROW_REVERSE_SCAN(y, j, count, e)   y[j][r] = sum over i >= j of e at i
     PZ_ROW_PRODUCT_SCAN(y, j, count, e)   y[j][r] = product over i <= j of e at i

   Scans join neighbours before they join them to what comes first, so those must be in range as well.
   The expression of a scan may read y[j][r]. These seven stand at the top level of the body, not inside
   conditionals or loops, because on a device many work items share a row. `count` is the same for all
   rows: made of lengths and integer arguments. What one of them writes, the next ones may read.
   Declarations of what is the same for all rows may stand between them. An expression `e` has no comma
   outside parentheses.

   In C, sums and products are accumulated in double, in an order that depends on `count` and on the
   lengths of the rows alone: the result is the same for every instruction set, and for any number of
   rows. On devices they are accumulated in the tensors' dtype. */

#ifndef PARAMETRIZE_ROW_KERNEL_H
#define PARAMETRIZE_ROW_KERNEL_H

#include <parametrize/kernel.h>
#include <parametrize/row_tiles.h>

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

/* The body is compiled twice: for one row, and for the PZ_ROW_TILE_ rows of a tile (row_tiles.h), whose
   entries lie where [j][r] of an array with pz_side_ columns does. Short rows go in tiles.

   A row by itself is taken in blocks, each entry of a block by a lane of its own, so that the compiler
   makes vectors of any width of a loop over lanes. Then lanes are added in pairs. What is left, shorter
   than a block, is computed in vectors and added one by one. Rows that have a place in a tile
   (pz_short_) are added one by one in both ways, so that their results are the same. */
#define PZ_ROW_IN(k, name) \
  const real(*const name)[pz_side_] = (const real(*)[pz_side_])pz_rows[PZ_IN_(k)]
#define PZ_ROW_OUT(k, name) real(*const name)[pz_side_] = (real(*)[pz_side_])pz_rows[PZ_OUT_(k)]
#define PZ_VALUE_IN(k, name) PZ_ROW_VALUE(name, ((const real*)pz_rows[PZ_IN_(k)])[r])
#define PZ_VALUE_OUT(k, expression)                       \
  PZ_ROW_RS_                                              \
  {                                                       \
    ((real*)pz_rows[PZ_OUT_(k)])[r] = (real)(expression); \
  }
#define PZ_ROW_VALUE(name, expression) \
  real name[pz_side_];                 \
  PZ_ROW_RS_                           \
  {                                    \
    name[r] = (real)(expression);      \
  }
#define PZ_LENGTH_IN(k) pz_lengths[PZ_IN_(k)]
#define PZ_LENGTH_OUT(k) pz_lengths[PZ_OUT_(k)]

enum { PZ_ROW_LANES_ = 16 };

#define PZ_ROW_RS_ PZ_INDEPENDENT_ for (int r = 0; r < pz_side_; ++r)
#define PZ_ROW_EACH(j, count) \
  PZ_INDEPENDENT_ PZ_ROLLED_ for (pz_int j = 0; j < (count); ++j) PZ_ROLLED_ PZ_ROW_RS_

/* s_terms_[r] becomes the result for row r. */
#define PZ_ROW_REDUCE_(s, type, start, join, LOOP, j, count, expression)                      \
  type s##_terms_[PZ_ROW_SHORT_];                                                             \
  if (pz_side_ > 1) {                                                                         \
    PZ_ROW_RS_                                                                                \
    {                                                                                         \
      s##_terms_[r] = (start);                                                                \
    }                                                                                         \
    PZ_ROLLED_ for (pz_int j = 0; j < (count); ++j)                                           \
    {                                                                                         \
      LOOP for (int r = 0; r < pz_side_; ++r)                                                 \
      {                                                                                       \
        s##_terms_[r] = join(s##_terms_[r], (type)(expression));                              \
      }                                                                                       \
    }                                                                                         \
  } else {                                                                                    \
    enum { r = 0 };                                                                           \
    pz_int pz_first_ = pz_short_ ? 0 : (count) - (count) % PZ_ROW_LANES_;                     \
    type pz_all_ = (start);                                                                   \
    if (pz_first_ > 0) {                                                                      \
      for (int pz_lane_ = 0; pz_lane_ < PZ_ROW_LANES_; ++pz_lane_) {                          \
        s##_terms_[pz_lane_] = (start);                                                       \
      }                                                                                       \
      for (pz_int pz_block_ = 0; pz_block_ < pz_first_; pz_block_ += PZ_ROW_LANES_) {         \
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
      pz_all_ = s##_terms_[0];                                                                \
    }                                                                                         \
    for (; pz_first_ < (count); pz_first_ += PZ_ROW_SHORT_) {                                 \
      const pz_int pz_left_ = (count)-pz_first_;                                              \
      const pz_int pz_some_ = pz_left_ < PZ_ROW_SHORT_ ? pz_left_ : (pz_int)PZ_ROW_SHORT_;    \
      PZ_INDEPENDENT_ for (pz_int pz_k_ = 0; pz_k_ < pz_some_; ++pz_k_)                       \
      {                                                                                       \
        const pz_int j = pz_first_ + pz_k_;                                                   \
        s##_terms_[pz_k_] = (type)(expression);                                               \
      }                                                                                       \
      for (pz_int pz_k_ = 0; pz_k_ < pz_some_; ++pz_k_) {                                     \
        pz_all_ = join(pz_all_, s##_terms_[pz_k_]);                                           \
      }                                                                                       \
    }                                                                                         \
    s##_terms_[0] = pz_all_;                                                                  \
  }

#define PZ_ADD_(a, b) ((a) + (b))
#define PZ_ROW_SUM(s, j, count, expression)                                \
  PZ_ROW_REDUCE_(s, double, 0.0, PZ_ADD_, , j, count, (real)(expression)); \
  PZ_ROW_VALUE(s, s##_terms_[r])
#define PZ_ROW_MAX(s, j, count, expression)                                           \
  PZ_ROW_REDUCE_(s, real, (real)-HUGE_VAL, pz_max, PZ_ROLLED_, j, count, expression); \
  PZ_ROW_VALUE(s, s##_terms_[r])

/* Squares of floats are summed in double. Doubles are scaled if that fails: s_units_ is not 0 then. */
#define PZ_ROW_NORM(s, t, j, count, expression)                                                 \
  PZ_ROW_REDUCE_(s, double, 0.0, PZ_ADD_, , j, count, pz_square_((double)(real)(expression)));  \
  double s##_units_[pz_side_];                                                                  \
  PZ_ROLLED_ for (int r = 0; r < pz_side_; ++r)                                                 \
  {                                                                                             \
    s##_units_[r] = 0.0;                                                                        \
    if (sizeof(real) == sizeof(double) && !(s##_terms_[r] > 1e-280 && s##_terms_[r] < 1e280)) { \
      double pz_top_ = 0.0;                                                                     \
      for (pz_int j = 0; j < (count); ++j) {                                                    \
        pz_top_ = pz_max(pz_top_, fabs((double)(real)(expression)));                            \
      }                                                                                         \
      s##_units_[r] = pz_unit_scale(pz_top_);                                                   \
      s##_terms_[r] = 0.0;                                                                      \
      for (pz_int j = 0; j < (count); ++j) {                                                    \
        s##_terms_[r] += pz_square_(s##_units_[r] * (double)(real)(expression));                \
      }                                                                                         \
    }                                                                                           \
  }                                                                                             \
  real s[pz_side_];                                                                             \
  real t[pz_side_];                                                                             \
  PZ_ROW_RS_                                                                                    \
  {                                                                                             \
    const double pz_size_ = sqrt(s##_terms_[r]);                                                \
    const double pz_unit_ = s##_units_[r];                                                      \
    const double pz_scale_ = pz_unit_ > 0.0 ? pz_unit_ : pz_scale_of_(pz_size_, sizeof(real));  \
    t[r] = (real)pz_scale_;                                                                     \
    s[r] = (real)(pz_unit_ > 0.0 ? pz_size_ : pz_size_ * pz_scale_);                            \
  }

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

/* Of a long row first all entries, in vector instructions; then their running sums in place. Four
   entries are added among themselves before the running sum comes to them, which waits for one
   addition, not four. PLACE(k) is the index of the entry that comes k-th. */
#define PZ_ROW_SCAN_(y, j, count, expression, start, join, PLACE)                     \
  do {                                                                                \
    const pz_int pz_count_ = (count);                                                 \
    if (pz_side_ > 1) {                                                               \
      double pz_running_[pz_side_];                                                   \
      PZ_ROW_RS_                                                                      \
      {                                                                               \
        pz_running_[r] = (start);                                                     \
      }                                                                               \
      PZ_ROLLED_ for (pz_int pz_k_ = 0; pz_k_ < pz_count_; ++pz_k_)                   \
      {                                                                               \
        const pz_int j = PLACE(pz_k_);                                                \
        PZ_ROW_RS_                                                                    \
        {                                                                             \
          pz_running_[r] = join(pz_running_[r], (double)(real)(expression));          \
          (y)[j][r] = (real)pz_running_[r];                                           \
        }                                                                             \
      }                                                                               \
    } else {                                                                          \
      const pz_int pz_fours_ = pz_short_ ? 0 : pz_count_ - pz_count_ % 4;             \
      pz_int pz_k_ = 0;                                                               \
      double pz_running_ = (start);                                                   \
      PZ_ROW_EACH(j, pz_count_)                                                       \
      {                                                                               \
        (y)[j][r] = (real)(expression);                                               \
      }                                                                               \
      for (; pz_k_ < pz_fours_; pz_k_ += 4) {                                         \
        const double pz_one_ = (double)(y)[PLACE(pz_k_)][0];                          \
        const double pz_two_ = join(pz_one_, (double)(y)[PLACE(pz_k_ + 1)][0]);       \
        const double pz_third_ = (double)(y)[PLACE(pz_k_ + 2)][0];                    \
        const double pz_last_ = (double)(y)[PLACE(pz_k_ + 3)][0];                     \
        (y)[PLACE(pz_k_)][0] = (real)join(pz_running_, pz_one_);                      \
        (y)[PLACE(pz_k_ + 1)][0] = (real)join(pz_running_, pz_two_);                  \
        (y)[PLACE(pz_k_ + 2)][0] = (real)join(pz_running_, join(pz_two_, pz_third_)); \
        pz_running_ = join(pz_running_, join(pz_two_, join(pz_third_, pz_last_)));    \
        (y)[PLACE(pz_k_ + 3)][0] = (real)pz_running_;                                 \
      }                                                                               \
      for (; pz_k_ < pz_count_; ++pz_k_) {                                            \
        pz_running_ = join(pz_running_, (double)(y)[PLACE(pz_k_)][0]);                \
        (y)[PLACE(pz_k_)][0] = (real)pz_running_;                                     \
      }                                                                               \
    }                                                                                 \
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

#define PZ_ROW_(function, type, side, n_inputs, n_outputs, n_reals, n_integers, ...)   \
  PZ_INLINE_ void function(void* const* const pz_rows, const pz_int* const pz_lengths, \
                           const int pz_short_, const double* const pz_reals,          \
                           const pz_int* const pz_integers)                            \
  {                                                                                    \
    PZ_UNCONTRACTED_                                                                   \
    typedef type real;                                                                 \
    enum {                                                                             \
      pz_side_ = side,                                                                 \
      pz_n_inputs_ = n_inputs,                                                         \
      pz_n_outputs_ = n_outputs,                                                       \
      pz_n_reals_ = n_reals,                                                           \
      pz_n_integers_ = n_integers,                                                     \
    };                                                                                 \
    const pz_int n = pz_lengths[0];                                                    \
    (void)n;                                                                           \
    (void)pz_rows;                                                                     \
    (void)pz_short_;                                                                   \
    (void)pz_reals;                                                                    \
    (void)pz_integers;                                                                 \
    __VA_ARGS__                                                                        \
  }

/* A line between tiles keeps tensors out of the same sets of the cache. Only wide vectors are worth tiles. */
#define PZ_ROW_LOOP_(function, attributes, wide, name, type, n_inputs_, n_spans_, n_reals_,       \
                     n_integers_)                                                                 \
  attributes static void function(const int64_t begin, const int64_t end,                         \
                                  const pz_row_span* const spans, const double* const reals,      \
                                  const int64_t* const integers)                                  \
  {                                                                                               \
    PZ_ON_LINE_ type tiles[n_spans_][PZ_ROW_SHORT_ * PZ_ROW_TILE_ + 64 / sizeof(type)];           \
    void* rows[PZ_KERNEL_MAX_ARGS] = {NULL};                                                      \
    pz_int lengths[PZ_KERNEL_MAX_ARGS] = {0};                                                     \
    double x[PZ_KERNEL_MAX_ARGS] = {0};                                                           \
    pz_int n[PZ_KERNEL_MAX_ARGS] = {0};                                                           \
    int fits = 1;                                                                                 \
    int64_t i = begin;                                                                            \
    for (int k = 0; k < (n_spans_); ++k) {                                                        \
      lengths[k] = spans[k].length;                                                               \
      rows[k] = tiles[k];                                                                         \
      fits = fits && lengths[k] <= PZ_ROW_SHORT_;                                                 \
    }                                                                                             \
    for (int k = 0; k < (n_reals_); ++k) {                                                        \
      x[k] = reals[k];                                                                            \
    }                                                                                             \
    for (int k = 0; k < (n_integers_); ++k) {                                                     \
      n[k] = integers[k];                                                                         \
    }                                                                                             \
    for (; (wide) && fits && end - i >= PZ_ROW_FEW_; i += PZ_ROW_TILE_) {                         \
      const int64_t m = end - i < PZ_ROW_TILE_ ? end - i : (int64_t)PZ_ROW_TILE_;                 \
      for (int k = 0; k < (n_inputs_); ++k) {                                                     \
        if (i == begin || spans[k].stride != 0) {                                                 \
          pz_rows_in_##type##_((const type*)spans[k].data + i * spans[k].stride, spans[k].stride, \
                               m, lengths[k], tiles[k]);                                          \
        }                                                                                         \
      }                                                                                           \
      name##_rows_(rows, lengths, 1, x, n);                                                       \
      for (int k = (n_inputs_); k < (n_spans_); ++k) {                                            \
        pz_turn_##type##_(tiles[k], PZ_ROW_TILE_, lengths[k], m,                                  \
                          (type*)spans[k].data + i * spans[k].stride, spans[k].stride);           \
      }                                                                                           \
    }                                                                                             \
    for (; i < end; ++i) {                                                                        \
      for (int k = 0; k < (n_spans_); ++k) {                                                      \
        rows[k] = (type*)spans[k].data + i * spans[k].stride;                                     \
      }                                                                                           \
      name##_row_(rows, lengths, fits, x, n);                                                     \
    }                                                                                             \
  }

#define PZ_ROW_BODY_(name, type, n_inputs_, n_outputs_, n_reals_, n_integers_, ...)             \
  PZ_ROW_(name##_row_, type, 1, n_inputs_, n_outputs_, n_reals_, n_integers_, __VA_ARGS__)      \
  PZ_ROW_(name##_rows_, type, PZ_ROW_TILE_, n_inputs_, n_outputs_, n_reals_, n_integers_,       \
          __VA_ARGS__)                                                                          \
  PZ_FOR_ISAS_(PZ_ROW_LOOP_, name, name, type, n_inputs_, (n_inputs_) + (n_outputs_), n_reals_, \
               n_integers_)                                                                     \
  static void name##_(const int64_t begin, const int64_t end, const pz_row_span* const spans,   \
                      const double* const reals, const int64_t* const integers)                 \
  {                                                                                             \
    PZ_WIDEST_(name)(begin, end, spans, reals, integers);                                       \
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
