/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A harness hands bytes that may be anything to one reader of the project and checks what
   was accepted. It brings its seeds and a mutator that knows the format, so that most of
   its inputs come past the first checks.

   Two programs are made of each harness: replay.c runs the seeds and some thousand
   mutations of them, the same ones every time, as a test; libfuzzer.c is searched by
   libFuzzer, guided by coverage. */

#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { FUZZ_MOST = 1 << 14 }; /* bytes of a seed or of a mutated input */

/* Ends the program, as a finding, unless `condition` holds. */
#define FUZZ_ENSURE(condition)                                                       \
  do {                                                                               \
    if (!(condition)) {                                                              \
      fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      abort();                                                                       \
    }                                                                                \
  } while (0)

typedef struct fuzz_harness {
  /* Opens what all runs share; NULL: nothing. */
  void (*open)(void);

  /* Writes seed `index`, at most FUZZ_MOST bytes, and returns its length; 0 past the
     last. */
  size_t (*seed)(size_t index, uint8_t* out);

  /* Changes an input of `size` bytes in place, up to `most` of them, and returns its new
     length. */
  size_t (*mutate)(uint8_t* data, size_t size, size_t most, uint64_t* random);

  /* Reads an input: true if it was accepted. */
  bool (*run)(const uint8_t* data, size_t size);

  /* Must every seed be accepted? */
  bool seeds_are_good;
} fuzz_harness;

/* Defined by the harness. */
extern const fuzz_harness fuzz;

/* ---- random choices -------------------------------------------------------- */

/* SplitMix64, and a number below n, which is not 0. */
uint64_t fuzz_bits(uint64_t* random);
size_t fuzz_below(uint64_t* random, size_t n);

/* A seed chosen at random, cut to `most`. */
size_t fuzz_any_seed(uint8_t* out, size_t most, uint64_t* random);

/* ---- mutations ------------------------------------------------------------- */

/* Changes bytes without knowing what they are: libFuzzer's own mutations where that is
   linked. Defined by replay.c or libfuzzer.c. */
size_t fuzz_mutate_bytes(uint8_t* data, size_t size, size_t most, uint64_t* random);

/* Changes a text of words, numbers and punctuation: exchanges, repeats, drops and inserts
   pieces that begin and end where words do, moves numbers to their limits. `words` ends in
   NULL. */
size_t fuzz_mutate_text(uint8_t* data, size_t size, size_t most, const char* const* words,
                        uint64_t* random);

#endif /* TEST_FUZZ_H */
