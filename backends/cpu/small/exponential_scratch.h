/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Memory of one evaluation of a small exponential or its adjoint. */

#ifndef CPU_EXPONENTIAL_SCRATCH_H
#define CPU_EXPONENTIAL_SCRATCH_H

#include "exponential.h"

enum { EXPM_ROOTS = 16 }; /* squares kept for the reversal; beyond, they are made again */

/* Scratch of one evaluation, each matrix `vectors` long: rows of `width` vectors, or across
   lanes. */
typedef struct expm_scratch {
  int64_t n;
  int64_t width; /* vectors in a row: across lanes n */
  int64_t vectors;
  lane* v[EXPM_VALUES]; /* v[1] is X; v[0] is not used */
  lane* g[EXPM_VALUES]; /* transposed gradients at them */
  lane* left;
  lane* right;
  lane* h[3]; /* transposed gradient at the value, and at its roots by turns */
  lane* hl;
  lane* hr;
  lane* result;
  lane* other; /* of another polynomial */
  lane* root;  /* what is squared first */
  lane* power[EXPM_ROOTS];
  bool triangular[LANES]; /* matrices that are, and are to be squared */
  bool any_triangular;
} expm_scratch;

enum { EXPM_MATRICES = 2 * (EXPM_VALUES - 1) + 10 + EXPM_ROOTS };

/* One vector lies between matrices, which would otherwise compete for the same places of a
   cache. */
static inline int64_t
expm_room(const int64_t vectors)
{
  return EXPM_MATRICES * (vectors + 1);
}

static inline void
expm_scratch_init(expm_scratch* const s, const int64_t n, const int64_t width, lane* memory)
{
  s->n = n;
  s->width = width;
  s->vectors = n * width;
  s->any_triangular = false;
  lane** const singles[] = {&s->left, &s->right, &s->h[0],   &s->h[1],  &s->h[2],
                            &s->hl,   &s->hr,    &s->result, &s->other, &s->root};
  for (int j = 0; j < EXPM_MATRICES; ++j, memory += s->vectors + 1) {
    if (j < 10) {
      *singles[j] = memory;
    } else if (j < 10 + EXPM_ROOTS) {
      s->power[j - 10] = memory;
    } else if (j < 9 + EXPM_ROOTS + EXPM_VALUES) {
      s->v[j - 9 - EXPM_ROOTS] = memory;
    } else {
      s->g[j - 8 - EXPM_ROOTS - EXPM_VALUES] = memory;
    }
  }
}

#endif /* CPU_EXPONENTIAL_SCRATCH_H */
