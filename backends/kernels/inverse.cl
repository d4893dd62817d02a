/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Elimination: small inverses, panels of LU and Cholesky factorizations. A singular matrix
   sets bad[k] and the fault word; whatever is made of it becomes NaN. */

#define GPU_BLOCK 32
#define GPU_ITEMS 256

#define GPU_BAD GPU_GLOBAL pz_int *bad, pz_int bad_offset

/* y <- alpha I + beta a^-1, a = gamma I + delta x, for n <= 32 by Gauss-Jordan elimination with
   row pivots; with `near`, y <- alpha I + beta ((I + a)^-1 - I) without them, which loses nothing
   to ones on the diagonal. In place in local memory: `width` items to a matrix, each with a
   column, 64 / width matrices to a group. y may be x. Groups along the batch. */
GPU_KERNEL void
small_inverse(real alpha, real beta, real gamma, real delta, GPU_IN(x), GPU_OUT(y), GPU_FAULT,
              pz_int status, pz_int near, pz_int order, pz_int width, pz_int batch)
{
  GPU_LOCAL real room[2 * GPU_BLOCK * GPU_BLOCK];
  GPU_LOCAL int pivots[2 * GPU_BLOCK];
  const int n = (int)order;
  const int slot = GPU_LOCAL_ID(0) / (int)width;
  const int j = GPU_LOCAL_ID(0) % (int)width;
  const pz_int each = GPU_LOCAL_SIZE(0) / (int)width;
  GPU_LOCAL_POINTER real *a = room + slot * n * n;
  GPU_LOCAL_POINTER int *pivot = pivots + slot * n;
  GPU_EACH_GROUP(g, 0, (batch + each - 1) / each)
  {
    const pz_int k = g * each + slot;
    const int mine = k < batch && j < n;
    int singular = 0;
    for (int i = 0; i < n && mine; ++i) {
      const real x_ij = GPU_AT(x, k, i, j);
      /* NaN if not finite: dividing by an Inf would make it zero */
      a[i * n + j] = (x_ij - x_ij) + (delta * x_ij + (i == j ? gamma : (real)0));
    }
    GPU_BARRIER();
    for (int p = 0; p < n; ++p) {
      int best = p;
      real divisor = 0;
      if (mine) {
        for (int i = p + 1; i < n && !near; ++i) {
          const real size = fabs(a[i * n + p]);
          if (size > fabs(a[best * n + p]) || size != size) {
            best = i;
          }
        }
        divisor = near ? 1 + a[p * n + p] : a[best * n + p];
        singular = singular || divisor == 0;
      }
      GPU_BARRIER();
      if (mine) {
        const real t = a[best * n + j];
        a[best * n + j] = a[p * n + j];
        a[p * n + j] = t;
        pivot[p] = best;
      }
      GPU_BARRIER();
      if (mine && j != p) {
        const real f = a[p * n + j] / divisor;
        for (int i = 0; i < n; ++i) {
          a[i * n + j] = i == p ? f : a[i * n + j] - a[i * n + p] * f;
        }
      }
      GPU_BARRIER();
      if (mine && j == p) {
        for (int i = 0; i < n; ++i) {
          a[i * n + p] = i == p && !near ? 1 / divisor : -a[i * n + p] / divisor;
        }
      }
    }
    GPU_BARRIER();
    if (mine) {
      int to = j; /* rows swapped before are columns swapped back */
      for (int p = n - 1; p >= 0; --p) {
        to = to == p ? pivot[p] : to == pivot[p] ? p : to;
      }
      for (int i = 0; i < n; ++i) {
        const real value = beta * a[i * n + j] + (i == to ? alpha : (real)0);
        GPU_AT(y, k, i, to) = singular ? GPU_NAN : value;
      }
      if (singular && j == 0) {
        GPU_FAIL(status, k)
      }
    }
    GPU_BARRIER();
  }
}

/* Columns first .. first + width - 1 of p w = l u, one group to a matrix; w in place, row
   pivots[k n + c] having changed places with row c. Rows lie along columns. */
