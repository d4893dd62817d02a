/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Inputs in the safetensors format, for every harness that reads such files. */

#ifndef TEST_FUZZ_TENSORS_H
#define TEST_FUZZ_TENSORS_H

#include "fuzz.h"

/* Seeds: files of ours, described, and of others, as fuzz_harness has them. */
size_t fuzz_tensors_seed(size_t index, uint8_t* out);

/* Changes the header as text, or a text of its metadata as such, then mostly makes the
   length before it, the offsets in it and the data behind it fit again. As fuzz_harness has
   it. */
size_t fuzz_tensors_mutate(uint8_t* data, size_t size, size_t most, uint64_t* random);

#endif /* TEST_FUZZ_TENSORS_H */
