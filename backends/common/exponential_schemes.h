/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Taylor polynomials of the exponential in few products: degrees 1, 2, 4, 8, 12 and 18 in 0 to 5
   products (Bader, Blanes, Casas 2019). The reference, the cpu backend and the plugins share them.

   Of a square X, with v[0] = I and v[1] = X,

     v[k+2] = (sum of left[k][j] v[j]) (sum of right[k][j] v[j]),  j < k + 2
     value  = sum of last[j] v[j] + the last product,              j < products + 1

   so only the value needs the last product. A polynomial serves X up to its bound of the norm;
   the last one serves any X, scaled by 2^-s and squared s times. */

#ifndef EXPONENTIAL_SCHEMES_H
#define EXPONENTIAL_SCHEMES_H

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

#endif /* EXPONENTIAL_SCHEMES_H */
