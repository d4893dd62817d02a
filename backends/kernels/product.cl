/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products, and solutions with triangles of one block. */

#define GPU_SIDE 16  /* items of a group in either direction */
#define GPU_DEPTH 16 /* terms that a tile of an operand holds */

/* y <- alpha a b + beta y, a group of 16 x 16 items for a tile of 16 x 16 entries for each
   item's `per` x `per`. Whichever way an operand lies, neighbours are read together. Groups along
   tiles of columns, tiles of rows, batch. With `upper`, tiles below the diagonal rest. */
#define GPU_GEMM(name, per)                                                                       \
  GPU_KERNEL void name(real alpha, GPU_IN(a), GPU_IN(b), real beta, GPU_OUT(y), pz_int m,         \
                       pz_int n, pz_int depth, pz_int upper, pz_int batch)                        \
  {                                                                                               \
    GPU_LOCAL real left[GPU_DEPTH][GPU_SIDE * per + 1];                                           \
    GPU_LOCAL real right[GPU_DEPTH][GPU_SIDE * per + 1];                                          \
    const int cx = GPU_LOCAL_ID(0);                                                               \
    const int cy = GPU_LOCAL_ID(1);                                                               \
    const pz_int col = GPU_GROUP(0) * (GPU_SIDE * per);                                           \
    const pz_int tiles = (m + GPU_SIDE * per - 1) / (GPU_SIDE * per);                             \
    const pz_int some = upper && GPU_GROUP(0) < tiles ? GPU_GROUP(0) + 1 : tiles;                 \
    GPU_EACH_GROUP(k, 2, batch)                                                                   \
    GPU_EACH_GROUP(tile, 1, some)                                                                 \
    {                                                                                             \
      const pz_int row = tile * (GPU_SIDE * per);                                                 \
      real sum[per][per];                                                                         \
      for (int r = 0; r < per; ++r) {                                                             \
        for (int c = 0; c < per; ++c) {                                                           \
          sum[r][c] = 0;                                                                          \
        }                                                                                         \
      }                                                                                           \
      for (pz_int t = 0; t < depth; t += GPU_DEPTH) {                                             \
        for (int s = 0; s < per; ++s) {                                                           \
          const int la = a_cols == 1 ? cx : cy;                                                   \
          const int ra = (a_cols == 1 ? cy : cx) + GPU_SIDE * s;                                  \
          const int lb = b_cols == 1 ? cy : cx;                                                   \
          const int rb = (b_cols == 1 ? cx : cy) + GPU_SIDE * s;                                  \
          left[la][ra] = row + ra < m && t + la < depth ? GPU_AT(a, k, row + ra, t + la) : 0;     \
          right[lb][rb] = col + rb < n && t + lb < depth ? GPU_AT(b, k, t + lb, col + rb) : 0;    \
        }                                                                                         \
        GPU_BARRIER();                                                                            \
        for (int l = 0; l < GPU_DEPTH; ++l) {                                                     \
          real x[per];                                                                            \
          real z[per];                                                                            \
          for (int r = 0; r < per; ++r) {                                                         \
            x[r] = left[l][cy + GPU_SIDE * r];                                                    \
            z[r] = right[l][cx + GPU_SIDE * r];                                                   \
          }                                                                                       \
          for (int r = 0; r < per; ++r) {                                                         \
            for (int c = 0; c < per; ++c) {                                                       \
              sum[r][c] += x[r] * z[c];                                                           \
            }                                                                                     \
          }                                                                                       \
        }                                                                                         \
        GPU_BARRIER();                                                                            \
      }                                                                                           \
      for (int r = 0; r < per; ++r) {                                                             \
        for (int c = 0; c < per; ++c) {                                                           \
          const pz_int i = row + cy + GPU_SIDE * r;                                               \
          const pz_int j = col + cx + GPU_SIDE * c;                                               \
          if (i < m && j < n) {                                                                   \
            const real old = beta == 0 ? (real)0 : beta * GPU_AT(y, k, i, j);                     \
            GPU_AT(y, k, i, j) = alpha * sum[r][c] + old;                                         \
          }                                                                                       \
        }                                                                                         \
      }                                                                                           \
    }                                                                                             \
  }

