/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Specs given by hosts and plugins. */

#ifndef PZI_SPEC_CHECK_H
#define PZI_SPEC_CHECK_H

#include <parametrize/types.h>

/* Checks that tensors of this spec can exist: a known dtype, extents >= 0, and a size in
   bytes that fits a size_t. `what` begins the message. */
pz_status pzi_spec_check(const pz_spec* spec, const char* what);

#endif /* PZI_SPEC_CHECK_H */
