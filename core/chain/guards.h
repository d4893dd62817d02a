/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Guards: bytes around everything that is taken from an arena, which nobody may write. They are small
   numbers, so that sums into them show. What is taken begins as PZI_BLANK, a NaN that no computation
   makes, so that missing writes show too. For contexts with PZ_CHECK_PLUGINS. */

#ifndef PZI_GUARDS_H
#define PZI_GUARDS_H

#include "tensor_arena.h"

#define PZI_BLANK UINT32_MAX /* each half of a float64 */

enum {
  PZI_GUARD = 512, /* bytes of a guard */
  PZI_GUARD_TEXT = 96,
};

/* Gives an empty arena guards; `what` names its tensors in messages: "scratch". */
pz_status pzi_guards_add(pzi_tensor_arena* arena, pz_queue* queue, const char* what);
void pzi_guards_remove(pzi_tensor_arena* arena);

/* pzi_tensor_arena_take and pzi_tensor_arena_record of such an arena. */
pz_status pzi_guards_take(pzi_tensor_arena* arena, const pz_spec* spec, pz_tensor* out);
pz_status pzi_guards_record(pzi_tensor_arena* arena, size_t bytes, void** out);

/* Looks at all guards of what is not released. If one was written, `text` says where, otherwise it is "".
   All of them are whole afterwards. Waits for the device. */
pz_status pzi_guards_check(pzi_tensor_arena* arena, char text[PZI_GUARD_TEXT]);

#endif /* PZI_GUARDS_H */
