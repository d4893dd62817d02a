/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The command line. A table of subcommands and a table of options define both the parser and the
   help texts. */

#ifndef TOOLS_ARGUMENTS_H
#define TOOLS_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTION_CHAIN (UINT64_C(1) << 0)
#define OPTION_OUTPUT (UINT64_C(1) << 1)  /* once */
#define OPTION_OUTPUTS (UINT64_C(1) << 2) /* once for each original */
#define OPTION_GRADIENT (UINT64_C(1) << 3)
#define OPTION_READ_STATE (UINT64_C(1) << 4)
#define OPTION_WRITE_STATE (UINT64_C(1) << 5)
#define OPTION_DTYPE (UINT64_C(1) << 6)
#define OPTION_SEED (UINT64_C(1) << 7)
#define OPTION_DEVICE (UINT64_C(1) << 8)
#define OPTION_FORCE (UINT64_C(1) << 9)
#define OPTION_RULES (UINT64_C(1) << 10) /* any number of times */
#define OPTION_LENIENT (UINT64_C(1) << 11)
#define OPTION_ORDER (UINT64_C(1) << 12)
#define OPTION_BATCH (UINT64_C(1) << 13)
#define OPTION_TAG (UINT64_C(1) << 14)
#define OPTION_TANGENTS (UINT64_C(1) << 15) /* as often as there are originals */
#define OPTION_WEIGHTS (UINT64_C(1) << 16)
#define OPTION_DENSITY_OUTPUTS \
  (UINT64_C(1) << 17) /* one, and then as often as there are originals */
#define OPTION_ID (UINT64_C(1) << 18)
#define OPTION_JSON (UINT64_C(1) << 19)
#define OPTION_LIMIT (UINT64_C(1) << 20)
#define OPTION_RULE (UINT64_C(1) << 21)
#define OPTION_KIND (UINT64_C(1) << 22)
#define OPTION_PLOT (UINT64_C(1) << 23)
#define OPTION_FLOATS (UINT64_C(1) << 24) /* a dtype of model files */
#define OPTION_VALUES (UINT64_C(1) << 25)
#define OPTION_DRY_RUN (UINT64_C(1) << 26)
#define OPTION_PARTIAL (UINT64_C(1) << 27)
#define OPTION_STRIP (UINT64_C(1) << 28)
#define OPTION_SHARD_SIZE (UINT64_C(1) << 29)
#define OPTION_UPDATES (UINT64_C(1) << 30)
#define OPTION_KEY (UINT64_C(1) << 31)

enum { N_OPTIONS = 32 };

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
  const char* key;
  const char* plot;
  const char** outputs; /* in order */
  size_t n_outputs;
  const char** tangents; /* in order */
  size_t n_tangents;
  const char** rules; /* "GLOB=CHAIN", neither empty (rule_sign); in order */
  size_t n_rules;
  const char** operands; /* the other words, in order */
  size_t n_operands;
  uint64_t seed;       /* 0: from the system */
  uint64_t order;      /* of square matrices; 0: not given */
  uint64_t batch;      /* 0: not given */
  uint64_t limit;      /* of seconds; 0: not given */
  uint64_t shard_size; /* in bytes; 0: not given */
  uint64_t updates;    /* 0: not given */
  uint32_t dtype;      /* 0: not given */
  bool force;
  bool lenient;
  bool json;
  bool values;
  bool dry_run;
  bool partial;
  bool strip;
} arguments;

/* A subcommand. `run` returns the exit status. */
struct command {
  const char* name;
  const char* usage;   /* the words after the name */
  const char* summary; /* one line */
  const char* text;    /* paragraphs of the help; every line ends in a newline */
  uint64_t takes;      /* OPTION_... */
  uint64_t needs;      /* the required ones */
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

/* The "=" between GLOB and CHAIN: the last one outside of parentheses. NULL if there is none, or
   nothing on one side of it. */
const char* rule_sign(const char* rule);

/* Does a GLOB match a name, as the library matches patterns? */
bool rule_matches(const char* glob, const char* name);

/* Reads a whole number in decimal without sign, from `least` to `most`; false for other text. */
bool read_number(const char* text, uint64_t least, uint64_t most, uint64_t* out);

#endif /* TOOLS_ARGUMENTS_H */
