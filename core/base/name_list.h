/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Counts names and keeps the text of the first few, for messages. */

#ifndef PZI_NAME_LIST_H
#define PZI_NAME_LIST_H

#include <parametrize/types.h>

typedef struct pzi_name_list {
  char text[512]; /* truncated if too long */
  size_t length;
  size_t n;
} pzi_name_list;

void pzi_name_list_add(pzi_name_list* names, const char* name);

/* PZ_MISMATCH if any of the `n` expected names is missing, or any name is unknown. */
pz_status pzi_name_list_check(const pzi_name_list* missing, size_t n, const pzi_name_list* unknown);

#endif /* PZI_NAME_LIST_H */
