/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Structured passes: a tile and its mirror image are read and written together. */

#define GPU_TILE 32

#define GPU_FOLD 0
#define GPU_FOLD_ADJOINT 1
#define GPU_SYMMETRIZE 2

/* Entries (i, j) above the diagonal and (j, i) below it, from those of x to those of y. */
GPU_FUNCTION void
mirror_pair(int mode, int upper, real a, real sign, real above, real below, real *up, real *down)
{
  if (mode == GPU_FOLD) {
    *up = upper ? above : sign * below;
    *down = upper ? sign * above : below;
  } else if (mode == GPU_FOLD_ADJOINT) {
    *up = upper ? above + sign * below : (real)0;
    *down = upper ? (real)0 : below + sign * above;
  } else {
    *up = a * (above + sign * below);
    *down = sign * *up;
  }
}

GPU_FUNCTION real
mirror_diagonal(int mode, real a, real sign, real x)
{
  if (mode == GPU_SYMMETRIZE) {
    return a * (x + sign * x);
  }
  return sign > 0 ? x : (real)0;
}

/* Groups along tiles of columns, tiles of rows, batch; those below the diagonal rest. */
GPU_KERNEL void
mirror(pz_int mode, pz_int upper, real a, real sign, GPU_IN(x), GPU_OUT(y), pz_int n, pz_int batch)
{
  GPU_LOCAL real above[GPU_TILE][GPU_TILE + 1];
  GPU_LOCAL real below[GPU_TILE][GPU_TILE + 1];
  const int lane = GPU_LOCAL_ID(0);
  const pz_int row = GPU_GROUP(1) * GPU_TILE;
  const pz_int col = GPU_GROUP(0) * GPU_TILE;
  const int both = mode != GPU_FOLD || row == col;
  if (row > col) {
    return;
  }
  GPU_EACH_GROUP(k, 2, batch)
  {
    for (int t = GPU_LOCAL_ID(1); t < GPU_TILE; t += GPU_LOCAL_SIZE(1)) {
      if (row + t < n && col + lane < n && (both || upper)) {
        above[t][lane] = GPU_AT(x, k, row + t, col + lane);
      }
      if (col + t < n && row + lane < n && (both || !upper)) {
        below[t][lane] = GPU_AT(x, k, col + t, row + lane);
      }
    }
    GPU_BARRIER();
    for (int t = GPU_LOCAL_ID(1); t < GPU_TILE; t += GPU_LOCAL_SIZE(1)) {
      const pz_int i = row + t;
      const pz_int j = col + lane;
      if (i < j && j < n) {
        real up;
        real down;
        mirror_pair((int)mode, (int)upper, a, sign, above[t][lane], below[lane][t], &up, &down);
        above[t][lane] = up;
        below[lane][t] = down;
      } else if (i == j && j < n) {
        above[t][lane] = mirror_diagonal((int)mode, a, sign, above[t][lane]);
      }
    }
    GPU_BARRIER();
    for (int t = GPU_LOCAL_ID(1); t < GPU_TILE; t += GPU_LOCAL_SIZE(1)) {
      if (row + t <= col + lane && col + lane < n) {
        GPU_AT(y, k, row + t, col + lane) = above[t][lane];
      }
      if (col + t > row + lane && col + t < n) {
        GPU_AT(y, k, col + t, row + lane) = below[t][lane];
      }
    }
    GPU_BARRIER();
  }
}

/* The same for small matrices: an item for each entry on the diagonal or above. */
GPU_KERNEL void
mirror_small(pz_int mode, pz_int upper, real a, real sign, GPU_IN(x), GPU_OUT(y), pz_int n,
             pz_int batch)
{
  GPU_EACH(k, 2, batch)
  GPU_EACH(i, 1, n)
  GPU_EACH(j, 0, n)
  {
    if (i < j) {
      const int both = mode != GPU_FOLD;
      const real above = both || upper ? GPU_AT(x, k, i, j) : (real)0;
      const real below = both || !upper ? GPU_AT(x, k, j, i) : (real)0;
      real up;
      real down;
      mirror_pair((int)mode, (int)upper, a, sign, above, below, &up, &down);
      GPU_AT(y, k, i, j) = up;
      GPU_AT(y, k, j, i) = down;
    } else if (i == j) {
      GPU_AT(y, k, i, i) = mirror_diagonal((int)mode, a, sign, GPU_AT(x, k, i, i));
    }
  }
}

// the entries with low <= column - row <= high, zero elsewhere; y may be x
GPU_KERNEL void
band(pz_int low, pz_int high, GPU_IN(x), GPU_OUT(y), pz_int cols, pz_int rows, pz_int batch)
{
  GPU_EACH(k, 2, batch)
  GPU_EACH(i, 1, rows)
  GPU_EACH(j, 0, cols)
  {
    GPU_AT(y, k, i, j) = j - i >= low && j - i <= high ? GPU_AT(x, k, i, j) : (real)0;
  }
}