GPU_KERNEL void
lu_panel(GPU_OUT(w), GPU_GLOBAL pz_int *pivots, pz_int pivots_offset, GPU_BAD, GPU_FAULT,
         pz_int status, pz_int n, pz_int first, pz_int width, pz_int batch)
{
  GPU_LOCAL real size[GPU_ITEMS];
  GPU_LOCAL int place[GPU_ITEMS];
  GPU_LOCAL real row[GPU_BLOCK];
  const int lane = GPU_LOCAL_ID(0);
  GPU_EACH_GROUP(k, 2, batch)
  {
    for (pz_int c = first; c < first + width; ++c) {
      real best = -1;
      int at = (int)c;
      for (pz_int i = c + lane; i < n; i += GPU_ITEMS) {
        const real s = fabs(GPU_AT(w, k, i, c));
        if (s > best || s != s) {
          best = s;
          at = (int)i;
        }
      }
      size[lane] = best;
      place[lane] = at;
      GPU_BARRIER();
      for (int reach = GPU_ITEMS / 2; reach > 0; reach /= 2) {
        if (lane < reach &&
            (size[lane + reach] > size[lane] || size[lane + reach] != size[lane + reach])) {
          size[lane] = size[lane + reach];
          place[lane] = place[lane + reach];
        }
        GPU_BARRIER();
      }
      const pz_int pivot = place[0];
      const int zero = size[0] == 0;
      GPU_BARRIER();
      if (lane < width) {
        const real t = GPU_AT(w, k, pivot, first + lane);
        GPU_AT(w, k, pivot, first + lane) = GPU_AT(w, k, c, first + lane);
        GPU_AT(w, k, c, first + lane) = t;
        row[lane] = t;
      }
      if (lane == 0) {
        pivots[pivots_offset + k * n + c] = pivot;
        if (zero && !bad[bad_offset + k]) {
          bad[bad_offset + k] = 1;
          GPU_FAIL(status, k)
        }
      }
      GPU_BARRIER();
      for (pz_int i = c + 1 + lane; i < n; i += GPU_ITEMS) {
        const real f = zero ? (real)0 : GPU_AT(w, k, i, c) / row[c - first];
        GPU_AT(w, k, i, c) = f;
        for (pz_int j = c + 1; j < first + width; ++j) {
          GPU_AT(w, k, i, j) -= f * row[j - first];
        }
      }
      GPU_BARRIER();
    }
  }
}

/* The swaps of a panel in the other columns. Items along columns; groups along batch. */
GPU_KERNEL void
lu_swap(GPU_OUT(w), GPU_GLOBAL const pz_int *pivots, pz_int pivots_offset, pz_int n, pz_int first,
        pz_int width, pz_int batch)
{
  GPU_EACH_GROUP(k, 2, batch)
  {
    GPU_EACH(j, 0, n - width)
    {
      const pz_int c = j < first ? j : j + width;
      for (pz_int i = first; i < first + width; ++i) {
        const pz_int pivot = pivots[pivots_offset + k * n + i];
        const real t = GPU_AT(w, k, pivot, c);
        GPU_AT(w, k, pivot, c) = GPU_AT(w, k, i, c);
        GPU_AT(w, k, i, c) = t;
      }
    }
  }
}

/* The same swaps in the rows of a right side. Items along columns; groups along batch. */
GPU_KERNEL void
lu_permute(GPU_OUT(b), GPU_GLOBAL const pz_int *pivots, pz_int pivots_offset, pz_int n,
           pz_int cols, pz_int batch)
{
  GPU_EACH_GROUP(k, 2, batch)
  {
    GPU_EACH(j, 0, cols)
    {
      for (pz_int i = 0; i < n; ++i) {
        const pz_int pivot = pivots[pivots_offset + k * n + i];
        const real t = GPU_AT(b, k, pivot, j);
        GPU_AT(b, k, pivot, j) = GPU_AT(b, k, i, j);
        GPU_AT(b, k, i, j) = t;
      }
    }
  }
}

/* a = l l^T for one block of order n <= 32 on the diagonal, lower triangles in place: one
   group of 32 items to a matrix, a row to an item. A radicand that is not positive is bad; a
   NaN goes on. */
GPU_KERNEL void
potrf_block(GPU_OUT(a), GPU_BAD, GPU_FAULT, pz_int status, pz_int order, pz_int batch)
{
  GPU_LOCAL real l[GPU_BLOCK][GPU_BLOCK + 1];
  const int n = (int)order;
  const int i = GPU_LOCAL_ID(0);
  GPU_EACH_GROUP(k, 2, batch)
  {
    int failed = 0;
    for (int j = 0; j <= i && i < n; ++j) {
      l[i][j] = GPU_AT(a, k, i, j);
    }
    GPU_BARRIER();
    for (int j = 0; j < n; ++j) {
      real sum = 0;
      if (i >= j && i < n) {
        sum = l[i][j];
        for (int t = 0; t < j; ++t) {
          sum -= l[i][t] * l[j][t];
        }
      }
      GPU_BARRIER();
      if (i == j) {
        failed = failed || sum <= 0;
        l[j][j] = sqrt(sum);
      }
      GPU_BARRIER();
      if (i > j && i < n) {
        l[i][j] = sum / l[j][j];
      }
      GPU_BARRIER();
    }
    for (int j = 0; j <= i && i < n; ++j) {
      GPU_AT(a, k, i, j) = l[i][j];
    }
    if (failed) {
      GPU_GLOBAL pz_int *flag = bad + bad_offset + k;
      if (GPU_CLAIM(flag)) {
        GPU_FAIL(status, k)
      }
    }
    GPU_BARRIER();
  }
}

// l <- its lower triangle, zero above; NaN throughout where bad
GPU_KERNEL void
potrf_finish(GPU_BAD, GPU_OUT(l), pz_int cols, pz_int rows, pz_int batch)
{
  GPU_EACH(k, 2, batch)
  GPU_EACH(i, 1, rows)
  GPU_EACH(j, 0, cols)
  {
    const real inside = j <= i ? GPU_AT(l, k, i, j) : (real)0;
    GPU_AT(l, k, i, j) = bad[bad_offset + k] ? GPU_NAN : inside;
  }
}
