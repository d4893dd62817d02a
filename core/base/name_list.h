/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Names that a file lacks, or has too many: counted, the first few of them for a message. */

#ifndef PZI_FEW_NAMES_H
#define PZI_FEW_NAMES_H

#include <parametrize/types.h>

typedef struct pzi_few_names {
  char text[512]; /* cut where it ends */
  size_t length;
  size_t n;
} pzi_few_names;

void pzi_few_names_add(pzi_few_names* names, const char* name);

/* PZ_MISMATCH where any of the `n` names expected is missing, or any is unknown. */
pz_status pzi_few_names_check(const pzi_few_names* missing, size_t n, const pzi_few_names* unknown);

#endif /* PZI_FEW_NAMES_H */
