/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* One running callback of a plugin. */

#ifndef PZI_ACTIVITY_H
#define PZI_ACTIVITY_H

#include "ops_table.h"
#include "tape.h"

enum {
  PZI_MARKS = 64, /* nested marks of scratch; more of them only cost memory */
  PZI_BREACH = 192,
};

/* pz_call.reserved points to `frame`, the first member. `plan` has a draft and no arenas. */
typedef struct pzi_activity {
  pzi_frame frame;
  const char* id;          /* of the parametrization */
  const char* callback;    /* "forward" */
  struct pzi_draft* draft; /* plan only */
  pzi_tensor_arena* work;
  pzi_tensor_arena* temporary; /* holds what the callback saves when nothing is kept */
  pzi_tensor_arena* save;      /* forward with PZ_CALL_SAVING only */
  pzi_tape* tape;
  const pzi_tape_range* range; /* callbacks that read what forward saved */
  bool updating;
  const pz_tensor* originals; /* update of the first stage only: the current ones, */
  pz_tensor* new_originals;   /* memory for new ones, */
  uint32_t n_new_originals;
  uint64_t requested; /* and bit k set once the plugin asked for number k */
  pzi_tensor_mark temporary_mark;
  uint64_t failures; /* messages of this thread before the callback */
  uint32_t n_marks;
  pzi_tensor_mark marks[PZI_MARKS];
  pz_status breach_status; /* PZ_PLUGIN, or why a declaration was lost */
  char breach[PZI_BREACH]; /* the first breach of contract, or "" */
} pzi_activity;

/* Begins and ends a callback. `begin` expects frame, id, callback and arenas to be set.
   `end` gives scratch back and turns the callback's answer into a status; its message begins
   with the id. */
void pzi_activity_begin(pzi_activity* run);
pz_status pzi_activity_end(pzi_activity* run, pz_status answer);

/* Records the first breach of contract and returns PZ_PLUGIN. `end` reports it even if the
   plugin ignores this status. */
pz_status pzi_activity_breach(pzi_activity* run, const char* format, ...) PZ_PRINTF(2, 3);

#endif /* PZI_ACTIVITY_H */
