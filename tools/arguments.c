/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Options may stand anywhere among the operands; "--" ends them. Each option may be given once,
   except outputs and rules: otherwise a mistake early in a long line could be silently overridden
   by its end. */

#include "arguments.h"

#include "say.h"

#include <parametrize/parametrize.h>

#include <fnmatch.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELP = 0x100 };

const command_option option_table[N_OPTIONS] = {
    {"parametrization", "CHAIN", NULL, "the chain, for example skew,cayley,pruning(p_drop=0.2)",
     'p'},
    {"output", "FILE", NULL, "the file to write", 'o'},
    {"output", "FILE", NULL, "the file to write, once for each original", 'o'},
    {"grad", "FILE", NULL, "gradient with respect to the value, of its shape", '\0'},
    {"state", "FILE", NULL, "read buffers and own parameters of the chain from FILE", '\0'},
    {"state", "FILE", NULL, "write buffers and own parameters of the chain to FILE", '\0'},
    {"dtype", "TYPE", "float32 float64", "float32 (the default) or float64", '\0'},
    {"seed", "NUMBER", NULL, "seed of random draws, 1 or more", '\0'},
    {"device", "NAME", "cpu reference auto", "cpu, reference, auto ... (see parametrize list)",
     '\0'},
    {"force", NULL, NULL, "overwrite existing files", '\0'},
    {"map", "GLOB=CHAIN", NULL, "chain of the tensors whose names match; the first match counts",
     '\0'},
    {"lenient", NULL, NULL, "ignore unknown tensors and initialize missing ones, with a remark",
     '\0'},
    {"order", "N", NULL, "matrices are N x N", 'n'},
    {"batch", "NUMBER", NULL, "number of matrices (default: 1)", 'b'},
    {"tag", "WORD", NULL, "only parametrizations with this tag", '\0'},
    {"tangent", "FILE", NULL, "direction of an original, once for each", '\0'},
    {"grad", "FILE", NULL, "factors of log |det|, of its shape", '\0'},
    {"output", "FILE", NULL, "file of log |det|; with --grad, then one for each original", 'o'},
    {"id", "ID", NULL, "only this parametrization or backend of the file", '\0'},
    {"json", NULL, NULL, "print the result as JSON", '\0'},
    {"limit", "SECONDS", NULL, "longest time to open one file (default: 10)", '\0'},
    {"rule", "RULE", NULL, "only this rule, and those of the file", '\0'},
    {"kind", "KIND", "entries rows matrices backend",
     "entries (the default), rows, matrices or backend", '\0'},
    {"plot", "FILE", NULL, "draw the errors against n as an SVG file", '\0'},
    {"dtype", "TYPE", "float16 bfloat16 float32 float64",
     "float16, bfloat16, float32 or float64, of all floats", '\0'},
    {"values", NULL, NULL, "compute the values", '\0'},
    {"dry-run", NULL, NULL, "write nothing, only say what would be written", '\0'},
    {"partial", NULL, NULL, "leave parametrized tensors whose chain is not known as they are",
     '\0'},
    {"strip", NULL, NULL, "remove module. and _orig_mod. of wrapped modules from names", '\0'},
    {"shard-size", "SIZE", NULL, "write a folder of files of at most SIZE (5GB), with an index",
     '\0'},
    {"updates", "K", NULL, "update the state K times first (steps of spectral_norm)", '\0'},
    {"key", "NAME", NULL, "the state dict in a file of torch.save that has several", '\0'},
};

bool
read_number(const char* const text, const uint64_t least, const uint64_t most, uint64_t* const out)
{
  uint64_t n = 0;
  for (const char* digit = text; *digit != '\0'; ++digit) {
    const uint64_t value = (uint64_t)(*digit - '0');
    if (*digit < '0' || *digit > '9' || n > (UINT64_MAX - value) / 10) {
      return false;
    }
    n = 10 * n + value;
  }
  *out = n;
  return *text != '\0' && n >= least && n <= most;
}

