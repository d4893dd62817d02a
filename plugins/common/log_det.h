/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Determinants of matrices, and sums over rows. */

#ifndef PLUGINS_COMMON_LOG_DET_H
#define PLUGINS_COMMON_LOG_DET_H

#include <parametrize/plugin.h>

/* out = shift + scale log |det a|, one number for each square matrix; `shift` where it is empty. */
pz_status log_det(pz_call* c, double scale, double shift, const pz_tensor* a, pz_tensor* out);

/* out = the sum of each of the rows (..., n). */
pz_status log_det_sum(pz_call* c, const pz_tensor* rows, pz_tensor* out);

#endif /* PLUGINS_COMMON_LOG_DET_H */
