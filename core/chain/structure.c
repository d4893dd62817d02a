/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Mirrored entries and zeros are compared exactly. With a vector v of n signs, an orthogonal matrix has
   columns of length 1 and |Q v|^2 = n, and a positive definite one v^T A v >= 0, a_ii >= 0 and
   a_ij^2 <= a_ii a_jj. Bounds of n sqrt(eps) leave room for the rounding of extreme originals, and are
   far below a promise that is false. */

#include "structure.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

typedef struct matrix {
  const pz_tensor* tensor;
  int64_t first; /* its first entry */
  int64_t rows;
  int64_t cols;
  double slack; /* n sqrt(eps) */
} matrix;

static double
at(const matrix* const a, const int64_t i, const int64_t j)
{
  const char* const data = (const char*)a->tensor->data + a->tensor->byte_offset;
  const int64_t k = a->first + i * a->cols + j;
  return a->tensor->dtype == PZ_F32 ? (double)((const float*)data)[k] : ((const double*)data)[k];
}

static double
sign(const int64_t k)
{
  const uint64_t z = ((uint64_t)k + 1) * UINT64_C(0x9e3779b97f4a7c15);
  return ((z ^ z >> 29) * UINT64_C(0xbf58476d1ce4e5b9)) >> 63 != 0 ? 1.0 : -1.0;
}

static bool
is_finite(const matrix* const a)
{
  for (int64_t i = 0; i < a->rows; ++i) {
    for (int64_t j = 0; j < a->cols; ++j) {
      if (!isfinite(at(a, i, j))) {
        return false;
      }
    }
  }
  return true;
}

/* ---- exact ------------------------------------------------------------------------------ */

static bool
keeps(const uint32_t structure, const int64_t i, const int64_t j, const double here,
      const double there)
{
  const bool zero = here == 0.0 || !isfinite(here);
  return structure == PZ_UPPER_TRIANGULAR      ? j >= i || zero
         : structure == PZ_LOWER_TRIANGULAR    ? j <= i || zero
         : structure == PZ_DIAGONAL            ? i == j || zero
         : !isfinite(here) || !isfinite(there) ? true
                                               : here == (structure == PZ_SKEW ? -there : there);
}

/* False, with the place, if an entry breaks the promise. */
static bool
check_entries(const uint32_t structure, const matrix* const a, char text[PZI_STRUCTURE_TEXT])
{
  const bool mirrored = structure < PZ_UPPER_TRIANGULAR;
  for (int64_t i = 0; i < a->rows; ++i) {
    for (int64_t j = 0; j < a->cols && (!mirrored || j <= i); ++j) {
      const double here = at(a, i, j);
      const double there = mirrored ? at(a, j, i) : 0.0;
      if (!keeps(structure, i, j, here, there)) {
        const int n = snprintf(text, PZI_STRUCTURE_TEXT, "entry (%" PRId64 ", %" PRId64 ") is %.9g",
                               i, j, here);
        if (mirrored && i != j) {
          (void)snprintf(text + n, PZI_STRUCTURE_TEXT - (size_t)n,
                         " and (%" PRId64 ", %" PRId64 ") is %.9g", j, i, there);
        }
        return false;
      }
    }
  }
  return true;
}

/* ---- up to rounding ------------------------------------------------------------------------ */

/* Entry k of the long side, of the i-th row or column of the short one. */
static double
across(const matrix* const a, const int64_t k, const int64_t i)
{
  return a->rows >= a->cols ? at(a, k, i) : at(a, i, k);
}

static bool
check_orthogonal(const matrix* const a, char text[PZI_STRUCTURE_TEXT])
{
  const int64_t length = a->rows >= a->cols ? a->rows : a->cols;
  const int64_t n = a->rows + a->cols - length;
  double most = 0.0;
  for (int64_t i = 0; i < n; ++i) {
    double sum = -1.0;
    for (int64_t k = 0; k < length; ++k) {
      sum += across(a, k, i) * across(a, k, i);
    }
    most = fmax(most, fabs(sum));
  }
  double squares = 0.0;
  for (int64_t k = 0; k < length; ++k) {
    double sum = 0.0;
    for (int64_t i = 0; i < n; ++i) {
      sum += across(a, k, i) * sign(i);
    }
    squares += sum * sum;
  }
  most = fmax(most, fabs(squares - (double)n));
  if (most > a->slack) {
    (void)snprintf(text, PZI_STRUCTURE_TEXT, "its Gram matrix is off by %.3g", most);
  }
  return most <= a->slack;
}

static bool
check_positive(const matrix* const a, char text[PZI_STRUCTURE_TEXT])
{
  double form = 0.0;
  double most = 0.0;
  for (int64_t i = 0; i < a->rows; ++i) {
    most = fmax(most, fabs(at(a, i, i)));
  }
  const double slack = a->slack * most;
  for (int64_t i = 0; i < a->rows; ++i) {
    for (int64_t j = 0; j < a->cols; ++j) {
      const double here = at(a, i, j);
      const double di = at(a, i, i) + slack;
      form += sign(i) * here * sign(j);
      if (!(di >= 0.0) || here * here > di * (at(a, j, j) + slack) * (1.0 + a->slack)) {
        (void)snprintf(text, PZI_STRUCTURE_TEXT,
                       "rows %" PRId64 " and %" PRId64 " have a negative minor", i, j);
        return false;
      }
    }
  }
  if (form < -(double)a->rows * slack) {
    (void)snprintf(text, PZI_STRUCTURE_TEXT, "a quadratic form gives %.9g", form);
    return false;
  }
  return true;
}

void
pzi_structure_check(const uint32_t structure, const pz_tensor* const tensor,
                    char text[PZI_STRUCTURE_TEXT])
{
  text[0] = '\0';
  if (structure == PZ_GENERAL || structure > PZ_DIAGONAL || tensor->ndim < 2) {
    return;
  }
  matrix a = {.tensor = tensor,
              .rows = tensor->shape[tensor->ndim - 2],
              .cols = tensor->shape[tensor->ndim - 1]};
  const int64_t size = a.rows * a.cols;
  a.slack = (double)(a.rows > a.cols ? a.rows : a.cols) * sqrt(pz_dtype_epsilon(tensor->dtype));
  bool good = true;
  for (; size > 0 && good && a.first < pz_count(tensor); a.first += size) {
    good = structure == PZ_ORTHOGONAL || check_entries(structure, &a, text);
    if (good && (structure == PZ_ORTHOGONAL || structure == PZ_SPD) && is_finite(&a)) {
      good = structure == PZ_SPD ? check_positive(&a, text) : check_orthogonal(&a, text);
    }
  }
}
