/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The command line. A table of subcommands and a table of options define both the parser and the
   help texts. */

#ifndef TOOLS_ARGUMENTS_H
#define TOOLS_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  OPTION_CHAIN = 1U << 0,
  OPTION_OUTPUT = 1U << 1,  /* once */
  OPTION_OUTPUTS = 1U << 2, /* once for each original */
  OPTION_GRADIENT = 1U << 3,
  OPTION_READ_STATE = 1U << 4,
  OPTION_WRITE_STATE = 1U << 5,
  OPTION_DTYPE = 1U << 6,
  OPTION_SEED = 1U << 7,
  OPTION_DEVICE = 1U << 8,
  OPTION_FORCE = 1U << 9,
  OPTION_RULES = 1U << 10, /* any number of times */
  OPTION_LENIENT = 1U << 11,
  OPTION_ORDER = 1U << 12,
  OPTION_BATCH = 1U << 13,
  OPTION_TAG = 1U << 14,
  OPTION_TANGENTS = 1U << 15, /* as often as there are originals */
  OPTION_WEIGHTS = 1U << 16,
  OPTION_DENSITY_OUTPUTS = 1U << 17, /* one, and then as often as there are originals */
  OPTION_ID = 1U << 18,
  OPTION_JSON = 1U << 19,
  OPTION_LIMIT = 1U << 20,
  OPTION_RULE = 1U << 21,
  OPTION_KIND = 1U << 22,
  OPTION_PLOT = 1U << 23,
};

enum { N_OPTIONS = 24 };

/* An option, in the order of the bits OPTION_...; no command takes two of the same name. */
typedef struct command_option {
  const char* name;
  const char* argument; /* NULL: none; "FILE": a path */
  const char* values;   /* some arguments, for completion, separated by spaces; NULL: none */
  const char* doc;
  char letter; /* '\0': none */
} command_option;

extern const command_option option_table[N_OPTIONS];

typedef struct command command;

/* A parsed command line; texts are those of argv. */
typedef struct arguments {
  const command* command;
  const char* chain;
  const char* device; /* NULL: the library's choice */
  const char* state;
  const char* gradient;
  const char* tag;
  const char* id;
  const char* rule; /* of check */
  const char* kind;
  const char* plot;
  const char** outputs; /* in order */
  size_t n_outputs;
  const char** tangents; /* in order */
  size_t n_tangents;
  const char** rules; /* "GLOB=CHAIN", neither empty; in order */
  size_t n_rules;
  const char** operands; /* the other words, in order */
  size_t n_operands;
  uint64_t seed;  /* 0: from the system */
  uint64_t order; /* of square matrices; 0: not given */
  uint64_t batch; /* 0: not given */
  uint64_t limit; /* of seconds; 0: not given */
  uint32_t dtype; /* 0: not given */
  bool force;
  bool lenient;
  bool json;
} arguments;

/* A subcommand. `run` returns the exit status. */
struct command {
  const char* name;
  const char* usage;   /* the words after the name */
  const char* summary; /* one line */
  const char* text;    /* paragraphs of the help; every line ends in a newline */
  uint32_t takes;      /* OPTION_... */
  uint32_t needs;      /* the required ones */
  size_t least_operands;
  size_t most_operands;
  int (*run)(const arguments* a);
};

/* main.c: all subcommands, and what the help says of chains and arrays. */
extern const char main_chain_text[];
extern const command commands[];
extern const size_t n_commands;

/* Reads argv[1 ...]; argv[0] is the name of `c`. Returns -1 when `*out` is ready to run, else the
   exit status, after printing help or an error. Free `*out` in either case. */
int arguments_read(const command* c, int argc, char** argv, arguments* out);

void arguments_free(arguments* a);

/* Prints the help of a subcommand to the standard output. */
void arguments_help(const command* c);

/* Reads a whole number in decimal without sign, from `least` to `most`; false for other text. */
bool read_number(const char* text, uint64_t least, uint64_t most, uint64_t* out);

#endif /* TOOLS_ARGUMENTS_H */
