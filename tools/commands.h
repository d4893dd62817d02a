/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The subcommands: each takes its command line, prints its error and returns the exit status. */

#ifndef TOOLS_COMMANDS_H
#define TOOLS_COMMANDS_H

#include "arguments.h"

/* show.c: what is installed, on the standard output */
int run_list(const arguments* a);
int run_info(const arguments* a);
int run_doctor(const arguments* a);

/* compute.c: from arrays in files to arrays in files */
int run_apply(const arguments* a);
int run_invert(const arguments* a);
int run_sample(const arguments* a);

/* derive.c: derivatives */
int run_vjp(const arguments* a);
int run_jvp(const arguments* a);
int run_logdet(const arguments* a);

/* bake.c, inspect.c: models in safetensors files */
int run_bake(const arguments* a);
int run_constrain(const arguments* a);
int run_inspect(const arguments* a);

/* check/check.c: whether a plugin keeps its contract */
int run_check(const arguments* a);

/* new/new.c: the beginning of a plugin */
int run_new(const arguments* a);

/* generate.c: completions of shells, the man page */
int run_generate(const arguments* a);

/* bench.c: times */
int run_bench(const arguments* a);

/* main.c: ends the program as its own decision. */
_Noreturn void main_end(int status);

#endif /* TOOLS_COMMANDS_H */
