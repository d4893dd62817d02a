/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Norms and products. Term t of result o of matrix k is x(k, o + t / inner, t % inner); the
   terms of a result are shared out among chunks. A chunk comes to a pair: the largest
   magnitude, and a sum. Squares are summed of terms scaled by the power of two nearest to
   the chunk's largest, so none overflows or vanishes; pairs are put on one scale. */

#define GPU_ONE 1
#define GPU_TWO 2
#define GPU_MAX 3
#define GPU_DOT 4

#define GPU_ITEMS 256

#if GPU_REAL_BITS == 64
#define GPU_MOST_EXPONENT 900
#else
#define GPU_MOST_EXPONENT 100
#endif

/* A NaN is the largest of all. */
GPU_FUNCTION real
larger(real a, real b)
{
  return b > a || b != b ? b : a;
}

/* e with 2^e near x, within what both 2^e and 2^-e can be. */
GPU_FUNCTION int
exponent_of(real x)
{
  int e = 0;
  if (x > 0 && x - x == 0) {
    (void)frexp(x, &e);
  }
  e = e > GPU_MOST_EXPONENT ? GPU_MOST_EXPONENT : e;
  return e < -GPU_MOST_EXPONENT ? -GPU_MOST_EXPONENT : e;
}

/* From the pair to the result. */
GPU_FUNCTION real
result_of(pz_int mode, real peak, real sum)
{
  if (mode == GPU_MAX) {
    return peak;
  }
  if (mode != GPU_TWO) {
    return sum;
  }
  if (peak == 0 || peak - peak != 0) {
    return peak;
  }
  return sqrt(sum) * ldexp((real)1, exponent_of(peak));
}

#define GPU_STORE(peak, sum)                                                  \
  if (chunks == 1) {                                                          \
    GPU_AT(out, k, o, 0) = result_of(mode, peak, sum);                        \
  } else {                                                                    \
    pair[pair_offset + 2 * ((k * outputs + o) * chunks + chunk)] = peak;      \
    pair[pair_offset + 2 * ((k * outputs + o) * chunks + chunk) + 1] = sum;   \
  }

#define GPU_TERM(x, t) \
  GPU_AT(x, k, (t) < inner ? o : o + (t) / inner, (t) < inner ? (t) : (t) % inner)

/* A group for each chunk of each result: terms lie side by side. Groups along chunks,
   results, batch. */
GPU_KERNEL void
reduce_lines(pz_int mode, GPU_IN(x), GPU_IN(y), GPU_OUT(out), GPU_GLOBAL real *pair,
             pz_int pair_offset, pz_int terms, pz_int inner, pz_int outputs, pz_int chunks,
             pz_int batch)
{
  GPU_LOCAL real share[GPU_ITEMS];
  const int lane = GPU_LOCAL_ID(0);
  const pz_int chunk = GPU_GROUP(0);
  const pz_int first = terms * chunk / chunks;
  const pz_int last = terms * (chunk + 1) / chunks;
  GPU_EACH_GROUP(k, 2, batch)
  {
    GPU_EACH_GROUP(o, 1, outputs)
    {
      real peak = 0;
      real sum = 0;
      real scale = 1;
      if (mode == GPU_TWO || mode == GPU_MAX) {
        for (pz_int t = first + lane; t < last; t += GPU_ITEMS) {
          peak = larger(peak, fabs(GPU_TERM(x, t)));
        }
        share[lane] = peak;
        GPU_BARRIER();
        for (int reach = GPU_ITEMS / 2; reach > 0; reach /= 2) {
          if (lane < reach) {
            share[lane] = larger(share[lane], share[lane + reach]);
          }
          GPU_BARRIER();
        }
        peak = share[0];
        GPU_BARRIER();
        scale = ldexp((real)1, -exponent_of(peak));
      }
      if (mode != GPU_MAX) {
        for (pz_int t = first + lane; t < last; t += GPU_ITEMS) {
          const real term = GPU_TERM(x, t);
          if (mode == GPU_DOT) {
            sum += term * GPU_TERM(y, t);
          } else if (mode == GPU_ONE) {
            sum += fabs(term);
          } else {
            sum += (scale * term) * (scale * term);
          }
        }
        share[lane] = sum;
        GPU_BARRIER();
        for (int reach = GPU_ITEMS / 2; reach > 0; reach /= 2) {
          if (lane < reach) {
            share[lane] += share[lane + reach];
          }
          GPU_BARRIER();
        }
        sum = share[0];
        GPU_BARRIER();
      }
      if (lane == 0) {
        GPU_STORE(peak, sum)
      }
    }
  }
}

/* An item for each chunk of each result: results lie side by side. Items along results;
   groups along chunks, batch. */
GPU_KERNEL void
reduce_columns(pz_int mode, GPU_IN(x), GPU_IN(y), GPU_OUT(out), GPU_GLOBAL real *pair,
               pz_int pair_offset, pz_int terms, pz_int inner, pz_int outputs, pz_int chunks,
               pz_int batch)
{
  const pz_int chunk = GPU_GROUP(1);
  const pz_int first = terms * chunk / chunks;
  const pz_int last = terms * (chunk + 1) / chunks;
  GPU_EACH_GROUP(k, 2, batch)
  {
    GPU_EACH(o, 0, outputs)
    {
      real peak = 0;
      real sum = 0;
      real scale = 1;
      if (mode == GPU_TWO || mode == GPU_MAX) {
        for (pz_int t = first; t < last; ++t) {
          peak = larger(peak, fabs(GPU_TERM(x, t)));
        }
        scale = ldexp((real)1, -exponent_of(peak));
      }
      for (pz_int t = first; t < last && mode != GPU_MAX; ++t) {
        const real term = GPU_TERM(x, t);
        if (mode == GPU_DOT) {
          sum += term * GPU_TERM(y, t);
        } else if (mode == GPU_ONE) {
          sum += fabs(term);
        } else {
          sum += (scale * term) * (scale * term);
        }
      }
      GPU_STORE(peak, sum)
    }
  }
}

/* The chunks of each result together. Items along results, batch. */
GPU_KERNEL void
reduce_finish(pz_int mode, GPU_GLOBAL const real *pair, pz_int pair_offset, pz_int chunks,
              GPU_OUT(out), pz_int outputs, pz_int batch, pz_int single)
{
  GPU_EACH(k, 1, batch)
  {
    GPU_EACH(o, 0, outputs)
    {
      const pz_int at = pair_offset + 2 * (k * outputs + o) * chunks;
      real peak = 0;
      real sum = 0;
      for (pz_int c = 0; c < chunks; ++c) {
        peak = larger(peak, pair[at + 2 * c]);
      }
      for (pz_int c = 0; c < chunks; ++c) {
        const int down = exponent_of(pair[at + 2 * c]) - exponent_of(peak);
        const real factor = mode == GPU_TWO ? ldexp((real)1, down) : (real)1;
        sum += pair[at + 2 * c + 1] * factor * factor;
      }
      GPU_AT(out, k, o, 0) = result_of(mode, peak, sum);
    }
  }
}
