/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* One table has the name, type, range and destination of every option; both the parser and the help
   text use it. */

#include "options.h"

#include "threads.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_BATCH = 65536, MAX_STEPS = 100000000 };

typedef enum option_type {
  OPTION_INT,
  OPTION_SEED,
  OPTION_REAL,
  OPTION_TEXT,
  OPTION_PROBLEM
} option_type;

typedef struct option {
  const char* name;
  option_type type;
  int least; /* of OPTION_INT */
  int most;
  size_t offset; /* in `options` */
  const char* help;
} option;

static const char* const problem_names[] = {"copying", "adding"};

static const option table[] = {
    {"--problem", OPTION_PROBLEM, 0, 0, offsetof(options, kind), "copying (default) or adding"},
    {"--length", OPTION_INT, 1, OPTIONS_MAX_LENGTH, offsetof(options, length),
     "blanks to remember over, or pairs to add from (200)"},
    {"--hidden", OPTION_INT, 1, OPTIONS_MAX_HIDDEN, offsetof(options, hidden),
     "hidden units (190)"},
    {"--batch", OPTION_INT, 1, MAX_BATCH, offsetof(options, batch), "sequences in a batch (128)"},
    {"--map", OPTION_TEXT, 0, 0, offsetof(options, chain),
     "chain on the recurrent kernel, '' for none (skew,matrix_exp)"},
    {"--seed", OPTION_SEED, 0, 0, offsetof(options, seed), "seed of weights and data (1)"},
    {"--steps", OPTION_INT, 0, MAX_STEPS, offsetof(options, steps), "total optimizer steps (500)"},
    {"--rate", OPTION_REAL, 0, 0, offsetof(options, rate), "learning rate (2e-4)"},
    {"--kernel-rate", OPTION_REAL, 0, 0, offsetof(options, kernel_rate),
     "learning rate of the kernel's originals (2e-5)"},
    {"--threads", OPTION_INT, 1, THREADS_MAX, offsetof(options, threads),
     "number of threads; does not change results (all processors)"},
    {"--checkpoint-every", OPTION_INT, 1, MAX_STEPS, offsetof(options, checkpoint_every),
     "steps between checkpoints (100)"},
    {"--print-every", OPTION_INT, 1, MAX_STEPS, offsetof(options, print_every),
     "steps between lines if stdout is not a terminal (10)"},
    {"--device", OPTION_TEXT, 0, 0, offsetof(options, device),
     "device of the chain, with host memory (cpu)"},
    {"--out", OPTION_TEXT, 0, 0, offsetof(options, out),
     "folder for the output files (copying_memory.out)"},
};

enum { N_OPTIONS = sizeof(table) / sizeof(table[0]) };

const char*
options_problem_name(const problem_kind kind)
{
  return problem_names[kind];
}

static void
print_help(void)
{
  printf("usage: copying_memory [--option value] ...\n"
         "\n"
         "Trains a recurrent network with a parametrized kernel on the copying or the adding\n"
         "problem. A second run with the same --out resumes from its checkpoint.\n"
         "\n");
  for (int i = 0; i < N_OPTIONS; ++i) {
    printf("  %-20s%s\n", table[i].name, table[i].help);
  }
}

static bool
read_int(const char* const text, const option* const o, void* const place)
{
  char* end = NULL;
  errno = 0;
  const long value = strtol(text, &end, 10);
  if (errno || end == text || *end || value < o->least || value > o->most) {
    fprintf(stderr, "copying_memory: %s %s: expected a whole number from %d to %d\n", o->name, text,
            o->least, o->most);
    return false;
  }
  *(int*)place = (int)value;
  return true;
}

static bool
read_seed(const char* const text, const option* const o, void* const place)
{
  char* end = NULL;
  errno = 0;
  const unsigned long long value = strtoull(text, &end, 10);
  if (errno || end == text || *end || *text == '-' || value >> 53) {
    fprintf(stderr, "copying_memory: %s %s: expected a whole number below 2^53\n", o->name, text);
    return false;
  }
  *(uint64_t*)place = value;
  return true;
}

static bool
read_real(const char* const text, const option* const o, void* const place)
{
  char* end = NULL;
  const double value = strtod(text, &end);
  if (end == text || *end || !isfinite(value) || value < 0) {
    fprintf(stderr, "copying_memory: %s %s: expected a number, zero or more\n", o->name, text);
    return false;
  }
  *(double*)place = value;
  return true;
}

bool
options_problem(const char* const name, problem_kind* const out)
{
  for (int k = 0; k < 2; ++k) {
    if (strcmp(name, problem_names[k]) == 0) {
      *out = (problem_kind)k;
      return true;
    }
  }
  return false;
}

static bool
read_problem(const char* const text, const option* const o, void* const place)
{
  if (!options_problem(text, place)) {
    fprintf(stderr, "copying_memory: %s %s: expected copying or adding\n", o->name, text);
    return false;
  }
  return true;
}

static bool
read_value(const char* const text, const option* const o, options* const out)
{
  void* const place = (char*)out + o->offset;
  switch (o->type) {
  case OPTION_INT:
    return read_int(text, o, place);
  case OPTION_SEED:
    return read_seed(text, o, place);
  case OPTION_REAL:
    return read_real(text, o, place);
  case OPTION_TEXT:
    *(const char**)place = text;
    return true;
  case OPTION_PROBLEM:
    return read_problem(text, o, place);
  }
  return false;
}

int
options_read(const int argc, char** const argv, options* const out)
{
  const long processors = sysconf(_SC_NPROCESSORS_ONLN);
  *out = (options){
      .kind = PROBLEM_COPYING,
      .length = 200,
      .hidden = 190,
      .batch = 128,
      .seed = 1,
      .rate = 2e-4,
      .kernel_rate = 2e-5,
      .chain = "skew,matrix_exp",
      .steps = 500,
      .threads = processors < 1             ? 1
                 : processors > THREADS_MAX ? THREADS_MAX
                                            : (int)processors,
      .checkpoint_every = 100,
      .print_every = 10,
      .device = "cpu",
      .out = "copying_memory.out",
  };
  for (int i = 1; i < argc; i += 2) {
    int k = 0;
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
      print_help();
      return 1;
    }
    while (k < N_OPTIONS && strcmp(argv[i], table[k].name) != 0) {
      ++k;
    }
    if (k == N_OPTIONS) {
      fprintf(stderr, "copying_memory: %s: no such option, see --help\n", argv[i]);
      return 2;
    }
    if (i + 1 == argc) {
      fprintf(stderr, "copying_memory: %s: expected a value after it\n", argv[i]);
      return 2;
    }
    if (!read_value(argv[i + 1], &table[k], out)) {
      return 2;
    }
  }
  if (out->kind == PROBLEM_ADDING && out->length < 2) {
    fprintf(stderr, "copying_memory: --length %d: adding needs two pairs at least\n", out->length);
    return 2;
  }
  return 0;
}
