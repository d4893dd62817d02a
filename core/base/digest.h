/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A digest of bytes, to see whether they changed. */

#ifndef PZI_DIGEST_H
#define PZI_DIGEST_H

#include <stddef.h>
#include <stdint.h>

uint64_t pzi_digest(const void* data, size_t bytes);

#endif /* PZI_DIGEST_H */
