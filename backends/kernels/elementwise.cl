/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Entry by entry: an output may be one of the inputs. Items along columns, rows, batch. */

#define GPU_ENTRIES            \
  GPU_EACH(k, 2, batch)        \
  GPU_EACH(i, 1, rows)         \
  GPU_EACH(j, 0, cols)

// y <- a x + b y; b = 0 does not read y
GPU_KERNEL void
axpby(real a, GPU_IN(x), real b, GPU_OUT(y), pz_int cols, pz_int rows, pz_int batch)
{
  GPU_ENTRIES
  {
    const real old = b == 0 ? (real)0 : b * GPU_AT(y, k, i, j);
    GPU_AT(y, k, i, j) = a * GPU_AT(x, k, i, j) + old;
  }
}

// y <- a y + b
GPU_KERNEL void
affine(real a, real b, GPU_OUT(y), pz_int cols, pz_int rows, pz_int batch)
{
  GPU_ENTRIES
  {
    GPU_AT(y, k, i, j) = a * GPU_AT(y, k, i, j) + b;
  }
}

// z <- a x o y + b z; b = 0 does not read z
GPU_KERNEL void
hadamard(real a, GPU_IN(x), GPU_IN(y), real b, GPU_OUT(z), pz_int cols, pz_int rows, pz_int batch)
{
  GPU_ENTRIES
  {
    const real old = b == 0 ? (real)0 : b * GPU_AT(z, k, i, j);
    GPU_AT(z, k, i, j) = a * (GPU_AT(x, k, i, j) * GPU_AT(y, k, i, j)) + old;
  }
}

// y <- shift I + keep y + sum over t < n of a_t x_t, n <= 4
GPU_KERNEL void
combine(real shift, pz_int keep, pz_int n, real a0, GPU_IN(x0), real a1, GPU_IN(x1), real a2,
        GPU_IN(x2), real a3, GPU_IN(x3), GPU_OUT(y), pz_int cols, pz_int rows, pz_int batch)
{
  GPU_ENTRIES
  {
    real sum = i == j ? shift : (real)0;
    if (n > 0) {
      sum += a0 * GPU_AT(x0, k, i, j);
    }
    if (n > 1) {
      sum += a1 * GPU_AT(x1, k, i, j);
    }
    if (n > 2) {
      sum += a2 * GPU_AT(x2, k, i, j);
    }
    if (n > 3) {
      sum += a3 * GPU_AT(x3, k, i, j);
    }
    GPU_AT(y, k, i, j) = keep ? GPU_AT(y, k, i, j) + sum : sum;
  }
}
