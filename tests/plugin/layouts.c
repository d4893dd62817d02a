/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "layouts.h"

#include <dense.h>

// clang-format off
const layout layouts[LAYOUTS] = {
    {"view", 4, {6, 2, 1, 3}, LAYOUT_WHOLE,
     4, {6, 2, 1, 3}, {0, 1, 2, 3}, 2, {6, 6}, {1, 3}},
    {"view(rows=1,cols=0+2+3)", 4, {2, 4, 1, 3}, LAYOUT_WHOLE,
     4, {2, 4, 1, 3}, {1, 0, 2, 3}, 2, {4, 6}, {1, 3}},
    {"view(rows=1)", 4, {3, 3, 2, 2}, LAYOUT_WHOLE,
     4, {3, 3, 2, 2}, {1, 0, 2, 3}, 2, {3, 12}, {1, 3}},
    {"view(cols=0)", 2, {5, 3}, LAYOUT_WHOLE,
     2, {5, 3}, {1, 0}, 2, {3, 5}, LAYOUT_WHOLE},
    {"view(split=0:4,rows=1,cols=2)", 2, {12, 3}, {2, 1},
     3, {4, 3, 3}, {0, 1, 2}, 3, {4, 3, 3}, LAYOUT_WHOLE},
    {"view(rows=-1,cols=1)", 3, {2, 3, 3}, LAYOUT_WHOLE,
     3, {2, 3, 3}, {0, 2, 1}, 3, {2, 3, 3}, LAYOUT_WHOLE},
    {"view(split=1:2+-1:3,rows=1+4,cols=0+-2)", 3, {4, 6, 6}, {1, 2, 2},
     5, {4, 2, 3, 3, 2}, {2, 1, 4, 0, 3}, 3, {3, 4, 12}, {1, 2, 2}},
    {"view(rows=0-1,cols=*)", 3, {2, 3, 4}, LAYOUT_WHOLE,
     3, {2, 3, 4}, {0, 1, 2}, 2, {6, 4}, {2, 1}},
    {"view(rows=2,cols=1)", 3, {3, 1, 4}, LAYOUT_WHOLE,
     3, {3, 1, 4}, {0, 2, 1}, 3, {3, 4, 1}, LAYOUT_WHOLE},
    {"view(rows=0,cols=1)", 2, {4, 4}, LAYOUT_WHOLE,
     2, {4, 4}, {0, 1}, 2, {4, 4}, LAYOUT_WHOLE},
    {"view(rows=1,cols=0)", 2, {4, 4}, LAYOUT_WHOLE,
     2, {4, 4}, {1, 0}, 2, {4, 4}, LAYOUT_WHOLE},
    {"view(rows=1,cols=*)", 3, {3, 0, 2}, LAYOUT_WHOLE,
     3, {3, 0, 2}, {1, 0, 2}, 2, {0, 6}, {1, 2}},
    {"view(split=0:8,rows=1,cols=2)", 2, {0, 3}, {2, 1},
     3, {8, 0, 3}, {0, 1, 2}, 3, {8, 0, 3}, LAYOUT_WHOLE},
};
// clang-format on

double*
layout_by_hand(const layout* const l, const bool back, const double* const from)
{
  int64_t count = 1;
  for (int32_t i = 0; i < l->n; ++i) {
    count *= l->extent[i];
  }
  double* const out = reals(count);
  for (int64_t k = 0; k < count; ++k) { // k runs over what is read
    int64_t index[6];
    int64_t rest = k;
    int64_t place = 0;
    for (int32_t j = l->n; j-- > 0;) {
      index[l->order[j]] = rest % l->extent[l->order[j]];
      rest /= l->extent[l->order[j]];
    }
    for (int32_t i = 0; i < l->n; ++i) {
      place = place * l->extent[i] + index[i];
    }
    out[back ? place : k] = from[back ? k : place];
  }
  return out;
}

bool
layout_adapt(const layout* const l, const pz_spec* const read, layout* const out)
{
  int32_t at = 0;
  *out = *l;
  for (int32_t j = 0; j < l->n_read && read->ndim == l->n_read; ++j) {
    if (l->joined[j] == 1) {
      out->extent[l->order[at]] = read->shape[j];
    } else if (read->shape[j] != l->read[j]) {
      return false;
    }
    at += l->joined[j];
  }
  at = 0;
  for (int32_t i = 0; i < l->ndim; ++i) {
    out->shape[i] = 1;
    for (const int32_t end = at + l->cut[i]; at < end; ++at) {
      out->shape[i] *= out->extent[at];
      if (at + 1 < end && out->extent[at] != l->extent[at]) {
        return false;
      }
    }
  }
  return read->ndim == l->n_read;
}
