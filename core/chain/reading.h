/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A view applied to a tensor, and the way between two parametrizations that read differently. */

#ifndef PZI_READING_H
#define PZI_READING_H

#include "queue.h"
#include "view_text.h"

/* From one C-contiguous tensor to another of the same entries. The first has n dimensions of the
   given extents; dimension j of the second is order[j] of the first. Both are then taken in their
   own shapes. */
typedef struct pzi_turn {
  pz_spec from;
  pz_spec to;
  bool moves; /* false: the entries lie in the same order */
  int32_t n;
  int64_t extent[PZ_MAX_DIMS];
  int32_t order[PZ_MAX_DIMS];
} pzi_turn;

/* One turn after the other: the end of a view, then the beginning of the next. Turns that change
   nothing are left out. */
typedef struct pzi_way {
  pzi_turn turns[2];
  uint32_t n;
  uint32_t n_ending; /* 1: the first turn ends a view, even if the next undid it and n is 0 */
} pzi_way;

/* The turn from a tensor to what is read. PZ_MISMATCH if the view does not fit it. */
pz_status pzi_reading_begin(const pzi_view* view, const pz_spec* tensor, pzi_turn* out);

/* The turn from what was read back to the shape of a tensor. `like` is a tensor of that view; its
   extents apply to lists of several dimensions, those of `read` to all others. PZ_MISMATCH if no
   tensor reads so. */
pz_status pzi_reading_end(const pzi_view* view, const pz_spec* read, const pz_spec* like,
                          pzi_turn* out);

/* As pzi_reading_end or, where `like` is NULL, pzi_reading_begin. False instead of a failure, without
   a message. */
bool pzi_reading_fits(const pzi_view* view, const pz_spec* spec, const pz_spec* like,
                      pzi_turn* out);

/* The number of tensors of `ndim` dimensions that are read as `read`, 2 for more; one of them, and the
   dimensions of `read` whose extents all that is laid out like such a tensor has. */
int pzi_reading_tensors(const pzi_view* view, const pz_spec* read, int32_t ndim, pz_spec* tensor,
                        uint32_t* held);

/* Adds a turn. One that undoes the turn before it removes that. */
void pzi_way_add(pzi_way* way, const pzi_turn* turn);

/* Do the turns lead back to where they began? */
bool pzi_turn_undoes(const pzi_turn* before, const pzi_turn* after);

/* Do entries move along it? Not along no way. */
bool pzi_way_moves(const pzi_way* way);

/* The same turn backward. */
pzi_turn pzi_turn_inverse(const pzi_turn* turn);

/* Copies a tensor through a turn that moves, on the device of the queue. */
pz_status pzi_turn_copy(const pzi_turn* turn, pz_queue* queue, const pz_tensor* from,
                        const pz_tensor* to);

#endif /* PZI_READING_H */
