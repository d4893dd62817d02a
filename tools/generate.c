/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Completions for shells and the man page, from the tables of commands and options. */

#include "commands.h"
#include "say.h"

#include <parametrize/parametrize.h>

#include <stdio.h>
#include <string.h>

static bool
takes(const command* const c, const uint32_t k)
{
  return (c->takes >> k) & 1U;
}

static bool
is_file(const command_option* const o)
{
  return o->argument && strcmp(o->argument, "FILE") == 0;
}

/* ---- quoting -------------------------------------------------------------------------------------- */

/* A text inside '...' of a shell, with a backslash before each of `special`. */
static void
print_inside_quotes(const char* text, const char* const special)
{
  for (; *text != '\0'; ++text) {
    if (*text == '\'') {
      fputs("'\\''", stdout);
    } else {
      printf("%s%c", strchr(special, *text) ? "\\" : "", *text);
    }
  }
}

/* A line of a man page: no request, and no minus that becomes a hyphen. */
static void
print_roff(const char* const text, const size_t length)
{
  if (length > 0 && (*text == '.' || *text == '\'')) {
    fputs("\\&", stdout);
  }
  for (size_t k = 0; k < length; ++k) {
    if (text[k] == '\\') {
      fputs("\\e", stdout);
    } else if (text[k] == '-') {
      fputs("\\-", stdout);
    } else {
      putchar(text[k]);
    }
  }
}

/* ---- bash -------------------------------------------------------------------------------------------- */

/* The words of an option: "-o --output". */
static void
print_words(const command_option* const o)
{
  if (o->letter != '\0') {
    printf(" -%c", o->letter);
  }
  printf(" --%s", o->name);
}

static void
print_bash(void)
{
  printf("# bash completion of parametrize\n\n"
         "_parametrize()\n{\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words=\n"
         "  COMPREPLY=()\n"
         "  if ((COMP_CWORD == 1)); then\n"
         "    COMPREPLY=($(compgen -W 'help --help --version");
  for (size_t k = 0; k < n_commands; ++k) {
    printf(" %s", commands[k].name);
  }
  printf("' -- \"$current\"))\n    return\n  fi\n  case ${COMP_WORDS[1]}:$previous in\n");
  for (size_t c = 0; c < n_commands; ++c) {
    for (uint32_t k = 0; k < N_OPTIONS; ++k) {
      const command_option* const o = &option_table[k];
      if (!takes(&commands[c], k) || !o->argument) {
        continue;
      }
      if (o->letter != '\0') {
        printf("    %s:-%c|", commands[c].name, o->letter);
      } else {
        printf("    ");
      }
      printf("%s:--%s)", commands[c].name, o->name);
      if (is_file(o)) {
        printf(" COMPREPLY=($(compgen -f -- \"$current\"))");
      } else if (o->values) {
        printf(" COMPREPLY=($(compgen -W '%s' -- \"$current\"))", o->values);
      }
      printf("%sreturn ;;\n", is_file(o) || o->values ? "; " : " ");
    }
  }
  printf("  esac\n  case ${COMP_WORDS[1]} in\n    help) words='");
  for (size_t k = 0; k < n_commands; ++k) {
    printf("%s%s", k > 0 ? " " : "", commands[k].name);
  }
  printf("' ;;\n");
  for (size_t c = 0; c < n_commands; ++c) {
    printf("    %s) words='--help", commands[c].name);
    for (uint32_t k = 0; k < N_OPTIONS; ++k) {
      if (takes(&commands[c], k)) {
        print_words(&option_table[k]);
      }
    }
    printf("' ;;\n");
  }
  printf("  esac\n"
         "  if [[ $current == -* || ${COMP_WORDS[1]} == help ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "  else\n"
         "    COMPREPLY=($(compgen -f -- \"$current\"))\n"
         "  fi\n}\n"
         "complete -o filenames -F _parametrize parametrize\n");
}

/* ---- zsh --------------------------------------------------------------------------------------------- */

static void
print_zsh_option(const command_option* const o, const bool repeats)
{
  printf(" \\\n        %s", repeats ? "'*'" : "");
  if (o->letter != '\0' && !repeats) {
    printf("'(-%c --%s)'", o->letter, o->name);
  }
  if (o->letter != '\0') {
    printf("{-%c,--%s}", o->letter, o->name);
  } else {
    printf("--%s", o->name);
  }
  fputs("'[", stdout);
  print_inside_quotes(o->doc, "[]:\\");
  putchar(']');
  if (o->argument) {
    printf(":%s:", o->argument);
    if (is_file(o)) {
      fputs("_files", stdout);
    } else if (o->values) {
      printf("(%s)", o->values);
    }
  }
  putchar('\'');
}

