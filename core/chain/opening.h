/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The view at the beginning of a chain: how the originals lie, and of which tensor they are. */

#ifndef PZI_OPENING_H
#define PZI_OPENING_H

#include "plan.h"
#include "reading.h"

/* An original is laid out like the tensor where its shape allows that; any other has the shape that
   the map gives it. Replaces the specs of the former and sets their bits. */
void pzi_opening_lay_out(const pzi_view* view, const pz_spec* tensor, pz_spec* originals,
                         uint32_t n, uint64_t* laid_out);

/* The tensor that has these originals, and which of them are laid out like it. `map` is the first
   of the chain. PZ_MISMATCH if the view's text does not give the tensor's shape and it does not follow
   from the originals, or if they are of no tensor. */
pz_status pzi_opening_find(const pzi_view* view, const pzi_instance* map, const pz_spec* originals,
                           uint32_t n, pz_spec* tensor, uint64_t* laid_out);

#endif /* PZI_OPENING_H */
