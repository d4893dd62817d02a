/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The options of the word `view`, as written. */

#ifndef PZI_VIEW_TEXT_H
#define PZI_VIEW_TEXT_H

#include "chain_text.h"

#include <stdbool.h>

/* Dimensions first .. last, or all that no list names. Negative ones count from the end. */
typedef struct pzi_view_item {
  int32_t first;
  int32_t last;
  bool rest;
} pzi_view_item;

typedef struct pzi_view_list {
  pzi_view_item items[PZ_MAX_DIMS];
  uint32_t n;
} pzi_view_list;

/* Dimension `dim` becomes two: parts, and the rest. */
typedef struct pzi_view_cut {
  int32_t dim;
  int64_t parts;
} pzi_view_cut;

typedef struct pzi_view {
  pzi_view_cut
      cuts[PZ_MAX_DIMS]; /* one after the other, each numbered in the result of those before */
  uint32_t n_cuts;
  pzi_view_list rows; /* without items: vectors */
  pzi_view_list cols;
  int32_t ndim; /* of the tensor, as given; 0: not given */
  int64_t shape[PZ_MAX_DIMS];
} pzi_view;

/* PZ_INVALID for values that are none, PZ_NOT_FOUND for an unknown option. */
pz_status pzi_view_parse(const pzi_stage_words* words, pzi_view* out);

/* "view(split=0:8,rows=1,cols=2)", for free(). Without the tensor's shape, which a chain knows once it
   is planned. */
pz_status pzi_view_text(const pzi_view* view, char** out);

#endif /* PZI_VIEW_TEXT_H */
