/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What a backend lacks, from what it has. */

#include "route.h"

bool
pzi_can_compose(const pz_queue* const queue, const pzi_op op, const uint32_t dtype)
{
  (void)queue;
  (void)op;
  (void)dtype;
  return false;
}

pz_status
pzi_compose(pz_queue* const queue, const pzi_request* const request)
{
  (void)queue;
  (void)request;
  return PZ_UNSUPPORTED;
}
