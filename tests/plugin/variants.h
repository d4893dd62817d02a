/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The chains and shapes that the contract is tried on. */

#ifndef TEST_PLUGIN_VARIANTS_H
#define TEST_PLUGIN_VARIANTS_H

#include "subject.h"

enum { CONTRACT_SHAPES = 26 };
extern const extents contract_shapes[CONTRACT_SHAPES];

/* A chain that ends in the subject, with its options and useful predecessors. */
typedef struct contract {
  char chain[128];
  bool projects; /* less comes back than was assigned */
  int dims;      /* that it takes at least, where those are more than 2 */
} contract;

/* The k-th, or false past the last; a map that nobody knows here is taken alone and after
   skew. */
bool contract_variant(int k, contract* out);

/* Whether this run tries the k-th chain on the s-th shape: where chains are many, each is tried on
   some, and every shape by some. */
bool contract_takes(int k, int s);

/* Does the chain take a batch of matrices for one tensor, so that they are not what they
   would be alone? */
bool contract_is_whole(const char* chain);

/* Is a value a member of the set only as far as the chain's state is an estimate? */
bool contract_estimates(const char* chain);

/* Has the value finite limits where originals go to infinity? */
bool contract_saturates(const char* chain);

/* Runs `body` on every chain (with `projecting` those that project too), dtype and shape that
   the maps take; a shape is refused with PZ_MISMATCH and a reason, and square matrices are
   never refused by the maps of the library. */
void on_every_chain(void (*body)(rig* r, extents shape, const char* chain), bool projecting);

#endif /* TEST_PLUGIN_VARIANTS_H */
