/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* modrelu(z) = sign(z) max(|z| + b, 0), one b for each row of z. */

#ifndef COPYING_MEMORY_MODRELU_H
#define COPYING_MEMORY_MODRELU_H

#include "real.h"

/* z = modrelu(z), rows x cols. */
void modrelu(int rows, int cols, const real* bias, real* z);

/* For h = modrelu(z), d = dloss/dh becomes dloss/dz, and dloss/db is added to `slope`. z is not
   needed: the derivative is 1 exactly where h != 0, and there sign(h) = sign(z). */
void modrelu_vjp(int rows, int cols, const real* h, real* d, real* slope);

#endif /* COPYING_MEMORY_MODRELU_H */
