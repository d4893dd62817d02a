/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Block sizes and the orders at which algorithms change, all of them measured: first what differs
   between the sets of instructions, then what they share. */

#ifndef CPU_TUNING_H
#define CPU_TUNING_H

/* LANES: entries of a vector. LANE_QUADS: the same in groups of four (a macro, as preprocessor
   conditions need it). LANE_TILE_ROWS: rows of the tiles of lane_product. LANE_SUMS: sums that
   registers hold beside a factor. EIGEN_LANES: lanes of double. EIGEN_VECTORS: vectors side by side
   in the QL iteration, where the other one fills the time of a chain of divisions and roots.
   MULTIPLY_ROWS, MULTIPLY_VECTORS: the tile of a large product, whose sums fill the registers.
   REDUCE_NORM_MOST and REDUCE_PRODUCT_MOST: entries of a matrix up to which norms and inner products
   of batches go across lanes. */
#if defined(__AVX512F__)
enum {
  LANES = 64 / (CPU_REAL_BITS / 8),
  LANE_TILE_ROWS = 4,
  LANE_SUMS = 8,
  EIGEN_LANES = 8,
  EIGEN_VECTORS = 2,
  MULTIPLY_ROWS = 12,
  MULTIPLY_VECTORS = 2,
  REDUCE_NORM_MOST = CPU_REAL_BITS == 32 ? 256 : 100,
  REDUCE_PRODUCT_MOST = 64,
};
#define LANE_QUADS (16 / (CPU_REAL_BITS / 8))
#elif defined(__AVX2__)
enum {
  LANES = 32 / (CPU_REAL_BITS / 8),
  LANE_TILE_ROWS = 2,
  LANE_SUMS = 8,
  EIGEN_LANES = 4,
  EIGEN_VECTORS = 2,
  MULTIPLY_ROWS = 6,
  MULTIPLY_VECTORS = 2,
  REDUCE_NORM_MOST = CPU_REAL_BITS == 32 ? 256 : 100,
  REDUCE_PRODUCT_MOST = 0,
};
#define LANE_QUADS (8 / (CPU_REAL_BITS / 8))
#else
enum {
  LANES = 4,
  LANE_TILE_ROWS = 2,
  LANE_SUMS = 4,
  EIGEN_LANES = 4,
  EIGEN_VECTORS = 1,
  MULTIPLY_ROWS = 4,
  MULTIPLY_VECTORS = CPU_REAL_BITS == 32 ? 2 : 1, /* LANES doubles are two registers */
  REDUCE_NORM_MOST = CPU_REAL_BITS == 32 ? 100 : 9,
  REDUCE_PRODUCT_MOST = 0,
};
#define LANE_QUADS 1
#endif

enum {
  /* Side of the square tiles of passes that cross runs: three of them fit the nearest cache. */
  TILE = 32,
  /* Orders up to which batches of matrices go across lanes, unless a line below says otherwise. */
  LANES_MOST = 32,
  /* Likewise of products; beyond, a row of one matrix fills a vector. */
  PRODUCT_LANES_MOST = 8,
  /* Likewise of folds and their kin; larger matrices are tiles of their own. */
  STRUCTURED_LANES_MOST = 12,
  /* Likewise of exponentials; larger ones go by rows. */
  EXPONENTIAL_LANES_MOST = 8,
  /* Entries of b up to which b = t b goes across lanes; beyond, products of blocks are faster. */
  TRMM_LANES_MOST = 128,
  /* Matrices from which eigenvalues go across lanes: with fewer, most lanes empty, LAPACK is
     faster. */
  EIGEN_FEWEST = 4,
  /* Products up to this order are not packed, which would cost more than their arithmetic. */
  SMALL_PRODUCT_MOST = 32,
  /* Large products: rows of a that the second cache holds, terms of a sum, whose rows of b the first
     cache holds, and columns of b. */
  MULTIPLY_MOST_ROWS = 96,
  MULTIPLY_MOST_INNER = 256,
  MULTIPLY_MOST_COLS = 512,
  /* Rows up to which b is not packed. */
  MULTIPLY_FEW_ROWS = 48,
  /* Extents below which a product is not divided among threads. */
  MULTIPLY_PART = 64,
  /* Orders of the triangular matrices and of the panels at the bottom of recursions. */
  BLOCK_BASE = 16,
  /* Columns that are reflected together (blocks/qr.c). */
  QR_BLOCK = 32,
  /* Inverses up to this order are made in a buffer of rows as wide as this; so are the blocks at the
     bottom of the recursion for larger ones. */
  INVERSE_BLOCK = 16,
  /* Rotations, in units of the order, kept until they are applied to eigenvectors, which then pass
     through caches less often. */
  EIGEN_ROTATIONS = 8,
};

/* What a multiplication and addition of a large product takes, and of a product with a vector. */
#define MULTIPLY_NANOSECONDS (CPU_REAL_BITS == 32 ? 0.025 : 0.05)
#define VECTOR_NANOSECONDS (CPU_REAL_BITS == 32 ? 0.1 : 0.2)

#endif /* CPU_TUNING_H */
