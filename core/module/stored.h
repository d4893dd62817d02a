/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The stored tensors of a module and its children, by path. */

#ifndef PZI_STORED_H
#define PZI_STORED_H

#include <parametrize/module.h>

/* One stored tensor under its path from a module, children included. */
typedef struct pzi_stored_path {
  char* text;
  pz_slot* slot;
} pzi_stored_path;

/* The stored tensors in order. Borrowed until a name is added or removed. [any thread] */
pz_status pzi_stored_paths(const pz_module* module, const pzi_stored_path** out, size_t* n);

/* Frees the tables of a module and of those around it: a name was added or removed. */
void pzi_stored_changed(pz_module* module);
void pzi_stored_free(pz_module* module); /* of this module alone */

#endif /* PZI_STORED_H */
