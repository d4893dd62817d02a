/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The log |det| of an evaluation, summed to n_batch batch dimensions: those of pzi_density_batch,
   or fewer if the numbers of another chain are added. */

#ifndef PZI_EVAL_DENSITY_H
#define PZI_EVAL_DENSITY_H

#include "eval.h"

/* out = log |det| in temporary memory of the evaluation. Forward has saved. */
pz_status pzi_eval_density(pz_eval* eval, int32_t n_batch, pz_tensor* out);

/* pz_eval_log_abs_det_vjp for g_out with n_batch dimensions. */
pz_status pzi_eval_density_vjp(pz_eval* eval, const pz_state* state, int32_t n_batch,
                               const pz_tensor* g_out, uint64_t want, bool accumulate,
                               const pz_tensor* gradients);

#endif /* PZI_EVAL_DENSITY_H */
