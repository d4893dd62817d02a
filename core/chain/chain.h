/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The inside of chains.

   The stages of a chain are its maps, each a parametrization, and the words between them, which
   say how the maps read (reading.h). Evaluations run the maps; words have no tensors.

   An instance is shared by every chain that was made from another by appending or leaving
   out, so its identity says which tensors of two states belong together. The plan of a
   stage depends on its place in one chain.

   Tensors of a chain stand in one list, in the order original, own parameter, buffer. */

#ifndef PZI_CHAIN_H
#define PZI_CHAIN_H

#include "plan.h"
#include "reading.h"

typedef struct pzi_stage {
  pzi_instance* instance;   /* retained */
  pzi_plan plan;            /* of a word: the value alone */
  uint32_t first_parameter; /* places in the chain's list */
  uint32_t first_buffer;
  uint32_t map;         /* a map: its number among the maps; a word: that of the next map */
  const pzi_view* view; /* the view that a map is in, that `back` ends, or that `view` begins */
  pzi_way in;           /* a map but the first: from the value of the map before to its input */
} pzi_stage;

/* One tensor of the chain's list. */
typedef struct pzi_chain_tensor {
  char* name; /* "original0", "2.mask" */
  uint32_t role;
  uint32_t stage; /* number among the stages */
  uint32_t place; /* among the declared tensors of its stage */
  pz_spec spec;
} pzi_chain_tensor;

struct pz_chain {
  atomic_uint references;
  uint32_t direction;  /* pz_direction it was made from */
  pz_context* context; /* retained */
  pzi_stage* stages;
  uint32_t n_stages;
  pzi_stage** maps; /* the stages that are maps */
  uint32_t n_maps;
  const pzi_view* open; /* the view that holds to the end, or NULL */
  pzi_way out;          /* from the value of the last map to that of the chain */
  pz_spec value;
  pz_spec tensor;    /* what a view before the first map reads; dtype 0: there is none */
  pzi_way opening;   /* from that tensor to what is read */
  uint64_t laid_out; /* the originals that lie as in the tensor */
  pzi_way* read;     /* from each original to what the first map reads; NULL: as they are */
  uint32_t n_tensors;
  uint32_t n_role[4]; /* by pz_role */
  pzi_chain_tensor* tensors;
  char* text;
};

/* The place of a tensor in the chain's list, or UINT32_MAX past the last of its role. */
uint32_t pzi_chain_place(const pz_chain* chain, uint32_t role, uint32_t index);

/* Plans a chain whose instances are set (chain_plan.c): plans, the list of tensors, the text.
   `before` (or NULL): a chain of the same originals, perhaps of another dtype. If both begin with
   one view, that chain tells which tensor it reads. After a failure the chain can only be freed. */
pz_status pzi_chain_plan(pz_chain* chain, pz_direction direction, const pz_spec* given,
                         uint32_t n_given, const pz_chain* before);

/* Shares a chain, which pz_chain_free gives up again. */
pz_chain* pzi_chain_retain(const pz_chain* chain);

/* The same instances on originals of another float dtype, planned anew. PZ_MISMATCH if the
   new chain has other tensors than `chain`. */
pz_status pzi_chain_with_dtype(const pz_chain* chain, uint32_t dtype, pz_chain** out);

#endif /* PZI_CHAIN_H */
