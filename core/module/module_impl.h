/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The inside of modules.

   A slot is a place for a tensor under a name. It either stores its tensor or has a list of
   maps on it, and then its tensor is the value of that list; the tensors that the list
   works on are slots themselves, so that whatever can be said of a tensor can be said of
   an original: it may have a list in its turn. Slots are made and moved, never copied:
   handles point to them.

   Where a tensor of a list has a list, the state of the outer list holds a copy of the
   inner value, brought up to date before the outer list runs. Whatever changes an inner list
   touches the states of all lists around it, so that the version of a state speaks for
   everything its value depends on. Mutexes are taken from the outside in.

   Every exclusive call builds what is new beside what is there and exchanges the two at
   the end, in steps that cannot fail. */

#ifndef PZI_MODULE_H
#define PZI_MODULE_H

#include "eval.h"

#include <parametrize/module.h>

#include <pthread.h>
#include <stdatomic.h>

typedef struct pzi_list pzi_list;

/* The value of a slot's list for readers that do not enter the module: good while the last
   exclusive call is still the one that it was written after. Written under the list's mutex,
   by readers. */
typedef struct pzi_glance {
  atomic_ullong call; /* the module's number then; PZI_NO_CALL while it is written */
  atomic_ullong words[sizeof(pz_tensor) / sizeof(unsigned long long)];
} pzi_glance;
#define PZI_NO_CALL UINT64_MAX
_Static_assert(sizeof(pz_tensor) % sizeof(unsigned long long) == 0, "whole words");

struct pz_slot {
  pz_module* module;
  pz_slot* owner;   /* the slot whose list this tensor belongs to; NULL: the module's own */
  char* path;       /* from the module: "weight", "parametrizations.weight.0.mask" */
  const char* name; /* the end of `path`: "weight", "0.mask" */
  uint32_t hash;    /* of `name` */
  uint32_t kind;    /* pz_tensor_kind */
  uint32_t role;    /* in a list: pz_role, and the place in it */
  uint32_t index;
  bool requires_grad;
  bool editing;          /* between pz_module_edit and pz_module_commit */
  atomic_bool handed;    /* a host has a handle: keep the slot until the module goes */
  pzi_storage* storage;  /* of a tensor in a list always the state's, and where it has a list
                            itself a copy of its value; else NULL where there is a list.
                            NULL in a retired slot */
  pzi_storage* gradient; /* NULL before the first use, and where there is a list */
  pzi_storage* pending;  /* room for a gradient that is on its way to the one above, or to
                            the list's; NULL before the first use */
  uint64_t digest;       /* of the contents when the value was computed, in check mode */
  pzi_glance glance;
  pzi_list* list;
  pzi_list* aside; /* in a baked module: the list whose value `storage` holds */
  pz_slot* next_retired;
};

/* The maps on a slot, the tensors they work on, and the value with what is known of it. */
struct pzi_list {
  pz_chain* chain;
  pz_state* state;
  pz_eval* eval;
  pz_slot** tensors; /* in the chain's order; each storage is that of the state */
  uint32_t n_tensors;
  uint32_t n_editing; /* of them, open for writing */

  atomic_bool ready; /* `value` is current and may be read without the mutex */
  pz_tensor value;
  pthread_mutex_t mutex; /* over the evaluation and what follows, among readers */
  bool dropped;          /* the scope ended: compute although nothing changed */
  uint64_t read_version; /* state version of the value that was last read; 0: none */
  uint64_t failed_version;
  pz_status failure; /* of that version, with its line */
  char* failure_text;
  uint64_t copied_version; /* of a list on a tensor of another: state version of the value
                              that the slot's storage holds; 0: none. Under the mutex of
                              the list around it */
};

/* One stored tensor under its path from a module, children included. */
typedef struct pzi_path {
  char* text;
  pz_slot* slot;
} pzi_path;

