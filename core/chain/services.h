/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What stands behind a pz_call while an entry of a plugin runs. */

#ifndef PZI_SERVICES_H
#define PZI_SERVICES_H

#include "ops.h"

#include <parametrize/plugin.h>

extern const pz_services pzi_services;

/* What forward saved, over all maps of an evaluation: tensors and host records in the
   order of saving. The arrays grow and are kept. */
typedef struct pzi_saved {
  pz_tensor* tensors;
  void** records;
  uint32_t n_tensors;
  uint32_t n_records;
  uint32_t tensor_capacity;
  uint32_t record_capacity;
  uint64_t allocations;
} pzi_saved;

/* The part of one map. */
typedef struct pzi_saved_range {
  uint32_t first_tensor;
  uint32_t n_tensors;
  uint32_t first_record;
  uint32_t n_records;
} pzi_saved_range;

enum {
  PZI_MARKS = 64, /* nested marks of scratch; later ones only cost memory */
  PZI_BREACH = 192,
};

typedef struct pzi_draft pzi_draft; /* map_plan.h */

/* One entry at work. pz_call.reserved points to `frame`, the first member. Arenas are
   NULL in plan. */
typedef struct pzi_activity {
  pzi_frame frame;
  const char* id;    /* of the map */
  const char* entry; /* "forward" */
  pzi_draft* draft;  /* plan only */
  pzi_arena* work;
  pzi_arena* work_host;
  pzi_arena* spare; /* for what is saved when nothing is to be saved */
  pzi_arena* spare_host;
  pzi_arena* save; /* forward under PZ_CALL_SAVING only */
  pzi_arena* save_host;
  pzi_saved* saved;
  const pzi_saved_range* range; /* vjp only */
  bool updating;
  const pz_tensor* originals; /* update of the first map only: what it has, */
  pz_tensor* rooms;           /* room for new ones, */
  uint32_t n_rooms;
  uint64_t restaged; /* and bit k set where the map asked for room k */
  uint64_t spare_mark;
  uint64_t spare_host_mark;
  uint64_t failures; /* messages of this thread before the entry */
  uint32_t n_marks;
  uint64_t marks[PZI_MARKS][2];
  pz_status breach_status; /* PZ_PLUGIN, or why a declaration was lost */
  char breach[PZI_BREACH]; /* the first breach of contract, or "" */
} pzi_activity;

/* Begins and ends an entry. `begin` expects frame, id, entry and arenas set; `end` gives
   scratch back and turns what the entry answered into a status with a message that begins
   with the map's id. */
void pzi_activity_begin(pzi_activity* run);
pz_status pzi_activity_end(pzi_activity* run, pz_status answer);

/* Records that the plugin broke its contract, once, and returns PZ_PLUGIN. */
pz_status pzi_activity_breach(pzi_activity* run, const char* format, ...) PZ_PRINTF(2, 3);

/* Can tensors of this spec exist: a dtype of ours, extents >= 0, bytes that fit? */
pz_status pzi_spec_check(const pz_spec* spec, const char* what);

#endif /* PZI_SERVICES_H */
