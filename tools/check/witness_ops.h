/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The operations of a call that is watched (witness.h): each counts as a request and runs as that of
   the library. */

#ifndef TOOLS_CHECK_WITNESS_OPS_H
#define TOOLS_CHECK_WITNESS_OPS_H

#include <parametrize/plugin.h>

extern const pz_ops witness_ops;

/* witness.c: the call of the library; a request, refused or not; and a wait for the device. */
pz_call* witness_real(pz_call* c);
pz_status witness_request(pz_call* c);
void witness_wait(int64_t numbers);

#endif /* TOOLS_CHECK_WITNESS_OPS_H */
