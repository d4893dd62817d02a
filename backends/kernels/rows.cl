/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Rows by index. An index out of range is reported in the fault word and gives NaN, or is
   left out. */

// y(k, i, :) <- x(k, index(i), :); items along columns, rows, batch
GPU_KERNEL void
take(GPU_GLOBAL const pz_int *index, pz_int index_offset, GPU_IN(x), GPU_OUT(y), GPU_FAULT,
     pz_int status, pz_int limit, pz_int cols, pz_int rows, pz_int batch)
{
  GPU_EACH(k, 2, batch)
  GPU_EACH(i, 1, rows)
  GPU_EACH(j, 0, cols)
  {
    const pz_int row = index[index_offset + i];
    if (row >= 0 && row < limit) {
      GPU_AT(y, k, i, j) = GPU_AT(x, k, row, j);
    } else {
      GPU_AT(y, k, i, j) = GPU_NAN;
      GPU_FAIL(status, i)
    }
  }
}

/* y(k, index(i), :) <- x(k, i, :), or +=. One item to a column, so that rows come in order:
   items along columns, batch. */
GPU_KERNEL void
put(pz_int accumulate, GPU_GLOBAL const pz_int *index, pz_int index_offset, GPU_IN(x), GPU_OUT(y),
    GPU_FAULT, pz_int status, pz_int limit, pz_int n, pz_int cols, pz_int batch, pz_int single)
{
  GPU_EACH(k, 1, batch)
  GPU_EACH(j, 0, cols)
  {
    for (pz_int i = 0; i < n; ++i) {
      const pz_int row = index[index_offset + i];
      if (row >= 0 && row < limit) {
        const real old = accumulate ? GPU_AT(y, k, row, j) : (real)0;
        GPU_AT(y, k, row, j) = old + GPU_AT(x, k, i, j);
      } else {
        GPU_FAIL(status, i)
      }
    }
  }
}