static void
print_zsh(void)
{
  const uint32_t repeated =
      OPTION_OUTPUTS | OPTION_DENSITY_OUTPUTS | OPTION_TANGENTS | OPTION_RULES;
  printf("#compdef parametrize\n\n_parametrize() {\n  local -a commands\n  commands=(\n"
         "    'help:Show the help of a command'\n");
  for (size_t k = 0; k < n_commands; ++k) {
    printf("    '%s:", commands[k].name);
    print_inside_quotes(commands[k].summary, ":\\");
    printf("'\n");
  }
  printf("  )\n"
         "  if ((CURRENT == 2)); then\n"
         "    _describe command commands\n"
         "    return\n"
         "  fi\n"
         "  local command=$words[2]\n"
         "  shift words\n"
         "  ((CURRENT--))\n"
         "  case $command in\n"
         "    help) _describe command commands ;;\n");
  for (size_t c = 0; c < n_commands; ++c) {
    printf("    %s)\n      _arguments '(-h --help)'{-h,--help}'[show the help]'", commands[c].name);
    for (uint32_t k = 0; k < N_OPTIONS; ++k) {
      if (takes(&commands[c], k)) {
        print_zsh_option(&option_table[k], (repeated >> k) & 1U);
      }
    }
    printf(" \\\n        '*:file:_files' ;;\n");
  }
  printf("  esac\n}\n\n_parametrize \"$@\"\n");
}

/* ---- fish -------------------------------------------------------------------------------------------- */

static void
print_fish(void)
{
  printf("# fish completion of parametrize\n\n"
         "complete -c parametrize -n __fish_use_subcommand -f -a help -d 'Show the help of a "
         "command'\n"
         "complete -c parametrize -s h -l help -d 'Show the help'\n");
  for (size_t c = 0; c < n_commands; ++c) {
    printf("complete -c parametrize -n __fish_use_subcommand -f -a %s -d '", commands[c].name);
    print_inside_quotes(commands[c].summary, "\\");
    printf("'\n");
    for (uint32_t k = 0; k < N_OPTIONS; ++k) {
      const command_option* const o = &option_table[k];
      if (!takes(&commands[c], k)) {
        continue;
      }
      printf("complete -c parametrize -n '__fish_seen_subcommand_from %s' -l %s", commands[c].name,
             o->name);
      if (o->letter != '\0') {
        printf(" -s %c", o->letter);
      }
      if (o->argument) {
        fputs(is_file(o) ? " -r" : " -x", stdout);
      }
      if (o->values) {
        printf(" -a '%s'", o->values);
      }
      fputs(" -d '", stdout);
      print_inside_quotes(o->doc, "\\");
      printf("'\n");
    }
  }
}

/* ---- the man page ------------------------------------------------------------------------------------- */

/* Lines as they are, of a text that ends in a newline. */
static void
print_lines(const char* text)
{
  while (*text != '\0') {
    const size_t length = strcspn(text, "\n");
    const bool is_example = *text == ' ';
    fputs(is_example ? ".br\n" : "", stdout);
    print_roff(text, length);
    fputs(is_example ? "\n.br\n" : "\n", stdout);
    text += length + (text[length] == '\n');
  }
}

static void
print_man(void)
{
  printf(".TH PARAMETRIZE 1 \"\" \"parametrize %s\" \"User Commands\"\n"
         ".SH NAME\n"
         "parametrize \\- constrained parameters on arrays and models in files\n"
         ".SH SYNOPSIS\n"
         ".B parametrize\n.I COMMAND\n.RI [ ARGUMENTS ]\n"
         ".SH DESCRIPTION\n",
         pz_version());
  print_lines(main_chain_text);
  printf(".SH COMMANDS\n");
  for (size_t c = 0; c < n_commands; ++c) {
    printf(".SS \"");
    print_roff(commands[c].name, strlen(commands[c].name));
    putchar(' ');
    print_roff(commands[c].usage, strlen(commands[c].usage));
    printf("\"\n");
    print_roff(commands[c].summary, strlen(commands[c].summary));
    printf(".\n.PP\n");
    print_lines(commands[c].text);
    for (uint32_t k = 0; k < N_OPTIONS; ++k) {
      const command_option* const o = &option_table[k];
      if (!takes(&commands[c], k)) {
        continue;
      }
      printf(".TP\n.B ");
      if (o->letter != '\0') {
        printf("\\-%c, ", o->letter);
      }
      fputs("\\-\\-", stdout);
      print_roff(o->name, strlen(o->name));
      printf("%s%s\n", o->argument ? " " : "", o->argument ? o->argument : "");
      print_roff(o->doc, strlen(o->doc));
      putchar('\n');
    }
  }
  printf(
      ".SH EXIT STATUS\n0, 1 for an error, which prints one line to standard error, or 2 for a "
      "wrong command line.\n"
      ".SH ENVIRONMENT\n"
      ".TP\n.B PARAMETRIZE_PLUGIN_PATH\nfolders to search for plugins and backends, absolute and "
      "separated by colons\n"
      ".TP\n.B PARAMETRIZE_DEVICE\ndevices or backends that auto tries first, separated by "
      "commas\n"
      ".TP\n.B PARAMETRIZE_CHECK\n1: verify every callback of a plugin\n");
}

int
run_generate(const arguments* const a)
{
  static const struct {
    const char* name;
    void (*print)(void);
  } kinds[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}, {"man", print_man}};
  for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); ++k) {
    if (strcmp(a->operands[0], kinds[k].name) == 0) {
      kinds[k].print();
      return EXIT_GOOD;
    }
  }
  return say_usage("generate", a->operands[0], "expected bash, zsh, fish or man");
}
