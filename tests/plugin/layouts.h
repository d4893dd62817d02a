/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Views of some shapes, worked out by hand. */

#ifndef TEST_LAYOUTS_H
#define TEST_LAYOUTS_H

#include <parametrize/types.h>

#include <stdbool.h>

/* A view of one shape. By hand: the tensor has the dimensions `extent`, of which `cut` make up each
   of its own; `order` permutes them, and `joined` make up each dimension of what is read. */
typedef struct layout {
  const char* view;
  int32_t ndim;
  int64_t shape[6];
  int32_t cut[6];
  int32_t n;
  int64_t extent[6];
  int32_t order[6];
  int32_t n_read;
  int64_t read[6];
  int32_t joined[6];
} layout;

#define LAYOUT_WHOLE \
  {                  \
    1, 1, 1, 1, 1, 1 \
  }

enum { LAYOUTS = 13 };
extern const layout layouts[LAYOUTS];

/* What is read of the tensor `from`, or (back) the tensor of what is read; to be freed. */
double* layout_by_hand(const layout* l, bool back, const double* from);

/* The layout for another extent of dimensions that are read alone. False if there is none: a list of
   several changes, or the parts of a cut. */
bool layout_adapt(const layout* l, const pz_spec* read, layout* out);

#endif /* TEST_LAYOUTS_H */
