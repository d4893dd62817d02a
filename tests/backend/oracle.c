/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* LAPACK as the oracle for spectra, where the build has it. */

#include <pair.h>

#include <stdlib.h>

#ifdef TEST_LAPACKE

#include <lapacke.h>
#include <string.h>

bool
oracle_available(void)
{
  return true;
}

bool
oracle_eigenvalues(const int64_t n, const double* const a, double* const w)
{
  double* const copy = reals(n * n);
  memcpy(copy, a, (size_t)(n * n) * sizeof(*copy));
  const lapack_int info =
      LAPACKE_dsyev(LAPACK_COL_MAJOR, 'N', 'U', (lapack_int)n, copy, (lapack_int)n, w);
  free(copy);
  ck_assert_int_eq(info, 0);
  return true;
}

bool
oracle_singular_values(const int64_t m, const int64_t n, const double* const a, double* const s)
{
  double* const copy = reals(m * n);
  double* const rest = reals(m + n);
  memcpy(copy, a, (size_t)(m * n) * sizeof(*copy));
  // row-major a is the transpose in column-major eyes, with the same singular values
  const lapack_int info = LAPACKE_dgesvd(LAPACK_COL_MAJOR, 'N', 'N', (lapack_int)n, (lapack_int)m,
                                         copy, (lapack_int)n, s, NULL, 1, NULL, 1, rest);
  free(copy);
  free(rest);
  ck_assert_int_eq(info, 0);
  return true;
}

typedef struct root {
  double re;
  double im;
} root;

static int
compare_roots(const void* const a, const void* const b)
{
  const root* const x = a;
  const root* const y = b;
  if (x->re != y->re) {
    return x->re < y->re ? -1 : 1;
  }
  return x->im < y->im ? -1 : x->im > y->im;
}

bool
oracle_spectrum(const int64_t n, const double* const a, double* const re, double* const im)
{
  double* const copy = reals(n * n);
  root* const roots = malloc((size_t)n * sizeof(*roots));
  ck_assert_ptr_nonnull(roots);
  memcpy(copy, a, (size_t)(n * n) * sizeof(*copy));
  const lapack_int info = LAPACKE_dgeev(LAPACK_COL_MAJOR, 'N', 'N', (lapack_int)n, copy,
                                        (lapack_int)n, re, im, NULL, 1, NULL, 1);
  for (int64_t i = 0; i < n; ++i) {
    roots[i] = (root){re[i], im[i]};
  }
  qsort(roots, (size_t)n, sizeof(*roots), compare_roots);
  for (int64_t i = 0; i < n; ++i) {
    re[i] = roots[i].re;
    im[i] = roots[i].im;
  }
  free(roots);
  free(copy);
  ck_assert_int_eq(info, 0);
  return true;
}

#else

bool
oracle_available(void)
{
  return false;
}

bool
oracle_eigenvalues(const int64_t n, const double* const a, double* const w)
{
  (void)n;
  (void)a;
  (void)w;
  return false;
}

bool
oracle_singular_values(const int64_t m, const int64_t n, const double* const a, double* const s)
{
  (void)m;
  (void)n;
  (void)a;
  (void)s;
  return false;
}

bool
oracle_spectrum(const int64_t n, const double* const a, double* const re, double* const im)
{
  (void)n;
  (void)a;
  (void)re;
  (void)im;
  return false;
}

#endif
