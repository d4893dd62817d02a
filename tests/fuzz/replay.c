/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A harness as a test: its seeds, then mutations on mutations of them, the same at every
   run. With arguments it runs those files instead: what libFuzzer left of a finding. */

#include "fuzz.h"

#include <string.h>

enum { DEPTH = 6 }; /* mutations between two seeds, each of the last one's result */

size_t
fuzz_mutate_bytes(uint8_t* const data, const size_t size, const size_t most, uint64_t* const random)
{
  const size_t at = size > 0 ? fuzz_below(random, size) : 0;
  switch (size > 0 ? fuzz_below(random, 4) : 3) {
  case 0:
    data[at] ^= (uint8_t)(1U << fuzz_below(random, 8));
    return size;
  case 1:
    data[at] = (uint8_t)fuzz_bits(random);
    return size;
  case 2:
    memmove(data + at, data + at + 1, size - at - 1);
    return size - 1;
  default:
    if (size == most) {
      return size;
    }
    memmove(data + at + 1, data + at, size - at);
    data[at] = (uint8_t)fuzz_bits(random);
    return size + 1;
  }
}

/* Memory of exactly `size` bytes, so that a byte read beyond them is seen. */
static bool
run(const uint8_t* const data, const size_t size)
{
  uint8_t* const copy = malloc(size > 0 ? size : 1);
  FUZZ_ENSURE(copy);
  memcpy(copy, data, size);
  const bool accepted = fuzz.run(copy, size);
  free(copy);
  return accepted;
}

static int
run_files(const int n, char** const paths)
{
  for (int k = 0; k < n; ++k) {
    FILE* const in = fopen(paths[k], "rb");
    static uint8_t data[1 << 20];
    const size_t size = in ? fread(data, 1, sizeof(data), in) : 0;
    if (!in) {
      perror(paths[k]);
      return EXIT_FAILURE;
    }
    fclose(in);
    printf("%s: %s\n", paths[k], run(data, size) ? "accepted" : "refused");
  }
  return EXIT_SUCCESS;
}

int
main(const int argc, char** const argv)
{
  static uint8_t data[FUZZ_MOST];
  uint64_t random = 1;
  size_t n = 0;
  size_t accepted = 0;
  bool good = true;
  if (fuzz.open) {
    fuzz.open();
  }
  if (argc > 1) {
    return run_files(argc - 1, argv + 1);
  }
  printf("1..2\n");
  for (size_t size; (size = fuzz.seed(n, data)) > 0; ++n) {
    if (!run(data, size) && fuzz.seeds_are_good) {
      printf("# seed %zu is refused\n", n);
      good = false;
    }
  }
  printf("%s 1 - %zu seeds\n", good ? "ok" : "not ok", n);
  for (size_t k = 0; k < FUZZ_RUNS; ++k) {
    size_t size = fuzz.seed(k / DEPTH % n, data);
    for (size_t i = 0; i < k % DEPTH + 1; ++i) {
      size = fuzz.mutate(data, size, sizeof(data), &random);
    }
    accepted += run(data, size);
  }
  /* Mutations that are all refused, or none, would test nothing. */
  const bool mixed = accepted > FUZZ_RUNS / 100 && accepted < FUZZ_RUNS;
  printf("# %zu of %d mutations accepted\n", accepted, FUZZ_RUNS);
  printf("%s 2 - mutations\n", mixed ? "ok" : "not ok");
  return good && mixed ? EXIT_SUCCESS : EXIT_FAILURE;
}
