/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What a parametrization declares while its plan runs. */

#ifndef PZI_DRAFT_H
#define PZI_DRAFT_H

#include "activity.h"

/* The most originals and own parameters of one chain, and buffers of one stage: vjp takes
   the wanted ones as 64 bits. */
enum { PZI_MAX_TENSORS = 64 };

typedef struct pzi_declared {
  char* name; /* as declared; NULL: an original to be numbered */
  pz_spec spec;
} pzi_declared;

/* A declared log |det|. */
typedef struct pzi_density {
  bool declared;
  uint32_t dims; /* trailing dimensions of the value that one determinant covers */
  uint32_t in;   /* pz_coordinates of the originals and of the value */
  uint32_t out;
} pzi_density;

/* Tensors are indexed by pz_role - 1. */
typedef struct pzi_draft {
  pzi_declared tensors[3][PZI_MAX_TENSORS];
  uint32_t n[3];
  bool has_value;
  pz_spec value;
  uint32_t fold; /* PZ_BY_UPPER or PZ_BY_LOWER of the original, or 0 */
  bool takes_triangle;
  pzi_density density;
} pzi_draft;

/* Check a declaration and add it to run->draft. A failed one fails the plan, even if the
   plugin ignores the status. */
pz_status pzi_draft_tensor(pzi_activity* run, uint32_t role, const char* name, const pz_spec* spec);
pz_status pzi_draft_value(pzi_activity* run, const pz_spec* spec, uint32_t structure);
pz_status pzi_draft_fold(pzi_activity* run, uint32_t triangle);
pz_status pzi_draft_density(pzi_activity* run, uint32_t dims, uint32_t in, uint32_t out);

/* Frees the draft with the names that it still holds. */
void pzi_draft_free(pzi_draft* draft);

#endif /* PZI_DRAFT_H */
