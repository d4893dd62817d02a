/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The inside of evaluations. */

#ifndef PZI_EVAL_H
#define PZI_EVAL_H

#include "activity.h"
#include "state.h"
#include "thread_queues.h"

/* One map while it is evaluated. */
typedef struct pzi_eval_stage {
  const pz_parametrization* table;
  const pzi_plan* plan;
  const pzi_way* in;  /* from the value of the stage before to x[0]; NULL: as it is */
  const pzi_way* out; /* from y to the next x[0] or the chain's value; NULL: as it is */

  uint32_t place;           /* number among the chain's stages */
  uint32_t first_parameter; /* places in the chain's list */
  uint32_t first_buffer;
  const pz_value* options; /* tensors on the device */
  uint64_t draw;
  pz_tensor* x; /* inputs, then own parameters */
  pz_tensor y;  /* without data until it has its memory */
  uint32_t by;  /* PZ_BY_... if x[0] is the triangle and the fold before was skipped */
  pzi_tape_range range;
  pz_tensor kept[2]; /* memory for the turns of `out` that move, taken at the first use */
} pzi_eval_stage;

/* Arrays of tensors are indexed as the chain's list of tensors. */
struct pz_eval {
  pz_chain* chain;        /* retained */
  pz_queue* queue;        /* retained */
  pzi_eval_stage* stages; /* the chain's maps */
  uint32_t n_stages;
  pz_tensor value;    /* of the last forward: that of the last stage, in the chain's shape */
  pz_tensor* tensors; /* the block of all arrays below */
  pz_tensor* loaded;  /* the state as callbacks see it: packed if the host bound strides */
  pz_tensor* packed;  /* memory for packed tensors, taken at the first use (shape set) */
  pz_tensor* pending; /* new values, see pending.h; shape NULL: none */
  pz_tensor* read;    /* originals as the first stage reads them, where entries move */
  pz_tensor* outputs; /* copies of tensor structures for a plugin to fill: outputs, then
                         buffers, then own parameters */
  pz_value* options;  /* of stages with tensor options */
  pzi_storage** option_storages;
  uint32_t n_option_storages;

  pzi_tensor_arena values;    /* values of stages and packed inputs: taken once */
  pzi_tensor_arena saved;     /* forward with PZ_CALL_SAVING */
  pzi_tensor_arena work;      /* scratch of one callback */
  pzi_tensor_arena temporary; /* of one call: pending tensors, gradients between stages */
  pzi_tape tape;

  uint64_t version; /* of the state at the last successful forward; 0: none */
  uint32_t flags;
  bool check_writes;       /* fill outputs with NaN before a callback writes them */
  pzi_fault fault;         /* of forward and vjp */
  pzi_fault pending_fault; /* of every call with pending tensors */
  pzi_fault step_fault;    /* of their callbacks that hear of failures at once */
  bool fault_unread;       /* such a call failed before it read pending_fault */
  pz_call call;
  pzi_activity activity;
  struct pzi_checks* checks; /* checks.h; NULL: callbacks are not verified */
};

/* Sets whether outputs are NaN before callbacks write them. */
void pzi_eval_set_check_writes(pz_eval* eval, bool check_writes);

/* The version of the state at the last successful forward (0: none), and the flags of that
   forward. */
uint64_t pzi_eval_version(const pz_eval* eval, uint32_t* flags);

/* Can a plugin read this tensor directly: on the device and C-contiguous? */
bool pzi_eval_ready(const pz_eval* eval, const pz_tensor* tensor);

/* Does the host see what is written to this tensor without waiting for the device? Then failures are
   reported before. */
bool pzi_eval_for_host(const pz_eval* eval, const pz_tensor* tensor);

/* Leads a tensor along a way (NULL: none), or backward. `out` is the tensor itself in another shape where no
   entries move, else a copy, in temporary memory or, if `kept` is not NULL, in memory of its own
   (two tensors, filled at the first use). `out` may be `from`. */
pz_status pzi_eval_lead(pz_eval* eval, const pzi_way* way, bool backward, pz_tensor* kept,
                        const pz_tensor* from, pz_tensor* out);

/* Leads original k, or a tangent of it, to what the first stage reads; and what belongs to that back
   to the original. */
pz_status pzi_eval_read(pz_eval* eval, uint32_t k, pz_tensor* kept, const pz_tensor* original,
                        pz_tensor* out);
pz_status pzi_eval_unread(pz_eval* eval, uint32_t k, const pz_tensor* x, pz_tensor* out);

/* Checks that eval and state belong together, clears pending tensors and loads the state. */
pz_status pzi_eval_begin(pz_eval* eval, const pz_state* state);

/* Lets stages that take triangles read the input of the fold before them: for forward and
   its vjp, until the next pzi_eval_begin. */
void pzi_eval_skip_folds(pz_eval* eval);

/* Makes vjp return PZ_STALE until the next forward. */
void pzi_eval_invalidate(pz_eval* eval);

/* Prepares eval->call for a callback of stage i that reads the n_given tensors `given` besides x;
   pzi_eval_leave must follow. With `step_fault`, its operations report failed factorizations at once,
   otherwise never: `fault` keeps them. `range` is what forward saved, for callbacks that read it and y. */
pz_call* pzi_eval_enter(pz_eval* eval, uint32_t i, const char* callback, uint32_t flags,
                        pzi_fault* fault, const pzi_tape_range* range, const pz_tensor* given,
                        uint32_t n_given);

/* eval->call for operations outside callbacks. */
static inline pz_call*
pzi_eval_core(pz_eval* const eval, pzi_fault* const fault)
{
  pzi_ops_table_init_call(&eval->call, &eval->activity.frame, pzi_thread_queue(eval->queue), fault);
  return &eval->call;
}

/* pz_eval_forward, for core: the value may be shown to it on any device. */
pz_status pzi_eval_forward(pz_eval* eval, const pz_state* state, uint32_t flags,
                           const pz_tensor* into, pz_tensor* value);

/* Waits for the device and reports, once, what an operation wrote into the fault word. */
pz_status pzi_eval_fault(pz_eval* eval, pzi_fault* fault);

/* Blanks n outputs (those with data) if callbacks are checked; fills them with NaN if check_writes is
   set. */
pz_status pzi_eval_poison_outputs(pz_eval* eval, const pz_tensor* out, uint32_t n,
                                  pzi_fault* fault);
static inline pz_status
pzi_eval_poison(pz_eval* const eval, const pz_tensor* const out, const uint32_t n,
                pzi_fault* const fault)
{
  return eval->check_writes || eval->checks ? pzi_eval_poison_outputs(eval, out, n, fault) : PZ_OK;
}

/* Ends the callback, which wrote the n_out tensors `out`. `replaced`: the plugin put other tensors into
   eval->outputs. */
pz_status pzi_eval_leave(pz_eval* eval, const pz_tensor* out, uint32_t n_out, bool replaced,
                         pz_status answer);

/* Runs forward of stage i on its x. */
pz_status pzi_eval_run(pz_eval* eval, uint32_t i, uint32_t flags, pzi_fault* fault);

/* eval_assign.c: runs right_inverse of stage i from y into copies of the n tensors x. Its buffers
   and own parameters become pending too. */
pz_status pzi_eval_invert(pz_eval* eval, uint32_t i, pz_intent intent, const pz_tensor* y,
                          const pz_tensor* x, uint32_t n);

/* eval_assign.c: does this status of right_inverse say that the value has no preimage? */
bool pzi_eval_no_preimage(pz_status status);

#endif /* PZI_EVAL_H */