GPU_GEMM(gemm64, 4)
GPU_GEMM(gemm32, 2)

/* The same, an item for each entry: matrices too small for tiles. */
GPU_KERNEL void
gemm_entries(real alpha, GPU_IN(a), GPU_IN(b), real beta, GPU_OUT(y), pz_int depth, pz_int n,
             pz_int m, pz_int batch)
{
  GPU_EACH(k, 2, batch)
  GPU_EACH(i, 1, m)
  GPU_EACH(j, 0, n)
  {
    real sum = 0;
    for (pz_int t = 0; t < depth; ++t) {
      sum += GPU_AT(a, k, i, t) * GPU_AT(b, k, t, j);
    }
    const real old = beta == 0 ? (real)0 : beta * GPU_AT(y, k, i, j);
    GPU_AT(y, k, i, j) = alpha * sum + old;
  }
}

#define GPU_BLOCK 32
#define GPU_COLUMNS 64

/* b <- t^-1 b with t lower (or upper) triangular of order n <= 32: an item for each column,
   groups along columns, batch. */
GPU_KERNEL void
trsm_block(pz_int lower, pz_int unit, GPU_IN(t), GPU_OUT(b), pz_int n, pz_int cols, pz_int batch)
{
  GPU_LOCAL real tile[GPU_BLOCK][GPU_BLOCK + 1];
  const int lane = GPU_LOCAL_ID(0);
  GPU_EACH_GROUP(k, 2, batch)
  {
    for (int e = lane; e < GPU_BLOCK * GPU_BLOCK; e += GPU_COLUMNS) {
      const int i = e / GPU_BLOCK;
      const int j = e % GPU_BLOCK;
      if (i < n && j < n && (lower ? i >= j : i <= j)) {
        /* from the last row up is from the first one down */
        tile[lower ? i : (int)n - 1 - i][lower ? j : (int)n - 1 - j] = GPU_AT(t, k, i, j);
      }
    }
    GPU_BARRIER();
    GPU_EACH(c, 0, cols)
    {
      real x[GPU_BLOCK];
      for (int i = 0; i < n; ++i) {
        real sum = GPU_AT(b, k, lower ? i : n - 1 - i, c);
        for (int j = 0; j < i; ++j) {
          sum -= tile[i][j] * x[j];
        }
        x[i] = unit ? sum : sum / tile[i][i];
      }
      for (int i = 0; i < n; ++i) {
        GPU_AT(b, k, lower ? i : n - 1 - i, c) = x[i];
      }
    }
    GPU_BARRIER();
  }
}

/* bad[k] <- is there a zero on the diagonal of matrix k? Items along batch. */
GPU_KERNEL void
check_diagonal(GPU_IN(t), GPU_GLOBAL pz_int *bad, pz_int bad_offset, GPU_FAULT, pz_int status,
               pz_int n, pz_int batch, pz_int one, pz_int single)
{
  GPU_EACH(k, 0, batch)
  {
    pz_int found = 0;
    for (pz_int i = 0; i < n; ++i) {
      found = found || GPU_AT(t, k, i, i) == 0;
    }
    bad[bad_offset + k] = found;
    if (found) {
      GPU_FAIL(status, k)
    }
  }
}

/* y <- a x, or NaN where bad[k]; y may be x. */
GPU_KERNEL void
scale_or_spoil(real a, GPU_GLOBAL const pz_int *bad, pz_int bad_offset, GPU_OUT(y), pz_int cols,
               pz_int rows, pz_int batch)
{
  GPU_EACH(k, 2, batch)
  GPU_EACH(i, 1, rows)
  GPU_EACH(j, 0, cols)
  {
    GPU_AT(y, k, i, j) = bad[bad_offset + k] ? GPU_NAN : a * GPU_AT(y, k, i, j);
  }
}