void
arguments_help(const command* const c)
{
  printf("usage: parametrize %s %s\n\n%s.\n\n%s", c->name, c->usage, c->summary, c->text);
  printf("\noptions:\n");
  for (uint32_t k = 0; k < N_OPTIONS; ++k) {
    if (c->takes & (UINT64_C(1) << k)) {
      char text[64];
      const char letter[] = {'-', option_table[k].letter, ',', ' ', '\0'};
      snprintf(text, sizeof(text), "%s--%s%s%s", option_table[k].letter ? letter : "    ",
               option_table[k].name, option_table[k].argument ? " " : "",
               option_table[k].argument ? option_table[k].argument : "");
      if (strlen(text) > 20) {
        printf("  %s\n%-24s%s\n", text, "", option_table[k].doc);
      } else {
        printf("  %-20s  %s\n", text, option_table[k].doc);
      }
    }
  }
  printf("  -h, --help            this text\n");
}

/* Reads a whole number from 1 on, which may be given once. */
static int
take_count(const uint32_t k, const char* const value, uint64_t* const out, const char* const name)
{
  char text[32];
  if (option_table[k].letter != '\0') {
    snprintf(text, sizeof(text), "-%c", option_table[k].letter);
  } else {
    snprintf(text, sizeof(text), "--%s", option_table[k].name);
  }
  if (*out != 0) {
    return say_usage(name, text, "given twice");
  }
  return read_number(value, 1, INT32_MAX, out)
             ? -1
             : say_usage(name, text, "found \"%s\", expected a whole number from 1 to %" PRId32,
                         value, INT32_MAX);
}

static int
take_dtype(const char* const value, const bool halves, arguments* const out)
{
  const char* const name = out->command->name;
  if (out->dtype != 0) {
    return say_usage(name, "--dtype", "given twice");
  }
  out->dtype = strcmp(value, "float32") == 0              ? PZ_F32
               : strcmp(value, "float64") == 0            ? PZ_F64
               : halves && strcmp(value, "float16") == 0  ? PZ_F16
               : halves && strcmp(value, "bfloat16") == 0 ? PZ_BF16
                                                          : 0;
  return out->dtype != 0 ? -1
                         : say_usage(name, "--dtype", "found \"%s\", expected %sfloat32 or float64",
                                     value, halves ? "float16, bfloat16, " : "");
}

/* Reads "5GB", "500MB" or a number of bytes. */
static int
take_size(const char* const value, arguments* const out)
{
  static const char* const units[] = {"B", "KB", "MB", "GB"};
  const char* const name = out->command->name;
  char digits[16] = "";
  const size_t n = strspn(value, "0123456789");
  uint64_t size = 0;
  uint64_t factor = 1;
  size_t unit = 0;
  while (unit < 4 && value[n] != '\0' && strcmp(units[unit], value + n) != 0) {
    factor *= 1000;
    ++unit;
  }
  memcpy(digits, value, n < sizeof(digits) ? n : 0);
  if (out->shard_size != 0) {
    return say_usage(name, "--shard-size", "given twice");
  }
  if (unit == 4 || !read_number(digits, 1, INT64_MAX / factor, &size)) {
    return say_usage(name, "--shard-size", "found \"%s\", expected a size such as 5GB or 500MB",
                     value);
  }
  out->shard_size = size * factor;
  return -1;
}

const char*
rule_sign(const char* const rule)
{
  int depth = 0;
  for (const char* at = rule + strlen(rule); at-- > rule;) {
    depth += (*at == ')') - (*at == '(');
    if (*at == '=' && depth <= 0) {
      return at == rule || at[1] == '\0' ? NULL : at;
    }
  }
  return NULL;
}

bool
rule_matches(const char* const glob, const char* const name)
{
  return strcmp(glob, name) == 0 || fnmatch(glob, name, 0) == 0;
}

