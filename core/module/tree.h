/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A module as a tree: modules, the slots of their tensors, the chains on slots.

   A slot is the place of a tensor under a name. A plain slot stores its tensor; a parametrized
   one has a chain, whose value is its tensor. The tensors of that chain (originals, own
   parameters, buffers) have slots of their own, so that each of them can be parametrized in
   turn. Slots are created and moved, never copied, because handles point to them.

   Where a tensor of a chain is parametrized, the state of the outer chain holds a copy of the
   inner value, which is brought up to date before the outer chain runs. A change of an inner
   chain touches the states of all chains around it, so the version of a state covers
   everything its value depends on. Mutexes are locked from the outside in.

   An exclusive call builds its result beside the present data and exchanges the two at the
   end, in steps that cannot fail. */

#ifndef PZI_TREE_H
#define PZI_TREE_H

#include "engine.h"
#include "name_index.h"
#include "storage.h"
#include "stored.h"

#include <parametrize/module.h>

#include <pthread.h>
#include <stdatomic.h>

typedef struct pzi_parametrized pzi_parametrized;

/* The value of a parametrized slot for readers that do not enter the module, protected as by
   a seqlock. It is valid while no exclusive call has ended since it was written. Readers write
   it, with the chain's mutex locked. */
typedef struct pzi_published {
  atomic_ullong call; /* number of the last exclusive call; PZI_NO_CALL during a write */
  atomic_ullong words[sizeof(pz_tensor) / sizeof(unsigned long long)];
} pzi_published;
#define PZI_NO_CALL UINT64_MAX
_Static_assert(sizeof(pz_tensor) % sizeof(unsigned long long) == 0, "whole words");

struct pz_slot {
  pz_module* module;
  pz_slot* owner;   /* the slot whose chain this tensor belongs to; NULL: the module's own */
  char* path;       /* from the module: "weight", "parametrizations.weight.0.mask" */
  const char* name; /* the end of `path`: "weight", "0.mask" */
  uint32_t hash;    /* of `name` */
  uint32_t kind;    /* pz_tensor_kind */
  uint32_t role;    /* in a chain: pz_role, and the place in it */
  uint32_t index;
  bool requires_grad;
  bool editing;          /* between pz_module_edit and pz_module_commit */
  atomic_bool handed;    /* a host has a handle: keep the slot until the module is freed */
  pzi_storage* storage;  /* of a tensor of a chain: the state's, with a copy of the value where
                            the tensor is parametrized. Else NULL where the slot is
                            parametrized. NULL in a retired slot */
  pzi_storage* gradient; /* NULL before the first use, and where the slot is parametrized */
  pzi_storage* pending;  /* a gradient that backward has not yet added to the one above, or
                            passed on to the chain; NULL before the first use */
  uint64_t digest;       /* of the contents when the value was computed, in check mode */
  pzi_published published;
  pzi_parametrized* parametrized; /* NULL: plain */
  pzi_parametrized* baked;        /* in a baked module: the chain whose value `storage` holds */
  pz_slot* next_retired;
};

/* What makes a slot parametrized: a chain, the slots of its tensors, and the value with its
   bookkeeping. */
struct pzi_parametrized {
  pzi_engine engine;
  pz_slot** tensors; /* in the chain's order; each storage is that of the state */
  uint32_t n_tensors;
  uint32_t n_editing; /* of them, open for writing */

  atomic_bool ready; /* `value` is current and may be read without the mutex */
  pz_tensor value;
  pthread_mutex_t mutex; /* among readers: of the evaluation and the fields below */
  bool dropped;          /* the scope ended: compute although nothing changed */
  uint64_t read_version; /* state version of the value that was last read; 0: none */
  uint64_t failed_version;
  pz_status failure; /* of that version, with its message */
  char* failure_text;
  uint64_t copied_version; /* on a tensor of another chain: state version of the value that the
                              slot's storage holds; 0: none. Protected by the mutex of the
                              outer chain */
};

struct pz_module {
  pz_context* context;       /* retained */
  pz_queue* queue;           /* retained */
  pz_module* _Atomic parent; /* set once */
  char* type;
  char* name; /* in the parent; NULL at the root */

  pz_slot** slots;
  uint32_t n_slots;
  pz_module** children;
  uint32_t n_children;
  pzi_name_index slot_index;
  pzi_name_index child_index;
  pz_slot* retired; /* slots of removed chains that hosts have handles to */

  bool training;
  bool check_writes;
  pz_cache_policy policy;
  pz_update_policy update_policy;
  bool baked;            /* by pz_module_bake of this module or of one around it */
  bool baked_mode;       /* `training` at that time */
  uint32_t n_baked;      /* baked modules, here and below */
  uint32_t scopes_begun; /* on this very module */
  uint32_t scopes;       /* here and on the modules around it */

  atomic_ullong gate; /* of the root, for the whole tree: see gate.h. That of a nested module
                         stays exclusive for good */

  /* Built when first asked for, freed when a name is added or removed. */
  pthread_mutex_t paths_mutex;
  pzi_stored_path* paths;
  size_t n_paths;
};

#endif /* PZI_TREE_H */
