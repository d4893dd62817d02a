/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Pending tensors: what a call computes beside a state and writes to it at the end. They
   live in eval->temporary until the next call. */

#ifndef PZI_PENDING_H
#define PZI_PENDING_H

#include "eval.h"

/* pzi_eval_begin for calls with pending tensors. Discards a device fault that an earlier
   such call left unread. */
pz_status pzi_pending_begin(pz_eval* eval, const pz_state* state);

/* Waits for the device and reports a fault of this call. */
pz_status pzi_pending_check(pz_eval* eval);

/* Temporary tensors: an uninitialized one; and `from` itself if a plugin can read it directly,
   else a copy. */
pz_status pzi_pending_new(pz_eval* eval, const pz_spec* spec, pz_tensor* out);
pz_status pzi_pending_input(pz_eval* eval, const pz_spec* spec, const pz_tensor* from,
                            pz_tensor* out);

/* Makes buffers (and own parameters) of stage i pending, zero or as loaded. */
pz_status pzi_pending_own(pz_eval* eval, uint32_t i, bool parameters, bool zero);
/* Undoes that: no buffer or own parameter of stage i is pending. */
void pzi_pending_drop(pz_eval* eval, uint32_t i);
/* Lets later callbacks see the pending tensors of stage i. */
void pzi_pending_adopt(pz_eval* eval, uint32_t i);

/* Sets eval->outputs to copies of the n_out tensors `out` and of the pending ones of stage i.
   The next callback writes to outputs[0 .. n_out-1], new_buffer and new_parameter. */
void pzi_pending_outputs(pz_eval* eval, pz_call* call, uint32_t i, const pz_tensor* out,
                         uint32_t n_out);
/* Ends that callback. */
pz_status pzi_pending_end(pz_eval* eval, uint32_t i, const pz_tensor* out, uint32_t n_out,
                          pz_status answer);

/* Waits, reports device faults, then writes everything pending to the state, which gets a
   new version. After a failure nothing was written. */
pz_status pzi_pending_commit(pz_eval* eval, pz_state* state);

#endif /* PZI_PENDING_H */
