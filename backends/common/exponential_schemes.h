/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Taylor polynomials of the exponential in few products: degrees 1, 2, 4, 8, 12 and 18 in 0 to 5
   products (Bader, Blanes, Casas 2019). The reference, the cpu backend and the plugins share them.

   Of a square X, with v[0] = I and v[1] = X,

     v[k+2] = (sum of left[k][j] v[j]) (sum of right[k][j] v[j]),  j < k + 2
     value  = sum of last[j] v[j] + the last product,              j < products + 1

   so only the value needs the last product. A polynomial serves X up to its bound of the norm;
   the last one serves any X, scaled by 2^-s and squared s times. Every squaring doubles the error,
   so s must not be larger than X needs (expm_growth). */

#ifndef EXPONENTIAL_SCHEMES_H
#define EXPONENTIAL_SCHEMES_H

#include <stdbool.h>
#include <stdint.h>

enum {
  EXPM_SCHEMES = 6,
  EXPM_MOST_PRODUCTS = 5,
  EXPM_LAST = EXPM_SCHEMES - 1, /* degree 18 */
};

typedef struct expm_scheme {
  int32_t products;
  int32_t degree;
  double bound[2]; /* of the norm, for float32 and float64: the backward error is a rounding */
  double left[EXPM_MOST_PRODUCTS][EXPM_MOST_PRODUCTS + 1];
  double right[EXPM_MOST_PRODUCTS][EXPM_MOST_PRODUCTS + 1];
  double last[EXPM_MOST_PRODUCTS + 1];
} expm_scheme;

/* In order of degree and of cost. */
extern const expm_scheme expm_schemes[EXPM_SCHEMES];

enum { EXPM_GROWTH_STEPS = 18 };

/* What replaces the norm |X| in the choice of s, from the powers of P, the magnitudes of the entries
   of X (Al-Mohy, Higham 2009). The rows e^T P^j, e all ones, give

     size[j] = |P^(j+1)|_1 / |P^j|_1,            j = 0 .. steps
     ratio[j], the largest with P^(j+1) / P^j,   j = 1 .. steps, over the columns of e^T P^j

   and bounds p(k) on |P^k|_1. Degree 18 omits powers from the 19th on: its backward error is a
   rounding of |X|_1 where b 2^-s, b^18 = p(19) / p(1), is below the bound. The norm overstates b by
   any factor where large entries meet only small ones: in a triangle, between blocks, or graded.
   Rounding errors, of at most the sum of p(k) 2^-sk / k!, may want more squarings, each of which
   doubles the errors after it: the sum may be larger than I and X 2^-s by this factor, too.

   One step finds the growth of most full matrices within a factor of 2, the last one that of any. */
double expm_growth(double bound, int steps, const double* size, const double* ratio);

enum {
  EXPM_POWERS = 3, /* products of the last scheme that are powers: X^2, X^3, X^6 */
  EXPM_ROUNDING = 4,
};

/* How many of the squarings of a scaled X may be spared, from the norms of those powers: they bound
   |X^k|^(1/k) for k >= 19, as of normal X, |X|^k = |X^k|, or of any. Powers may be small because they
   cancel, which rounding does not: spared squarings leave `rounding`, the size of X without
   cancellation or 0, at most EXPM_ROUNDING. */
int expm_spared(double bound, bool normal, double norm, double rounding,
                const double norms[EXPM_POWERS]);

#endif /* EXPONENTIAL_SCHEMES_H */