/* Names to places in an array of a module (name_index.c). */
typedef struct pzi_index {
  uint32_t* places; /* plus one; 0: free */
  uint32_t size;    /* a power of two, or 0 */
  uint32_t n;       /* the first n of the array are in it */
} pzi_index;

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
  pzi_index slot_index;
  pzi_index child_index;
  pz_slot* retired; /* of lists that are gone, with handles on them */

  bool training;
  bool check_writes;
  pz_cache_policy policy;
  pz_update_policy update_policy;
  bool baked;            /* with the module around it, or by itself: pz_module_bake */
  bool baked_mode;       /* `training` at that time */
  uint32_t n_baked;      /* modules that are, here and below */
  uint32_t scopes_begun; /* on this very module */
  uint32_t scopes;       /* and on those around it */

  /* Of the root, for the whole tree: readers inside, or the exclusive bit, which a module
     that was nested keeps for good. */
  atomic_ullong gate;

  /* Built when first asked for, dropped when a name comes or goes. */
  pthread_mutex_t paths_mutex;
  pzi_path* paths;
  size_t n_paths;
};

/* ---- who may run (module.c) ------------------------------------------------ */

/* One word at the root counts the readers of the tree or says that an exclusive call has
   it. A call that finds the other kind there turns away instead of waiting: the host broke
   the rule, and a wait could be for itself. The upper bits are a number that every exclusive
   call leaves behind, another one each time in the whole process. */
#define PZI_EXCLUSIVE (UINT64_C(1) << 22)
#define PZI_CALL (UINT64_C(1) << 24)

static inline atomic_ullong*
pzi_gate(const pz_module* module)
{
  const pz_module* around;
  while ((around = atomic_load_explicit(&module->parent, memory_order_acquire))) {
    module = around;
  }
  return (atomic_ullong*)&module->gate;
}

static inline bool
pzi_is_exclusive(const uint64_t gate)
{
  return (gate & PZI_EXCLUSIVE) != 0;
}

/* PZ_INVALID where an exclusive call is running; the tree stays readable until the end. */
pz_status pzi_read_begin(const pz_module* module);
void pzi_read_end(const pz_module* module);

/* PZ_INVALID where any other call on the tree is running. The first is for calls on the whole
   of a module: PZ_INVALID also where it, or a part of it, is baked. The second is for calls
   that leave baked modules alone. */
pz_status pzi_exclusive_begin(pz_module* module);
pz_status pzi_alone_begin(pz_module* module);

/* From a read to an exclusive call, with nobody in between; ends the read where it cannot. */
pz_status pzi_read_alone(const pz_module* module);
void pzi_exclusive_end(pz_module* module);

/* ---- slots (module.c, stored.c) --------------------------------------- */

/* An empty slot whose path is `path`, taken over on success; the name is its end. */
pz_status pzi_slot_new(pz_module* module, char* path, size_t name_offset, pz_slot** out);

/* Appends a slot to a module under a name that is free; the storage, which may be NULL for
   a while, is taken over on success. */
pz_status pzi_slot_add(pz_module* module, const char* name, pzi_storage* storage, pz_slot** out);

/* Frees a slot with its list, or keeps the empty shell where a host has a handle. */
void pzi_slot_free(pz_slot* slot);

/* Forgets the paths of a module and of those around it: a name came or went. */
void pzi_paths_changed(pz_module* module);

void pzi_paths_free(pz_module* module); /* of this module alone */

/* The stored tensors of a module and its children in order. Borrowed until a name comes
   or goes. [any thread] */
pz_status pzi_paths(const pz_module* module, const pzi_path** out, size_t* n);

/* Puts a storage, taken over, in a slot in place of its present one, and in the state of
   the list around it. */
void pzi_slot_put(pz_slot* slot, pzi_storage* storage);

/* Says that what the slot holds changed: to its own list and all around it. `touch`: their
   states do not know. */
void pzi_slot_changed(pz_slot* slot, bool touch);

/* ---- walks, until one call fails (walk.c) ------------------------------- */

typedef pz_status pzi_visit(pz_slot* slot, void* user);

/* Every slot of the module's own and its children's, values and plain tensors; what lists
   work on is left out. */
pz_status pzi_each_slot(pz_module* module, pzi_visit* visit, void* user);

/* Every slot with a list: of one slot's, of a module's and its children's. An outer list
   comes before those in it. */
