/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The words of a parametrization's older_names. */

#ifndef PZI_OLDER_NAME_H
#define PZI_OLDER_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* A word of pz_parametrization's older_names, in the text itself. */
typedef struct pzi_older_name {
  const char* tensor; /* NULL before the first */
  size_t n_tensor;
  const char* ending;
  size_t n_ending;
  const char* rest; /* what follows */
} pzi_older_name;

/* Moves to the next word; to the first where only `rest` is set, to the whole text. False,
   and no change, past the last word or where the text breaks the grammar. [any thread] */
bool pzi_older_next(pzi_older_name* name);

#endif /* PZI_OLDER_NAME_H */
