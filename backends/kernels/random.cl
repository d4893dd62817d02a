/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011); ops.h states how
   distributions come from its words. */

#if defined(__OPENCL_VERSION__)
#pragma OPENCL FP_CONTRACT OFF
#endif

#define GPU_BITS 0
#define GPU_UNIFORM 1
#define GPU_NORMAL 2
#define GPU_BERNOULLI 3

/* Word e of the stream that begins with block `first`. */
GPU_FUNCTION gpu_word64
philox(gpu_word64 key, gpu_word64 first, pz_int e)
{
  const gpu_word64 block = first + (gpu_word64)(e / 2);
  gpu_word32 k0 = (gpu_word32)key;
  gpu_word32 k1 = (gpu_word32)(key >> 32);
  gpu_word32 c0 = (gpu_word32)block;
  gpu_word32 c1 = (gpu_word32)(block >> 32);
  gpu_word32 c2 = 0;
  gpu_word32 c3 = 0;
  for (int round = 0; round < 10; ++round) {
    const gpu_word64 a = (gpu_word64)0xD2511F53U * c0;
    const gpu_word64 b = (gpu_word64)0xCD9E8D57U * c2;
    c0 = (gpu_word32)(b >> 32) ^ c1 ^ k0;
    c1 = (gpu_word32)b;
    c2 = (gpu_word32)(a >> 32) ^ c3 ^ k1;
    c3 = (gpu_word32)a;
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
  return e % 2 ? (gpu_word64)c2 | (gpu_word64)c3 << 32 : (gpu_word64)c0 | (gpu_word64)c1 << 32;
}

GPU_KERNEL void
random_bits(pz_int key, pz_int first, GPU_GLOBAL gpu_word64 *y, GPU_VIEW_(y), pz_int n, pz_int one,
            pz_int single)
{
  GPU_EACH(e, 0, n)
  {
    y[y_offset + e] = philox((gpu_word64)key, (gpu_word64)first, e);
  }
}

// 2^-32 and, with the word's bits that `real` can hold, 2^-24 or 2^-53
#define GPU_TINY ((real)1 / (real)65536 / (real)65536)
#if GPU_REAL_BITS == 64
#define GPU_FRACTION(word) ((real)((word) >> 11) * (GPU_TINY / (real)2097152))
#else
#define GPU_FRACTION(word) ((real)((word) >> 40) * ((real)1 / (real)16777216))
#endif

/* ln((lo + 1/2) 2^-32); near 1 by its distance from 1, which does not cancel. */
GPU_FUNCTION real
log_fraction(gpu_word32 low)
{
  if (low < 0x80000000U) {
    return log(((real)low + (real)0.5) * GPU_TINY);
  }
  return log1p(-(((real)(0xFFFFFFFFU - low) + (real)0.5) * GPU_TINY));
}

/* cos(2 pi high 2^-32), the angle brought into an eighth of a turn in whole numbers. */
GPU_FUNCTION real
cos_turn(gpu_word32 high)
{
  const gpu_word32 quarter = (high + 0x20000000U) >> 30;
  const int rest = (int)(high - (quarter << 30));
  const real angle = (real)rest * GPU_TINY * (real)6.283185307179586476925;
  const real value = quarter % 2 ? sin(angle) : cos(angle);
  return quarter == 1 || quarter == 2 ? -value : value;
}

GPU_KERNEL void
random_reals(pz_int kind, pz_int key, pz_int first, pz_int threshold, real a, real b, real range,
             GPU_OUT(y), pz_int n, pz_int one, pz_int single)
{
  GPU_EACH(e, 0, n)
  {
    const gpu_word64 word = philox((gpu_word64)key, (gpu_word64)first, e);
    real value;
    if (kind == GPU_UNIFORM) {
      value = a + range * GPU_FRACTION(word);
    } else if (kind == GPU_NORMAL) {
      const real radius = sqrt((real)-2 * log_fraction((gpu_word32)word));
      value = a + b * (radius * cos_turn((gpu_word32)(word >> 32)));
    } else {
      value = (pz_int)(word >> 11) < threshold ? (real)1 : (real)0;
    }
    y[y_offset + e] = value;
  }
}