pz_status pzi_each_list_of(pz_slot* slot, pzi_visit* visit, void* user);
pz_status pzi_each_list(pz_module* module, pzi_visit* visit, void* user);

/* Every tensor that is stored and not computed: of one slot's, of a module's and its
   children's, in the order of pz_module_tensor. */
pz_status pzi_each_stored_of(pz_slot* slot, pzi_visit* visit, void* user);
pz_status pzi_each_stored(pz_module* module, pzi_visit* visit, void* user);

/* Has a tensor of the slot's list a list itself? */
bool pzi_is_nested(const pz_slot* slot);

/* Is anything that the slot's tensor is, or is computed from, to get a gradient? */
bool pzi_wants_gradient(const pz_slot* slot);

/* ---- names (path.c) ------------------------------------------------- */

/* The beginning of a path up to a dot or the end. */
typedef struct pzi_word {
  const char* text;
  size_t length;
  uint32_t hash;
} pzi_word;
pzi_word pzi_word_of(const char* path);

/* A module's own tensor or child under a name, or NULL (name_index.c). */
pz_slot* pzi_own_slot(const pz_module* module, const pzi_word* name);
pz_module* pzi_own_child(const pz_module* module, const pzi_word* name);

/* Slots or children were appended: makes their names quick to find. [exclusive] */
void pzi_index_update(pz_module* module);

/* May `name` be that of a tensor or child: some UTF-8 without dots or control bytes, not
   taken, none of the reserved words? */
pz_status pzi_check_name(const pz_module* module, const char* name);

/* The slot, or the module, under a path; or NULL. */
pz_slot* pzi_slot_at(const pz_module* module, const char* path);
pz_module* pzi_module_at(pz_module* module, const char* path);

/* The slot under a path; PZ_NOT_FOUND with the nearest name. */
pz_status pzi_find(const pz_module* module, const char* path, pz_slot** out);

/* As above, with a list on it; PZ_NOT_FOUND says that it is not parametrized. */
pz_status pzi_find_list(const pz_module* module, const char* path, pz_slot** out);

/* As pzi_find, for a slot to be changed: PZ_INVALID where its module is baked. */
pz_status pzi_find_live(const pz_module* module, const char* path, pz_slot** out);
pz_status pzi_check_live(const pz_module* module);

/* The path from the root, for messages, cut where the buffer ends; returned. */
enum { PZI_PATH_TEXT = 256 };
const char* pzi_path_text(const pz_slot* slot, char buffer[PZI_PATH_TEXT]);

/* ---- paths to come (rename.c) ------------------------------------------ */

typedef struct pzi_new_name {
  pz_slot* slot;
  char* path;
  size_t length; /* of the name at its end */
} pzi_new_name;

typedef struct pzi_names {
  pzi_new_name* all;
  size_t n;
} pzi_names;

/* "parametrizations.weight.0.mask" for the tensor "0.mask" of the list on "weight"; NULL
   without memory. */
char* pzi_tensor_path(const char* path, const char* name);

/* The paths that change in `list`, and in the lists in it, when it becomes that of `slot`. */
pz_status pzi_names_plan(const pz_slot* slot, const pzi_list* list, pzi_names* out);
void pzi_names_discard(pzi_names* names);
void pzi_names_apply(pzi_names* names); /* and discards them */

/* ---- lists (list.c) ------------------------------------------------- */

/* A list for `slot` around a chain with its state and evaluation, which it takes over on
   success. Slots of `slot`'s present list whose storage is still there are to be taken
   along; the others are made. Nothing changes until pzi_list_install. */
typedef struct pzi_prepared {
  pzi_list* list;
  pzi_names names; /* of slots that are taken along */
  bool* fresh;     /* the slot is new */
} pzi_prepared;
pz_status pzi_list_prepare(pz_slot* slot, pz_chain* chain, pz_state* state, pz_eval* eval,
                           pzi_prepared* out);
void pzi_list_discard(pzi_prepared* prepared);

/* Makes what was prepared the slot's list. Cannot fail. */
void pzi_list_install(pz_slot* slot, pzi_prepared* prepared);

