/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* New paths for the tensors of a chain that moves to another slot. */

#ifndef PZI_RENAME_H
#define PZI_RENAME_H

#include "tree.h"

typedef struct pzi_rename_path {
  pz_slot* slot;
  char* path;
  size_t length; /* of the name at its end */
} pzi_rename_path;

typedef struct pzi_rename {
  pzi_rename_path* all;
  size_t n;
} pzi_rename;

/* The paths that change in `parametrized`, and in its inner chains, when it moves to `slot`. */
pz_status pzi_rename_plan(const pz_slot* slot, const pzi_parametrized* parametrized,
                          pzi_rename* out);
void pzi_rename_discard(pzi_rename* names);
void pzi_rename_apply(pzi_rename* names); /* and discards them */

#endif /* PZI_RENAME_H */