/* Stores the value of option `k`. */
static int
take_option(const uint32_t k, const char* const value, arguments* const out)
{
  const char* const name = out->command->name;
  const char** place = NULL;
  switch (UINT64_C(1) << k) {
  case OPTION_CHAIN:
    place = &out->chain;
    break;
  case OPTION_OUTPUT:
    if (out->n_outputs > 0) {
      return say_usage(name, "--output", "given twice");
    }
    out->outputs[out->n_outputs++] = value;
    return -1;
  case OPTION_OUTPUTS:
  case OPTION_DENSITY_OUTPUTS:
    out->outputs[out->n_outputs++] = value;
    return -1;
  case OPTION_TANGENTS:
    out->tangents[out->n_tangents++] = value;
    return -1;
  case OPTION_GRADIENT:
  case OPTION_WEIGHTS:
    place = &out->gradient;
    break;
  case OPTION_READ_STATE:
  case OPTION_WRITE_STATE:
    place = &out->state;
    break;
  case OPTION_DEVICE:
    place = &out->device;
    break;
  case OPTION_TAG:
    place = &out->tag;
    break;
  case OPTION_ID:
    place = &out->id;
    break;
  case OPTION_RULE:
    place = &out->rule;
    break;
  case OPTION_PLOT:
    place = &out->plot;
    break;
  case OPTION_KIND:
    place = &out->kind;
    break;
  case OPTION_KEY:
    place = &out->key;
    break;
  case OPTION_JSON:
    out->json = true;
    return -1;
  case OPTION_VALUES:
    out->values = true;
    return -1;
  case OPTION_DRY_RUN:
    out->dry_run = true;
    return -1;
  case OPTION_PARTIAL:
    out->partial = true;
    return -1;
  case OPTION_STRIP:
    out->strip = true;
    return -1;
  case OPTION_SHARD_SIZE:
    return take_size(value, out);
  case OPTION_DTYPE:
  case OPTION_FLOATS:
    return take_dtype(value, UINT64_C(1) << k == OPTION_FLOATS, out);
  case OPTION_SEED:
    if (out->seed != 0) {
      return say_usage(name, "--seed", "given twice");
    }
    return read_number(value, 1, UINT64_MAX, &out->seed)
               ? -1
               : say_usage(name, "--seed", "found \"%s\", expected a whole number from 1 on",
                           value);
  case OPTION_FORCE:
    out->force = true;
    return -1;
  case OPTION_RULES:
    if (rule_sign(value) == NULL) {
      return say_usage(name, "--map", "found \"%s\", expected GLOB=CHAIN", value);
    }
    out->rules[out->n_rules++] = value;
    return -1;
  case OPTION_LENIENT:
    out->lenient = true;
    return -1;
  case OPTION_ORDER:
    return take_count(k, value, &out->order, name);
  case OPTION_BATCH:
    return take_count(k, value, &out->batch, name);
  case OPTION_LIMIT:
    return take_count(k, value, &out->limit, name);
  case OPTION_UPDATES:
    return take_count(k, value, &out->updates, name);
  default:
    break;
  }
  if (place != NULL && *place != NULL) {
    char text[32];
    snprintf(text, sizeof(text), "--%s", option_table[k].name);
    return say_usage(name, text, "given twice");
  }
  if (place != NULL) {
    *place = value;
  }
  return -1;
}

/* Prints the error for the word at which getopt_long stopped. */
static int
refuse_word(const command* const c, const int result, char** const argv)
{
  const char* const word = argv[optind - 1];
  if (result == ':') {
    return say_usage(c->name, word, "expected a value after it");
  }
  if (strncmp(word, "--", 2) == 0 && optopt != 0) {
    return say_usage(c->name, word, "takes no value");
  }
  if (strncmp(word, "--", 2) == 0) {
    return say_usage(c->name, word, "no such option of %s, or an ambiguous abbreviation", c->name);
  }
  const char letter[] = {'-', (char)optopt, '\0'};
  return say_usage(c->name, letter, "no such option of %s", c->name);
}

