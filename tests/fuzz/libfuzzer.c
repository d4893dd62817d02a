/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A harness under libFuzzer. Seeds come from the harness itself: an empty input, and now
   and then any other, is exchanged for one of them, so a run needs no files. */

#include "fuzz.h"

int LLVMFuzzerInitialize(int* argc, char*** argv);
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

size_t
fuzz_mutate_bytes(uint8_t* const data, const size_t size, const size_t most, uint64_t* const random)
{
  (void)random;
  return LLVMFuzzerMutate(data, size, most);
}

int
LLVMFuzzerInitialize(int* const argc, char*** const argv)
{
  (void)argc;
  (void)argv;
  if (fuzz.open) {
    fuzz.open();
  }
  return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t* const data, const size_t size)
{
  (void)fuzz.run(data, size);
  return 0;
}

size_t
LLVMFuzzerCustomMutator(uint8_t* const data, const size_t size, const size_t most,
                        const unsigned seed)
{
  uint64_t random = seed;
  const bool fresh = size <= 1 || fuzz_below(&random, 256) == 0;
  const size_t from = fresh ? fuzz_any_seed(data, most, &random) : size;
  return fuzz.mutate(data, from, most, &random);
}