/* Frees a list with the slots in it. */
void pzi_list_free(pzi_list* list);

/* As pzi_slot_changed, for this list alone. */
void pzi_list_changed(pzi_list* list, bool touch);

/* ---- reading (read.c) ----------------------------------------------- */

/* PZ_INVALID while the slot, or a tensor of its list, is open for writing. */
pz_status pzi_check_closed(const pz_slot* slot);

/* The flags a forward runs with: the mode, and whether gradients can be asked for. */
uint32_t pzi_forward_flags(const pz_slot* slot);

/* The slot's tensor, computed if need be. Inside pzi_read_begin or pzi_exclusive_begin. */
pz_status pzi_slot_value(pz_slot* slot, pz_tensor* out);

/* Brings what the state of the slot's list holds of inner lists up to date, before the list
   is run by other means than the above. Inside pzi_exclusive_begin. */
pz_status pzi_list_settle(const pz_slot* slot);

/* Would a read of the slot's value keep it for the next one? */
bool pzi_keeps_value(const pz_slot* slot);

/* Is the value of the slot's list at hand, or has it to be computed? With the mutex held or
   inside pzi_exclusive_begin. */
bool pzi_list_is_current(const pzi_list* list);

/* Are values kept by a scope: computed once inside it? */
bool pzi_in_scope(const pz_module* module);

/* Waits for the device and reports what it found in the slot's list or those in it. */
pz_status pzi_check_device(const pz_slot* slot);

/* With check mode on: PZ_STALE naming a tensor whose contents differ from those the value
   was computed from. */
pz_status pzi_check_digests(const pz_slot* slot);

/* ---- steps of the maps' own state (update.c) ----------------------------- */

/* Has a map of the slot's list, or of a list in it, a step to take? */
bool pzi_has_steps(const pz_slot* slot);

/* One step of the slot's list and those in it. `reading`: of those with something to step,
   unless a scope keeps their values. */
pz_status pzi_slot_step(pz_slot* slot, bool reading);

/* ---- all or nothing over several lists (undo.c) ------------------------- */

/* What a list had: version, draws and copies of tensors. */
typedef struct pzi_past {
  pz_slot* slot;
  uint64_t version;
  uint64_t copied_version;
  uint64_t read_version;
  uint64_t* draws;
  pzi_storage** storages; /* in the chain's order; NULL where none was taken */
} pzi_past;

typedef struct pzi_pasts {
  pzi_past* lists;
  size_t n;
} pzi_pasts;

/* Remembers a slot's list and those in it: every tensor, or (`steps`) what a step of the
   maps' own state may write. Refused while a tensor is open for writing. Whatever comes of
   it, pzi_pasts_cleanup must follow. */
pz_status pzi_pasts_add(pzi_pasts* pasts, pz_slot* slot, bool steps);

/* Puts back what changed since, with its version: what was read of it is the value still.
   Lists around hear nothing of it. */
void pzi_pasts_put_back(const pzi_pasts* pasts);
void pzi_pasts_cleanup(pzi_pasts* pasts);

/* Lists on the tensors of a slot's list take what is there now through their right inverses:
   where it is not what was remembered, and in any case (`originals`) on originals. */
pz_status pzi_hand_down(const pz_slot* slot, const pzi_pasts* pasts, bool originals); /* write.c */

/* What the slot held when it was remembered; NULL where that is not known. */
const pzi_storage* pzi_pasts_find(const pzi_pasts* pasts, const pz_slot* tensor);

/* ---- tensors from the host (write.c) -------------------------------- */

/* The spec a reader of the slot sees. */
pz_spec pzi_slot_spec(const pz_slot* slot);

/* Do the contents of two tensors of one spec differ in any bit? */
pz_status pzi_differ(pz_queue* queue, const pzi_storage* now, const pzi_storage* before, bool* out);

/* A copy of a tensor of the queue's device or the host's, to be released. */
pz_status pzi_copy_of(pz_queue* queue, const pz_tensor* tensor, pzi_storage** out);

#endif /* PZI_MODULE_H */
