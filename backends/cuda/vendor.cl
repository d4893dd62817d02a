/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What stands between the shared kernels and NVIDIA's libraries: addresses of matrices, what
   was found singular, pivots, and entries that are not finite. In the dialect of the shared
   kernels, to be compiled with them everywhere. */

#define GPU_FLAGS GPU_GLOBAL pz_int *bad, pz_int bad_offset

/* out[k] = first + k step, addresses as numbers. */
GPU_KERNEL void
pointers(GPU_GLOBAL gpu_word64 *out, pz_int first, pz_int step, pz_int batch, pz_int one,
         pz_int single)
{
  GPU_EACH(k, 0, batch) { out[k] = (gpu_word64)(first + k * step); }
}

/* Matrices with info[k] != 0, not marked before, are marked and the first one reported. */
GPU_KERNEL void
report(GPU_GLOBAL const int *info, GPU_FLAGS, GPU_FAULT, pz_int status, pz_int batch, pz_int one,
       pz_int single)
{
  GPU_EACH(k, 0, batch)
  {
    if (info[k] != 0 && bad[bad_offset + k] == 0) {
      bad[bad_offset + k] = 1;
      GPU_FAIL(status, k)
    }
  }
}

/* Row exchanges as LAPACK counts them, from 1, to ours. */
GPU_KERNEL void
pivots(GPU_GLOBAL const int *from, GPU_GLOBAL pz_int *to, pz_int to_offset, pz_int n, pz_int one,
       pz_int single)
{
  GPU_EACH(i, 0, n) { to[to_offset + i] = (pz_int)from[i] - 1; }
}

/* Marks matrices with an entry that is NaN or infinite. */
GPU_KERNEL void
mark_not_finite(GPU_IN(x), GPU_FLAGS, pz_int cols, pz_int rows, pz_int batch)
{
  GPU_EACH(k, 2, batch)
  GPU_EACH(i, 1, rows)
  GPU_EACH(j, 0, cols)
  {
    if (!(GPU_AT(x, k, i, j) * 0 == 0)) {
      bad[bad_offset + k] = 1;
    }
  }
}

#if GPU_REAL_BITS == 64
/* Entries of float as double, and back. */
GPU_KERNEL void
widen(GPU_GLOBAL const float *x, GPU_VIEW_(x), GPU_OUT(y), pz_int cols, pz_int rows, pz_int batch)
{
  GPU_EACH(k, 2, batch)
  GPU_EACH(i, 1, rows)
  GPU_EACH(j, 0, cols) { GPU_AT(y, k, i, j) = (real)GPU_AT(x, k, i, j); }
}

GPU_KERNEL void
narrow(GPU_IN(x), GPU_GLOBAL float *y, GPU_VIEW_(y), pz_int cols, pz_int rows, pz_int batch)
{
  GPU_EACH(k, 2, batch)
  GPU_EACH(i, 1, rows)
  GPU_EACH(j, 0, cols) { GPU_AT(y, k, i, j) = (float)GPU_AT(x, k, i, j); }
}
#endif

/* Zero throughout where marked. */
GPU_KERNEL void
blank(GPU_FLAGS, GPU_OUT(y), pz_int cols, pz_int rows, pz_int batch)
{
  GPU_EACH(k, 2, batch)
  GPU_EACH(i, 1, rows)
  GPU_EACH(j, 0, cols)
  {
    if (bad[bad_offset + k]) {
      GPU_AT(y, k, i, j) = 0;
    }
  }
}