static int
check(const arguments* const a)
{
  const command* const c = a->command;
  for (uint32_t k = 0; k < N_OPTIONS; ++k) {
    const bool given = (UINT64_C(1) << k) == OPTION_CHAIN      ? a->chain != NULL
                       : (UINT64_C(1) << k) == OPTION_GRADIENT ? a->gradient != NULL
                       : (UINT64_C(1) << k) == OPTION_ORDER    ? a->order != 0
                       : (UINT64_C(1) << k) == OPTION_TANGENTS ? a->n_tangents > 0
                       : (UINT64_C(1) << k) == OPTION_RULES    ? a->n_rules > 0
                                                               : a->n_outputs > 0;
    if ((c->needs & (UINT64_C(1) << k)) && !given) {
      return say_usage(c->name, c->name, "expected %c%c%s %s", '-',
                       option_table[k].letter ? option_table[k].letter : '-',
                       option_table[k].letter ? "" : option_table[k].name,
                       option_table[k].argument);
    }
  }
  if (a->n_operands < c->least_operands) {
    return say_usage(c->name, c->name, "found %zu operand%s, expected %s%zu", a->n_operands,
                     PLURAL(a->n_operands), c->least_operands < c->most_operands ? "at least " : "",
                     c->least_operands);
  }
  if (a->n_operands > c->most_operands) {
    return say_usage(c->name, a->operands[c->most_operands], "one operand too many");
  }
  return -1;
}

int
arguments_read(const command* const c, const int argc, char** const argv, arguments* const out)
{
  struct option known[N_OPTIONS + 2] = {{"help", no_argument, NULL, HELP}};
  char letters[2 * N_OPTIONS + 4] = "-:h"; /* keep the order; ':' for a missing value */
  size_t n_known = 1;
  size_t n_letters = 3;
  memset(out, 0, sizeof(*out));
  out->command = c;
  out->outputs = calloc((size_t)argc + 1, sizeof(*out->outputs));
  out->tangents = calloc((size_t)argc + 1, sizeof(*out->tangents));
  out->rules = calloc((size_t)argc + 1, sizeof(*out->rules));
  out->operands = calloc((size_t)argc + 1, sizeof(*out->operands));
  if (out->outputs == NULL || out->tangents == NULL || out->rules == NULL ||
      out->operands == NULL) {
    return say_no_memory(NULL);
  }
  for (uint32_t k = 0; k < N_OPTIONS; ++k) {
    if (c->takes & (UINT64_C(1) << k)) {
      known[n_known++] = (struct option){option_table[k].name,
                                         option_table[k].argument ? required_argument : no_argument,
                                         NULL, HELP + 1 + (int)k};
      if (option_table[k].letter) {
        letters[n_letters++] = option_table[k].letter;
        letters[n_letters++] = ':';
      }
    }
  }
  int status = -1;
  int found;
  optind = 1;
  opterr = 0;
  while (status < 0 && (found = getopt_long(argc, argv, letters, known, NULL)) != -1) {
    if (found == 1) {
      out->operands[out->n_operands++] = optarg;
    } else if (found == HELP || found == 'h') {
      arguments_help(c);
      status = EXIT_GOOD;
    } else if (found == '?' || found == ':') {
      status = refuse_word(c, found, argv);
    } else {
      uint32_t k = (uint32_t)(found - HELP - 1);
      for (uint32_t i = 0; i < N_OPTIONS && found < HELP; ++i) {
        if ((c->takes & (UINT64_C(1) << i)) && option_table[i].letter == found) {
          k = i;
        }
      }
      status = take_option(k, optarg, out);
    }
  }
  for (; optind < argc && status < 0; ++optind) {
    out->operands[out->n_operands++] = argv[optind];
  }
  return status < 0 ? check(out) : status;
}

void
arguments_free(arguments* const a)
{
  free(a->outputs);
  free(a->tangents);
  free(a->rules);
  free(a->operands);
  memset(a, 0, sizeof(*a));
}
