/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The inside of an evaluation, shared by the files that run it. */

#ifndef PZI_EVAL_H
#define PZI_EVAL_H

#include "chain.h"
#include "services.h"

/* One map at its place in the chain. */
typedef struct pzi_step {
  const pzi_link* link;
  const pz_parametrization* table;
  const pz_value* options; /* tensors on the device */
  uint64_t draw;
  pz_tensor* x; /* inputs, then own parameters */
  pz_tensor y;  /* without data until it has its memory */
  uint32_t by;  /* PZ_BY_... where x[0] is the triangle that the map before would have folded */
  pzi_saved_range range;
} pzi_step;

/* Arrays of tensors are indexed as the chain's list of tensors. */
struct pz_eval {
  pz_chain* chain; /* retained */
  pz_queue* queue; /* retained */
  pzi_step* steps;
  pz_tensor* tensors; /* the block of all arrays below */
  pz_tensor* loaded;  /* the state as maps see it: packed where the host bound strides */
  pz_tensor* packed;  /* room for that, taken when first needed (shape set) */
  pz_tensor* staged;  /* what is to be written to the state at the end; shape NULL where
                            nothing is */
  pz_tensor* handed;  /* copies for a plugin to fill: outputs, then buffers, then own
                            parameters */
  uint32_t n_handed;
  pz_value* options; /* of maps with tensor options */
  pzi_storage** option_storages;
  uint32_t n_option_storages;

  pzi_arena values; /* values of maps and packed inputs: taken once */
  pzi_arena values_host;
  pzi_arena saved;
  pzi_arena saved_host;
  pzi_arena work; /* of one entry */
  pzi_arena work_host;
  pzi_arena staging; /* of one call: staged tensors, gradients between maps */
  pzi_arena staging_host;
  pzi_saved saves;

  uint64_t version; /* of the state that forward was made from; 0: it never succeeded */
  uint32_t flags;
  bool marks;            /* outputs are NaN before an entry writes them */
  pz_fault fault;        /* of forward and vjp */
  pz_fault staged_fault; /* of everything that stages */
  bool staged_unread;    /* a call that failed left without looking at it */
  pz_call call;
  pzi_activity activity;
};

/* Checks that eval and state belong together, empties the staging area and loads the
   state. */
pz_status pzi_eval_begin(pz_eval* eval, const pz_state* state);

/* Lets maps that take triangles read those that the map before them would fold: for forward
   and its vjp, until the next pzi_eval_begin. */
void pzi_eval_skip_folds(pz_eval* eval);

/* The evaluation no longer stands for any state: vjp is refused as stale. */
void pzi_eval_forget(pz_eval* eval);

/* Prepares eval->call for an entry of map i; pzi_activity_end(&eval->activity, ...) must
   follow. */
pz_call* pzi_eval_enter(pz_eval* eval, uint32_t i, const char* entry, uint32_t flags,
                        const pz_fault* fault);

/* eval->call for operations of core's own. */
pz_call* pzi_eval_core(pz_eval* eval, const pz_fault* fault);

/* Waits for the device and reports, once, what an operation wrote into the word. */
pz_status pzi_eval_fault(pz_eval* eval, const pz_fault* fault);

/* Fills n outputs (those with data) with NaN where the evaluation is to mark what an entry
   does not write. */
pz_status pzi_eval_mark(pz_eval* eval, const pz_tensor* out, uint32_t n, const pz_fault* fault);

/* Runs forward of map i on its step's x. */
pz_status pzi_eval_step(pz_eval* eval, uint32_t i, uint32_t flags, const pz_fault* fault);

/* Runs right_inverse of map i from y into copies of the n tensors x; its own tensors are
   staged along. And: did it say that there is no answer, rather than fail? */
pz_status pzi_eval_invert(pz_eval* eval, uint32_t i, pz_intent intent, const pz_tensor* y,
                          const pz_tensor* x, uint32_t n);
bool pzi_has_no_answer(pz_status status);

/* As pzi_eval_begin, for calls that stage: whatever the device found in an earlier one that
   failed is of no concern to this one. */
pz_status pzi_stage_begin(pz_eval* eval, const pz_state* state);
/* Waits for the device and reports what it found in this one. */
pz_status pzi_stage_check(pz_eval* eval);

/* Tensors in the staging area: uninitialized; a copy of `from`; and `from` itself where a
   plugin can be handed it, else a copy. */
pz_status pzi_stage_new(pz_eval* eval, const pz_spec* spec, pz_tensor* out);
pz_status pzi_stage_copy(pz_eval* eval, const pz_spec* spec, const pz_tensor* from, pz_tensor* out);
pz_status pzi_stage_input(pz_eval* eval, const pz_spec* spec, const pz_tensor* from,
                          pz_tensor* out);

/* Stages buffers (and own parameters) of map i, zero or as loaded. */
pz_status pzi_stage_own(pz_eval* eval, uint32_t i, bool parameters, bool zero);
/* Stages nothing of map i after all. */
void pzi_stage_dismiss(pz_eval* eval, uint32_t i);
/* Lets later maps see what is staged of map i. */
void pzi_stage_adopt(pz_eval* eval, uint32_t i);

/* Hands copies of the n_out tensors `out`, and of what is staged of map i, to the entry
   about to run: it writes to handed[0 .. n_out-1], new_buffer, new_parameter. */
void pzi_stage_hand(pz_eval* eval, pz_call* call, uint32_t i, const pz_tensor* out, uint32_t n_out);
/* Ends that entry. */
pz_status pzi_stage_end(pz_eval* eval, uint32_t i, const pz_tensor* out, uint32_t n_out,
                        pz_status answer);

/* Waits, reports what the device found, then writes everything staged to the state, which
   gets a new version. On failure nothing was written. */
pz_status pzi_stage_commit(pz_eval* eval, pz_state* state);

/* Can a plugin be handed this tensor: on the device and C-contiguous? */
bool pzi_eval_ready(const pz_eval* eval, const pz_tensor* tensor);

#endif /* PZI_EVAL_H */
