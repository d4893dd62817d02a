/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* New paths for the tensors of a chain that moves to another slot. */

#ifndef PZI_RENAME_H
#define PZI_RENAME_H

#include "tree.h"

typedef struct pzi_new_name {
  pz_slot* slot;
  char* path;
  size_t length; /* of the name at its end */
} pzi_new_name;

typedef struct pzi_names {
  pzi_new_name* all;
  size_t n;
} pzi_names;

/* The paths that change in `list`, and in its inner chains, when it moves to `slot`. */
pz_status pzi_names_plan(const pz_slot* slot, const pzi_parametrized* list, pzi_names* out);
void pzi_names_discard(pzi_names* names);
void pzi_names_apply(pzi_names* names); /* and discards them */

#endif /* PZI_RENAME_H */
