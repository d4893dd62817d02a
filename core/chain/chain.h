/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The inside of chains and states.

   An entry is a map with its resolved options; it is shared by every chain that was made
   from another by appending or leaving out, so the identity of an entry says which tensors
   of two states belong together. A plan is what the map declared in the place it has in
   one chain. Both are immutable.

   Tensors of a chain stand in one list, in the order original, own parameter, buffer; a
   state holds one storage for each, at the same place. */

#ifndef PZI_CHAIN_H
#define PZI_CHAIN_H

#include "queue.h"
#include "storage.h"

#include <parametrize/chain.h>

#include <stdatomic.h>

/* ---- chains ---------------------------------------------------------------- */

/* A map with its options. */
typedef struct pzi_entry {
  atomic_uint references;
  const pzi_map* map;
  pz_value* options; /* n_options of the table, resolved; tensors are owned host tensors */
  char* text;        /* canonical: "pruning(p_drop=0.2)" */
} pzi_entry;

typedef struct pzi_declared {
  char* name; /* as declared; NULL: an original to be numbered */
  pz_spec spec;
} pzi_declared;

/* What a map declared: originals, own parameters, buffers, in this order. */
typedef struct pzi_plan {
  uint32_t n_original; /* 1 for a map that is not first */
  uint32_t n_parameter;
  uint32_t n_buffer;
  uint32_t in; /* pz_structure of the first input */
  pzi_declared* tensors;
  pz_spec value;
  uint32_t fold; /* the value is a fold of this triangle of the original: PZ_BY_..., or 0 */
  bool takes_triangle;
} pzi_plan;

typedef struct pzi_link {
  pzi_entry* entry; /* retained */
  pzi_plan plan;
  uint32_t first_parameter; /* places in the chain's list */
  uint32_t first_buffer;
} pzi_link;

/* One tensor of the chain's list. */
typedef struct pzi_chain_tensor {
  char* name; /* "original0", "2.mask" */
  uint32_t role;
  uint32_t map;
  uint32_t place; /* among the declared tensors of its map */
  pz_spec spec;
} pzi_chain_tensor;

struct pz_chain {
  atomic_uint references;
  uint32_t direction;  /* pz_direction it was made from */
  pz_context* context; /* retained */
  pzi_link* links;
  uint32_t n_links;
  uint32_t n_tensors;
  uint32_t n_role[4]; /* by pz_role */
  pzi_chain_tensor* tensors;
  char* text;
};

/* The place of a tensor in the chain's list, or UINT32_MAX past the last of its role. */
uint32_t pzi_chain_place(const pz_chain* chain, uint32_t role, uint32_t index);

/* The same maps with the same options on originals of another float dtype, planned anew.
   PZ_MISMATCH where they would work on other tensors then. */
pz_status pzi_chain_as(const pz_chain* chain, uint32_t dtype, pz_chain** out);

/* ---- states ---------------------------------------------------------------- */

struct pz_state {
  pz_chain* chain;          /* retained */
  pz_queue* queue;          /* retained */
  _Atomic uint64_t version; /* from one counter for all states, so that a version
                                    names the state as well */
  uint64_t* draws;          /* one random key per map: drawn when the map joins, moved
                                    on by update, shared by copies */
  pzi_storage** storages;   /* as the chain's list */
};

/* A state for `chain`, which was made from the chain of `from` by appending or leaving out:
   originals, tensors and draws of entries that are still there are shared with `from`
   (storages, not copies); the others are zero, with fresh draws. `from` is unchanged; give
   it up before the new state is written. */
pz_status pzi_state_adopt(pz_chain* chain, const pz_state* from, pz_state** out);

/* A state of tensors that are zero with a draw for each map; those that are 0 are drawn. */
pz_status pzi_state_drawn(pz_chain* chain, pz_queue* queue, const uint64_t* draws, pz_state** out);

/* A state for `chain`, which has the maps of that of `from`, with the same draws and tensors
   that are zero. */
pz_status pzi_state_like(pz_chain* chain, pz_queue* queue, const pz_state* from, pz_state** out);

/* From now on outputs of maps are NaN, or not, before their entries write them. */
void pzi_eval_marks(pz_eval* eval, bool marks);

/* Says that the state holds again, bit for bit, what it held at `version`. */
void pzi_state_is_again(pz_state* state, uint64_t version);

/* The storage of a tensor, borrowed; NULL past the last. */
pzi_storage* pzi_state_storage(const pz_state* state, uint32_t role, uint32_t index);

/* Puts another storage of the same spec and queue in its place (retained; the old one is
   released) and touches. Role and index must exist. */
void pzi_state_replace(pz_state* state, uint32_t role, uint32_t index, pzi_storage* storage);

/* ---- evaluations ----------------------------------------------------------- */

/* The version of the state that the last successful forward was made from, 0 where there
   is none (any more), and the flags it ran with. */
uint64_t pzi_eval_version(const pz_eval* eval, uint32_t* flags);

#endif /* PZI_CHAIN_H */
