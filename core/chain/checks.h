/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Verifies callbacks, for contexts with PZ_CHECK_PLUGINS: memory lies between guards, digests of inputs are
   compared, and values are looked at for the structure that plan promised. A breach is that of the
   running callback. */

#ifndef PZI_CHECKS_H
#define PZI_CHECKS_H

#include "eval.h"

/* Begins to check the callbacks of an evaluation, if its context says so; before its first tensor. */
pz_status pzi_checks_new(pz_eval* eval);
void pzi_checks_free(pz_eval* eval);

/* Around a callback of stage i, within pzi_eval_enter and pzi_eval_leave. `given`: n_given tensors that
   it reads besides x, buffers and, if activity.range is set, y and what forward saved. `out`: n_out
   tensors that it writes. Returns the answer of the callback, or the breach. */
void pzi_checks_begin(pz_eval* eval, uint32_t i, const pz_tensor* given, uint32_t n_given);
pz_status pzi_checks_end(pz_eval* eval, const pz_tensor* out, uint32_t n_out, pz_status answer);

/* Blanks an output that was written before. */
pz_status pzi_checks_blank(pz_eval* eval, const pz_tensor* out);

/* Looks at the value of stage i, after its forward. */
pz_status pzi_checks_value(pz_eval* eval, uint32_t i);

/* Looks at the guards of scratch that the running callback is about to release, where it has guards. */
void pzi_checks_release(pzi_activity* run);

#endif /* PZI_CHECKS_H */
