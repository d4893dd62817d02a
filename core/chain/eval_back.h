/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The parts of backward passes: checks, one stage, results. `want` has a bit for each original
   and own parameter, in the order of the chain's list. */

#ifndef PZI_EVAL_BACK_H
#define PZI_EVAL_BACK_H

#include "eval.h"

/* vjp or log_abs_det_vjp of a table. */
typedef pz_status (*pzi_back_function)(pz_call* c, const pz_tensor* x, const pz_tensor* y,
                                       const pz_tensor* g, pz_tensor* gx);

/* The number of originals and own parameters. */
uint32_t pzi_back_trained(const pz_chain* chain);

/* Did forward save, from this state? And did it succeed, where that is known without waiting? `what`
   begins the message. */
pz_status pzi_back_check_saved(pz_eval* eval, const pz_state* state, const char* what);

/* Checks `want` and that gradients were given for it. */
pz_status pzi_back_check_want(const pz_eval* eval, uint64_t want, const pz_tensor* gradients,
                              const char* what);

/* Checks the wanted gradients. */
pz_status pzi_back_check_gradients(const pz_eval* eval, uint64_t want, const pz_tensor* gradients);

/* The first stage with a wanted tensor: nothing before it is computed. */
uint32_t pzi_back_first(const pz_chain* chain, uint64_t want);

/* pzi_eval_enter for a callback of stage i that reads what forward saved. */
pz_call* pzi_back_enter(pz_eval* eval, uint32_t i, const char* callback, const pz_tensor* given,
                        uint32_t n_given);

/* Can a stage write its result to this tensor of the caller: is it contiguous, on the device, and apart
   from what stages read? `given` are the caller's inputs, n of them. */
bool pzi_back_writable(const pz_eval* eval, const pz_tensor* result, const pz_tensor* given,
                       size_t n);

/* into[k] <- gradients[k] for each bit k of `want` that stages can write there; no data for others. */
void pzi_back_direct(const pz_eval* eval, const pz_tensor* given, size_t n, uint64_t want,
                     const pz_tensor* gradients, pz_tensor* into);

/* The backward pass of stage i: vjp of the gradient gy, plus log_abs_det_vjp of g_out; either
   may be NULL. Gradients of wanted originals and own parameters become pending, in `into` (may be NULL)
   where that has data; that of the input goes to `inner` if it is wanted. */
pz_status pzi_back_stage(pz_eval* eval, uint32_t i, uint64_t want, bool want_inner,
                         const pz_tensor* gy, const pz_tensor* g_out, const pz_tensor* into,
                         pz_tensor* inner);

/* Writes or adds the pending gradients to those of the caller, if they are not those. */
pz_status pzi_back_hand_over(pz_eval* eval, uint64_t want, bool accumulate,
                             const pz_tensor* gradients);

/* Writes a result to the caller's tensor, unless it is there. */
pz_status pzi_back_copy_out(pz_eval* eval, const pz_tensor* result, const pz_tensor* out);

#endif /* PZI_EVAL_BACK_H */
